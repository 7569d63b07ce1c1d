"""The key of a pulled commit; pulling one is an integration test."""

from dataclasses import replace
from pathlib import Path

import pytest

from atomic_lib.base.store import key_of
from atomic_lib.compose.pulled.pulled_tree import PULLED, PullRequest
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
