"""A zstd frame ends where its headers say."""

import pytest

from atomic_lib.formats.zstd_frame import ZSTD_MAGIC, frame_bytes


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(b"\x20\x05" + b"\x29\x00\x00" + b"hello", id="one-byte size"),
        pytest.param(b"\x64\x05\x00" + b"\x29\x00\x00" + b"hello" + b"SUMS", id="checksum"),
        pytest.param(b"\x00\x58" + b"\x28\x00\x00" + b"hello" + b"\x2b\xff\x01" + b"z", id="window, two blocks, run"),
        pytest.param(b"\x22\x07\x00\x05" + b"\x29\x00\x00" + b"hello", id="dictionary"),
        pytest.param(b"\xa0" + bytes(4) + b"\x29\x00\x00" + b"hello", id="four-byte size"),
    ],
)
def test_a_frame_ends_where_its_headers_say(frame: bytes) -> None:
    data = b"before" + ZSTD_MAGIC + frame
    assert frame_bytes(data + b"what follows is no part of it", 6) == 4 + len(frame)
    assert frame_bytes(data, 6) == 4 + len(frame)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"junk", "no zstd frame at byte 0"),
        (b"", "no zstd frame at byte 0"),
        (ZSTD_MAGIC, "the zstd frame at byte 0 is past the end"),
        (ZSTD_MAGIC + b"\x20\x05\x29\x00", "the zstd frame at byte 0 is past the end"),
        (ZSTD_MAGIC + b"\x20\x05\x28\x00\x00hello", "the zstd frame at byte 0 is past the end"),
        (ZSTD_MAGIC + b"\x20\x05\x2f\x00\x00hello", "no zstd block at byte 6"),
    ],
)
def test_what_is_no_frame_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        frame_bytes(data, 0)
