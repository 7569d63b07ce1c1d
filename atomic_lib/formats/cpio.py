"""A cpio archive, as the kernel unpacks it into its initial root file system.

Format "newc": https://www.kernel.org/doc/html/latest/driver-api/early-userspace/buffer-format.html
"""

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

_ALIGNMENT = 4
_END = "TRAILER!!!"


@dataclass(frozen=True)
class Member:
    """A file of an archive, or with ``link`` a symbolic link whose target is ``data``."""

    data: bytes
    executable: bool = False
    link: bool = False

    @property
    def mode(self) -> int:
        """Type and permissions."""
        if self.link:
            return stat.S_IFLNK | 0o777
        return stat.S_IFREG | (0o755 if self.executable else 0o644)


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


def _directories(members: Mapping[str, Member]) -> list[str]:
    above = {str(parent) for path in members for parent in PurePosixPath(path).parents}
    return sorted(above - {"."})


def _record(name: str, mode: int, data: bytes) -> bytes:
    encoded = name.encode() + b"\0"
    inode, owner, group, links, time, major, minor, device_major, device_minor, checksum = 0, 0, 0, 1, 0, 0, 0, 0, 0, 0
    numbers = (inode, mode, owner, group, links, time, len(data), major, minor, device_major, device_minor,
               len(encoded), checksum)  # fmt: skip
    header = b"070701" + b"".join(b"%08X" % number for number in numbers)
    return _padded(header + encoded) + _padded(data)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % _ALIGNMENT)
