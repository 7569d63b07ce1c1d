"""What a deployment gets before it is mounted; mounting it is an integration test."""

from pathlib import Path

import pytest

from atomic_lib.compose.tree_access.tree_files import TreeFiles
from atomic_lib.image.deployment import add_remote_of_source
from atomic_lib.recipe.recipe import OstreeSource

SOURCE = OstreeSource("own-os", "own", "http://own.example/repo", "a/b", verified=True, pulled_from="file:///mirror")
REMOTES = "etc/ostree/remotes.d"


@pytest.mark.parametrize(("verified", "said"), [(True, ""), (False, "gpg-verify=false\n")])
def test_the_remote_is_the_kickstarts_wherever_it_was_pulled_from(tmp_path: Path, verified: bool, said: str) -> None:
    source = OstreeSource("own-os", "own", "http://own.example/repo", "a/b", verified, pulled_from="file:///mirror")
    add_remote_of_source(TreeFiles(tmp_path), source)
    text = (tmp_path / REMOTES / "own.conf").read_text()
    assert text == f'[remote "own"]\nurl=http://own.example/repo\n{said}'


@pytest.mark.parametrize("name", ["own.conf", "other.conf"])
def test_a_remote_of_that_name_in_the_commit_stays(tmp_path: Path, name: str) -> None:
    directory = tmp_path / REMOTES
    directory.mkdir(parents=True)
    (directory / name).write_text('[remote "own"]\nurl=https://of.the.commit/\n')
    add_remote_of_source(TreeFiles(tmp_path), SOURCE)
    assert [path.name for path in directory.iterdir()] == [name]
    assert "of.the.commit" in (directory / name).read_text()


def test_another_remote_of_the_commit_does_not_stand_in_the_way(tmp_path: Path) -> None:
    directory = tmp_path / REMOTES
    directory.mkdir(parents=True)
    (directory / "a.conf").write_text('[remote "own-2"]\nurl=https://of.the.commit/\n')
    add_remote_of_source(TreeFiles(tmp_path), SOURCE)
    assert {path.name for path in directory.iterdir()} == {"a.conf", "own.conf"}
