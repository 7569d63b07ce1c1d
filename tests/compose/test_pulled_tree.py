"""The key of a pulled commit, and the place of its RPM database; pulling one is an integration test."""

from dataclasses import replace
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.store import key_of
from atomic_lib.compose.pulled.pulled_tree import PULLED, PullRequest, _database
from atomic_lib.compose.tree_access.tree_files import TreeFiles
from atomic_lib.recipe.recipe import OstreeSource
from tests.contexts import own_context

SOURCE = OstreeSource("own-os", "own", "http://own.example/repo", "a/b", verified=True)


@pytest.fixture
def request_of(tmp_path: Path) -> PullRequest:
    (tmp_path / "key.asc").write_text("a key")
    (tmp_path / "other.asc").write_text("another key")
    (tmp_path / "copy.asc").write_text("a key")
    return PullRequest("own", SOURCE, tmp_path / "key.asc", "c" * 64)


def key(request: PullRequest, tmp_path: Path) -> str:
    return key_of(PULLED.key_inputs(request, own_context(tmp_path)))


def test_the_commit_its_ref_and_the_keys_that_may_have_signed_it_are_its_key(
    request_of: PullRequest, tmp_path: Path
) -> None:
    changed = (
        replace(request_of, commit="d" * 64),
        replace(request_of, source=replace(SOURCE, ref="a/c")),
        replace(request_of, keys=tmp_path / "other.asc"),
        replace(request_of, keys=None),
    )
    assert len({key(one, tmp_path) for one in (request_of, *changed)}) == 5


def test_the_place_that_it_comes_from_is_not(request_of: PullRequest, tmp_path: Path) -> None:
    elsewhere = replace(SOURCE, url="file:///srv/mirror", pulled_from="file:///mirror", source="a:1", stateroot="other")
    same = replace(request_of, source=elsewhere, keys=tmp_path / "copy.asc", name="other")
    assert key(same, tmp_path) == key(request_of, tmp_path)


@pytest.mark.parametrize("name", ["%(touch x)", "%{lua:print(1)}", "a b"])
def test_a_commit_does_not_choose_a_path_that_rpm_expands(tmp_path: Path, name: str) -> None:
    database = tmp_path / "usr/share" / name
    database.mkdir(parents=True)
    (database / "rpmdb.sqlite").touch()
    (tmp_path / "usr/lib/sysimage").mkdir(parents=True)
    (tmp_path / "usr/lib/sysimage/rpm").symlink_to(f"../../share/{name}")
    with pytest.raises(WorkbookError, match="has a name that rpm could take for a macro") as caught:
        _database(TreeFiles(tmp_path), "own.ks:1")
    assert name not in caught.value.message
    database.rename(tmp_path / "usr/share/plain-1.0")
    (tmp_path / "usr/lib/sysimage/rpm").unlink()
    (tmp_path / "usr/lib/sysimage/rpm").symlink_to("../../share/plain-1.0")
    assert _database(TreeFiles(tmp_path), "own.ks:1") == "usr/share/plain-1.0"
