"""The files of an ext4 file system in one state of a disk, looked up by path as a boot loader does."""

from collections.abc import Iterator
from hashlib import sha256

from atomic_lib.formats.disk.ext4 import InodeReader
from atomic_lib.formats.disk.ext4_inode import DIRECTORY, FILE, LINK, Inode
from atomic_lib.formats.disk.ext4_layout import DiskBytes, Layout
from atomic_lib.formats.disk.ext4_names import ROOT_INODE, directory_entries
from atomic_lib.formats.disk.raw_disk import pieces_of, read_pieces

_LINKS_MOST = 8


class FileView:
    """The files of one state. All methods raise WorkbookError where the file system is damaged."""

    def __init__(self, disk: DiskBytes, layout: Layout) -> None:
        self.disk, self.layout = disk, layout
        self._reader = InodeReader(disk, layout)
        self._inodes: dict[int, Inode] = {}
        self._names: dict[int, dict[str, int]] = {}

    def inode(self, number: int) -> Inode:
        """The inode of this number."""
        if number not in self._inodes:
            self._inodes[number] = self._reader.inode(number)
        return self._inodes[number]

    def metadata_blocks(self, number: int) -> list[int]:
        """The blocks in which an inode's extents and attributes stand, as blocks of the file system."""
        reader = InodeReader(self.disk, self.layout)
        inode = reader.inode(number)
        data = {first for _, first, _, _ in inode.data}
        return [self.layout.inode_block(number), *(first for first, _, _ in reader.runs if first not in data)]

    def names(self, directory: int) -> dict[str, int]:
        """The inode of each name in a directory; empty where the inode is no directory."""
        if directory not in self._names:
            inode = self.inode(directory)
            entries = directory_entries(self.disk, self.layout, inode) if inode.kind == DIRECTORY else ()
            self._names[directory] = {name: number for name, number, _ in entries}
        return self._names[directory]

    def lookup(self, path: str, *, follow: bool = True) -> Inode | None:
        """The inode of a path; None if there is none. ``follow``: also the link that the path itself may be."""
        found = self._walk([ROOT_INODE], path, _LINKS_MOST, follow=follow)
        return None if found is None else self.inode(found[-1])

    def real_path(self, path: str) -> str | None:
        """The path without links; None if there is none."""
        names: list[str] = []
        found = self._walk([ROOT_INODE], path, _LINKS_MOST, follow=True)
        for parent, child in zip(found or [], (found or [])[1:], strict=False):
            names += [name for name, number in self.names(parent).items() if number == child][:1]
        return None if found is None else "/" + "/".join(names)

    def listing(self, path: str) -> dict[str, Inode]:
        """The inodes of the names in a directory; empty where there is no such directory."""
        directory = self.lookup(path)
        names = self.names(directory.number) if directory else {}
        return {name: self.inode(number) for name, number in names.items()}

    def below(self, path: str) -> Iterator[tuple[str, Inode]]:
        """All paths below a directory, each with its inode, and the directory itself first."""
        top = self.lookup(path, follow=False)
        stack = [(path, top)] if top else []
        while stack:
            base, inode = stack.pop()
            yield base, inode
            stack += [(f"{base}/{name}", self.inode(number)) for name, number in self.names(inode.number).items()]

    def content(self, inode: Inode) -> bytes:
        """The content of a file, or the target of a link."""
        if inode.inline_target is not None:
            return inode.inline_target
        return b"".join(read_pieces(self.disk, pieces_of(self.layout, inode)))

    def digest(self, inode: Inode) -> str:
        """The sha256 of the content of a file, in hex."""
        digest = sha256()
        for part in read_pieces(self.disk, pieces_of(self.layout, inode)):
            digest.update(part)
        return digest.hexdigest()

    def attributes(self, inode: Inode) -> dict[str, bytes]:
        """The extended attributes of an inode."""
        block = self.layout.block(self.disk, inode.attributes_block) if inode.attributes_block else b""
        try:
            return inode.attributes(block)
        except ValueError as error:
            raise self.layout.damaged(f"inode {inode.number}: {error}") from None

    def text(self, path: str) -> str | None:
        """The content of a regular file as text; None if there is no such file."""
        inode = self.lookup(path)
        return self.content(inode).decode(errors="replace") if inode and inode.kind == FILE else None

    def _walk(self, way: list[int], path: str, links: int, *, follow: bool) -> list[int] | None:
        """The inodes from the root to a path that begins at the end of ``way``, links resolved.

        None where a name is missing, or after too many links.
        """
        if path.startswith("/"):
            way = [ROOT_INODE]
        parts = [part for part in path.split("/") if part not in ("", ".")]
        for place, part in enumerate(parts):
            if part == "..":
                way = way[:-1] or [ROOT_INODE]
                continue
            number = self.names(way[-1]).get(part)
            if number is None:
                return None
            inode = self.inode(number)
            if inode.kind != LINK or not (follow or place < len(parts) - 1):
                way = [*way, number]
                continue
            target = self.content(inode).decode(errors="replace")
            found = self._walk(way, target, links - 1, follow=True) if links else None
            if found is None:
                return None
            way = found
        return way
