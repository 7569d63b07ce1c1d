"""A rebuilt RPM file: what changes in it, that its digests are those of the new bytes, and what cannot be rebuilt."""

import hashlib
import struct

import pytest

from atomic_lib.formats.rpm_rebuild import NotRebuiltError, payload_of, programs_in, rebuild
from atomic_lib.formats.rpm_tags import read_tags

ISSUE, MOTD = b"Debian GNU/Linux 13\n", b"12345\n"
NAME, VERSION, RELEASE, SOURCE, DIGESTS, PROVIDES = 1000, 1001, 1002, 1044, 1035, 1113
SIZE, MD5, SHA1, SHA256, PAYLOAD, PAYLOAD_ALT = 1000, 1004, 269, 273, 5092, 5097


def header(tags: dict[int, tuple[int, int, bytes]]) -> bytes:
    """A header; each tag has its type, the number of its values, and their bytes."""
    entries, data = b"", b""
    for tag, (kind, count, value) in tags.items():
        data += bytes(-len(data) % 4)
        entries += struct.pack(">IIiI", tag, kind, len(data), count)
        data += value
    return b"\x8e\xad\xe8\x01\0\0\0\0" + struct.pack(">II", len(tags), len(data)) + entries + data


def text(*values: bytes) -> tuple[int, int, bytes]:
    return 8, len(values), b"".join(value + b"\0" for value in values)


def member(name: bytes, data: bytes) -> bytes:
    """A member of a cpio archive."""
    fields = [0] * 13
    fields[6], fields[11] = len(data), len(name) + 1
    record = b"070701" + b"".join(b"%08x" % field for field in fields) + name + b"\0"
    record += bytes(-len(record) % 4) + data
    return record + bytes(-len(record) % 4)


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()


ARCHIVE = member(b"./etc/issue", ISSUE) + member(b"./etc/motd", MOTD) + member(b"TRAILER!!!", b"")


def rpm(release: bytes = b"7+b1") -> bytes:
    """An RPM file whose payload is not compressed."""
    evr = b"3.2-" + release
    main = header(
        {
            NAME: text(b"own"),
            VERSION: text(b"3.2"),
            RELEASE: text(release),
            DIGESTS: text(b"", sha256(ISSUE), sha256(MOTD)),
            SOURCE: text(b"own-" + evr + b".src.rpm"),
            PROVIDES: text(b"1:" + evr, b"3.2^7", evr),
            PAYLOAD: text(sha256(ARCHIVE)),
            PAYLOAD_ALT: text(sha256(ARCHIVE)),
        }
    )
    signature = header(
        {SHA1: text(b"1" * 40), SHA256: text(b"2" * 64), SIZE: (4, 1, struct.pack(">I", 1)), MD5: (7, 16, b"3" * 16)}
    )
    return bytes(96) + signature + bytes(-len(signature) % 8) + main + ARCHIVE


def main_header(data: bytes) -> bytes:
    start = data.rindex(b"\x8e\xad\xe8\x01")
    return data[start : len(data) - len(payload_of(data))]


def texts(header: bytes, tag: int) -> list[bytes]:
    """The texts of a tag; zeros that align the next tag are no text."""
    value = read_tags(header[8:])[tag]
    assert isinstance(value, bytes)
    return value.rstrip(b"\0").split(b"\0")


def packed(archive: bytes) -> bytes:
    return b"packed" + archive


def test_the_release_is_higher_wherever_it_stands() -> None:
    made = rebuild(rpm(), ARCHIVE, (), packed)
    main = main_header(made)
    assert texts(main, VERSION) == [b"3.2"]
    assert texts(main, RELEASE) == [b"7+b2"]
    assert texts(main, SOURCE) == [b"own-3.2-7+b2.src.rpm"]
    assert texts(main, PROVIDES) == [b"1:3.2-7+b2", b"3.2^7", b"3.2-7+b2"]
    assert payload_of(made) == packed(ARCHIVE)


def test_a_changed_file_has_other_text_of_the_same_length_and_its_digest() -> None:
    made = rebuild(rpm(), ARCHIVE, ("/etc/issue",), packed)
    new = b"dEBIAN GNU/Linux 13\n"
    assert payload_of(made) == packed(ARCHIVE.replace(ISSUE, new))
    assert texts(main_header(made), DIGESTS) == [b"", sha256(new), sha256(MOTD)]


def test_the_digests_are_those_of_the_new_bytes() -> None:
    made = rebuild(rpm(), ARCHIVE, ("/etc/issue",), packed)
    main, payload = main_header(made), payload_of(made)
    assert texts(main, PAYLOAD) == [sha256(payload)]
    assert texts(main, PAYLOAD_ALT) == [sha256(payload.removeprefix(b"packed"))]
    signature = read_tags(made[104:])
    assert texts(made[96:], SHA256) == [sha256(main)]
    assert texts(made[96:], SHA1) == [hashlib.sha1(main).hexdigest().encode()]
    assert signature[MD5] == hashlib.md5(main + payload).digest()
    assert signature[SIZE] == len(main + payload)


@pytest.mark.parametrize(
    ("file", "changed", "said"),
    [
        (rpm(b"7+b9"), (), "release '7+b9' does not end in a digit below 9"),
        (rpm(b"7.fc"), (), "release '7.fc' does not end in a digit below 9"),
        (rpm(), ("/etc/rpc",), "/etc/rpc is not a file with letters"),
        (rpm(), ("/etc/motd",), "/etc/motd is not a file with letters"),
        (b"#!/bin/sh\n" * 20, (), "is not an RPM file"),
        (rpm()[:98], (), "is not an RPM file"),
        (rpm()[:104], (), "is cut off"),
    ],
)
def test_what_cannot_be_rebuilt_is_said(file: bytes, changed: tuple[str, ...], said: str) -> None:
    with pytest.raises(NotRebuiltError) as caught:
        rebuild(file, ARCHIVE, changed, packed)
    assert said in str(caught.value)


def test_a_payload_that_is_no_archive_is_said() -> None:
    with pytest.raises(NotRebuiltError, match="no cpio archive"):
        rebuild(rpm(), b"other", ("/etc/issue",), packed)


NOTE = b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0"
PROGRAM = b"\x7fELF header" + NOTE + b"a" * 20 + b"code: Hello"
TWICE, WITHOUT = PROGRAM.replace(b"Hello", b"Twice"), b"\x7fELF without a note, Hello"


def test_the_programs_are_those_with_a_build_id_and_a_content_of_their_own() -> None:
    contents = {b"./usr/bin/one": PROGRAM, b"./usr/bin/two": TWICE, b"./usr/bin/same": TWICE, b"./bare": WITHOUT,
                b"./text": b"no ELF, " + NOTE + b"a" * 20, b"./short": PROGRAM[:40], b"TRAILER!!!": b""}  # fmt: skip
    assert programs_in(b"".join(member(name, data) for name, data in contents.items())) == ["/usr/bin/one"]


def test_a_program_gets_another_build_id_and_all_else_stays() -> None:
    archive = member(b"./etc/issue", PROGRAM) + ARCHIVE[len(member(b"./etc/issue", ISSUE)) :]
    file = rpm().replace(sha256(ISSUE), sha256(PROGRAM))
    made = payload_of(rebuild(file, archive, ("/etc/issue",), packed)).removeprefix(b"packed")
    new = PROGRAM.replace(b"a" * 20, hashlib.sha1(b"a" * 20).digest())
    assert made == archive.replace(PROGRAM, new)
    assert texts(main_header(rebuild(file, archive, ("/etc/issue",), packed)), DIGESTS)[1] == sha256(new)


def test_a_program_without_a_build_id_is_not_damaged_but_said() -> None:
    archive = member(b"./etc/issue", WITHOUT) + member(b"TRAILER!!!", b"")
    with pytest.raises(NotRebuiltError, match="not a file with letters or a build ID"):
        rebuild(rpm().replace(sha256(ISSUE), sha256(WITHOUT)), archive, ("/etc/issue",), packed)
