"""A log of all writes to a disk, in the format of dm-log-writes.

Source of the format: the Linux kernel's drivers/md/dm-log-writes.c (struct log_write_super, struct log_write_entry),
and QEMU's block/blklogwrites.c, which writes it from outside of a guest. All numbers are little-endian, and count
sectors of the size that the first sector names. Each entry has a sector of its own, and then its data.

QEMU logs a request when it is complete. A write that completes while a flush is on its way stands before the flush,
although the flush need not cover it.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from mmap import mmap
from typing import Literal

from atomic_lib.base.errors import WorkbookError

Kind = Literal["write", "discard", "flush", "mark"]
_MAGIC, _VERSION = 0x6A736677736872, 1
_SUPER, _ENTRY = struct.Struct("<QQQI"), struct.Struct("<QQQQ")
_FLUSH, _FUA, _DISCARD, _MARK, _METADATA = 1, 2, 4, 8, 16
_KNOWN_FLAGS = _FLUSH | _FUA | _DISCARD | _MARK | _METADATA
_SECTOR_LEAST, _SECTOR_MOST = 512, 1 << 16


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request: the bytes of the disk that it changes, and where in the log it and its data are.

    ``flushes``: all that was complete before it is on the medium; ``durable``: so is what it writes itself (FUA).
    """

    kind: Kind
    disk_offset: int
    size_bytes: int
    log_offset: int
    data_offset: int
    flushes: bool = False
    durable: bool = False


@dataclass(frozen=True)
class WriteLog:
    """A log: its requests in the order in which they were completed."""

    requests: tuple[LoggedRequest, ...]

    def index_at(self, log_bytes: int) -> int:
        """How many requests the log had when it was ``log_bytes`` long."""
        return sum(request.log_offset < log_bytes for request in self.requests)


def read_write_log(data: mmap | bytes, name: str) -> WriteLog:
    """Read a log; raises WorkbookError naming it (``name``) where it is no such log, damaged or cut off.

    What was logged after the first sector was last written does not count.
    """
    if len(data) < _SUPER.size:
        raise _damaged(name, f"{len(data)} bytes are no log of writes")
    magic, version, count, sector_bytes = _SUPER.unpack_from(data)
    if magic != _MAGIC:
        raise _damaged(name, "no log of writes in the format of dm-log-writes")
    if version != _VERSION:
        raise _damaged(name, f"a log of version {version}; version {_VERSION} is supported")
    if not _SECTOR_LEAST <= sector_bytes <= _SECTOR_MOST or sector_bytes & (sector_bytes - 1):
        raise _damaged(name, f"sectors of {sector_bytes} bytes, not a power of two from {_SECTOR_LEAST}")
    requests: list[LoggedRequest] = []
    place = sector_bytes
    for number in range(count):
        if place + _ENTRY.size > len(data):
            raise _damaged(name, f"cut off: {number} of {count} requests")
        request = _request(_ENTRY.unpack_from(data, place), place, sector_bytes, f"{name}: request {number}")
        place = request.data_offset + (request.size_bytes if request.kind == "write" else 0)
        if place > len(data):
            raise _damaged(name, f"cut off in the data of request {number} of {count}")
        requests.append(request)
    return WriteLog(tuple(requests))


def _request(fields: Sequence[int], place: int, sector_bytes: int, name: str) -> LoggedRequest:
    sector, count, flags, _ = fields
    if flags & ~_KNOWN_FLAGS:
        raise _damaged(name, f"unknown flags {flags:#x}")
    kind: Kind = "discard" if flags & _DISCARD else "mark" if flags & _MARK else "write" if count else "flush"
    if kind == "flush" and not flags & _FLUSH:
        raise _damaged(name, "neither data nor a flush")
    size_bytes = count * sector_bytes if kind in ("write", "discard") else 0
    flushes, durable = bool(flags & _FLUSH), bool(flags & _FUA)
    return LoggedRequest(kind, sector * sector_bytes, size_bytes, place, place + sector_bytes, flushes, durable)


def _damaged(name: str, what: str) -> WorkbookError:
    return WorkbookError(f"{name}: {what}", hint="./workbook clean damaged, then run again")
