"""A site takes its place at once or not at all, and only its own place."""

import errno
import os
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.signals import Stopped
from atomic_lib.report.site import site_directory
from atomic_lib.report.site.site_directory import next_site


def publish(directory: Path, **files: str) -> None:
    with next_site(directory) as site:
        for name, text in files.items():
            site.write(f"{name}.html", text)


def _publish_until(directory: Path, end: BaseException) -> None:
    with next_site(directory) as site:
        site.write("index.html", "two")
        raise end


def left(parent: Path) -> list[str]:
    return sorted(path.name for path in parent.iterdir())


@pytest.mark.parametrize("made", [False, True], ids=["new", "empty"])
def test_a_new_and_an_empty_directory_become_the_site(tmp_path: Path, made: bool) -> None:
    if made:
        (tmp_path / "site").mkdir()
    publish(tmp_path / "site", index="one")
    assert left(tmp_path) == ["site"]
    assert left(tmp_path / "site") == [".workbook-site", "index.html"]
    assert (tmp_path / "site").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "site/index.html").stat().st_mode & 0o777 == 0o644


def test_what_is_not_written_again_stays_the_same_file_and_what_is_gets_a_new_one(tmp_path: Path) -> None:
    publish(tmp_path / "site", index="one", kept="kept", same="same")
    old = {name: (tmp_path / "site" / name).stat() for name in ("index.html", "kept.html", "same.html")}
    with (tmp_path / "site/index.html").open() as opened:
        publish(tmp_path / "site", index="two", same="same")
        assert opened.read() == "one", "who reads a page meanwhile reads it to its end"
    new = {name: (tmp_path / "site" / name).stat() for name in old}
    assert [new[name].st_ino == old[name].st_ino for name in old] == [False, True, True]
    assert [new[name].st_mtime_ns == old[name].st_mtime_ns for name in old] == [False, True, True]
    assert (tmp_path / "site/index.html").read_text() == "two"
    assert new["kept.html"].st_nlink == 1, "the site before is gone"


@pytest.mark.parametrize(
    "end", [OSError(errno.ENOSPC, "No space left on device"), Stopped(15), KeyboardInterrupt()], ids=repr
)
def test_whatever_ends_a_publication_leaves_the_site_whole(tmp_path: Path, end: BaseException) -> None:
    publish(tmp_path / "site", index="one")
    with pytest.raises(type(end)):
        _publish_until(tmp_path / "site", end)
    assert left(tmp_path) == ["site"]
    assert (tmp_path / "site/index.html").read_text() == "one"


def test_a_failed_exchange_leaves_the_site_and_is_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(tmp_path / "site", index="one")
    monkeypatch.setattr(site_directory, "_RENAME_EXCHANGE", 1 << 20)
    with pytest.raises(WorkbookError, match="cannot change places with the new site beside it: Invalid argument"):
        publish(tmp_path / "site", index="two")
    assert left(tmp_path) == ["site"]
    assert (tmp_path / "site/index.html").read_text() == "one"


def test_what_a_killed_publication_left_is_removed_by_the_next_one(tmp_path: Path) -> None:
    (tmp_path / ".site.new-abc").mkdir()
    (tmp_path / ".site.new-abc/index.html").touch()
    publish(tmp_path / "site", index="one")
    assert left(tmp_path) == ["site"]


def test_a_directory_of_others_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home/letter").write_text("dear")
    with pytest.raises(WorkbookError, match=r"home: is not empty, and not a site that the workbook published"):
        publish(tmp_path / "home", index="one")
    with pytest.raises(WorkbookError, match="letter: is a file"):
        publish(tmp_path / "home/letter", index="one")
    assert left(tmp_path) == ["home"]
    assert left(tmp_path / "home") == ["letter"]


def test_a_site_of_a_newer_workbook_is_refused(tmp_path: Path) -> None:
    publish(tmp_path / "site", index="one")
    marker = tmp_path / "site/.workbook-site"
    marker.write_text(marker.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(WorkbookError, match="the site has format 2; this workbook writes 1"):
        publish(tmp_path / "site", index="two")


@pytest.mark.parametrize("text", ["", "[]", "[" * 100_000])
def test_a_site_whose_marker_is_damaged_is_refused(tmp_path: Path, text: str) -> None:
    publish(tmp_path / "site", index="one")
    (tmp_path / "site/.workbook-site").write_text(text)
    with pytest.raises(WorkbookError, match="is not empty, and not a site that the workbook published"):
        publish(tmp_path / "site", index="two")


def test_a_link_to_a_site_stays_a_link(tmp_path: Path) -> None:
    publish(tmp_path / "real", index="one")
    (tmp_path / "site").symlink_to("real")
    publish(tmp_path / "site", index="two")
    assert os.readlink(tmp_path / "site") == "real"
    assert (tmp_path / "real/index.html").read_text() == "two"


def test_two_publications_at_once_are_one_error(tmp_path: Path) -> None:
    with next_site(tmp_path / "site"), pytest.raises(WorkbookError, match=r"another \./workbook publish is writing"):
        publish(tmp_path / "site", index="two")
