"""Every path of a disk image's root file system with all its metadata, read without mounting it.

Times are not read: an ostree commit has none, and a build sets them all to the same value.
"""

import hashlib
import re
import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.formats.disk.attributes import attribute_text
from atomic_lib.formats.disk.ext4 import Ext4
from atomic_lib.formats.disk.ext4_inode import DIRECTORY, FILE, LINK, Inode
from atomic_lib.formats.disk.ext4_layout import DiskBytes
from atomic_lib.formats.disk.raw_disk import Piece, RawDisk, open_disk_file, open_raw_disk, pieces_of, read_pieces

_TYPES = {FILE: "file", DIRECTORY: "directory", LINK: "link", 0o01: "fifo", 0o14: "socket", 0o02: "character device",
          0o06: "block device"}  # fmt: skip
_DEPLOYMENT = re.compile(r"/ostree/deploy/([^/]+)/deploy/[0-9a-f]+\.\d+")


@dataclass(frozen=True)
class FileEntry:
    """One path. ``mode`` are its permission bits; ``size_bytes`` of a directory is 0.

    ``sha256`` of a file's content, ``target`` of a link, ``device`` (major:minor) of a device.
    ``inode`` is the same for hard links to one file. Odd bytes of a name or a target are
    surrogates (PEP 383).
    """

    type: str
    mode: int
    uid: int
    gid: int
    size_bytes: int
    sha256: str
    target: str
    device: str
    attributes: Mapping[str, str]
    inode: int
    pieces: tuple[Piece, ...] = field(default=(), repr=False, compare=False)


@dataclass(frozen=True, eq=False)
class FileSystem:
    """A file system by path, from ``/``. ``outside``: the number of the disk's paths that are not in this view.

    Metadata is read once; ``content``, ``parts`` and ``text`` read the image again.
    """

    raw: Path
    entries: Mapping[str, FileEntry]
    outside: int = 0

    def content(self, path: str) -> bytes:
        """The content of a file, read from the image again; empty where the path is not a file."""
        content = BytesIO()
        content.writelines(self.parts(path))  # bytes.join would hold all parts beside the whole
        return content.getvalue()

    def parts(self, path: str) -> Iterator[bytes]:
        """The content of a file as ``content`` reads it, at most 1 MiB at a time."""
        entry = self.entries.get(path)
        if entry is not None and entry.type == "file":
            with open_disk_file(self.raw) as disk:
                yield from read_pieces(disk, entry.pieces)

    def text(self, path: str) -> str:
        """The content of a file as text."""
        return self.content(path).decode(errors="surrogateescape")

    @cached_property
    def users(self) -> Mapping[int, str]:
        """User names by number, from the file system's own /etc/passwd."""
        return self._accounts("/etc/passwd")

    @cached_property
    def groups(self) -> Mapping[int, str]:
        """Group names by number, from the file system's own /etc/group."""
        return self._accounts("/etc/group")

    @cached_property
    def names(self) -> Mapping[int, tuple[str, ...]]:
        """All paths of each inode that has more than one."""
        found: dict[int, list[str]] = defaultdict(list)
        for path, entry in self.entries.items():
            if entry.type != "directory":
                found[entry.inode].append(path)
        return {inode: tuple(sorted(paths)) for inode, paths in found.items() if len(paths) > 1}

    def _accounts(self, path: str) -> Mapping[int, str]:
        rows = [line.split(":") for line in self.text(path).split("\n")]
        return {int(row[2]): row[0] for row in reversed(rows) if len(row) > 2 and row[2].isdecimal()}


def read_file_system(raw: Path) -> FileSystem:
    """The root file system of a raw disk image, with the checksum of every file.

    Raises WorkbookError naming the image where it is not a disk image, is cut off or damaged.
    """
    with open_raw_disk(raw) as disk:
        return FileSystem(raw, _entries(disk))


def deployment_of(disk: FileSystem) -> FileSystem:
    """The one deployment of an ostree image as the booted system sees it: ``/``, its /var, and /boot.

    /sysroot is left empty: paths outside the deployment are only counted. Raises
    WorkbookError for an image that has no deployment, or several.
    """
    found = [match for path in disk.entries if (match := _DEPLOYMENT.fullmatch(path))]
    if len(found) != 1:
        raise WorkbookError(f"{disk.raw}: {len(found)} ostree deployments, but there must be one")
    top, stateroot = found[0][0], found[0][1]
    seen = {path: _seen_at(path, top, f"/ostree/deploy/{stateroot}/var") for path in disk.entries}
    entries = {place: disk.entries[path] for path, place in seen.items() if place}
    return FileSystem(disk.raw, dict(sorted(entries.items())), len(disk.entries) - len(entries))


def _seen_at(path: str, top: str, var: str) -> str | None:
    """Where the booted system has a path of the disk: a deployment's own /var and /boot are mount points."""
    for place, mounted in (("/var", var), ("/boot", "/boot")):
        if path == mounted or path.startswith(f"{mounted}/"):
            return place + path.removeprefix(mounted)
    rest = path.removeprefix(top)
    if not path.startswith(f"{top}/"):
        return "/" if path == top else None
    return rest if rest.split("/")[1] not in ("var", "boot") else None


def is_ostree(disk: FileSystem) -> bool:
    """Whether a disk has a repository of ostree."""
    return "/ostree/repo" in disk.entries


def root_of(disk: FileSystem) -> FileSystem:
    """The root file system that the image boots into: the deployment of an ostree image, else all of it."""
    return deployment_of(disk) if is_ostree(disk) else disk


def _entries(disk: RawDisk) -> dict[str, FileEntry]:
    files = disk.files
    paths = {number: (path or "/",) for path, number in files.directories.items()} | dict(files.names)
    # in the order of the disk, which is how it is read fastest
    numbers = sorted(paths, key=lambda number: files.inodes[number].data[0][1] if files.inodes[number].data else 0)
    entries: dict[str, FileEntry] = {}
    for number in numbers:
        inode = files.inodes[number]
        try:
            entry = _entry(disk.data, files, inode)
        except (ValueError, struct.error) as error:
            raise files.layout.damaged(f"{paths[number][0]!r}: {error}") from None
        entries.update(dict.fromkeys(paths[number], entry))
    return dict(sorted(entries.items()))


def _entry(disk: DiskBytes, files: Ext4, inode: Inode) -> FileEntry:
    kind = _TYPES.get(inode.kind)
    if kind is None:
        raise ValueError(f"a file of type {inode.kind:#o}")
    block = files.layout.block(disk, inode.attributes_block) if inode.attributes_block else b""
    attributes = inode.attributes(block)
    pieces = tuple(pieces_of(files, inode)) if kind in ("file", "link") else ()
    target = inode.inline_target
    if kind == "link" and target is None:
        target = b"".join(read_pieces(disk, pieces))
    return FileEntry(
        type=kind,
        mode=inode.mode,
        uid=inode.uid,
        gid=inode.gid,
        size_bytes=inode.size_bytes if kind in ("file", "link") else 0,
        sha256=_sha256(disk, pieces) if kind == "file" else "",
        target=(target or b"").decode(errors="surrogateescape"),
        device="{}:{}".format(*inode.device) if inode.device else "",
        attributes={name: attribute_text(name, attributes[name]) for name in sorted(attributes)},
        inode=inode.number,
        pieces=pieces,
    )


def _sha256(disk: DiskBytes, pieces: Iterable[Piece]) -> str:
    digest = hashlib.sha256()
    for data in read_pieces(disk, pieces):
        digest.update(data)
    return digest.hexdigest()
