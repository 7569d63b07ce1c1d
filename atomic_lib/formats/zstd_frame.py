"""The length of a zstd frame, read from its headers without decompressing it.

Format: RFC 8878, section 3.1.1. No library: Python 3.11 has none; compression.zstd of Python 3.14
has get_frame_size(), which backports.zstd (compiled) gives to older versions.
"""

import struct
from mmap import mmap

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_RLE, _RESERVED = 1, 3


def frame_bytes(data: bytes | mmap, offset: int) -> int:
    """The length of the frame at ``offset``; raises ValueError where there is none, or it is cut off."""
    if data[offset : offset + 4] != ZSTD_MAGIC:
        raise ValueError(f"no zstd frame at byte {offset}")
    try:
        descriptor = data[offset + 4]
        single = descriptor >> 5 & 1
        place = offset + 5 + (1 - single) + (0, 1, 2, 4)[descriptor & 3] + (single, 2, 4, 8)[descriptor >> 6]
        last = 0
        while not last:
            header = int.from_bytes(struct.unpack_from("3s", data, place)[0], "little")
            last, kind, size_bytes = header & 1, header >> 1 & 3, header >> 3
            if kind == _RESERVED:
                raise ValueError(f"no zstd block at byte {place}")
            place += 3 + (1 if kind == _RLE else size_bytes)
    except (struct.error, IndexError):
        raise ValueError(f"the zstd frame at byte {offset} is past the end of the file") from None
    return place + (4 if descriptor >> 2 & 1 else 0) - offset
