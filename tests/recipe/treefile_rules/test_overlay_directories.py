"""Layers from the directories of overlay.d."""

import os
import stat
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.treefile_rules.overlay_directories import overlay_files


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    folder = tmp_path / "recipe/overlay.d/05core"
    (folder / "usr/bin").mkdir(parents=True)
    (folder / "usr/bin/tool").write_text("#!/bin/sh\n")
    (folder / "usr/bin/tool").chmod(0o775)
    (folder / "usr/secret").write_text("s")
    (folder / "usr/secret").chmod(0o664)
    (folder / "usr/link").symlink_to("../bin/tool")
    (folder / "statoverride").write_text("# modes in decimal\n=384 /usr/secret\n")
    return tmp_path / "recipe"


def test_a_layer_may_have_the_name_of_its_directory(directory: Path) -> None:
    roots = (directory,)
    assert overlay_files("overlay.d/05core", directory, roots) == overlay_files("overlay/05core", directory, roots)


def test_a_layer_has_the_modes_that_coreos_assembler_gives_it(directory: Path) -> None:
    found = {file.path: file for file in overlay_files("overlay/05core", directory, (directory,))}
    assert {path: oct(file.mode) for path, file in found.items()} == {
        "usr": oct(stat.S_IFDIR | 0o755),
        "usr/bin": oct(stat.S_IFDIR | 0o755),
        "usr/bin/tool": oct(stat.S_IFREG | 0o555),
        "usr/link": oct(stat.S_IFLNK | 0o777),
        "usr/secret": oct(stat.S_IFREG | 0o600),
    }
    assert (found["usr/bin/tool"].content, found["usr/link"].target) == (b"#!/bin/sh\n", "../bin/tool")


@pytest.mark.parametrize(
    "name", ["overlay/06other", "fedora/x86_64/base", "overlay/../05core", "05core", "overlay/..", "overlay.d/."]
)
def test_a_layer_without_a_directory_is_a_ref_that_is_not_there(directory: Path, name: str) -> None:
    with pytest.raises(WorkbookError, match=r"^there is no ref .*each build begins with an empty repository") as caught:
        overlay_files(name, directory, (directory,))
    assert "overlay.d/NAME" in caught.value.hint


def test_no_file_of_another_kind_or_from_elsewhere_is_read(directory: Path) -> None:
    os.mkfifo(directory / "overlay.d/05core/usr/fifo")
    with pytest.raises(WorkbookError, match="fifo: is not a regular file"):
        overlay_files("overlay/05core", directory, (directory,))
    (directory.parent / "secret").mkdir()
    (directory / "overlay.d/out").symlink_to("../../secret")
    with pytest.raises(WorkbookError, match="outside of the recipe's directory"):
        overlay_files("overlay/out", directory, (directory,))


def test_a_line_of_modes_ends_at_a_line_feed_only(directory: Path) -> None:
    (directory / "overlay.d/05core/statoverride").write_text("# one\ftwo\n=384 /usr/secret\n")
    modes = {file.path: file.mode for file in overlay_files("overlay/05core", directory, (directory,))}
    assert modes["usr/secret"] == stat.S_IFREG | 0o600


def test_a_line_of_modes_must_be_one(directory: Path) -> None:
    (directory / "overlay.d/statoverride").write_text("\n0600 /usr/secret\n")
    with pytest.raises(WorkbookError, match=r"statoverride:2: '0600 /usr/secret' is not a mode and a path"):
        overlay_files("overlay/05core", directory, (directory,))
