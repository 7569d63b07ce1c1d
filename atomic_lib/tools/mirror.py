"""The Debian mirror of the tools tree and of stand-in content."""

import os
from functools import cache
from pathlib import Path

from atomic_lib.base import command
from atomic_lib.base.errors import WorkbookError


def debian_mirror() -> str:
    """The address of the mirror: $WORKBOOK_MIRROR, or the one in the configuration of the host's apt.

    Raises WorkbookError if neither names one.
    """
    if os.environ.get("WORKBOOK_MIRROR"):
        return os.environ["WORKBOOK_MIRROR"].rstrip("/")
    return choose_mirror(_apt_targets())


@cache
def _apt_targets() -> str:
    form = "$(REPO_URI) $(CODENAME) $(COMPONENT) $(ORIGIN)"
    try:
        return command.run(["apt-get", "indextargets", "--format", form, "Created-By: Packages"]).stdout
    except command.CommandError:
        return ""


def choose_mirror(targets: str) -> str:
    """The first Debian main archive (not security, not backports) in the output of ``apt-get indextargets``.

    Of a ``mirror+file:`` list, which Debian's cloud images use, this is the first entry.

    Raises WorkbookError if there is none.
    """
    for line in targets.splitlines():
        uri, *words = line.split()
        if words[1:] == ["main", "Debian"] and "-" not in words[0]:
            address = _first_of_list(Path(uri[12:].rstrip("/"))) if uri.startswith("mirror+file:") else uri
            if address.startswith(("http://", "https://")):
                return address.rstrip("/")
    raise WorkbookError(
        "no Debian mirror: the host's apt names none",
        hint="name one: ./workbook --mirror URL run",
    )


def _first_of_list(path: Path) -> str:
    lines = path.read_text().split("\n") if path.is_file() else []
    return next((line.split()[0] for line in lines if line.strip() and not line.startswith("#")), "")
