"""cpio archives: the reader reads what the writer writes, and refuses damaged ones."""

import gzip
import stat
from collections.abc import Callable

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.formats.cpio import ArchivedMember, Member, archive, link_to, read_initramfs, text_file

MEMBERS = {"a/b/c": text_file("x", executable=True), "a/l": link_to("b/c"), "d": Member(b"12345")}


def member(path: str, mode: int, data: bytes = b"") -> ArchivedMember:
    return ArchivedMember(path, mode, 0, 0, 0, 1, data)


READ = [
    member("a", stat.S_IFDIR | 0o755),
    member("a/b", stat.S_IFDIR | 0o755),
    member("a/b/c", stat.S_IFREG | 0o755, b"x"),
    member("a/l", stat.S_IFLNK | 0o777, b"b/c"),
    member("d", stat.S_IFREG | 0o644, b"12345"),
]


def header(*numbers: int) -> bytes:
    """Inode, mode, owner, group, links, time, size, four parts of devices, length of the name, checksum."""
    return b"070701" + b"".join(b"%08X" % number for number in numbers)


def read(data: bytes) -> list[ArchivedMember]:
    return list(read_initramfs(data, gzip.decompress))


def test_what_is_written_is_read_directories_first() -> None:
    assert read(archive(MEMBERS)) == READ


def test_a_member_is_written_as_the_kernel_documents_it() -> None:
    expected = header(0, 0o100644, 0, 0, 1, 0, 5, 0, 0, 0, 0, 4, 0) + b"dir\0\0\0" + b"12345\0\0\0"
    assert archive({"dir": Member(b"12345")}).startswith(expected)
    assert len(header(*[0] * 13)) == 110


def test_every_field_of_a_member_is_read() -> None:
    odd = header(1, 0o100755, 1000, 100, 2, 1735689600, 3, 3, 1, 4, 1, 5, 255) + b"odd\xff\0\0abc\0"
    assert read(odd + archive({})) == [ArchivedMember("odd\udcff", 0o100755, 1000, 100, 1735689600, 2, b"abc")]


def test_archives_follow_each_other_plain_and_compressed() -> None:
    early, late = archive({"early": Member(b"1")}), archive(MEMBERS)
    assert read(early + bytes(400) + gzip.compress(late + bytes(100))) == [member("early", 0o100644, b"1"), *READ]


def test_a_member_that_is_cut_off_is_not_given() -> None:
    data = archive(MEMBERS)
    members = read_initramfs(data[: data.index(b"12345") + 3], gzip.decompress)
    assert [next(members) for _ in range(4)] == READ[:4]
    with pytest.raises(WorkbookError, match="cut off or damaged"):
        next(members)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: b"junk" + data, "neither a cpio archive nor compressed"),
        (lambda data: data + b"junk", "neither a cpio archive nor compressed"),
        (lambda data: data[:50], "cut off or damaged"),
        (lambda data: data[:-124], "cut off or damaged"),  # without the end mark
        (lambda data: data[: data.index(b"12345") + 3], "cut off or damaged"),
        (lambda data: data.replace(b"070701", b"07070X").replace(b"07070X", b"070701", 1), "cut off or damaged"),
        (lambda data: data[:10] + b"no digit" + data[18:], "cut off or damaged"),
    ],
)
def test_a_damaged_archive_is_refused(damage: Callable[[bytes], bytes], message: str) -> None:
    with pytest.raises(WorkbookError, match=message):
        read(damage(archive(MEMBERS)))
