"""Headers of RPM files: requirements, files, and the key that signed each.

Read by ``rpm -qp`` of the tools tree. No library: rpm's own Python module comes with the host's
rpm only, and rpmfile gives a signature as bytes, not the key that made it.
"""

import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.formats.rpm_capabilities import named_capabilities
from atomic_lib.tools.sandbox import Bind, Tools

_SIGNATURE = "%|RSAHEADER?{%{RSAHEADER:pgpsig}}:{%|DSAHEADER?{%{DSAHEADER:pgpsig}}|}|"
# Texts are quoted for a shell: the target of a link may have tabs and line feeds.
_QUERY = (
    rf"package\t%{{NAME:shescape}}\t{_SIGNATURE}\n"
    r"[requires\t%{REQUIRENAME:shescape}\n][provides\t%{PROVIDENAME:shescape}\n]"
    r"[file\t%{FILEMODES:octal}\t%{LONGFILESIZES}\t%{FILEMTIMES}\t%{FILELINKTOS:shescape}\t%{FILENAMES:shescape}\n]"
)
_FIELD = re.compile(r"((?:[^'\\\t\n]|\\.|'[^']*')*)([\t\n])", re.DOTALL)


@dataclass(frozen=True)
class PackagedFile:
    """A path in a package. ``mode`` includes the file type."""

    mode: int
    size_bytes: int
    mtime_seconds: int
    target: str = ""
    """Where a symbolic link points."""

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return stat.S_ISDIR(self.mode)


@dataclass(frozen=True)
class Header:
    """One package. ``key_id``: 16 hex digits, empty if unsigned; capabilities are bare names.

    Packages of one name (of two architectures, or several kernels) are together one.
    """

    name: str
    key_id: str
    requires: frozenset[str]
    provides: frozenset[str]
    files: Mapping[str, PackagedFile]

    @property
    def capabilities(self) -> set[str]:
        """What others can require of it: its name, what it provides, and its files."""
        return {self.name, *self.provides, *self.files}

    def __or__(self, other: "Header") -> "Header":
        """Both together; the key is that of the first."""
        requires, provides = self.requires | other.requires, self.provides | other.provides
        return Header(self.name, self.key_id, requires, provides, {**self.files, **other.files})


def read_headers(tools: Tools, rpms: Path) -> dict[str, Header]:
    """The headers of all RPM files in a directory, by package name.

    Signatures are not verified here: dnf does that before it installs. Raises WorkbookError
    naming a file that is not an RPM.
    """
    files = sorted(rpms.glob("*.rpm"))
    words = ["rpm", "-qp", "--nosignature", "--nodigest", "--qf", _QUERY]
    try:
        listing = tools.run([*words, *(f"/mnt/rpms/{file.name}" for file in files)], binds=[Bind(rpms, "/mnt/rpms")])
    except CommandError as error:
        raise WorkbookError(
            f"a package is damaged: {error.stderr.strip().removeprefix('error: /mnt/rpms/')}",
            hint="./workbook clean builds, then run again; if it comes back, use another mirror",
        ) from None
    return parse_headers(listing.stdout)


def parse_headers(listing: str) -> dict[str, Header]:
    """Headers from lines of tab-separated fields; a line ``package`` begins each. Texts are quoted as for a shell."""
    found: dict[str, Header] = {}
    for rows in _packages(listing):
        name, signature = rows[0][1:]
        key_id = signature.rpartition("Key ID ")[2].strip().lower()
        requires, provides = (_capabilities(rows, kind) for kind in ("requires", "provides"))
        files = {
            path: PackagedFile(int(mode, 8), int(size), int(mtime), target)
            for mode, size, mtime, target, path in (row[1:] for row in rows if row[0] == "file")
        }
        header = Header(name, key_id, requires, provides, files)
        found[name] = found[name] | header if name in found else header
    return found


def _packages(listing: str) -> Iterator[list[list[str]]]:
    """The lines of each package, as their fields."""
    rows: list[list[str]] = []
    for row in _rows(listing):
        if row[0] == "package" and rows:
            yield rows
            rows = []
        rows.append(row)
    if rows:
        yield rows


def _rows(listing: str) -> Iterator[list[str]]:
    row: list[str] = []
    for field, end in _FIELD.findall(listing):
        row.append(field[1:-1].replace(r"'\''", "'") if field.startswith("'") else field)
        if end == "\n":
            yield row
            row = []


def _capabilities(rows: Iterable[list[str]], kind: str) -> frozenset[str]:
    return frozenset(name for row in rows if row[0] == kind for name in named_capabilities(row[1]))


def closure(headers: Mapping[str, Header], names: Iterable[str]) -> set[str]:
    """What ``names`` are, packages or what packages provide, and all that it requires: every provider of each."""
    providers: dict[str, list[str]] = {}
    for header in headers.values():
        for capability in header.capabilities:
            providers.setdefault(capability, []).append(header.name)
    reached: set[str] = set()
    waiting = [found for name in names for found in providers.get(name, ())]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += (found for wanted in headers[name].requires for found in providers.get(wanted, ()))
    return reached
