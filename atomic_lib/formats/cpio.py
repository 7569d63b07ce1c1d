"""cpio archives as the kernel unpacks them into the initramfs: writer and reader.

Format "newc": https://www.kernel.org/doc/html/latest/driver-api/early-userspace/buffer-format.html

No library: cpiofile dates from 2011; libarchive-c needs libarchive on the host and ends with the
first archive, while an initramfs can be several, one after another.
"""

import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from atomic_lib.base.errors import WorkbookError
from atomic_lib.formats.zstd_frame import ZSTD_MAGIC

_ALIGNMENT = 4
_END = "TRAILER!!!"
_MAGIC = b"070701"
_MAGICS = (_MAGIC, b"070702")  # the second with checksums, which nobody writes
_COMPRESSED = (ZSTD_MAGIC, b"\x1f\x8b", b"\xfd7zXZ\0")  # zstd, gzip, xz
_FIELDS, _FIELD_DIGITS = 13, 8
_HEADER_BYTES = len(_MAGIC) + _FIELDS * _FIELD_DIGITS


@dataclass(frozen=True)
class Member:
    """A file to put into an archive, or with ``link`` a symbolic link whose target is ``data``."""

    data: bytes
    executable: bool = False
    link: bool = False

    @property
    def mode(self) -> int:
        """Type and permissions."""
        if self.link:
            return stat.S_IFLNK | 0o777
        return stat.S_IFREG | (0o755 if self.executable else 0o644)


@dataclass(frozen=True)
class ArchivedMember:
    """A member of an archive. ``mode`` includes the file type."""

    path: str
    mode: int
    uid: int
    gid: int
    mtime_seconds: int
    links: int
    data: bytes


def text_file(text: str, *, executable: bool = False) -> Member:
    """A file with this text."""
    return Member(text.encode(), executable)


def link_to(target: str) -> Member:
    """A symbolic link."""
    return Member(target.encode(), link=True)


def archive(members: Mapping[str, Member]) -> bytes:
    """The archive of ``members`` by path (no leading slash), with the directories above them; root owns all."""
    parts = [_record(path, stat.S_IFDIR | 0o755, b"") for path in _directories(members)]
    parts += [_record(path, member.mode, member.data) for path, member in sorted(members.items())]
    parts.append(_record(_END, 0, b""))
    return b"".join(parts)


def read_initramfs(data: bytes, decompress: Callable[[bytes], bytes]) -> Iterator[ArchivedMember]:
    """The members of an initramfs in their order: archives one after another, plain or compressed.

    ``decompress`` gets the rest of the data from the start of a compressed archive.
    Raises WorkbookError where the data is not an initramfs, is cut off or damaged.
    """
    place = 0
    while place < len(data):
        if data[place] == 0:  # padding between two archives
            place += 1
        elif data.startswith(_COMPRESSED, place):
            data, place = decompress(data[place:]), 0
        elif data.startswith(_MAGICS, place):
            member, place = _read_member(data, place)
            while member.path != _END:
                yield member
                member, place = _read_member(data, place)
        else:
            raise WorkbookError("not an initramfs: neither a cpio archive nor compressed")


def _read_member(data: bytes, start: int) -> tuple[ArchivedMember, int]:
    """The member at ``start``, and where the next one begins."""
    head = data[start : start + _HEADER_BYTES]
    try:
        digits = (head[len(_MAGIC) + at * _FIELD_DIGITS :][:_FIELD_DIGITS] for at in range(_FIELDS))
        _, mode, uid, gid, links, mtime_seconds, size_bytes, *_, name_bytes, _ = (int(part, 16) for part in digits)
    except ValueError:
        raise WorkbookError("the initramfs is cut off or damaged") from None
    name_start = start + _HEADER_BYTES
    data_start = _aligned(name_start + name_bytes)
    if not head.startswith(_MAGICS) or data_start + size_bytes > len(data):
        raise WorkbookError("the initramfs is cut off or damaged")
    path = data[name_start : name_start + name_bytes - 1].decode(errors="surrogateescape")
    content = data[data_start : data_start + size_bytes]
    return ArchivedMember(path, mode, uid, gid, mtime_seconds, links, content), _aligned(data_start + size_bytes)


def _directories(members: Mapping[str, Member]) -> list[str]:
    above = {str(parent) for path in members for parent in PurePosixPath(path).parents}
    return sorted(above - {"."})


def _record(name: str, mode: int, data: bytes) -> bytes:
    encoded = name.encode() + b"\0"
    inode, owner, group, links, time, major, minor, device_major, device_minor, checksum = 0, 0, 0, 1, 0, 0, 0, 0, 0, 0
    numbers = (inode, mode, owner, group, links, time, len(data), major, minor, device_major, device_minor,
               len(encoded), checksum)  # fmt: skip
    header = _MAGIC + b"".join(b"%08X" % number for number in numbers)
    return _padded(header + encoded) + _padded(data)


def _padded(data: bytes) -> bytes:
    return data.ljust(_aligned(len(data)), b"\0")


def _aligned(offset: int) -> int:
    return -(-offset // _ALIGNMENT) * _ALIGNMENT
