"""States that are booted: the disk that is written, and what is made of a machine that comes up, or does not."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base.command import Completed
from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.update.update_repository import Version
from atomic_lib.formats.disk_states.disk_state import BLOCK_BYTES, DiskState, Recorded
from atomic_lib.guest.update.update_downloads import UpdateVersions
from atomic_lib.guest.vm.qemu import Disk, Guest
from atomic_lib.image.disk import Image
from atomic_lib.measure.power_cuts import booted_states
from atomic_lib.measure.power_cuts.booted_states import BootedStateRequest, Proof, write_state
from atomic_lib.measure.power_cuts.power_cut_states import StatesRequest
from atomic_lib.measure.power_cuts.state_check import CommitVersions
from atomic_lib.params.variant import load_variant
from tests.contexts import own_context
from tests.measure.power_cuts.states import WHOLE_2, states_of

COMMITS = ("a" * 64, "b" * 64)
UNUSED: Any = None


def test_the_disk_of_a_state_is_the_base_with_its_blocks(tmp_path: Path) -> None:
    base = bytes(BLOCK_BYTES * 3) + b"x" * BLOCK_BYTES + bytes(BLOCK_BYTES * 1000)
    (tmp_path / "base").write_bytes(base)
    state = DiskState(Recorded(base, b"y" * BLOCK_BYTES), {1: 0, 900: b"z" * BLOCK_BYTES})
    write_state(tmp_path / "state", tmp_path / "base", state)
    assert (tmp_path / "state").read_bytes() == state[0 : len(state)]


def request(directory: Path, proof: Proof = "proof of life") -> BootedStateRequest:
    versions = UpdateVersions("own", *(Version(directory, "ref", commit) for commit in COMMITS))
    image = Image("key", directory, 0, 0, 0, 0.0, True)
    states = StatesRequest("own", image, UNUSED, CommitVersions(COMMITS, ()), 1, 0)
    (cut,) = states_of("none", WHOLE_2).cuts
    return BootedStateRequest(states, load_variant("atomic-min"), "enforcing", versions, 0, cut, proof)


@pytest.mark.parametrize("proof", ["proof of life", "default target"])
@pytest.mark.parametrize(
    ("commit", "found"), [(COMMITS[0], "version 1"), (COMMITS[1], "version 2"), ("c" * 64, "no proof of life")]
)
def test_a_machine_that_comes_up_says_its_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commit: str, found: str, proof: Proof
) -> None:
    proofs: list[str] = []

    class Story:
        @contextmanager
        def boot(self) -> Iterator["Story"]:
            yield self

        def prove(self, shell: object) -> None:
            assert shell is self
            proofs.append("proven")

        def run(self, command: str, **_: object) -> Completed:
            assert "is-active default.target" in command
            return Completed(f"running\ndeployment fedora-atomic {commit}.0 \n", "")

    @contextmanager
    def begin(*_: object) -> Iterator[Story]:
        yield Story()

    monkeypatch.setattr(booted_states, "begin_story", begin)
    disk = Disk(tmp_path / "disk.raw", "raw")
    assert booted_states._alive(request(tmp_path, proof), own_context(tmp_path), tmp_path, disk)[0] == found
    assert proofs == (["proven"] if proof == "proof of life" else [])
    assert not (tmp_path / "served").exists()


def test_a_machine_that_does_not_come_up_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def begin(*_: object) -> Iterator[None]:
        raise WorkbookError("the guest's kernel panicked", log="no init")
        yield

    monkeypatch.setattr(booted_states, "begin_story", begin)
    found = booted_states._alive(request(tmp_path), own_context(tmp_path), tmp_path, Disk(tmp_path, "raw"))
    assert found == ("no proof of life", "the guest's kernel panicked\nno init")


@pytest.mark.parametrize(
    ("console", "found"),
    [
        ("error: file `/boot/loader/syslinux.cfg' not found.\ngrub> ", "no kernel started"),
        ("[    0.000000] Linux version 6.12\n", "no proof of life"),
    ],
)
def test_a_boot_loader_stops_or_starts_a_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, console: str, found: str
) -> None:
    (tmp_path / "console.log").write_text(console)

    @contextmanager
    def start(*_: object) -> Iterator[Guest]:
        yield Guest(UNUSED, 0.0, tmp_path)

    monkeypatch.setattr(booted_states, "start_guest", start)
    monkeypatch.setattr(booted_states, "accelerator_of", lambda *_: "tcg")
    asked = request(tmp_path)
    assert booted_states._without_kernel(asked, own_context(tmp_path), tmp_path, Disk(tmp_path, "raw"))[0] == found
