"""apt's index: the files, names and digests of the packages."""

from pathlib import Path

import pytest

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
