"""Paths in an ext4 file system: links, directories of several blocks, and what is not there."""

from collections.abc import Iterator

import pytest

from atomic_lib.formats.disk.raw_disk import RawDisk, open_raw_disk
from atomic_lib.formats.disk_states.file_view import FileView
from tests.formats.disk.disk_image import make_raw


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RawDisk]:
    directory = tmp_path_factory.mktemp("disk")
    top = directory / "content"
    (top / "a/b/c").mkdir(parents=True)
    (top / "a/b/c/file").write_bytes(b"x" * 10_000)
    (top / "a/up").symlink_to("../a/b")
    (top / "root").symlink_to("/a/up/c")
    (top / "loop").symlink_to("loop")
    (top / "dangling").symlink_to("a/nothing")
    (top / "long").symlink_to("./" * 40 + "a/b/c/file")
    (top / "many").mkdir()
    for number in range(500):
        (top / f"many/{number:030}").touch()
    make_raw(directory / "disk.raw", top)
    with open_raw_disk(directory / "disk.raw") as opened:
        yield opened


@pytest.fixture
def view(disk: RawDisk) -> FileView:
    return FileView(disk.data, disk.files.layout)


def test_paths_are_followed_through_links(view: FileView) -> None:
    file = view.lookup("/a/b/c/file")
    assert file is not None
    assert view.content(file) == b"x" * 10_000
    for path in ("/a/up/c/file", "/root/file", "/a/up/../b/c/file", "/long", "/../a/b/./c//file"):
        found = view.lookup(path)
        assert found is not None, path
        assert found.number == file.number, path
    assert view.real_path("/root/file") == "/a/b/c/file"
    assert view.real_path("/") == "/"


def test_what_is_not_there_is_none(view: FileView) -> None:
    for path in ("/nothing", "/a/nothing/c", "/loop", "/dangling", "/a/b/c/file/x"):
        assert view.lookup(path) is None, path
        assert view.real_path(path) is None, path


def test_a_link_itself_is_found_without_following(view: FileView) -> None:
    link = view.lookup("/root", follow=False)
    assert link is not None
    assert view.content(link) == b"/a/up/c"


def test_all_below_a_directory_is_listed(view: FileView) -> None:
    assert {path for path, _ in view.below("/a")} == {"/a", "/a/b", "/a/b/c", "/a/b/c/file", "/a/up"}
    assert len(view.listing("/many")) == 500
    assert view.listing("/nothing") == {}
    assert list(view.below("/nothing")) == []
