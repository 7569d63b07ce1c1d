"""What changed from one build to the next."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import write_manifest
from atomic_lib.formats.disk.file_system import FileEntry, FileSystem
from atomic_lib.image.uncompressed_disk import remove_raw_disks
from atomic_lib.measure.build_changes import (
    Change,
    FileChange,
    changed_files,
    changed_files_of_images,
    changed_packages,
    read_changes,
)
from atomic_lib.measure.file_system_comparison import compare
from atomic_lib.solve.lock import Lock, LockedPackage
from atomic_lib.tools.context import Context
from tests.contexts import own_context
from tests.formats.disk.disk_image import make_raw
from tests.image.raw_disks import store_image
from tests.measure.test_equality_rules import entry

BASH = LockedPackage("bash", 0, "5.2", "1", "x86_64", "a" * 64, 10, "standin")


def locked(*packages: LockedPackage) -> Lock:
    return Lock("standin", tuple(sorted(packages)))


def test_packages_come_go_and_change() -> None:
    gone, new = replace(BASH, name="gone"), replace(BASH, name="new", epoch=2)
    changes = changed_packages(locked(BASH, gone), locked(replace(BASH, version="5.3"), new))
    assert changes == (
        Change(name="bash", before="0:5.2-1.x86_64", after="0:5.3-1.x86_64"),
        Change(name="gone", before="0:5.2-1.x86_64", after=""),
        Change(name="new", before="", after="2:5.2-1.x86_64"),
    )


def test_a_rebuilt_package_is_told_by_its_checksum() -> None:
    assert changed_packages(locked(BASH), locked(replace(BASH, sha256="b" * 64))) == (
        Change(name="bash", before=f"sha256 {'a' * 16}", after=f"sha256 {'b' * 16}"),
    )


def test_where_a_package_came_from_is_no_change() -> None:
    assert changed_packages(locked(BASH), locked(replace(BASH, repo="mirror"))) == ()


@pytest.mark.parametrize(
    ("before", "after", "change", "size_bytes"),
    [
        (None, entry(), "added", 5),
        (entry(), None, "removed", -5),
        (entry(), entry(size_bytes=8, sha256="t"), "grown", 3),
        (entry(), entry(size_bytes=1, sha256="t", mode=0o600), "shrunk", -4),
        (entry(), entry(sha256="t", mode=0o600), "other content", 0),
        (entry("link", target="a"), entry("link", target="b"), "other content", 0),
        (entry(), entry("directory"), "shrunk", -5),
        (entry(), entry(mode=0o600), "other rights", 0),
        (entry(), entry(attributes={"security.capability": "x"}, uid=1), "other rights", 0),
        (entry(), entry(attributes={"security.selinux": "x"}), "other label", 0),
        (entry(), entry(attributes={"security.selinux": "x"}, mode=0o600), "other rights", 0),
        (entry(), entry(attributes={"user.x": "x"}), "other content", 0),
    ],
)
def test_a_file_has_its_most_telling_change(
    before: FileEntry | None, after: FileEntry | None, change: str, size_bytes: int, tmp_path: Path
) -> None:
    left, right = (FileSystem(tmp_path, {"/a": one} if one else {}) for one in (before, after))
    (found,) = changed_files(compare(left, right))
    assert (found.path, found.change, found.bytes) == ("/a", change, size_bytes)


def test_what_differs_is_told_in_words(tmp_path: Path) -> None:
    before = FileSystem(tmp_path, {"/a\udcff": entry(), "/gone": entry("link", target="a", inode=2)})
    after = FileSystem(tmp_path, {"/a\udcff": entry(size_bytes=8, sha256="t", mode=0o600)})
    assert changed_files(compare(before, after)) == (
        FileChange(path="/a\\xff", change="grown", bytes=3, what="mode: 0644 → 0600; size; content"),
        FileChange(path="/gone", change="removed", bytes=0, what="link to a"),
    )


@pytest.fixture
def images(tmp_path: Path) -> Context:
    """A store with the images "old" and "new", which differ in two files."""
    context = own_context(tmp_path)
    top = tmp_path / "content"
    (top / "etc").mkdir(parents=True)
    for key, text in (("old", "one"), ("new", "three")):
        (top / "etc/file").write_text(text)
        (top / f"only, {key}").touch()
        make_raw(tmp_path / key, top)
        store_image(tmp_path / key, key, context)
        (top / f"only, {key}").unlink()
    return context


def test_two_images_are_read_once(images: Context, capsys: pytest.CaptureFixture[str]) -> None:
    path = changed_files_of_images("old", "new", images, what="look")
    assert path is not None
    assert [(one.path, one.change, one.bytes, one.what) for one in read_changes(path)] == [
        ("/etc/file", "grown", 2, "size; content"),
        ("/only, new", "added", 0, "file of 0 bytes"),
        ("/only, old", "removed", 0, "file of 0 bytes"),
    ]
    shutil.rmtree(images.store.path_of("image", "old"))
    assert changed_files_of_images("old", "new", images, what="look") == path
    assert capsys.readouterr().err.count("→ look") == 1


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ("", "image/old: the stored image is damaged: image.json: has 0 bytes"),
        (None, "of an earlier revision of the workbook, which kept no digest of the raw disk"),
    ],
)
def test_an_image_that_is_damaged_or_has_no_digest_is_not_compared(
    images: Context, facts: str | None, message: str
) -> None:
    directory = images.store.path_of("image", "old")
    if facts is None:
        known = json.loads((directory / "image.json").read_text())
        (directory / "image.json").write_text(json.dumps({**known, "digest": ""}))
        write_manifest(directory)
        remove_raw_disks(images.store)
    else:
        (directory / "image.json").write_text(facts)
    with pytest.raises(WorkbookError, match=message):
        changed_files_of_images("old", "new", images, what="look")


def test_images_that_are_gone_are_not_compared(images: Context) -> None:
    assert changed_files_of_images("old", "none", images, what="look") is None
    assert not images.store.path_of("changed-files", "").exists()
