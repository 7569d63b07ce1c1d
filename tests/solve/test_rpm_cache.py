"""The RPM cache: what is damaged is set aside and fetched again, and nobody's file is that of the cache."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from atomic_lib.solve import locked, rpm_cache
from atomic_lib.solve.dnf_run import Dnf
from atomic_lib.solve.lock import Lock, LockedPackage
from atomic_lib.solve.locked import fetch_locked
from atomic_lib.solve.rpm_cache import cached_rpm, keep_keys, keep_rpms
from tests.contexts import NO_TOOLS

TEXT = "an RPM"
BASH = LockedPackage("bash", 0, "5", "1", "x86_64", hashlib.sha256(TEXT.encode()).hexdigest(), len(TEXT), "standin")
LOCK = Lock("standin", (BASH,))


def flip(path: Path) -> None:
    """Change a byte; size and times stay."""
    status, data = path.stat(), bytearray(path.read_bytes())
    data[0] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.fixture
def rpms(tmp_path: Path) -> Path:
    """The RPMs of a set, which are in the cache ``cache``."""
    (tmp_path / "rpms").mkdir()
    (tmp_path / "rpms" / BASH.file_name).write_text(TEXT)
    keep_rpms(LOCK, tmp_path / "rpms", tmp_path / "cache")
    return tmp_path / "rpms"


@pytest.fixture
def kept(rpms: Path) -> Path:
    return rpms.with_name("cache") / f"{BASH.sha256}.rpm"


def test_a_file_of_a_set_is_not_that_of_the_cache(rpms: Path, kept: Path) -> None:
    assert kept.stat().st_nlink == 1
    flip(rpms / BASH.file_name)
    assert kept.read_text() == TEXT
    assert cached_rpm(BASH, kept.parent) == kept


@pytest.mark.parametrize("damage", [flip, lambda path: os.truncate(path, 2)], ids=["flipped", "cut"])
def test_a_damaged_rpm_is_named_set_aside_and_kept_again(
    rpms: Path, kept: Path, damage: Callable[[Path], object], capsys: pytest.CaptureFixture[str]
) -> None:
    damage(kept)
    assert cached_rpm(BASH, kept.parent) is None
    assert capsys.readouterr().err == (
        f"! {BASH.nevra}: the cached RPM is damaged: {kept}; kept as {kept.name}.damaged\n"
    )
    assert kept.with_name(f"{kept.name}.damaged").exists()
    keep_rpms(LOCK, rpms, kept.parent)
    assert kept.read_text() == TEXT


def test_an_rpm_that_is_not_there_is_no_damage(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept.unlink()
    assert cached_rpm(BASH, kept.parent) is None
    assert capsys.readouterr().err == ""


def test_of_two_cached_rpms_the_damaged_one_is_fetched_and_the_other_copied(
    rpms: Path, kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "another RPM"
    other = replace(BASH, name="zsh", sha256=hashlib.sha256(text.encode()).hexdigest())
    (rpms / other.file_name).write_text(text)
    lock = Lock("standin", (BASH, other))
    (tmp_path / "all").mkdir()
    keep_rpms(lock, rpms, tmp_path / "all/rpms")
    flip(tmp_path / "all/rpms" / kept.name)
    fetched: list[LockedPackage] = []

    def fetch(missing: list[LockedPackage], *_: object) -> None:
        fetched.extend(missing)

    monkeypatch.setattr(locked, "_fetch_missing", fetch)
    monkeypatch.setattr(locked, "read_rpms", lambda *_: lock)
    (tmp_path / "set").mkdir()
    fetch_locked(lock, cast(Dnf, None), tmp_path / "set", tmp_path / "all")
    assert fetched == [BASH]
    assert [(file.name, file.stat().st_nlink) for file in (tmp_path / "set").iterdir()] == [(other.file_name, 1)]


def test_a_damaged_key_is_set_aside_and_the_others_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cache, keys = tmp_path / "cache", tmp_path / "keys"
    cache.mkdir()
    names = []
    for text in ("key one", "key two"):
        names.append(f"{hashlib.sha256(text.encode()).hexdigest()}.asc")
        (cache / names[-1]).write_text(text)
    flip(cache / names[0])
    headers = {"bash": SimpleNamespace(key_id="aa")}
    monkeypatch.setattr(rpm_cache, "read_headers", lambda *_: headers)
    monkeypatch.setattr(rpm_cache, "key_ids", lambda _, key: {"aa"} if key.name in names else set())
    keep_keys(NO_TOOLS, cast(Any, SimpleNamespace(local={})), tmp_path, keys, cache=cache)
    assert (keys / "aa.asc").read_text() == "key two"
    assert (keys / "aa.asc").stat().st_nlink == 1
    assert f"a cached public key is damaged: {cache / names[0]}" in capsys.readouterr().err
    assert sorted(path.name for path in cache.iterdir()) == sorted([f"{names[0]}.damaged", names[1]])
