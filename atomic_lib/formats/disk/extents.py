"""The parts of a sparse file that its file system has allocated.

No library: it is two system calls, and Python has both (fcntl.ioctl, os.lseek).
"""

import errno
import fcntl
import os
import struct
from collections.abc import Iterable
from pathlib import Path

from atomic_lib.base.files import Range, data_ranges

_FS_IOC_FIEMAP = 0xC020660B  # linux/fs.h; the form of a request: Documentation/filesystems/fiemap.rst
_HEAD = struct.Struct("=QQIIII")
_EXTENT = struct.Struct("=QQQQQIIII")
_SYNC, _LAST = 1, 1
_BATCH = 512


def allocated_ranges(path: Path) -> list[Range]:
    """The allocated ranges of a file as (start, end) in bytes, in order, clipped to its size.

    FIEMAP also reports space that is reserved and never written. A file system without it
    is asked by SEEK_DATA, which counts such space as a hole.
    """
    with open(path, "rb") as file:
        size_bytes = os.fstat(file.fileno()).st_size
        try:
            ranges = _mapped(file.fileno())
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.ENOTTY, errno.EINVAL):
                raise
            ranges = list(data_ranges(file.fileno(), size_bytes))
    return _merged((start, min(end, size_bytes)) for start, end in ranges if start < size_bytes)


def _mapped(descriptor: int) -> list[Range]:
    ranges: list[Range] = []
    start = 0
    while True:
        request = bytearray(_HEAD.size + _BATCH * _EXTENT.size)
        _HEAD.pack_into(request, 0, start, 2**64 - 1 - start, _SYNC, 0, _BATCH, 0)
        fcntl.ioctl(descriptor, _FS_IOC_FIEMAP, request)
        count = _HEAD.unpack_from(request)[3]
        flags = _LAST
        for number in range(count):
            logical, _, length, _, _, flags, *_ = _EXTENT.unpack_from(request, _HEAD.size + number * _EXTENT.size)
            ranges.append((logical, logical + length))
        if not count or flags & _LAST:
            return ranges
        start = ranges[-1][1]


def _merged(ranges: Iterable[Range]) -> list[Range]:
    merged: list[Range] = []
    for start, end in ranges:
        if merged and merged[-1][1] == start:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged
