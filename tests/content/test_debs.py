"""Debian packages: the file names that apt gives them, and that each is compared with apt's index before its use."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base.command import CommandError, Completed
from atomic_lib.base.errors import WorkbookError
from atomic_lib.content.definition import DebianContent, load_definition
from atomic_lib.content.standin import debs
from atomic_lib.content.standin.debs import (
    EDITION_FILE,
    Apt,
    Unsatisfiable,
    damaged_downloads,
    damaged_indexes,
    fetch_debs,
    planned_files,
    update_index,
)
from atomic_lib.content.standin.fedora_names import FedoraNames, StandinNames
from tests.contexts import NO_TOOLS
from tests.flips import flip

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


@pytest.fixture
def calls() -> list[list[str]]:
    """What apt was run for, in order: the words without options."""
    return []


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls: list[list[str]]) -> Apt:
    """An apt that fetches the index and all packages, but only those that are missing."""

    def run(own: Apt, words: list[str], *options: str) -> str:
        calls.append([word for word in words if not word.startswith(("-", "APT:"))])
        if words[0] == "update":
            for name, text in (("m_main_Packages", INDEX), ("m_InRelease", signed(INDEX))):
                if not (own.directory / "lists" / name).exists():
                    (own.directory / "lists" / name).write_text(text)
        if "--download-only" in words:
            for name in NAMES:
                if not (own.archives / name).exists():
                    (own.archives / name).write_text(name)
        return PLAN

    monkeypatch.setattr(Apt, "run", run)
    for name in ("lists", "archives"):
        (tmp_path / name).mkdir()
    return Apt(NO_TOOLS, definition(), tmp_path)


def definition(edition: int = 1) -> DebianContent:
    found = load_definition("standin")
    assert isinstance(found, DebianContent)
    return found.model_copy(update={"edition": edition})


def signed(index: str) -> str:
    return f"SHA256:\n {hashlib.sha256(index.encode()).hexdigest()} 1 main\n"


def fetch(apt: Apt, names: dict[str, Any] | None = None, **choices: Any) -> list[Path]:
    update_index(apt)
    return fetch_debs(
        apt,
        StandinNames(FedoraNames(names=names or {}), apt.read_index()),
        ["bash"],
        **{"excludes": (), "recommended": False, **choices},
    )


@pytest.mark.parametrize("damage", [flip, lambda path: os.truncate(path, 2)], ids=["flipped", "cut"])
def test_a_damaged_package_is_named_and_fetched_again(
    apt: Apt, damage: Callable[[Path], object], capsys: pytest.CaptureFixture[str]
) -> None:
    fetch(apt)
    damage(apt.archives / NAMES[0])
    assert damaged_downloads(apt.directory) == [apt.archives / NAMES[0]]
    fetched = fetch(apt)
    assert {file.name: file.read_text() for file in fetched} == {name: name for name in NAMES}
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("!")]
    assert len(lines) == 1
    assert str(apt.archives / NAMES[0]) in lines[0]
    assert (apt.archives / f"{NAMES[0]}.damaged").exists()


def test_companions_of_all_packages_are_asked_for_as_well(apt: Apt, calls: list[list[str]]) -> None:
    one = {"package": "libc6", "with": ["adduser", "bash", "own-package"], "reason": "all in one"}
    fetch(apt, {"glibc": one})
    assert calls == [["update"], ["satisfy", "bash"], ["satisfy", "bash"]], "companions are in the plan already"
    calls.clear()
    fetch(apt, {"bash": {"package": "bash", "with": ["libc6"], "reason": "all in one"}})
    assert calls == [["satisfy", "bash"]]


def test_undamaged_packages_are_not_fetched_again(
    apt: Apt, calls: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    before = {file: file.stat() for file in fetch(apt)}
    calls.clear()
    assert {file: file.stat() for file in fetch(apt)} == before
    assert len(calls) == 1, "only the plan"
    assert "!" not in capsys.readouterr().err


def test_the_index_is_fetched_once_for_an_edition_and_a_mirror(
    apt: Apt, calls: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBOOK_MIRROR", "http://one.example")
    first = update_index(apt)
    assert update_index(apt) == first
    assert calls == [["update"]]
    assert (apt.directory / EDITION_FILE).read_text() == "trixie 1 http://one.example\n"
    update_index(Apt(NO_TOOLS, definition(edition=2), apt.directory))
    assert calls == [["update"], ["update"]]
    monkeypatch.setenv("WORKBOOK_MIRROR", "http://other.example")
    update_index(Apt(NO_TOOLS, definition(edition=2), apt.directory))
    assert calls == [["update"]] * 3


def test_a_damaged_index_is_fetched_again_and_condemns_no_package(apt: Apt, capsys: pytest.CaptureFixture[str]) -> None:
    fetch(apt)
    flip(apt.directory / "lists/m_main_Packages")
    assert damaged_indexes(apt.directory / "lists") == [apt.directory / "lists/m_main_Packages"]
    fetch(apt)
    assert damaged_indexes(apt.directory / "lists") == []
    assert "a package index of apt is damaged" in capsys.readouterr().err
    assert list(apt.archives.glob("*.damaged")) == []


def test_a_package_that_the_index_does_not_have_is_refused(apt: Apt) -> None:
    other = INDEX.replace(hashlib.sha256(NAMES[1].encode()).hexdigest(), "0" * 64)
    fetch(apt)
    (apt.directory / "lists/m_main_Packages").write_text(other)
    (apt.directory / "lists/m_InRelease").write_text(signed(other))
    with pytest.raises(WorkbookError, match="adduser") as caught:
        fetch(apt)
    assert f"remove {apt.directory}" in caught.value.hint


def test_apt_avoids_what_is_excluded_unless_it_is_required(apt: Apt, monkeypatch: pytest.MonkeyPatch) -> None:
    preferences = apt.directory / "etc/preferences"
    fetch(apt, excludes=("python3*", "dnf"))
    assert preferences.read_text() == "Package: python3* dnf\nPin: release *\nPin-Priority: -1\n"
    run = Apt.run

    def refuse(own: Apt, words: list[str], *options: str) -> str:
        if preferences.read_text():
            raise Unsatisfiable("no")
        return run(own, words, *options)

    monkeypatch.setattr(Apt, "run", refuse)
    assert [deb.name for deb in fetch(apt, excludes=("libc6",))] == sorted(NAMES)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("E: 404  Not Found [IP: 1.1.1.1]", "no longer has a package of edition 1"),
        ("The repository is not signed", "archive signature is bad"),
        ("Could not resolve host", "could not be reached"),
        ("The following packages have unmet dependencies:", "cannot have these packages together"),
    ],
)
def test_what_apt_cannot_do_has_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, message: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        error = CommandError("apt-get: exit status 100")
        error.stdout, error.stderr = "", said
        raise error

    monkeypatch.setattr(type(NO_TOOLS), "run", fail)
    monkeypatch.setattr(debs, "debian_mirror", lambda: "http://m.example")
    with pytest.raises(WorkbookError, match=message) as caught:
        Apt(NO_TOOLS, definition(), tmp_path).run(["update"])
    assert caught.value.hint


def test_a_file_of_apt_is_written_only_if_it_is_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(NO_TOOLS), "run", lambda *_, **__: Completed("", ""))
    files = [tmp_path / name for name in ("etc/sources.list", "status", "apt.conf")]

    def times(mirror: str) -> list[int]:
        monkeypatch.setattr(debs, "debian_mirror", lambda: mirror)
        Apt(NO_TOOLS, definition(), tmp_path).run(["update"])
        found = [int(path.stat().st_mtime) for path in files]
        for path in files:
            os.utime(path, (0, 0))
        return found

    assert 0 not in times("http://m.example")
    assert times("http://m.example") == [0, 0, 0]
    first, *others = times("http://other.example")
    assert (first > 0, others) == (True, [0, 0])
