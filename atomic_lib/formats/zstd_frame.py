"""The length of a zstd frame, read from its headers without decompressing it.

Format: RFC 8878, section 3.1.1. No library: Python 3.11 has none; compression.zstd of Python 3.14
has get_frame_size(), which backports.zstd (compiled) gives to older versions.
"""

from typing import Protocol

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_RLE, _RESERVED = 1, 3
_HEAD_BYTES, _BLOCK_HEAD_BYTES = 5, 3


class _Bytes(Protocol):
    def __getitem__(self, place: slice, /) -> bytes: ...


def frame_bytes(data: _Bytes, offset: int) -> int:
    """The length of the frame at ``offset``; raises ValueError where there is none, or it is cut off."""
    head = data[offset : offset + _HEAD_BYTES]
    if head[:4] != ZSTD_MAGIC:
        raise ValueError(f"no zstd frame at byte {offset}")
    try:
        descriptor = head[4]
        single = descriptor >> 5 & 1
        place = offset + 5 + (1 - single) + (0, 1, 2, 4)[descriptor & 3] + (single, 2, 4, 8)[descriptor >> 6]
        last = 0
        while not last:
            block_head = data[place : place + _BLOCK_HEAD_BYTES]
            header = block_head[0] | block_head[1] << 8 | block_head[2] << 16
            last, kind, size_bytes = header & 1, header >> 1 & 3, header >> 3
            if kind == _RESERVED:
                raise ValueError(f"no zstd block at byte {place}")
            place += _BLOCK_HEAD_BYTES + (1 if kind == _RLE else size_bytes)
    except IndexError:
        raise ValueError(f"the zstd frame at byte {offset} is past the end of the file") from None
    return place + (4 if descriptor >> 2 & 1 else 0) - offset
