"""What dnf is asked to install; resolving itself is an integration test."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import write_manifest
from atomic_lib.content.repositories import Content
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve import resolve
from atomic_lib.solve.dnf_run import install_words
from atomic_lib.solve.group_members import GroupMembers
from atomic_lib.solve.lock import LOCK_FILE, Lock, LockedPackage, write_lock
from atomic_lib.solve.resolve import RpmSetRequest, resolve_rpm_set, share_rpms
from atomic_lib.solve.rpm_set import RpmSet
from tests.contexts import own_context


def recipe(packages: str, excludes: str = "") -> Recipe:
    return Recipe(files=(), packages=tuple(packages.split()), excludes=tuple(excludes.split()))


def test_packages_and_groups_are_named_once_in_a_fixed_order() -> None:
    assert install_words(recipe("b a"), ["c", "a"]) == ["install", "a", "b", "c"]


def test_what_is_excluded_is_left_out_of_groups_and_forbidden_to_dnf() -> None:
    words = install_words(recipe("a", "python3* dnf"), ["python3-libs", "dnf", "dnf-data"])
    assert words == ["--exclude=python3*,dnf", "install", "a", "dnf-data"]


def test_a_package_both_named_and_excluded_stays_so_that_dnf_refuses_it() -> None:
    assert install_words(recipe("dnf", "dnf"), []) == ["--exclude=dnf", "install", "dnf"]


def test_the_download_is_the_sum_of_the_files() -> None:
    packages = tuple(LockedPackage(name, 0, "1", "1", "noarch", name * 64, 1000, "r") for name in "ab")
    assert RpmSet("k", Lock("c", packages), Path(), (), 0.0, True).download_bytes == 2000


def test_an_rpm_that_an_earlier_set_has_by_its_digest_is_a_link_to_its_file(tmp_path: Path) -> None:
    """A package that was built anew has the same name, and may have the same size and time."""
    packages = [LockedPackage(name, 0, "1", "1", "noarch", name * 64, 3, "r") for name in "ab"]
    other = replace(packages[1], sha256="c" * 64)
    for top, second in (("earlier", other), ("new", packages[1])):
        (tmp_path / top / "rpms").mkdir(parents=True)
        for package in (packages[0], second):
            path = tmp_path / top / "rpms" / package.file_name
            path.write_text(package.sha256[:3])
            os.utime(path, (0, 0))
        write_lock(Lock("c", (packages[0], second)), tmp_path / top / LOCK_FILE)
    write_manifest(tmp_path / "earlier")
    share_rpms(Lock("c", tuple(packages)), tmp_path / "new/rpms", [tmp_path / "earlier"])
    links = {path.name: path.stat().st_nlink for path in (tmp_path / "new/rpms").iterdir()}
    assert links == {packages[0].file_name: 2, packages[1].file_name: 1}
    assert (tmp_path / "new/rpms" / packages[1].file_name).read_text() == "bbb"


def test_a_set_with_a_lock_of_another_format_shares_nothing(tmp_path: Path) -> None:
    package = LockedPackage("a", 0, "1", "1", "noarch", "a" * 64, 3, "r")
    for top in ("earlier", "new"):
        (tmp_path / top / "rpms").mkdir(parents=True)
        (tmp_path / top / "rpms" / package.file_name).write_text("aaa")
    (tmp_path / "earlier" / LOCK_FILE).write_text("{}")
    write_manifest(tmp_path / "earlier")
    share_rpms(Lock("c", (package,)), tmp_path / "new/rpms", [tmp_path / "earlier"])
    assert (tmp_path / "new/rpms" / package.file_name).stat().st_nlink == 1


def test_a_set_without_an_index_is_not_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise WorkbookError("no index")

    monkeypatch.setattr(resolve, "_resolve", lambda *_: (["install"], Lock("own", ())))
    monkeypatch.setattr(resolve, "index_repository", fail)
    for name in ("keep_rpms", "keep_keys"):
        monkeypatch.setattr(resolve, name, lambda *_, **__: None)
    content = Content("own", "Own content", "k", "1", "", "default", "", {}, False, None)
    request = RpmSetRequest("own", recipe("bash"), content, None, GroupMembers(()))
    with pytest.raises(WorkbookError, match="no index"):
        resolve._make(request, own_context(tmp_path), tmp_path)
    assert not (tmp_path / LOCK_FILE).exists()


def test_the_lock_of_a_commit_locks_no_packages_and_no_file_that_it_names_is_touched(tmp_path: Path) -> None:
    """Its packages have no files, so what it says of their sha256 is not checked."""
    mine = tmp_path / "mine.rpm"
    mine.write_text("a file of the user")
    package = LockedPackage("a", 0, "1", "1", "noarch", str(mine.with_suffix("")), 1, "r")
    write_lock(Lock("own", (package,), commit="c" * 64), tmp_path / LOCK_FILE)
    content = Content("own", "Own content", "k", "1", "", "default", "", {}, False, None)
    with pytest.raises(WorkbookError, match="is the lock of a commit, but the recipe installs packages"):
        resolve_rpm_set(recipe("a"), content, own_context(tmp_path), name="own", lock_file=tmp_path / LOCK_FILE)
    assert mine.read_text() == "a file of the user"
