"""The repository that serves the packages of both versions."""

from pathlib import Path

import pytest

from atomic_lib.compose.update import rpm_repository as module
from atomic_lib.compose.update.rpm_repository import UPDATE_RPMS, RpmSets, rpm_repository
from atomic_lib.solve.lock import Lock
from atomic_lib.solve.rpm_set import RpmSet
from atomic_lib.tools.sandbox import Tools
from tests.contexts import own_context


def rpm_set(directory: Path, key: str, *files: str) -> RpmSet:
    """A set of RPM files, which the key ``key`` signed."""
    (directory / "rpms").mkdir(parents=True)
    (directory / "keys").mkdir()
    for name in files:
        (directory / "rpms" / name).write_text(name)
    (directory / "keys" / f"{key}.asc").write_text(f"key {key}")
    return RpmSet(key, Lock("standin", ()), directory / "rpms", (), 0.0, reused=False)


@pytest.fixture
def sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RpmSets:
    def index_and_sign(_: Tools, directory: Path, name: str) -> None:
        (directory / "RPM-GPG-KEY").write_text(f"key of {name}")
        (directory / "index").write_text(" ".join(sorted(rpm.name for rpm in directory.glob("*.rpm"))))

    monkeypatch.setattr(module, "index_and_sign", index_and_sign)
    before = rpm_set(tmp_path / "before", "a", "bash-1.rpm", "dnf-1.rpm")
    return RpmSets("cloud-docker", before, rpm_set(tmp_path / "after", "b", "bash-2.rpm", "dnf-1.rpm"))


def test_the_packages_of_both_versions_are_served_so_that_an_update_can_be_undone(
    sets: RpmSets, tmp_path: Path
) -> None:
    repository = rpm_repository(sets, own_context(tmp_path))
    assert (repository.served / "index").read_text() == "bash-1.rpm bash-2.rpm dnf-1.rpm"
    assert (repository.served / "bash-2.rpm").read_text() == "bash-2.rpm"


def test_a_client_needs_the_key_of_the_index_and_those_of_the_packages(sets: RpmSets, tmp_path: Path) -> None:
    assert rpm_repository(sets, own_context(tmp_path)).keys == ("key of updates", "key a", "key b")


def test_the_key_of_the_stage_is_that_of_both_sets(sets: RpmSets, tmp_path: Path) -> None:
    inputs = UPDATE_RPMS.key_inputs(sets, own_context(tmp_path))
    assert inputs["rpm_sets"] == ["a", "b"]
