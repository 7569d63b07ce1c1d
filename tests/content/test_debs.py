"""Debian packages: the file names that apt gives them, and that each is compared with apt's index before its use."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.content.standin import debs
from atomic_lib.content.standin.debs import damaged_indexes, deb_digests, fetch_debs, planned_files
from tests.contexts import NO_TOOLS

PLAN = """\
NOTE: This is only a simulation!
The following NEW packages will be installed:
  bash libc6 adduser
Inst libc6 (2.41-12+deb13u4 Debian:13.7/stable [amd64]) []
Inst bash (5.2.37-2+b10 Debian:13.7/stable, Debian-Security:13/stable-security [amd64])
Inst adduser (1:3.152 Debian:13.7/stable [all])
Conf libc6 (2.41-12+deb13u4 Debian:13.7/stable [amd64])
"""


def test_the_files_are_named_as_apt_names_them() -> None:
    files = ["libc6_2.41-12+deb13u4_amd64.deb", "bash_5.2.37-2+b10_amd64.deb", "adduser_1%3a3.152_all.deb"]
    assert list(planned_files(PLAN)) == files


NAMES = ("bash_5.2.37-2+b10_amd64.deb", "adduser_1%3a3.152_all.deb", "libc6_2.41-12+deb13u4_amd64.deb")
INDEX = "\n".join(
    f"Package: {name.split('_')[0]}\nVersion: {name.split('_')[1].replace('%3a', ':')}\n"
    f"Architecture: {name.split('_')[2].removesuffix('.deb')}\nDescription: a package\n SHA256: none\n"
    f"SHA256: {hashlib.sha256(name.encode()).hexdigest()}\n"
    for name in NAMES
)


def flip(path: Path) -> None:
    """Change a byte; size and times stay."""
    status, data = path.stat(), bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of an apt that has downloaded all packages, and fetches only those that are missing."""

    def run(_: object, __: object, words: list[str], *___: object) -> str:
        if words[1] == "update" and not (tmp_path / "lists/m_main_Packages").exists():
            write_index()
        if "--download-only" in words:
            for name in NAMES:
                if not (tmp_path / "archives" / name).exists():
                    (tmp_path / "archives" / name).write_text(name)
        return PLAN

    def write_index() -> None:
        (tmp_path / "lists/m_main_Packages").write_text(INDEX)

    monkeypatch.setattr(debs, "_apt", run)
    monkeypatch.setattr(debs, "debian_mirror", lambda: "http://m.example")
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists/m_InRelease").write_text(f"SHA256:\n {hashlib.sha256(INDEX.encode()).hexdigest()} 1 main\n")
    fetch(tmp_path)
    return tmp_path


def fetch(directory: Path) -> list[Path]:
    return fetch_debs(NO_TOOLS, cast(Any, SimpleNamespace(suite="trixie", packages=("bash",))), directory)


def test_the_index_has_the_sha256_of_each_file(apt: Path) -> None:
    assert deb_digests(apt / "lists") == {name: hashlib.sha256(name.encode()).hexdigest() for name in NAMES}


@pytest.mark.parametrize("damage", [flip, lambda path: os.truncate(path, 2)], ids=["flipped", "cut"])
def test_a_damaged_package_is_named_and_fetched_again(
    apt: Path, damage: Callable[[Path], object], capsys: pytest.CaptureFixture[str]
) -> None:
    damage(apt / "archives" / NAMES[0])
    fetched = fetch(apt)
    assert {file.name: file.read_text() for file in fetched} == {name: name for name in NAMES}
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("!")]
    assert len(lines) == 1
    assert str(apt / "archives" / NAMES[0]) in lines[0]
    assert (apt / "archives" / f"{NAMES[0]}.damaged").exists()


def test_undamaged_packages_are_left_alone(apt: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {file: file.stat() for file in fetch(apt)}
    assert {file: file.stat() for file in fetch(apt)} == before
    assert "!" not in capsys.readouterr().err


def test_a_damaged_index_is_fetched_again_and_condemns_no_package(
    apt: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flip(apt / "lists/m_main_Packages")
    assert damaged_indexes(apt / "lists") == [apt / "lists/m_main_Packages"]
    fetch(apt)
    assert damaged_indexes(apt / "lists") == []
    assert "a package index of apt is damaged" in capsys.readouterr().err
    assert list((apt / "archives").glob("*.damaged")) == []


def test_a_package_that_the_index_does_not_have_is_refused(apt: Path) -> None:
    other = INDEX.replace(hashlib.sha256(NAMES[1].encode()).hexdigest(), "0" * 64)
    (apt / "lists/m_main_Packages").write_text(other)
    (apt / "lists/m_InRelease").write_text(hashlib.sha256(other.encode()).hexdigest())
    with pytest.raises(WorkbookError, match="adduser") as caught:
        fetch(apt)
    assert f"remove {apt}" in caught.value.hint
