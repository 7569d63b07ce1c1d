"""apt's index: the files, names and digests of the packages, and which of them a recipe's words name."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.content.demand import Demand
from atomic_lib.content.standin.named_packages import named_packages
from atomic_lib.content.standin.package_index import PackageIndex, read_index

INDEX = """\
Package: bash
Version: 5.2-1
Essential: yes
Architecture: amd64
Description: a shell
SHA256: aa

Package: exim4
Version: 1:4.9-2
Architecture: all
Provides: mail-transport-agent, exim
 (= 4.9)
Description: SHA256: none
Tag: role::program,
 works-with::mail
SHA256: bb

Package: vim-tiny
Version: 9
Architecture: amd64
Description: an editor
SHA256: cc
"""
FILES = ["bash_5.2-1_amd64.deb", "exim4_1%3a4.9-2_all.deb", "vim-tiny_9_amd64.deb"]


@pytest.fixture
def index(tmp_path: Path) -> PackageIndex:
    (tmp_path / "m_main_Packages").write_text(INDEX)
    return read_index(tmp_path)


def test_the_index_has_each_file_with_its_digest(index: PackageIndex) -> None:
    assert list(index.paragraphs) == FILES
    assert [index.sha256(file) for file in FILES] == ["aa", "bb", "cc"]
    assert index.sha256("gone_1_all.deb") is None


def test_names_are_those_of_packages_and_what_they_provide(index: PackageIndex) -> None:
    assert index.names == {"bash", "exim4", "vim-tiny"}
    assert index.provided == {"mail-transport-agent", "exim"}
    assert index.essential == ("bash",)
    assert index.package(FILES[1]).debian_version == "1:4.9-2"


def named(index: PackageIndex, *words: str) -> list[str]:
    return named_packages(words, Demand("own.yaml", words, place_of=lambda word: f"own.yaml:{len(word)}"), index, "own")


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("bash", ["bash"]),
        ("bash.x86_64", ["bash"]),
        ("bash >= 5", ["bash"]),
        ("mail-transport-agent", ["mail-transport-agent"]),
        ("*m*", ["exim4", "vim-tiny"]),
        ("/usr/bin/bash", []),
        ("standin-setup", []),
    ],
)
def test_a_word_names_packages(index: PackageIndex, word: str, expected: list[str]) -> None:
    assert named(index, word) == expected


def test_all_unknown_names_are_one_error_with_places_and_similar_names(index: PackageIndex) -> None:
    with pytest.raises(WorkbookError) as caught:
        named(index, "bsh", "exim4", "quite-unknown", "x*")
    assert caught.value.message.splitlines() == [
        "own.yaml:3: content 'own' has no package 'bsh'",
        "own.yaml:13: content 'own' has no package 'quite-unknown'",
        "own.yaml:2: content 'own' has no package 'x*'",
    ]
    assert caught.value.hint == "correct the names (bash for bsh), or choose another content (--content NAME)"


def test_a_pattern_that_matches_too_many_is_refused_with_its_place(
    index: PackageIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atomic_lib.content.standin.named_packages._MOST_MATCHES", 2)
    with pytest.raises(WorkbookError, match=r"^own\.yaml:1: '\*' matches 3 packages of content 'own'\n"):
        named(index, "*")
