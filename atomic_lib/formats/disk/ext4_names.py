"""The names in an ext4 file system.

Format: the Linux kernel's Documentation/filesystems/ext4/directory.rst. Why no library: see ext4.py.
"""

import struct
from collections.abc import Iterator, Mapping

from atomic_lib.formats.disk.ext4_inode import DIRECTORY, FILE, LINK, Inode
from atomic_lib.formats.disk.ext4_layout import DiskBytes, Layout

ROOT_INODE = 2
ENTRY_KINDS = {1: FILE, 2: DIRECTORY, 3: 0o02, 4: 0o06, 5: 0o01, 6: 0o14, 7: LINK}
"""The type of a file in a directory entry, and the same in its inode."""
_UNCOUNTED = 1
"""The link count of a directory with more subdirectories than the field can hold."""


def read_names(
    disk: DiskBytes, layout: Layout, inodes: Mapping[int, Inode]
) -> tuple[dict[int, tuple[str, ...]], dict[str, int]]:
    """The paths of each inode except directories, and the inode of each directory by path (root: empty).

    Raises WorkbookError for what e2fsck would find: a name of an unused inode, or a type or
    number of links other than the inode's.
    """
    names: dict[int, tuple[str, ...]] = {}
    directories = {"": ROOT_INODE}
    subdirectories = {ROOT_INODE: 0}
    stack = [(ROOT_INODE, "")]
    while stack:
        directory, base = stack.pop()
        for name, number, kind in directory_entries(disk, layout, inodes.get(directory)):
            path = f"{base}/{name}"
            if number not in inodes or number in subdirectories:
                raise layout.damaged(f"{path!r} is inode {number}, which is not in use, or a directory with two names")
            if ENTRY_KINDS.get(kind) != inodes[number].kind:
                raise layout.damaged(f"{path!r}: its directory calls it another type of file than its inode")
            if inodes[number].kind == DIRECTORY:
                directories[path], subdirectories[number] = number, 0
                subdirectories[directory] += 1
                stack.append((number, path))
            else:
                names[number] = (*names.get(number, ()), path)
    _require_links(layout, inodes, names, directories, subdirectories)
    return names, directories


def _require_links(
    layout: Layout,
    inodes: Mapping[int, Inode],
    names: Mapping[int, tuple[str, ...]],
    directories: Mapping[str, int],
    subdirectories: Mapping[int, int],
) -> None:
    counts = {path: (number, subdirectories[number] + 2) for path, number in directories.items()}
    counts |= {min(paths): (number, len(paths)) for number, paths in names.items()}
    for path, (number, count) in counts.items():
        links = inodes[number].links
        if links != count and not (number in subdirectories and links == _UNCOUNTED):
            raise layout.damaged(f"{path!r} has {count} links, but says that it has {links}")


def directory_entries(disk: DiskBytes, layout: Layout, inode: Inode | None) -> Iterator[tuple[str, int, int]]:
    """Name, inode and type of each entry of a directory, except ``.`` and ``..``."""
    for _, first, count, _ in inode.data if inode else ():
        for number in range(first, first + count):
            block, place = layout.block(disk, number), 0
            while place < len(block):
                target, length, name_length, kind = struct.unpack_from("<IHBB", block, place)
                name = block[place + 8 : place + 8 + name_length]
                if length < 8 + name_length:
                    raise layout.damaged(f"the directory block {number} has an entry of {length} bytes")
                if target and name not in (b".", b".."):
                    yield name.decode(errors="surrogateescape"), target, kind
                place += length
