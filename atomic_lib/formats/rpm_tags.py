"""The tags of a package's header, as an RPM database keeps it.

Format: rpm's documentation, manual/format_header (here a header without its magic) and
manual/tags.

No library: rpm's own Python module comes with the host's rpm only, which need not be there;
rpmfile reads package files, not the headers of a database.
"""

import struct

NAME = 1000
TAG_NAMES = {
    NAME: "NAME", 1001: "VERSION", 1002: "RELEASE", 1006: "BUILDTIME", 1008: "INSTALLTIME", 1029: "FILESTATES",
    1127: "INSTALLCOLOR", 1128: "INSTALLTID", 261: "SIGMD5", 267: "DSAHEADER", 268: "RSAHEADER",
    269: "SHA1HEADER", 273: "SHA256HEADER",
}  # fmt: skip
"""The names of those tags in which two builds of one package may differ."""
_COUNTS, _ENTRY = struct.Struct(">II"), struct.Struct(">IIiI")
_INTEGERS = {3: ">H", 4: ">I", 5: ">Q"}
_TEXTS = (6, 9)

TagValue = int | str | bytes
"""A number, a text, several numbers as text, or the bytes of any other type."""


def read_tags(blob: bytes) -> dict[int, TagValue]:
    """The tags of a header by number; raises struct.error or ValueError for damaged data."""
    count, size_bytes = _COUNTS.unpack_from(blob)
    start = _COUNTS.size + _ENTRY.size * count
    data = blob[start : start + size_bytes]
    entries = [_ENTRY.unpack_from(blob, _COUNTS.size + _ENTRY.size * at) for at in range(count)]
    ends = sorted({offset for _, _, offset, _ in entries if offset >= 0} | {len(data)})
    found: dict[int, TagValue] = {}
    for tag, kind, offset, number in entries:
        if offset < 0:
            continue
        if kind in _INTEGERS:
            form = f">{number}{_INTEGERS[kind][1]}"
            values = struct.unpack_from(form, data, offset)
            found[tag] = values[0] if number == 1 else repr(values)
        elif kind in _TEXTS and number == 1:
            found[tag] = data[offset : data.index(0, offset)].decode(errors="surrogateescape")
        else:
            found[tag] = data[offset : next((end for end in ends if end > offset), len(data))]
    return found
