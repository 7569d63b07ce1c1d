"""Copies that share nothing, and manifests: every kind of damage is found, and nothing else is."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from atomic_lib.base import files
from atomic_lib.base.files import MANIFEST, copy_file, file_digest, find_damage, write_manifest


@pytest.fixture
def result(tmp_path: Path) -> Path:
    """A directory with a manifest, files directly in it and below it, and a link."""
    top = tmp_path / "result"
    (top / "root/usr").mkdir(parents=True)
    (top / "root/empty").mkdir()
    (top / "facts.json").write_text('{"kver": "6.1"}')
    (top / "root/usr/program").write_text("program")
    (top / "root/usr/a\nb").write_text("odd name")
    (top / "root/link").symlink_to("usr/program")
    os.mkfifo(top / "root/pipe")
    write_manifest(top)
    return top


def keeping_time(path: Path, change: Callable[[Path], object]) -> None:
    status = path.lstat()
    change(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns), follow_symlinks=False)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def relink(path: Path) -> None:
    path.unlink()
    path.symlink_to("usr/PROGRAM")


def test_what_was_not_changed_is_not_damaged(result: Path) -> None:
    assert find_damage(result) == []
    assert find_damage(result, all_content=True) == []


def test_another_time_alone_is_no_damage(result: Path) -> None:
    for path in result.rglob("*"):
        os.utime(path, ns=(0, 0), follow_symlinks=False)
    assert find_damage(result) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda top: flip(top / "root/usr/program"), "root/usr/program: its content was changed"),
        (lambda top: keeping_time(top / "facts.json", flip), "facts.json: its content was changed"),
        (lambda top: os.truncate(top / "facts.json", 5), "facts.json: has 5 bytes, not 15"),
        (lambda top: (top / "root/usr/program").write_text(""), "root/usr/program: has 0 bytes, not 7"),
        (lambda top: (top / "root/usr/program").unlink(), "root/usr/program: is missing"),
        (lambda top: (top / "root/usr/a\nb").unlink(), r"'root/usr/a\nb': is missing"),
        (lambda top: (top / "root/empty").rmdir(), "root/empty: is missing"),
        (lambda top: (top / "root/usr/new").touch(), "root/usr/new: was added"),
        (lambda top: (top / "root/usr").chmod(0o777), "root/usr: type and mode are 40777, not 40755"),
        (lambda top: relink(top / "root/link"), "root/link: its content was changed"),
        (lambda top: (top / MANIFEST).unlink(), "manifest: is missing"),
        (lambda top: flip(top / MANIFEST), "manifest: cannot be read: it was changed"),
        (lambda top: os.truncate(top / MANIFEST, 100), "manifest: cannot be read: it was changed"),
        (lambda top: os.truncate(top / MANIFEST, 0), "manifest: cannot be read: it was changed"),
    ],
)
def test_damage_is_found_and_named(result: Path, change: Callable[[Path], object], expected: str) -> None:
    change(result)
    assert find_damage(result) == [expected]


def test_all_damage_is_named(result: Path) -> None:
    flip(result / "facts.json")
    (result / "root/usr/program").unlink()
    assert len(find_damage(result)) == 2


def test_content_behind_an_unchanged_time_is_found_on_request(result: Path) -> None:
    keeping_time(result / "root/usr/program", flip)
    assert find_damage(result) == []
    assert find_damage(result, all_content=True) == ["root/usr/program: its content was changed"]


def test_a_file_that_cannot_be_read_is_damaged_but_one_that_this_user_may_not_read_is_not(
    result: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(error: OSError) -> Callable[[Path], str]:
        def digest(_: Path) -> str:
            raise error

        return digest

    monkeypatch.setattr(files, "file_digest", fail(OSError(5, "Input/output error")))
    assert find_damage(result) == ["facts.json: cannot be read: Input/output error"]
    monkeypatch.setattr(files, "file_digest", fail(PermissionError(13, "Permission denied")))
    with pytest.raises(PermissionError):
        find_damage(result)


def test_the_digest_of_a_sparse_file_does_not_depend_on_its_holes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "SPARSE_BYTES", 1 << 20)
    size_bytes, at = 3 << 20, (1 << 20) + 4096
    sparse, full = tmp_path / "sparse", tmp_path / "full"
    with open(sparse, "wb") as file:
        file.truncate(size_bytes)
        file.seek(at)
        file.write(b"x" * 100_000)
    full.write_bytes(sparse.read_bytes())
    assert sparse.stat().st_blocks < full.stat().st_blocks
    assert file_digest(sparse) == file_digest(full)
    flip(full)
    assert file_digest(sparse) != file_digest(full)
    digests = {file_digest(sparse)}
    for change in (at + 8192, 0, size_bytes - 1):  # in data, in a hole, in the last byte
        with open(sparse, "r+b") as file:
            file.seek(change)
            file.write(b"y")
        digests.add(file_digest(sparse))
    with open(sparse, "r+b") as file:
        file.truncate(size_bytes + 1)
    assert len({*digests, file_digest(sparse)}) == 5


def test_a_copy_shares_no_inode_and_keeps_mode_and_time(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"x" * 3_000_000)
    os.utime(source, (5, 5))
    source.chmod(0o640)
    target.write_text("old")
    copy_file(source, target)
    assert target.read_bytes() == source.read_bytes()
    assert not target.samefile(source)
    assert (target.stat().st_mode & 0o777, target.stat().st_mtime) == (0o640, 5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source", "target"]


def test_a_copy_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("old")
    with pytest.raises(FileNotFoundError):
        copy_file(tmp_path / "none", tmp_path / "target")
    assert [path.name for path in tmp_path.iterdir()] == ["target"]
    assert (tmp_path / "target").read_text() == "old"
