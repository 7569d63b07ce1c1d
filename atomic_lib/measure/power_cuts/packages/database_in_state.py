"""The RPM database in a state of a disk, as the next update finds it: opened by the build tools' rpm, in a copy.

SQLite rolls back what was not committed (``-journal``), or takes what was from the write-ahead log (``-wal``), when a
database is opened to write. It makes the index of that log (``-shm``) anew, so this file is left out. Sources: SQLite's
documentation ("Atomic Commit", "Write-Ahead Logging"), rpm(8), rpmdb(8).
"""

import io
import tarfile
from dataclasses import dataclass, field

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.formats.disk.ext4_inode import FILE, Inode
from atomic_lib.formats.disk_states.file_view import FileView
from atomic_lib.measure.power_cuts.mounted_state import FileDigests
from atomic_lib.tools.sandbox import Tools

DATABASE = "/usr/lib/sysimage/rpm"
_FILE, _INDEX = "rpmdb.sqlite", "-shm"
_KEYS = "gpg-pubkey"
"""The package as which rpm keeps each public key: not one of the system's."""
_INSTALLED = "0"
"""The state of a file that is there: rpm's rpmfi.h, RPMFILE_STATE_NORMAL."""
_RPM_SECONDS = 120
# Only who opens it to write may roll back a transaction: "rpm -q" would not.
_OPEN = "mkdir /tmp/db && tar -x -C /tmp/db && rpmdb --dbpath /tmp/db --initdb"
_LIST = r"rpm --dbpath /tmp/db -qa --nosignature --qf 'package %{NAME} %{NEVRA} %{SHA256HEADER}\n'"
_VERIFY = f"{_OPEN} && {_LIST} && rpmdb --dbpath /tmp/db --verifydb"
_FILES = (
    f"{_OPEN} && rpm --dbpath /tmp/db -qa --nosignature --qf "
    r"'[file\t%{=NEVRA}\t%{FILESTATES}\t%{FILEMODES:octal}\t%{FILEDIGESTS}\t%{FILEFLAGS:fflags}\t%{FILENAMES}\n]'"
)


@dataclass(frozen=True)
class RpmDatabase:
    """What is installed: the NEVRAs by name, each with the digest of its header, and why the database cannot be used.

    ``problem``: empty if rpm opens it, and SQLite finds it whole.
    """

    packages: dict[str, tuple[tuple[str, str], ...]]
    problem: str = ""


@dataclass(frozen=True)
class RpmFile:
    """A file of a package; ``flags``: ``c`` for a configuration file, ``g`` for one that rpm does not write, …"""

    nevra: str
    mode: int
    digest: str
    flags: str
    path: str


@dataclass
class RpmDatabases:
    """Reads databases in states of a disk, each content once."""

    tools: Tools
    digests: FileDigests
    _known: dict[tuple[object, ...], RpmDatabase] = field(default_factory=dict, repr=False)

    def read(self, view: FileView) -> RpmDatabase:
        """The database in a state. Raises WorkbookError where the file system is damaged, or rpm cannot be started."""
        files = _files(view)
        key = tuple((name, self.digests.identity(view, inode)) for name, inode in sorted(files.items()))
        if key not in self._known:
            self._known[key] = self._read(_archive(view, files)) if _FILE in files else RpmDatabase({}, "missing")
        return self._known[key]

    def files(self, view: FileView) -> list[RpmFile]:
        """All files of all packages, as the database has them; raises CommandError if rpm does not open it."""
        said = self._run(_FILES, _archive(view, _files(view)))
        return parse_files(said)

    def _read(self, archive: bytes) -> RpmDatabase:
        try:
            return RpmDatabase(parse_packages(self._run(_VERIFY, archive)))
        except CommandError as error:
            if error.status is None or error.status < 0:
                raise
            said = error.stderr.strip().splitlines() or ["rpm does not open it"]
            return RpmDatabase(parse_packages(error.stdout), said[0])

    def _run(self, program: str, archive: bytes) -> str:
        return self.tools.run(["sh", "-c", program], input=archive, timeout_seconds=_RPM_SECONDS).stdout


def parse_packages(said: str) -> dict[str, tuple[tuple[str, str], ...]]:
    """The packages in a listing of ours, without public keys."""
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for line in said.splitlines():
        words = line.split(" ")
        if len(words) == 4 and words[0] == "package" and words[1] != _KEYS:
            found[words[1]] = tuple(sorted([*found.get(words[1], ()), (words[2], words[3])]))
    return found


def parse_files(said: str) -> list[RpmFile]:
    """The files in a listing of ours, without those that were not installed, such as documentation."""
    lines = (line.split("\t", 6) for line in said.split("\n") if line.startswith("file\t"))
    return [
        RpmFile(nevra, int(mode, 8), digest, flags, path)
        for _, nevra, state, mode, digest, flags, path in lines
        if state == _INSTALLED
    ]


def _files(view: FileView) -> dict[str, Inode]:
    listing = view.listing(DATABASE)
    return {
        name: inode
        for name, inode in listing.items()
        if name.startswith(_FILE) and not name.endswith(_INDEX) and inode.kind == FILE
    }


def _archive(view: FileView, files: dict[str, Inode]) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, inode in sorted(files.items()):
            content = view.content(inode)
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()


def require_whole(name: str, database: RpmDatabase) -> None:
    """Raises WorkbookError if a database is not whole where nothing was cut."""
    if database.problem:
        raise WorkbookError(f"{name}: the RPM database is not whole in the recorded upgrade: {database.problem}")
