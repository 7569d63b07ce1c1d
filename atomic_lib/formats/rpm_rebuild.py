"""An RPM file as a rebuild makes it: the same package with a higher release, and some of its files changed.

A text has another first word, a program or library another build ID.

All that changes keeps its length, so nothing moves but the end of the compressed payload; the digests are those of the
new bytes. Signatures are those of the old file, so the new one must be signed again.

Format: rpm's documentation, manual/format_v4, manual/format_header and manual/tags; elf(5), "Notes". No library: rpm's
own module comes with the host's rpm only, and none writes packages.
"""

import hashlib
import re
import struct
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

_LEAD_BYTES, _HEADER_MAGIC = 96, b"\x8e\xad\xe8\x01"
_COUNTS, _ENTRY, _NUMBER = struct.Struct(">II"), struct.Struct(">IIiI"), struct.Struct(">I")
_SIG_SIZE, _SIG_MD5, _SIG_SHA1, _SIG_SHA256 = 1000, 1004, 269, 273
_VERSION, _RELEASE, _SOURCE_RPM, _FILE_DIGESTS, _PROVIDE_VERSION = 1001, 1002, 1044, 1035, 1113
_PAYLOAD_DIGEST, _PAYLOAD_DIGEST_ALT = 5092, 5097
_CPIO_HEADER_BYTES, _CPIO_MAGICS, _CPIO_END = 110, (b"070701", b"070702"), b"TRAILER!!!"
_WORD = re.compile(rb"[A-Za-z]+")
_ELF, _BUILD_ID = b"\x7fELF", b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0"
"""The note of a build ID, NT_GNU_BUILD_ID: the sizes of its name and value, its type, its name; the value follows."""
_BUILD_ID_BYTES = 20


class NotRebuiltError(ValueError):
    """A file that cannot be rebuilt, with the reason."""


@dataclass(frozen=True)
class _Header:
    """A header in a file: where it begins and ends, and each tag's place and number of values."""

    start: int
    end: int
    tags: dict[int, tuple[int, int]]

    def texts(self, data: bytes | bytearray, tag: int) -> Iterator[tuple[int, bytes]]:
        """The place and value of each text of a tag."""
        place, count = self._tag(tag)
        for _ in range(count):
            end = data.index(0, place)
            yield place, bytes(data[place:end])
            place = end + 1

    def put(self, data: bytearray, tag: int, value: bytes) -> None:
        """Replace the first value of a tag by another one of its length."""
        place, _ = self._tag(tag)
        data[place : place + len(value)] = value

    def _tag(self, tag: int) -> tuple[int, int]:
        if tag not in self.tags:
            raise NotRebuiltError(f"has no tag {tag}")
        return self.tags[tag]


def payload_of(rpm: bytes) -> bytes:
    """The compressed payload of an RPM file. Raises NotRebuiltError if it is none."""
    return rpm[_headers(rpm)[1].end :]


def rebuild(rpm: bytes, archive: bytes, changed: Collection[str], compress: Callable[[bytes], bytes]) -> bytes:
    """The file with a release that is higher by one, and other content in each of the files ``changed``.

    ``archive``: its payload, not compressed; ``compress`` does that to the new one. Raises NotRebuiltError for a
    release that does not end in a digit below 9, and for a path that is not a file of the package, with letters in it
    or with a build ID.
    """
    data = bytearray(rpm)
    signature, header = _headers(data)
    _raise_release(data, header)
    own = bytearray(archive)
    for path in changed:
        _change_file(data, header, own, path)
    payload = compress(bytes(own))
    header.put(data, _PAYLOAD_DIGEST, _sha256(payload))
    header.put(data, _PAYLOAD_DIGEST_ALT, _sha256(own))
    data[header.end :] = payload
    main, rest = bytes(data[header.start : header.end]), bytes(data[header.start :])
    signature.put(data, _SIG_SHA1, hashlib.sha1(main, usedforsecurity=False).hexdigest().encode())
    signature.put(data, _SIG_SHA256, _sha256(main))
    signature.put(data, _SIG_MD5, hashlib.md5(rest, usedforsecurity=False).digest())
    signature.put(data, _SIG_SIZE, _NUMBER.pack(len(rest)))
    return bytes(data)


def _raise_release(data: bytearray, header: _Header) -> None:
    (_, version), (_, release) = (next(header.texts(data, tag)) for tag in (_VERSION, _RELEASE))
    if release[-1:] not in b"012345678" or not release:
        raise NotRebuiltError(f"release {release.decode()!r} does not end in a digit below 9")
    higher = release[:-1] + bytes([release[-1] + 1])
    header.put(data, _RELEASE, higher)
    evr, ends = version + b"-" + release, []
    for tag in (_PROVIDE_VERSION, _SOURCE_RPM):
        ends += [place + at + len(evr) for place, text in header.texts(data, tag) if (at := text.find(evr)) >= 0]
    for end in ends:
        data[end - len(release) : end] = higher


def _change_file(data: bytearray, header: _Header, archive: bytearray, path: str) -> None:
    found = [member for name, *member in _members(archive) if name == b"." + path.encode("utf-8", "surrogateescape")]
    start, end = found[0] if found else (0, 0)
    old = bytes(archive[start:end])
    new = _other_build_id(old) if old.startswith(_ELF) else _WORD.sub(lambda word: word[0].swapcase(), old, count=1)
    places = [place for place, digest in header.texts(data, _FILE_DIGESTS) if digest == _sha256(old)]
    if new == old or len(places) != 1:
        raise NotRebuiltError(f"{path} is not a file with letters or a build ID, of its own content")
    archive[start:end] = new
    data[places[0] : places[0] + 64] = _sha256(new)


def programs_in(archive: bytes) -> list[str]:
    """The programs and libraries of a payload, not compressed, that ``rebuild`` can change: each with a build ID, and
    of a content that no other file of the package has. Raises NotRebuiltError if it is no cpio archive."""
    contents = [(name, archive[start:end]) for name, start, end in _members(archive)]
    count = Counter(content for _, content in contents)
    found = (name for name, content in contents if _other_build_id(content) != content and count[content] == 1)
    return sorted(name.decode("utf-8", "surrogateescape").removeprefix(".") for name in found)


def _other_build_id(old: bytes) -> bytes:
    """The file with another build ID, which is what each build changes; the same if it has none."""
    head, note, rest = old.partition(_BUILD_ID)
    if not old.startswith(_ELF) or len(rest) < _BUILD_ID_BYTES:
        return old
    new = hashlib.sha1(rest[:_BUILD_ID_BYTES], usedforsecurity=False).digest()
    return head + note + new + rest[_BUILD_ID_BYTES:]


def _headers(data: bytes | bytearray) -> tuple[_Header, _Header]:
    """The header of signatures, and that of the package."""
    try:
        signature = _header(data, _LEAD_BYTES)
        return signature, _header(data, -(-signature.end // 8) * 8)
    except struct.error:
        raise NotRebuiltError("is cut off") from None


def _header(data: bytes | bytearray, start: int) -> _Header:
    if data[start : start + 4] != _HEADER_MAGIC:
        raise NotRebuiltError("is not an RPM file")
    count, size = _COUNTS.unpack_from(data, start + 8)
    entries = start + 16
    store = entries + count * _ENTRY.size
    tags = (_ENTRY.unpack_from(data, entries + at * _ENTRY.size) for at in range(count))
    return _Header(start, store + size, {tag: (store + offset, number) for tag, _, offset, number in tags})


def _members(archive: bytes | bytearray) -> Iterator[tuple[bytes, int, int]]:
    """The name of each member of a cpio archive, and where its data begins and ends."""
    place, name = 0, b""
    while name != _CPIO_END:
        if archive[place : place + 6] not in _CPIO_MAGICS:
            raise NotRebuiltError("has a payload that is no cpio archive")
        size, name_size = (int(archive[place + at : place + at + 8], 16) for at in (54, 94))
        start = place + _CPIO_HEADER_BYTES
        name = bytes(archive[start : start + name_size - 1])
        start = -(-(start + name_size) // 4) * 4
        yield name, start, start + size
        place = -(-(start + size) // 4) * 4


def _sha256(data: bytes | bytearray) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()
