"""The counted boot: its command line, what it boots, and what becomes of a guest that never reports."""

import json
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.guest.counted.boot_files import BootFiles
from atomic_lib.guest.counted.counted_boot import (
    CountedBoot,
    CountRequest,
    _finished,
    counted_argv,
    counted_boot,
    masked_units,
    read_counted_boot,
    wait_for_report,
)
from atomic_lib.guest.counted.probe import CountedUnit, Counts, Report
from atomic_lib.guest.vm import qemu
from atomic_lib.guest.vm.data_source import Provisioning
from atomic_lib.image.disk import Image

IMAGE = Image("k", Path("/images/k"), 4335861760, 1, 1, 0.0, True)
BOOT = CountedBoot(
    busy_seconds=3.0, outside_units_seconds=1.5, probe_seconds=0.25, milestones={"initrd": 1.0}, failed_units=(),
    units=(CountedUnit(unit="a.service", cpu_seconds=1.5),), masked_units=("m.service",),
    changed_units=("sshd-keygen.service",), shift=0, seed=1, qemu_version="10",
)  # fmt: skip


@dataclass
class Ended:
    """A process that ended with this status, or (None) never does."""

    status: int | None

    def poll(self) -> int | None:
        return self.status


def after(argv: list[str], option: str) -> list[str]:
    return [value for name, value in pairwise(argv) if name == option]


def test_nothing_outside_of_the_guest_has_a_say_in_its_time() -> None:
    argv = counted_argv(IMAGE, "root=UUID=27fd2e8e-a159", CountRequest(seed=7), Provisioning())
    assert after(argv, "-icount") == ["shift=0,sleep=off"]
    assert after(argv, "-accel") == ["tcg,thread=single"]
    assert after(argv, "-smp") == ["1"]
    assert after(argv, "-seed") == ["7"]
    assert "clock=vm" in after(argv, "-rtc")[0]
    assert after(argv, "-append")[0].split()[0] == "root=UUID=27fd2e8e-a159"
    (network,) = after(argv, "-netdev")
    assert "restrict=on" in network
    assert "guestfwd" not in network
    assert "hostfwd" not in network
    assert "tx=timer,ioeventfd=off" in argv[-1]
    assert "-erms" in after(argv, "-cpu")[0], "each byte of a string instruction would count as an instruction"
    assert "-drive" not in argv


def test_the_image_is_mapped_privately() -> None:
    argv = counted_argv(IMAGE, "", CountRequest(memory_mib=1024), Provisioning())
    (backend,) = after(argv, "-object")
    assert {"share=off", "readonly=on", "rom=off", f"size={IMAGE.virtual_bytes}"} <= set(backend.split(","))
    memory = re.match(r"1024,slots=1,maxmem=(\d+)M$", after(argv, "-m")[0])
    assert memory
    assert int(memory[1]) * 2**20 > 1024 * 2**20 + IMAGE.virtual_bytes


def test_masked_units_are_read_from_the_command_line() -> None:
    options = "rw systemd.mask=docker.socket systemd.gpt_auto=0 systemd.mask=docker.service"
    assert masked_units(options) == ("docker.service", "docker.socket")
    assert masked_units("rw") == ()


def test_what_is_kept_of_a_counted_boot() -> None:
    files = BootFiles(Path("kernel"), Path("initramfs"), "rw systemd.mask=m.service")
    counts = Counts(busy_seconds=3.0, outside_units_seconds=1.5, probe_seconds=0.25, milestones={"initrd": 1.0})
    boot = counted_boot(counts, files, CountRequest(seed=7), "10")
    assert (boot.seed, boot.shift, boot.qemu_version) == (7, 0, "10")
    assert (boot.masked_units, boot.changed_units) == (("m.service",), ("sshd-keygen.service",))
    assert {name: getattr(boot, name) for name in Counts.model_fields} == dict(counts)


def test_a_boot_survives_json(tmp_path: Path) -> None:
    file = tmp_path / "boot.json"
    file.write_text(BOOT.model_dump_json())
    assert read_counted_boot(file) == BOOT
    data = json.loads(file.read_text())
    for broken in ({**data, "wall_seconds": 3}, {**data, "busy_seconds": "3"}, {**data, "shift": None}):
        file.write_text(json.dumps(broken))
        with pytest.raises(WorkbookError, match=r"boot\.json: (wall_seconds|busy_seconds|shift): "):
            read_counted_boot(file)


def test_a_failed_unit_is_a_result_of_a_counted_boot(tmp_path: Path) -> None:
    counts = Counts(busy_seconds=3.0, outside_units_seconds=1.5, failed_units=("a.service",))
    assert [_finished(Report(state, counts), tmp_path) for state in ("running", "degraded")] == [counts, counts]


@pytest.mark.parametrize("state", ["starting", "initializing", "maintenance", "stopping", "offline", "unknown", ""])
def test_a_counted_boot_that_did_not_reach_its_end_has_no_figures(tmp_path: Path, state: str) -> None:
    (tmp_path / "console.log").write_text("Welcome to Debian\n")
    report = Report(state, Counts(busy_seconds=3.0, outside_units_seconds=1.5))
    with pytest.raises(WorkbookError, match="did not reach its end") as error:
        _finished(report, tmp_path)
    assert error.value.log == "Welcome to Debian"


@pytest.mark.parametrize(
    ("console", "progress"),
    [
        ("", "wrote nothing"),
        ("Linux version 6.12\r\n", "found no system"),
        ("Linux version\nWelcome to Debian\n", "end of the boot"),
        ("Welcome to Debian\nlocalhost login: ", "reached the login"),
        ("Linux version\nKernel panic - not syncing: VFS\n", "panicked"),
    ],
)
def test_a_guest_that_never_reports_is_an_error_with_the_consoles_end(
    tmp_path: Path, console: str, progress: str
) -> None:
    (tmp_path / "console.log").write_text(console)
    with pytest.raises(WorkbookError, match=f"did not report within 0 s: .*{progress}") as error:
        wait_for_report(Ended(None), tmp_path, 0)
    assert error.value.log == console.replace("\r", "").rstrip()


def test_a_guest_that_ends_without_a_report_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "console.log").write_text("Welcome to Debian\n")
    (tmp_path / "report.txt").write_text("")
    with pytest.raises(WorkbookError, match="switched itself off without a report"):
        wait_for_report(Ended(0), tmp_path, 60)
    (tmp_path / "report.txt").write_text("something")
    wait_for_report(Ended(0), tmp_path, 60)


def test_a_qemu_that_fails_is_an_error_with_its_words(tmp_path: Path) -> None:
    (tmp_path / "qemu.log").write_text("qemu-system-x86_64: no such device\n")
    with pytest.raises(WorkbookError, match="QEMU ended with status 1") as error:
        wait_for_report(Ended(1), tmp_path, 60)
    assert "no such device" in error.value.log


def test_a_disc_is_persistent_memory_too() -> None:
    request = CountRequest(data_source="nocloud")
    argv = counted_argv(IMAGE, "", request, Provisioning(("-smbios", "type=11,value=x"), disc="cidata.img"))
    disc = after(argv, "-object")[1]
    assert "mem-path=/mnt/boot/cidata.img" in disc
    assert "share=off,readonly=on" in disc
    assert "slots=2" in after(argv, "-m")[0]
    machine, given = after(argv, "-smbios")
    assert "ec2" not in machine
    assert given == "type=11,value=x"


@pytest.mark.parametrize("file", ["console.log", "report.txt"])
def test_a_guest_that_writes_without_end_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str) -> None:
    monkeypatch.setattr(qemu, "SERIAL_MOST_BYTES", 10)
    (tmp_path / file).write_text("0123456789+")
    with pytest.raises(WorkbookError, match="wrote more than 10 bytes to its serial port"):
        wait_for_report(Ended(None), tmp_path, 5)
