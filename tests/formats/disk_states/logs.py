"""Small logs of writes, made by hand."""

import struct

SECTOR = 512
FLUSH, FUA, DISCARD = 1, 2, 4


def entry(sector: int, data: bytes = b"", *, flags: int = 0, count: int | None = None) -> bytes:
    """One request: its sector, and its data; ``count``: of a discard, how many sectors."""
    sectors = len(data) // SECTOR if count is None else count
    return struct.pack("<QQQQ", sector, sectors, flags, 0).ljust(SECTOR, b"\0") + data


def log(*entries: bytes, count: int | None = None, magic: int = 0x6A736677736872, version: int = 1) -> bytes:
    """A log of these requests; ``count``: of how many the first sector speaks."""
    head = struct.pack("<QQQI", magic, version, len(entries) if count is None else count, SECTOR)
    return head.ljust(SECTOR, b"\0") + b"".join(entries)


def block(letter: str) -> bytes:
    """A block full of one letter."""
    return letter.encode() * 4096
