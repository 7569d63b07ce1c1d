"""The health check of a deployment on trial, run in a directory that looks like an ostree system."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from atomic_lib.base.paths import PARAMS_DIRECTORY
from atomic_lib.image.bootloader import empty_environment

PART = PARAMS_DIRECTORY / "treefiles/parts/automatic-return"
PATHS = ("/boot/", "/sysroot/", "/proc/", "/usr/lib/automatic-return/", "/etc/automatic-return/")
COUNTED = "# GRUB Environment Block\nboot_counter=%s\n"
FIRST, SECOND = ("ostree=/ostree/boot.1/fedora-atomic/%s/0" % (letter * 64) for letter in "ab")

# ROOT/slow: how often it does not answer in time; ROOT/jobs: whether jobs end meanwhile
SYSTEMCTL = """\
slow=$(cat ROOT/slow 2>/dev/null || echo 0)
case $1 in
is-system-running)
    [ "$slow" = 0 ] || { echo $((slow - 1)) >ROOT/slow; exec sleep 30; }
    cat ROOT/state ;;
show) [ ! -e ROOT/jobs ] || echo "Progress=0.$slow" ;;
*) echo "systemctl $*" >>ROOT/told ;;
esac
"""


@dataclass(frozen=True)
class System:
    """A directory with two deployments, of which the first is the default; what systemd says is in ``state``."""

    root: Path

    def boot(self, deployment: str, counter: str | None = None) -> None:
        """The kernel command line, and what GRUB left of the counter."""
        self.write("proc/cmdline", f"BOOT_IMAGE=/x rw {deployment} panic=10\n")
        text = COUNTED % counter if counter is not None else "# GRUB Environment Block\n"
        self.write("boot/grub/grubenv", text.ljust(1024, "#"))

    def write(self, name: str, text: str) -> Path:
        """Write a file of the system."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def add_check(self, name: str, status: int) -> None:
        """A check that ends with this status."""
        self.write(f"usr/lib/automatic-return/check.d/{name}", f"#!/bin/sh\nexit {status}\n").chmod(0o755)

    def run(self, verb: str, limit_seconds: int = 900) -> tuple[int, str]:
        """Exit status and output of the program."""
        text = (PART / "automatic-return").read_text()
        for path in PATHS:
            text = text.replace(path, f"{self.root}{path}").replace(f"{self.root}{self.root}", str(self.root))
        text = text.replace("readlink /boot/loader", f"readlink {self.root}/boot/loader")
        program = self.write("program", text)
        env = {"PATH": f"{self.root}/bin:/usr/bin:/bin", "LIMIT_SECONDS": str(limit_seconds), "STALL_SECONDS": "1"}
        done = subprocess.run(["sh", program, verb], capture_output=True, text=True, env=env, check=False)
        assert "not found" not in done.stderr
        return done.returncode, done.stdout + done.stderr

    @property
    def told(self) -> list[str]:
        """What systemctl, ostree and mount were told to do."""
        path = self.root / "told"
        return path.read_text().splitlines() if path.exists() else []

    @property
    def proven(self) -> bool:
        """Whether both proofs of the configuration in force are there."""
        number = (self.root / "boot/loader").readlink().name[-1]
        proofs = (f"boot/loader/proven.{number}", f"sysroot/ostree/boot.{number}/proven")
        return all((self.root / proof).exists() for proof in proofs)


def program(root: Path, name: str, text: str) -> None:
    path = root / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}")
    path.chmod(0o755)


@pytest.fixture
def system(tmp_path: Path) -> System:
    system = System(tmp_path)
    for number, serial in ((1, 0), (0, 1)):
        (tmp_path / f"boot/loader.{number}/entries").mkdir(parents=True)
        (tmp_path / f"sysroot/ostree/boot.{number}.{serial}").mkdir(parents=True)
        (tmp_path / f"sysroot/ostree/boot.{number}").symlink_to(f"boot.{number}.{serial}")
    (tmp_path / "boot/loader").symlink_to("loader.1")
    for version, deployment in ((2, FIRST), (1, SECOND)):
        text = f"title Cloud\nversion {version}\noptions rw {deployment} panic=10\nlinux /x\n"
        system.write(f"boot/loader.1/entries/ostree-{version}.conf", text)
    system.write("proc/uptime", "100.5 90.1\n")
    system.write("state", "running\n")
    program(tmp_path, "systemctl", SYSTEMCTL.replace("ROOT", str(tmp_path)))
    # as set-default does: the other boot configuration, made anew
    program(tmp_path, "ostree", f'echo "ostree $*" >>{tmp_path}/told\nln -sfn loader.0 {tmp_path}/boot/loader\n')
    program(tmp_path, "mount", f'echo "mount $*" >>{tmp_path}/told\n')
    system.add_check("10-good", 0)
    return system


def environment(system: System) -> str:
    return (system.root / "boot/grub/grubenv").read_text()


def test_a_deployment_that_passes_its_checks_is_proven_and_has_its_boots_back(system: System) -> None:
    system.boot(FIRST, "1")
    assert system.run("on-trial")[0] == 0
    assert system.run("proven")[0] == 1
    status, said = system.run("check")
    assert (status, system.proven) == (0, True)
    assert "this deployment stays" in said
    assert environment(system) == empty_environment()
    assert (system.run("on-trial")[0], system.run("proven")[0]) == (1, 0)


@pytest.mark.parametrize("state", ["maintenance", "stopping", ""])
def test_a_boot_that_does_not_end_well_has_the_machine_restart(system: System, state: str) -> None:
    system.boot(FIRST, "1")
    system.write("state", state)
    status, said = system.run("check")
    assert (status, system.proven, system.told) == (1, False, ["systemctl --no-block reboot"])
    assert f"failed: the end of the boot ({state or 'it came to a halt'})" in said
    assert "boot_counter=1" in environment(system)


def test_a_slow_boot_may_go_on_as_long_as_jobs_end(system: System) -> None:
    system.boot(FIRST, "1")
    system.write("slow", "3\n")
    system.write("jobs", "")
    assert system.run("check")[0] == 0
    assert system.proven


def test_a_boot_in_which_no_job_ends_has_come_to_a_halt(system: System) -> None:
    system.boot(FIRST, "1")
    system.write("slow", "3\n")
    status, said = system.run("check")
    assert (status, system.told) == (1, ["systemctl --no-block reboot"])
    assert "the end of the boot (it came to a halt)" in said


def test_no_boot_goes_on_for_ever(system: System) -> None:
    system.boot(FIRST, "1")
    system.write("slow", "3\n")
    system.write("jobs", "")
    assert system.run("check", limit_seconds=101)[0] == 1
    assert system.told == ["systemctl --no-block reboot"]


def test_a_check_that_fails_has_the_machine_restart_and_is_named(system: System) -> None:
    system.boot(FIRST, "0")
    system.write("state", "degraded\n")
    system.add_check("20-bad", 3)
    system.write("usr/lib/automatic-return/check.d/30-no-program", "exit 1\n")
    status, said = system.run("check")
    assert (status, system.told) == (1, ["systemctl --no-block reboot"])
    assert "failed: 20-bad\n" in said
    assert not system.proven


def test_checks_of_the_administrator_count_too(system: System) -> None:
    system.boot(FIRST, "1")
    system.write("etc/automatic-return/check.d/own", "#!/bin/sh\nexit 1\n").chmod(0o755)
    assert "failed: own\n" in system.run("check")[1]


def test_what_grub_fell_back_to_becomes_the_default_and_is_proven(system: System) -> None:
    system.boot(SECOND, "0")
    assert system.run("check")[0] == 0
    assert system.told == ["ostree admin set-default 1", "mount -o remount,rw /sysroot"]
    assert system.proven
    assert (system.root / "boot/loader.0/proven.0").exists()
    assert environment(system) == empty_environment()


def test_what_grub_fell_back_to_never_restarts_the_machine(system: System) -> None:
    system.boot(SECOND, "0")
    system.add_check("20-bad", 1)
    assert system.run("check")[0] == 1
    assert (system.told, system.proven) == ([], False)


def test_an_entry_that_somebody_chose_in_the_menu_changes_nothing(system: System) -> None:
    system.boot(SECOND, "1")
    system.add_check("20-bad", 1)
    assert system.run("check")[0] == 0
    assert (system.told, system.proven) == ([], False)


def test_without_another_deployment_nothing_restarts(system: System) -> None:
    (system.root / "boot/loader.1/entries/ostree-1.conf").unlink()
    system.boot(FIRST, "1")
    system.add_check("20-bad", 1)
    assert system.run("check")[0] == 1
    assert system.told == []


def test_a_boot_that_grub_did_not_count_restarts_nothing(system: System) -> None:
    system.boot(FIRST)
    system.add_check("20-bad", 1)
    assert system.run("check")[0] == 1
    assert system.told == []


def test_a_new_deployment_is_on_trial_at_once(system: System) -> None:
    system.boot(FIRST, "1")
    assert system.run("check")[0] == 0
    link = system.root / "sysroot/ostree/boot.1"
    (system.root / "sysroot/ostree/boot.1.1").mkdir()
    link.unlink()
    link.symlink_to("boot.1.1")
    assert system.run("on-trial")[0] == 0


def units_check(root: Path, *, after: str, started: bool = True) -> tuple[int, list[str]]:
    """The status of the check of units, and what systemctl was told; ``after``: what fails the second time."""
    (root / "failed").write_text("own.service loaded failed failed Own\nother.service loaded failed failed Other\n")
    (root / "after").write_text(after)
    cases = f"list-units) cat {root}/failed; exit ;; start) mv {root}/after {root}/failed; exit {int(not started)} ;;"
    program(root, "systemctl", f'case $1 in {cases} esac\necho "$*" >>{root}/told\n')
    env = {"PATH": f"{root}/bin:/usr/bin:/bin"}
    done = subprocess.run(["sh", PART / "check.d/10-units"], env=env, capture_output=True, text=True, check=False)
    return done.returncode, (root / "told").read_text().splitlines()


def test_a_unit_that_took_too_long_is_started_once_more(tmp_path: Path) -> None:
    assert units_check(tmp_path, after="") == (0, ["reset-failed own.service other.service"])


def test_a_unit_that_fails_again_has_failed(tmp_path: Path) -> None:
    assert units_check(tmp_path, after="own.service loaded failed failed Own\n")[0] == 1


def test_a_unit_that_does_not_start_and_waits_for_its_restart_has_failed(tmp_path: Path) -> None:
    assert units_check(tmp_path, after="", started=False)[0] == 1
