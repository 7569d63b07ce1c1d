"""The lock: read as it was written, refused when it was changed."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.solve.lock import Lock, LockedPackage, read_lock, write_lock

BASH = LockedPackage("bash", 0, "5.2.37", "2", "x86_64", "a" * 64, 1_500_000, "standin")
DOCKER = LockedPackage("docker.io", 1, "26.1.5+dfsg1", "9", "x86_64", "b" * 64, 30_000_000, "standin")
LOCK = Lock("standin", (BASH, DOCKER))
ODD = json.dumps(asdict(replace(BASH, name="half of a pair: \ud800")))


def refusal(path: Path) -> WorkbookError:
    with pytest.raises(WorkbookError) as caught:
        read_lock(path)
    assert caught.value.message.startswith(f"{path}: ")
    return caught.value


def test_a_lock_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_lock(LOCK, tmp_path / "lock.json")
    assert read_lock(tmp_path / "lock.json") == LOCK


def test_the_commit_that_has_the_packages_is_read_and_part_of_the_identity(tmp_path: Path) -> None:
    of_commit = Lock("ostree", (replace(BASH, sha256="", size_bytes=0, repo=""),), "c" * 64)
    write_lock(of_commit, tmp_path / "lock.json")
    assert read_lock(tmp_path / "lock.json") == of_commit
    assert replace(of_commit, commit="d" * 64).sha256 != of_commit.sha256


def test_a_package_is_a_line_so_that_locks_compare_with_diff(tmp_path: Path) -> None:
    write_lock(LOCK, tmp_path / "lock.json")
    lines = (tmp_path / "lock.json").read_text().splitlines()
    assert [json.loads(line.rstrip(","))["name"] for line in lines[1:-1]] == ["bash", "docker.io"]


def test_the_order_in_the_file_is_of_no_account(tmp_path: Path) -> None:
    path = tmp_path / "lock.json"
    write_lock(LOCK, path)
    data = json.loads(path.read_text())
    data["packages"].reverse()
    path.write_text(json.dumps(data))
    assert read_lock(path) == LOCK


def test_an_nevra_is_as_dnf_takes_it() -> None:
    assert BASH.nevra == "bash-0:5.2.37-2.x86_64"
    assert DOCKER.nevra == "docker.io-1:26.1.5+dfsg1-9.x86_64"


def test_the_identity_is_that_of_the_files_not_of_where_they_came_from() -> None:
    moved = Lock("standin", tuple(replace(package, repo="mirror") for package in LOCK.packages))
    assert moved.sha256 == LOCK.sha256
    for changed in (replace(BASH, sha256="c" * 64), replace(BASH, release="3"), replace(BASH, epoch=1)):
        assert Lock("standin", (changed, DOCKER)).sha256 != LOCK.sha256
    assert Lock("standin", (BASH,)).sha256 != LOCK.sha256


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data["packages"][0].update(sha256="c" * 64),
        lambda data: data["packages"][0].update(version="5.2.38"),
        lambda data: data["packages"].pop(),
        lambda data: data.update(sha256="d" * 32),
    ],
    ids=["digest", "version", "package gone", "own sha256"],
)
def test_a_changed_lock_is_refused(tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = tmp_path / "lock.json"
    write_lock(LOCK, path)
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))
    assert "do not match its own sha256" in refusal(path).message


@pytest.mark.parametrize("kept", [0, 10, 200, -3])
def test_a_lock_cut_off_is_refused(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "lock.json"
    write_lock(LOCK, path)
    path.write_text(path.read_text()[:kept])
    assert "not a lock file" in refusal(path).message


def test_another_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lock.json"
    write_lock(LOCK, path)
    path.write_text(path.read_text().replace('"schema_version": 1', '"schema_version": 2'))
    assert "schema_version 2 is not supported (supported: 1)" in refusal(path).message


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[]", "not a lock file"),
        ('{"schema_version": 1, "content": "x", "sha256": "", "packages": [{"name": "bash"}]}', "not a lock file"),
        ('{"schema_version": 1, "content": "x", "packages": []}', "'sha256'"),
        ('{"schema_version": 1, "content": "x", "sha256": "", "packages": [], "commit": 5}', "not a lock file"),
        (f'{{"schema_version": 1, "content": "x", "sha256": "", "packages": [{ODD}]}}', "not a lock file"),
        ("[" * 100_000, "not a lock file"),
        ("9" * 5_000, "not a lock file"),
    ],
)
def test_what_is_no_lock_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "lock.json").write_text(text)
    assert problem in refusal(tmp_path / "lock.json").message


def test_a_lock_that_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    assert refusal(tmp_path).message == f"{tmp_path}: cannot be read: Is a directory"


def test_a_lock_that_is_not_there_says_where_one_is(tmp_path: Path) -> None:
    assert "lock.json beside its result" in refusal(tmp_path / "none.json").hint
