"""The tags of a header in an RPM database."""

import struct

import pytest

from atomic_lib.formats.rpm_tags import NAME, read_tags

INT16, INT32, TEXT, BINARY, TEXTS, I18N = 3, 4, 6, 7, 8, 9


def header(*tags: tuple[int, int, int, bytes]) -> bytes:
    """A header of tags, each a number, a type, a count and its data."""
    index, data = b"", b""
    for tag, kind, count, value in tags:
        index += struct.pack(">IIiI", tag, kind, len(data), count)
        data += value
    return struct.pack(">II", len(tags), len(data)) + index + data


def test_each_type_is_read_as_what_it_is() -> None:
    found = read_tags(
        header(
            (NAME, TEXT, 1, b"bash\0"),
            (1004, I18N, 1, b"a shell\0"),
            (1008, INT32, 1, struct.pack(">I", 1735689600)),
            (1030, INT16, 2, struct.pack(">HH", 1, 2)),
            (261, BINARY, 3, b"\1\2\3"),
            (1117, TEXTS, 2, b"a\0b\0"),
        )
    )
    assert found == {
        NAME: "bash", 1004: "a shell", 1008: 1735689600, 1030: "(1, 2)", 261: b"\1\2\3", 1117: b"a\0b\0",
    }  # fmt: skip


def test_what_is_no_header_is_refused() -> None:
    with pytest.raises(struct.error):
        read_tags(b"\0\0\0\1")
    with pytest.raises(ValueError, match="not found"):
        read_tags(header((NAME, TEXT, 1, b"bash")))
