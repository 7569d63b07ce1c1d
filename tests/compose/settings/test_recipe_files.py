"""What a recipe adds, removes and changes, on a small fake tree."""

import os
import stat
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base import command
from atomic_lib.base.command import Completed
from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.chroot import Installroot
from atomic_lib.compose.settings import recipe_files
from atomic_lib.compose.settings.recipe_files import add_files, change_files, change_packaged_files, os_release
from atomic_lib.formats.rpm_headers import Header, PackagedFile
from atomic_lib.recipe.recipe import AddedFile, Recipe
from atomic_lib.solve.dnf_run import INSTALLROOT
from atomic_lib.tools.sandbox import Tools

RECIPE = Recipe(files=(Path("a.yaml"),), packages=("bash",))
FILE, DIRECTORY, LINK = stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK


@dataclass(frozen=True)
class HostTools(Tools):
    """Programs of the host that work on the files of the tree at ``tree``."""

    tree: Path

    def run(self, words: Sequence[Any], **options: Any) -> Completed:
        places = {INSTALLROOT: str(self.tree)} | {bind.target: str(bind.source) for bind in options.get("binds", ())}
        line = [str(word) for word in words]
        for target, source in places.items():
            line = [word.replace(target, source) for word in line]
        line[0] = {"python3": sys.executable}.get(line[0], line[0])
        return command.run(line, input=options.get("input"), timeout_seconds=options.get("timeout_seconds"))


@pytest.fixture
def tree(tmp_path: Path) -> Installroot:
    for name in ("etc/grub.d/08_fallback", "etc/grub.d/10_linux", "usr/bin/tool", "usr/share/doc/a", "usr/share/data"):
        (tmp_path / "root" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "root" / name).write_text(name)
    return Installroot(HostTools(Path("/nonexistent"), "none", tmp_path / "root"), tmp_path / "root", 0)


def paths(tree: Installroot) -> list[str]:
    return [path for path, status in tree.files.below() if not stat.S_ISDIR(status.st_mode)]


def test_usr_etc_of_a_commit_is_etc_of_the_tree(tree: Installroot) -> None:
    added = (AddedFile("usr/etc/profile.d/own.sh", FILE | 0o644, b"own"), AddedFile("usr/etcetera", FILE | 0o644))
    recipe = replace(RECIPE, added_files=added, removed_paths=("usr/etc/grub.d/08_fallback",))
    change_files(tree, recipe, "1")
    assert tree.read("etc/profile.d/own.sh") == "own"
    assert "usr/etcetera" in paths(tree)
    assert "etc/grub.d/08_fallback" not in paths(tree)
    assert tree.files.status("usr/etc") is None


def headers(*files: str, directory: str = "usr/share/doc") -> dict[str, Header]:
    packaged = {f"/{file}": PackagedFile(FILE | 0o644, 1, 0) for file in files}
    return {"own": Header("own", "", frozenset(), frozenset(),
                          {**packaged, f"/{directory}": PackagedFile(DIRECTORY | 0o755, 0, 0)})}  # fmt: skip


def test_only_the_packages_own_files_that_match_are_removed(tree: Installroot) -> None:
    owned = headers("etc/grub.d/08_fallback", "etc/grub.d/10_linux", "usr/share/doc/a")
    # In a commit /etc is /usr/etc, and an expression need not match from the start.
    removed = (("own", "/etc/grub.d/08_", "^/usr/share/doc", "^/usr/bin"), ("other", ".*"))
    change_packaged_files(tree, replace(RECIPE, removed_from_packages=removed), owned)
    assert paths(tree) == ["etc/grub.d/10_linux", "usr/bin/tool", "usr/share/data"]
    change_packaged_files(tree, replace(RECIPE, removed_from_packages=(("own", "^/usr/etc/grub.d"),)), owned)
    assert paths(tree) == ["usr/bin/tool", "usr/share/data"]


def test_a_file_of_another_package_too_is_removed_from_both_or_stays(tree: Installroot) -> None:
    owned = headers("usr/bin/tool", "usr/share/data")
    owned["other"] = replace(owned["own"], name="other")
    change_packaged_files(tree, replace(RECIPE, removed_from_packages=(("own", "/tool", "/data"),)), owned)
    assert {"usr/bin/tool", "usr/share/data"} <= set(paths(tree))
    removed = (("own", "/tool", "/data"), ("other", "^/usr/bin/"))
    change_packaged_files(tree, replace(RECIPE, removed_from_packages=removed), owned)
    assert "usr/bin/tool" not in paths(tree)
    assert "usr/share/data" in paths(tree)


def test_an_expression_that_takes_too_long_is_named(tree: Installroot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe_files, "MATCHING_SECONDS", 2.0)
    owned = headers("usr/share/" + "a" * 60)
    removed = (("own", "^/usr/share/doc"), ("other", "a"), ("own", "^/usr/share/(a+)+$x"), ("own", "a"))
    with pytest.raises(WorkbookError) as caught:
        change_packaged_files(tree, replace(RECIPE, removed_from_packages=removed), owned)
    assert caught.value.message == (
        "a.yaml: remove-from-packages: own: matching ^/usr/share/(a+)+$x against its files was stopped after 2 s"
    )


def test_executables_can_be_made_read_only(tree: Installroot) -> None:
    (tree.root / "usr/bin/tool").chmod(0o4775)
    (tree.root / "usr/share/data").chmod(0o664)
    change_packaged_files(tree, replace(RECIPE, readonly_executables=True), {})
    assert oct((tree.root / "usr/bin/tool").stat().st_mode) == oct(FILE | 0o4555)
    assert oct((tree.root / "usr/share/data").stat().st_mode) == oct(FILE | 0o664)


def test_a_layer_adds_files_and_one_that_overrides_replaces_them(tree: Installroot) -> None:
    overlay = (
        AddedFile("usr/new", DIRECTORY | 0o755),
        AddedFile("usr/new/tool", FILE | 0o555, b"tool"),
        AddedFile("usr/new/link", LINK | 0o777, target="tool"),
    )
    over = (AddedFile("usr/bin/tool", FILE | 0o644, b"other"), AddedFile("usr/share/data", LINK | 0o777, target="x"))
    change_packaged_files(tree, replace(RECIPE, overlays=overlay, override_overlays=over), {})
    assert (tree.root / "usr/new/link").read_text() == "tool"
    assert oct((tree.root / "usr/new/tool").stat().st_mode) == oct(FILE | 0o555)
    assert ((tree.root / "usr/bin/tool").read_text(), os.readlink(tree.root / "usr/share/data")) == ("other", "x")
    change_packaged_files(tree, replace(RECIPE, overlays=overlay), {})  # the same content may be there already


@pytest.mark.parametrize(
    "file",
    [
        AddedFile("usr/bin/tool", FILE | 0o755, b"other"),
        AddedFile("usr/bin/tool", LINK | 0o777, target="x"),
        AddedFile("usr/bin", FILE | 0o644, b""),
    ],
)
def test_a_layer_that_conflicts_with_a_package_is_refused(tree: Installroot, file: AddedFile) -> None:
    with pytest.raises(WorkbookError, match=f"^/{file.path}: a layer of ostree-layers has it"):
        change_packaged_files(tree, replace(RECIPE, overlays=(file,)), {})


def test_files_are_removed_before_others_are_added(tree: Installroot) -> None:
    added = (AddedFile("usr/share/doc/own", FILE | 0o600, b"own"), AddedFile("etc/motd", FILE | 0o644, b"hello\n"))
    change_files(tree, replace(RECIPE, removed_paths=("usr/share/doc", "etc/grub.d/"), added_files=added), "1")
    assert paths(tree) == ["etc/motd", "usr/bin/tool", "usr/share/data", "usr/share/doc/own"]
    assert oct((tree.root / "usr/share/doc/own").stat().st_mode) == oct(FILE | 0o600)


def test_a_file_does_not_replace_a_directory(tree: Installroot) -> None:
    with pytest.raises(WorkbookError, match="is a directory"):
        add_files(tree.files, (AddedFile("usr/bin", FILE | 0o644, b""),), overwrite=True)


OS_RELEASE = 'NAME="Own"\n\nVERSION="41 (Cloud)"\nID=own\nVERSION_ID=41\nPRETTY_NAME="Own 41 (Cloud)"\n'
MUTATED = """\
NAME="Own"
VERSION="41.20250101.0 (Cloud)"
ID=own
VERSION_ID=41
PRETTY_NAME="Own 41.20250101.0 (Cloud)"
OSTREE_VERSION='41.20250101.0'
"""


def test_os_release_gets_the_version() -> None:
    assert os_release(OS_RELEASE, "41", "41.20250101.0") == MUTATED


def test_the_file_that_os_release_leads_to_is_changed_and_the_link_stays(tree: Installroot) -> None:
    tree.write("usr/lib/os-release", OS_RELEASE)
    tree.files.add_link("etc/os-release", "../usr/lib/os-release")
    change_files(tree, replace(RECIPE, os_release_version="41"), "41.20250101.0")
    assert (tree.root / "usr/lib/os-release").read_text() == MUTATED
    assert os.readlink(tree.root / "etc/os-release") == "../usr/lib/os-release"


def test_os_release_must_be_there_and_not_lead_in_a_circle(tree: Installroot) -> None:
    recipe = replace(RECIPE, os_release_version="41")
    with pytest.raises(WorkbookError, match=r"^a.yaml: mutate-os-release: there is no /etc/os-release"):
        change_files(tree, recipe, "1")
    tree.files.add_link("etc/os-release", "os-release")
    with pytest.raises(WorkbookError, match="too many symbolic links"):
        change_files(tree, recipe, "1")
