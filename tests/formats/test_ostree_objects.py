"""Objects of ostree, encoded by hand as its GVariant formats say, and damaged ones."""

from itertools import accumulate

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.formats.ostree_objects import OstreeObject, objects_of

COMMIT, ROOT, META, SUB, FILE = (f"{digit}" * 64 for digit in "12345")


def with_table(members: tuple[bytes, ...], ends: list[int]) -> bytes:
    """Members and a table of offsets, each as wide as the size of the whole asks for."""
    body = b"".join(members)
    width = next(width for width in (1, 2, 4) if len(body) + width * len(ends) < 1 << 8 * width)
    return body + b"".join(end.to_bytes(width, "little") for end in ends)


def container(*members: bytes, ends: int) -> bytes:
    """A tuple whose first ``ends`` members have their end in the table, in reverse order."""
    return with_table(members, list(accumulate(map(len, members)))[:ends][::-1])


def array(*elements: bytes) -> bytes:
    return with_table(elements, list(accumulate(map(len, elements))))


def dirtree(files: dict[str, str], directories: dict[str, tuple[str, str]]) -> bytes:
    of_files = [container(name.encode() + b"\0", bytes.fromhex(sum_), ends=1) for name, sum_ in files.items()]
    of_directories = [
        container(name.encode() + b"\0", bytes.fromhex(contents), bytes.fromhex(meta), ends=2)
        for name, (contents, meta) in directories.items()
    ]
    return container(array(*of_files), array(*of_directories), ends=1)


def commit(subject: str = "1") -> bytes:
    metadata, parent, related, body = b"", b"", b"", b"\0"
    time = bytes(8)
    subject_and_body = [subject.encode() + b"\0", body]
    filled = -sum(map(len, subject_and_body)) % 8  # of the alignment of the time, which has no offset
    members = [metadata, parent, related, *subject_and_body, bytes(filled) + time + bytes.fromhex(ROOT)]
    return container(*members, bytes.fromhex(META), ends=6)


def found(objects: dict[str, bytes]) -> set[tuple[str, str]]:
    return {(one.kind, one.checksum) for one in objects_of(COMMIT, lambda one: objects[one.checksum])}


def test_all_that_a_commit_leads_to_is_found_once() -> None:
    root = dirtree({"a": FILE, "b": FILE}, {"sub": (SUB, META)})
    objects = {COMMIT: commit(), ROOT: root, SUB: dirtree({}, {})}
    expected = {("commit", COMMIT), ("dirtree", ROOT), ("dirmeta", META), ("dirtree", SUB), ("file", FILE)}
    assert found(objects) == expected


@pytest.mark.parametrize("count", [1, 5, 8, 300, 2000])
def test_offsets_have_the_width_that_the_size_asks_for(count: int) -> None:
    files = {f"{number:04}": f"{number:064x}" for number in range(count)}
    directories = {f"{number:04}": (SUB, META) for number in range(count)}
    objects = {COMMIT: commit("x" * count), ROOT: dirtree(files, directories), SUB: dirtree({}, {})}
    assert {checksum for kind, checksum in found(objects) if kind == "file"} == set(files.values())


@pytest.mark.parametrize("data", [b"", b"\x05", b"\xff" * 40, commit()[:-1], dirtree({"a": FILE}, {})])
def test_a_damaged_commit_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(WorkbookError) as caught:
        found({COMMIT: data})
    assert caught.value.message.startswith(f"objects/11/{'1' * 62}.commit: not a commit of ostree: ")
    assert "ostree fsck" in caught.value.hint


@pytest.mark.parametrize("data", [b"", b"\x09", b"abc\xff", dirtree({"a": FILE}, {})[1:], dirtree({"a": "00"}, {})])
def test_a_damaged_directory_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(WorkbookError, match="not a dirtree of ostree"):
        found({COMMIT: commit(), ROOT: data})


def test_paths_are_those_of_a_repository() -> None:
    assert OstreeObject("file", FILE).path() == f"objects/55/{'5' * 62}.filez"
    assert OstreeObject("file", FILE).path("file") == f"objects/55/{'5' * 62}.file"
    assert OstreeObject("dirmeta", META).path() == f"objects/33/{'3' * 62}.dirmeta"
