"""Repairs of states by the host's e2fsck, in copies without the content of files."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base import command
from atomic_lib.formats.disk.raw_disk import open_raw_disk
from atomic_lib.formats.disk_states.disk_state import BLOCK_BYTES, DiskState, Recorded
from atomic_lib.measure.power_cuts.repair import Repair, Repairer
from atomic_lib.tools.sandbox import Tools
from tests.measure.power_cuts.machine import Machine, deployment, make_machine
from tests.measure.power_cuts.test_state_check import with_journal


class HostTools(Tools):
    """Runs the host's e2fsck on the file that is bound."""

    def run(self, words: Sequence[str | os.PathLike[str]], **options: Any) -> command.Completed:
        (bind,) = options["binds"]
        own = [os.fspath(word).replace(bind.target, str(bind.source)) for word in words]
        return command.run(own, timeout_seconds=60)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    if shutil.which("e2fsck") is None:
        pytest.skip("e2fsck is not installed (package e2fsprogs)")
    return make_machine(tmp_path_factory.mktemp("machine"))


def repair(machine: Machine, state: DiskState, directory: Path) -> Repair:
    with open_raw_disk(machine.raw) as disk:
        repairer = Repairer(HostTools(Path("/"), "host"), directory, disk.files, machine.checker.journal)
        found = repairer.repair(state, 7)
    assert list(directory.glob("*.ext4")) == []
    return found


def test_a_whole_state_needs_no_repair(machine: Machine, tmp_path: Path) -> None:
    assert repair(machine, machine.whole, tmp_path) == Repair(request=7, repaired=True, said="", other_blocks=0)


def test_what_the_journal_has_is_replayed_to_the_same_blocks(machine: Machine, tmp_path: Path) -> None:
    program = machine.block_of(f"{deployment(2)}/usr/bin/program")
    (tmp_path / "content").write_bytes(b"x" * BLOCK_BYTES)
    state = DiskState(Recorded(with_journal(machine, program, tmp_path / "content"), b""), {})
    found = repair(machine, state, tmp_path)
    assert (found.repaired, found.other_blocks) == (True, 0)


def test_a_replay_to_other_blocks_is_seen(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = machine.block_of(f"{deployment(2)}/usr/bin/program")
    (tmp_path / "content").write_bytes(b"x" * BLOCK_BYTES)
    state = DiskState(Recorded(with_journal(machine, program, tmp_path / "content"), b""), {})
    wrong = {program: b"y" * BLOCK_BYTES}
    monkeypatch.setattr(type(machine.checker.journal), "replay", lambda *_: wrong)
    assert repair(machine, state, tmp_path).other_blocks == 1


def test_a_replay_that_also_releases_deleted_files_is_not_compared(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(tools: HostTools, words: Sequence[str | os.PathLike[str]], **options: Any) -> command.Completed:
        done = as_it_is(tools, words, **options)
        return replace(done, stdout=f"{done.stdout}Clearing orphaned inode 11543 (uid=0, gid=0)\n")

    as_it_is = HostTools.run
    monkeypatch.setattr(HostTools, "run", run)
    found = repair(machine, machine.whole, tmp_path)
    assert (found.repaired, found.other_blocks) == (True, None)


def test_a_damaged_file_system_is_repaired_and_said_so(machine: Machine, tmp_path: Path) -> None:
    number = machine.table_of(f"{deployment(2)}/usr/bin/program")
    found = repair(machine, machine.whole.with_blocks({number: bytes(BLOCK_BYTES)}), tmp_path)
    assert found.repaired
    assert found.said


def test_what_is_no_file_system_any_more_is_not_repaired(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = machine.layout.start // BLOCK_BYTES
    blocks = {root + block: bytes(BLOCK_BYTES) for block in range(machine.layout.block_count)}
    monkeypatch.setattr(type(machine.checker.journal), "replay", lambda *_: {})
    assert not repair(machine, machine.whole.with_blocks(blocks), tmp_path).repaired
