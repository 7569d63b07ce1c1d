"""Indices as casync writes them."""

import struct
from collections.abc import Sequence

CHUNK_BYTES = 1 << 16


def index_of(chunks: Sequence[str]) -> bytes:
    """The index of an archive of these chunks, each of the same size."""
    head = struct.pack("<6Q", 48, 0x96824D9C7B129FF9, 0xF0000000D00003E2, 1 << 14, CHUNK_BYTES, 1 << 18)
    table = struct.pack("<2Q", (1 << 64) - 1, 0xE75B9E112F17417D)
    items = (struct.pack("<Q", (number + 1) * CHUNK_BYTES) + bytes.fromhex(one) for number, one in enumerate(chunks))
    tail = struct.pack("<5Q", 0, 0, 48, 16 + 40 * len(chunks) + 40, 0x4B4F050E5549ECD1)
    return head + table + b"".join(items) + tail
