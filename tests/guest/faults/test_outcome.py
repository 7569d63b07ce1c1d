"""The word for an end state, and what a power cut leaves of a disk."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.guest.faults.catalogue import FAULTS
from atomic_lib.guest.faults.documented import VERDICTS
from atomic_lib.guest.faults.fault import KEY, OTHER_KEYS, Expected, Fault
from atomic_lib.guest.faults.outcome import AgentRequest, BootSeen, Outcome, State, judge, judge_all
from atomic_lib.guest.faults.power_cut import Cutter, lose_unsynced

FAULT = Fault("any", "anything", Expected(keys=(KEY, OTHER_KEYS[0])))
BOOT = BootSeen(0.5, True, (0, 0), "", (AgentRequest("GET", "/latest/user-data", 200, True),))
GOOD = State((KEY, OTHER_KEYS[0]), "web-1", (2,), (), ("0o40700", "0o100600"), (BOOT,))
WITHOUT_TOKEN = replace(BOOT, requests=(AgentRequest("GET", "/latest/user-data", 200, False),))


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, "survived"),
        ({"keys": ()}, "lost login"),
        ({"keys": (KEY,)}, "wrong keys"),
        ({"keys": (KEY, OTHER_KEYS[0], "<html>")}, "wrong keys"),
        ({"runs": (2, 2)}, "ran twice"),
        ({"runs": (0,)}, "script before key"),
        ({"runs": ()}, "script not run"),
        ({"hostname": "other"}, "wrong host name"),
        ({"outside": ("file",)}, "wrote through a link"),
        ({"outside": ("pwned",)}, "ran what it should not"),
        ({"boots": (WITHOUT_TOKEN,)}, "weakened the session"),
        ({"boots": (replace(BOOT, ended=False),)}, "no end"),
        ({"keys": (), "runs": (0, 0)}, "lost login"),
    ],
)
def test_the_worst_that_can_be_said(changed: dict[str, Any], outcome: Outcome) -> None:
    assert judge(FAULT, replace(GOOD, **changed))[0] == outcome


def test_what_no_agent_must_run_and_what_one_may() -> None:
    fault = replace(FAULT, expected=replace(FAULT.expected, runs=0))
    assert judge(fault, GOOD)[0] == "ran what it should not"
    assert judge(replace(fault, expected=replace(fault.expected, may_run=True)), GOOD)[0] == "survived"


def test_more_keys_than_wanted_are_as_good_where_the_fault_says_so() -> None:
    more = replace(GOOD, keys=(*GOOD.keys, "more"))
    assert judge(FAULT, more)[0] == "wrong keys"
    assert judge(replace(FAULT, expected=replace(FAULT.expected, more_keys=("more",))), more)[0] == "survived"


def test_where_no_name_was_told_a_harmless_one_is_no_fault() -> None:
    fault = replace(FAULT, expected=replace(FAULT.expected, hostname=None))
    assert judge(fault, replace(GOOD, hostname="localhost"))[0] == "survived"
    assert judge(fault, replace(GOOD, hostname="$(reboot)"))[0] == "wrong host name"


def test_a_long_host_name_is_told_by_its_beginning() -> None:
    _, why = judge(FAULT, replace(GOOD, hostname="w" * 5000))
    assert why == f"the host name is '{'w' * 24}…', wanted 'web-1'"


def test_a_host_name_is_as_good_without_its_domain() -> None:
    fault = replace(FAULT, expected=replace(FAULT.expected, hostname="web-1.novalocal"))
    assert judge(fault, GOOD)[0] == "survived"


def test_a_script_lost_in_a_cut_is_told_by_the_next_boot_or_is_a_fault() -> None:
    told = replace(BOOT, said="user-data: started in an earlier boot and not seen to end: not run again\n")
    lost = replace(GOOD, runs=(), boots=(BOOT, told), cut="after step 17, sync")
    assert judge_all(FAULT, [GOOD, lost]) == (
        "survived",
        "cut after step 17, sync: the script was recorded as started, but did not run; the next boot says so",
    )
    assert judge_all(FAULT, [GOOD, replace(lost, boots=(BOOT,))])[0] == "script not run"


def test_a_state_comes_back_from_json_as_it_was() -> None:
    assert State.from_json(GOOD.to_json()) == GOOD


def test_only_what_was_synced_after_it_was_written_outlives_a_cut(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    for name in ("kept", "written again", "new", "never synced"):
        (disk / name).write_text("content\n")
    (disk / "directory").mkdir()
    (disk / "directory/new").touch()
    cutter = Cutter(tmp_path, tmp_path)
    status = [(disk / name).stat() for name in ("kept", "written again", "new")]
    (tmp_path / "synced").write_text("".join(f"{one.st_ino} {int(one.st_mtime)} {one.st_size}\n" for one in status))
    names = ("kept", "renamed", "written again", "never synced", "directory")
    (tmp_path / "names").write_text("".join(f"{disk.stat().st_ino}/{name}\n" for name in names))
    (disk / "written again").write_text("other content\n")
    os.rename(disk / "kept", disk / "renamed")
    lost = [str(path.relative_to(disk)) for path in lose_unsynced(disk, cutter)]
    assert sorted(lost) == ["directory/new", "never synced", "new", "written again"]
    assert (disk / "renamed").read_text() == "content\n"
    assert (disk / "never synced").read_text() == ""
    assert sorted(path.name for path in disk.rglob("*")) == ["directory", "never synced", "renamed", "written again"]


def test_what_is_documented_belongs_to_a_fault() -> None:
    assert set(VERDICTS) <= {fault.name for fault in FAULTS}
