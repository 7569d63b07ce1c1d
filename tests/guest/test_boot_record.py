"""What is kept of a timed boot: written and read by one model."""

import json
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.guest.boot_record import BOOT_FILE, Boot, StoredBoot, read_boot
from atomic_lib.guest.evidence.milestones import Milestone
from atomic_lib.guest.evidence.systemd import Phases
from atomic_lib.guest.evidence.unit_times import UnitTime

STORED = StoredBoot(
    boot=Boot(
        index=1,
        firmware="bios",
        accelerator="tcg",
        ssh_login_seconds=51.25,
        phases=Phases(kernel_seconds=6.5),
        milestones=(Milestone(name="ssh-login", seconds=51.25),),
        units=(UnitTime(unit="a.service", seconds=1.5),),
        setuid_files=("/usr/bin/su",),
    ),
    unit_files={"a.service": "/usr/lib/systemd/system/a.service"},
)


def test_a_boot_comes_back_as_it_was(tmp_path: Path) -> None:
    (tmp_path / BOOT_FILE).write_text(STORED.model_dump_json())
    assert read_boot(tmp_path / BOOT_FILE) == STORED


@pytest.mark.parametrize(
    ("key", "value"), [("firmware", "coreboot"), ("index", "1"), ("ssh_login_seconds", -1.0), ("wall_seconds", 3)]
)
def test_a_boot_that_is_none_is_an_error_that_names_the_key(tmp_path: Path, key: str, value: object) -> None:
    data = json.loads(STORED.model_dump_json())
    data["boot"][key] = value
    (tmp_path / BOOT_FILE).write_text(json.dumps(data))
    with pytest.raises(WorkbookError, match=rf"boot\.json: boot\.{key}: "):
        read_boot(tmp_path / BOOT_FILE)


def test_a_boot_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match=r"boot\.json: cannot be read: No such file"):
        read_boot(tmp_path / BOOT_FILE)


def test_wall_clock_seconds_are_kept_to_the_millisecond() -> None:
    assert Milestone(name="kernel", seconds=4.00049).seconds == 4.0
