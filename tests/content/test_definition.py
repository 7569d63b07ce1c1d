"""Content definitions: the project's own ones load, and errors name file and key."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.content.definition import DebianContent, RepositoryContent, load_definition

FEDORA = """\
content: own
title: Own
kind: repositories
repo_file: own.repo
releasever: "43"
selinux_policy: targeted
"""


@pytest.fixture
def params(tmp_path: Path) -> Path:
    (tmp_path / "content").mkdir()
    return tmp_path


def refusal(params: Path, text: str) -> str:
    path = params / "content/own.yaml"
    path.write_text(text)
    with pytest.raises(WorkbookError) as caught:
        load_definition("own", params)
    assert caught.value.message.startswith(f"{path}: ")
    return caught.value.message.removeprefix(f"{path}: ")


def test_the_two_definitions_of_the_project_load(checkout: Path) -> None:
    fedora, standin = load_definition("fedora"), load_definition("standin")
    assert isinstance(fedora, RepositoryContent)
    assert (checkout / "params/repos" / fedora.repo_file).is_file()
    assert isinstance(standin, DebianContent)
    assert "dpkg" in standin.dropped


def test_a_definition_of_ones_own_loads(params: Path) -> None:
    (params / "content/own.yaml").write_text(FEDORA)
    assert load_definition("own", params).releasever == "43"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (FEDORA.replace("repo_file", "repofile"), "repo_file"),
        (FEDORA.replace("repo_file", "repofile"), "Field required"),
        (FEDORA + "mirror: none\n", "mirror"),
        (FEDORA.replace('"43"', "43"), "releasever"),
        (FEDORA.replace("kind: repositories", "kind: rpms"), "kind"),
        (FEDORA.replace("kind: repositories\n", ""), "kind"),
        (FEDORA.replace("kind: repositories", "kind: debian-packages"), "suite"),
    ],
)
def test_what_is_wrong_is_named_with_its_key(params: Path, text: str, key: str) -> None:
    assert key in refusal(params, text)


def test_the_name_is_that_of_the_file(params: Path) -> None:
    assert "must match the file name: 'own', not 'other'" in refusal(
        params, FEDORA.replace("content: own", "content: other")
    )


def test_unknown_content_names_what_there_is(params: Path) -> None:
    (params / "content/own.yaml").write_text(FEDORA)
    with pytest.raises(WorkbookError, match="no such file") as caught:
        load_definition("fedorra", params)
    assert "own.yaml" in caught.value.hint
