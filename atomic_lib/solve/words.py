"""Which words of recipes, groups and locks may stand in a command line, in dnf's configuration, or in a path."""

import re
from collections.abc import Iterable

from atomic_lib.base.errors import WorkbookError
from atomic_lib.solve.lock import Lock

INSTALLED = re.compile(r"(?!.*(://|\.rpm$))[^\s@\x00-\x1f\x7f-][^\x00-\x1f\x7f]*")
"""A name, pattern, file or requirement: no option, no group, and no RPM file or URL that dnf would read."""
EXCLUDED = re.compile(r"[^\s@,\x00-\x1f\x7f-][^\s,\x00-\x1f\x7f]*")
"""A name or pattern; dnf's option takes several, separated by commas."""

# rpm's own rules for the parts of a NEVRA (rpmbuild, parsePreamble.c), and a sha256
NEVRA_PARTS = {
    "name": re.compile(r"\w[\w.+-]*", re.ASCII),
    "version": re.compile(r"[\w.+~^%{}]+", re.ASCII),
    "release": re.compile(r"[\w.+~^%{}]+", re.ASCII),
    "arch": re.compile(r"\w+", re.ASCII),
    "sha256": re.compile(r"[0-9a-f]{64}"),
}


def require_words(words: Iterable[str], source: str, accepted: re.Pattern[str] = INSTALLED) -> None:
    """Raise WorkbookError, which begins with ``source``, for the first word that is not ``accepted``."""
    for word in words:
        if not accepted.fullmatch(word):
            raise WorkbookError(
                f"{source}: {word!r} is not the name of a package",
                hint="name packages without options, groups, addresses and control characters",
            )


def require_plain(lock: Lock, source: str) -> None:
    """Raise WorkbookError for a package whose parts rpm would not accept: they become words of dnf and file names.

    The packages of a commit have no sha256.
    """
    parts = {part: accepted for part, accepted in NEVRA_PARTS.items() if part != "sha256" or not lock.commit}
    for package in lock.packages:
        for part, accepted in parts.items():
            value = getattr(package, part)
            if not isinstance(value, str) or not accepted.fullmatch(value):
                raise WorkbookError(f"{source}: {part} {value!r} of a package is not one that rpm accepts",
                                    hint="do not use this lock or repository")  # fmt: skip
        if type(package.epoch) is not int or package.epoch < 0:
            raise WorkbookError(f"{source}: epoch {package.epoch!r} of a package is not a number")
