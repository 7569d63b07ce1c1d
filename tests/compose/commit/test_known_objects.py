"""Objects of earlier trees in a new repository, without ostree."""

import os
import struct
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from atomic_lib.compose.commit import known_objects
from atomic_lib.compose.commit.known_objects import checksum_of, remove_other_objects, take_known_objects
from atomic_lib.formats.ostree_objects import OstreeObject

HELLO = "44f778e59f0a4748d6b0c90a47347212a231c4ad1e8f7ea5c5dffc7749153a6b"
"""The checksum that ostree gives to a file with "hello\\n", of root, with mode 0644."""
TREE = b"a directory"


def add(repository: Path, checksum: str, suffix: str, content: bytes, mode: int | None = None) -> Path:
    path = repository / f"objects/{checksum[:2]}/{checksum[2:]}.{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if mode is not None:
        os.setxattr(path, "user.ostreemeta", struct.pack(">3I", 0, 0, mode))
    return path


def earlier(tmp_path: Path) -> Path:
    """The repository of an earlier tree: a file, a directory, a commit and its signature."""
    repository = tmp_path / "earlier/repo"
    add(repository, HELLO, "file", b"hello\n", 0o100644)
    for kind in ("dirtree", "commit", "commitmeta"):
        add(repository, sha256(TREE).hexdigest(), kind, TREE)
    return repository


def names(objects: Path) -> set[str]:
    return {path.suffix for path in objects.glob("*/*")}


def test_a_whole_object_is_a_link_to_the_file_of_the_earlier_tree(tmp_path: Path) -> None:
    take_known_objects(tmp_path / "new", [earlier(tmp_path), tmp_path / "traditional/repo"])
    assert names(tmp_path / "new") == {".file", ".dirtree"}
    for path in (tmp_path / "new").glob("*/*"):
        assert path.samefile(tmp_path / "earlier/repo/objects" / path.relative_to(tmp_path / "new"))


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda path: path.write_bytes(b"hellO\n"), id="content"),
        pytest.param(lambda path: os.setxattr(path, "user.ostreemeta", struct.pack(">3I", 0, 0, 0o104755)), id="mode"),
        pytest.param(lambda path: os.setxattr(path, "user.ostreemeta", struct.pack(">3I", 1, 0, 0o100644)), id="owner"),
        pytest.param(lambda path: os.setxattr(path, "user.ostreemeta", b"\0"), id="cut-off"),
        pytest.param(lambda path: os.removexattr(path, "user.ostreemeta"), id="no-attributes"),
        pytest.param(lambda path: path.symlink_to(path.rename(path.parents[3] / "moved")), id="a-link"),
    ],
)
def test_a_damaged_object_is_not_taken(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    repository = earlier(tmp_path)
    damage(next(repository.glob("objects/*/*.file")))
    take_known_objects(tmp_path / "new", [repository])
    assert names(tmp_path / "new") == {".dirtree"}


def test_a_damaged_object_is_taken_from_the_next_tree(tmp_path: Path) -> None:
    first, second = earlier(tmp_path / "1"), earlier(tmp_path / "2")
    next(first.glob("objects/*/*.file")).write_bytes(b"")
    take_known_objects(tmp_path / "new", [first, second])
    taken = next((tmp_path / "new").glob("*/*.file"))
    assert taken.samefile(next(second.glob("objects/*/*.file")))


def test_a_large_object_is_read_in_pieces(tmp_path: Path) -> None:
    content = os.urandom(1 << 20)
    assert checksum_of(add(tmp_path, "ab" * 32, "dirtree", content)) == sha256(content).hexdigest()


def test_only_the_objects_of_the_commit_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository, commit = earlier(tmp_path), "1" * 64
    for kind in ("commit", "commitmeta"):
        add(repository, commit, kind, b"new")

    def objects_of(checksum: str, read: Callable[[OstreeObject], bytes]) -> set[OstreeObject]:
        first = OstreeObject("commit", checksum)
        assert read(first) == b"new"
        return {first, OstreeObject("file", HELLO)}

    monkeypatch.setattr(known_objects, "objects_of", objects_of)
    remove_other_objects(repository, commit)
    found = {str(path.relative_to(repository)) for path in repository.glob("objects/*/*")}
    kept = [OstreeObject("commit", commit).path(), OstreeObject("file", HELLO).path("file")]
    assert found == {*kept, f"{kept[0]}meta"}
