"""The version of a build from ``automatic-version-prefix``, by rpm-ostree's rules for the first commit of a ref."""

import re
from datetime import UTC, datetime

from atomic_lib.base.errors import WorkbookError

ACCEPTED = re.compile(r"[0-9A-Za-z._+~^-]+")
"""A version: it stands in the metadata of commits, in os-release and in file names."""
_TAG = re.compile(r"<([a-zA-Z]+):([^>]*)>")
# those of GLib's g_date_time_format that mean the same in strftime(3) in any locale
_DIRECTIVES = frozenset("CDFGHIMSTVYdegjmsuwyklNh%")


def first_version(prefix: str, suffix: str, source_date_epoch: int) -> str:
    """The version of the first commit with this prefix; ``<date:FORMAT>`` is the date of the epoch, in UTC.

    With a date, rpm-ostree appends the suffix and 0. Raises WorkbookError, without the name of the file, for a
    format or a version that is not accepted.
    """
    when = datetime.fromtimestamp(source_date_epoch, UTC)
    dates = 0

    def date_of(match: re.Match[str]) -> str:
        nonlocal dates
        if match[1] != "date":
            return match[0]
        dates += 1
        return _formatted(match[2], when)

    version = _TAG.sub(date_of, prefix) + (f"{suffix}0" if dates else "")
    if not ACCEPTED.fullmatch(version):
        raise WorkbookError(
            f"{prefix!r} makes the version {version!r}, which is not accepted",
            hint="a version has letters, digits, dot, dash, underscore, plus, tilde and caret only",
        )
    return version


def _formatted(form: str, when: datetime) -> str:
    for match in re.finditer(r"%(.?)", form):
        if match[1] not in _DIRECTIVES or not match[1]:
            raise WorkbookError(
                f"<date:{form}>: {match[0]!r} is not accepted in a date",
                hint="for example <date:%Y%m%d>; names of days and months depend on a language",
            )
    return when.strftime(form)
