"""A layer of an OCI image: the files of a tree as a tar archive that is the same, byte by byte, each time.

Entries are in the order of their paths, with owners as numbers. Capabilities are PAX records. There are no SELinux
labels: a container engine labels the files that it unpacks.

Source of the format: OCI Image Format Specification, layer.md; POSIX.1-2017, pax; ``SCHILY.xattr`` of star(1).
"""

import hashlib
import os
import stat
import tarfile
from collections.abc import Iterable, Mapping
from io import BufferedReader
from pathlib import Path, PurePosixPath
from typing import NoReturn

from atomic_lib.compose.tree_access.beneath import refusal
from atomic_lib.compose.tree_access.tree_files import TreeFiles

WHITEOUT = ".wh."
"""How the names of files begin by which a layer removes files of the layers below."""
_LABEL = "security.selinux"
_KEPT = ("security.capability", "user.")


def write_layer(
    files: TreeFiles,
    target: Path,
    *,
    packaged_times: Mapping[str, int],
    epoch: int,
    only: Iterable[str] | None = None,
    same_files: Mapping[str, int] | None = None,
) -> dict[str, str]:
    """Write all files of a tree to the tar archive ``target``; returns the sha256 of each regular file by path.

    ``only``: of the whole tree, these paths with the directories above them. ``same_files``: which paths are names of
    one file, by a number for each file; without it, those with one inode.

    A file keeps its modification time if it is that of its package, which ``packaged_times`` has by path, so that
    ``rpm --verify`` finds it unchanged. All else gets ``epoch``. Both are in seconds since 1970.

    Raises WorkbookError for what a layer cannot hold: a name that would be a whiteout, a device, socket or FIFO, an
    extended attribute other than capabilities and ``user.*``.
    """
    digests: dict[str, str] = {}
    first_names: dict[int, str] = {}
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT, encoding="utf-8", errors="surrogateescape") as archive:
        for path, status in _listed(files, only):
            known_time = int(status.st_mtime) if packaged_times.get(path) == int(status.st_mtime) else epoch
            member = _member(files, path, status, known_time)
            first = first_names.setdefault(same_files[path] if same_files else status.st_ino, path)
            if not stat.S_ISREG(status.st_mode):
                archive.addfile(member)
            elif first != path:
                member.type, member.linkname, digests[path] = tarfile.LNKTYPE, first, digests[first]
                archive.addfile(member)
            else:
                with files.opened(path) as file:
                    member.size = os.fstat(file.fileno()).st_size
                    hashed = _Hashed(file)
                    archive.addfile(member, hashed)  # type: ignore[arg-type]  # it only reads
                    digests[path] = hashed.sha256.hexdigest()
    return digests


def _listed(files: TreeFiles, only: Iterable[str] | None) -> list[tuple[str, os.stat_result]]:
    """The paths to write with their status, in their order; raises WorkbookError for one that is not in the tree."""
    if only is None:
        return sorted(files.below(), key=lambda pair: pair[0])
    paths = {str(part) for path in only for part in (path, *PurePosixPath(path).parents)} - {"."}
    found = ((path, files.status(path)) for path in sorted(paths))
    return [(path, status or _missing(path)) for path, status in found]


def _missing(path: str) -> NoReturn:
    raise refusal(path, "there is no such path in the tree")


class _Hashed:
    """A file that is hashed while it is read."""

    def __init__(self, file: BufferedReader) -> None:
        self._file, self.sha256 = file, hashlib.sha256()

    def read(self, size: int) -> bytes:
        block = self._file.read(size)
        self.sha256.update(block)
        return block


def _member(files: TreeFiles, path: str, status: os.stat_result, time: int) -> tarfile.TarInfo:
    if path.rpartition("/")[2].startswith(WHITEOUT):
        raise refusal(path, f"a name that begins with {WHITEOUT} removes a file, in a layer of an image")
    member = tarfile.TarInfo(path)
    member.mode, member.mtime = stat.S_IMODE(status.st_mode), time
    member.uid, member.gid = status.st_uid, status.st_gid
    if stat.S_ISDIR(status.st_mode):
        member.type = tarfile.DIRTYPE
    elif stat.S_ISLNK(status.st_mode):
        member.type, member.linkname = tarfile.SYMTYPE, files.target_of(path)
    elif not stat.S_ISREG(status.st_mode):
        raise refusal(path, "is a device, a socket or a FIFO, which an image for containers does not have")
    records: dict[str, str] = {}
    for name, value in files.attributes(path).items():
        if name == _LABEL:
            continue
        if not name.startswith(_KEPT):
            raise refusal(path, f"has the extended attribute {name!r}, which container engines do not keep")
        records[f"SCHILY.xattr.{name}"] = value.decode("utf-8", "surrogateescape")
    member.pax_headers = records
    return member
