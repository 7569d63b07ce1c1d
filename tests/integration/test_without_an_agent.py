"""Ignition and systemd credentials in a guest that enforces SELinux: what no namespace can try.

Each does the whole job (key, host name, script) in the smallest image that has it; the guest then reboots.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest

from atomic_lib.machine.accelerator import probe_accelerator
from atomic_lib.machine.data_source import DataSource
from atomic_lib.machine.metadata import Instance
from atomic_lib.machine.qemu import Disk, Machine, make_overlay, remove_overlay
from atomic_lib.machine.ssh import Shell, one_boot_key
from atomic_lib.params import load_variant, parameter_values
from atomic_lib.workbench import open_workbench
from tests.integration.guest import RUNS, Story, wait_for_the_end_of_the_boot

pytestmark = pytest.mark.integration

TOLD, RENAMED = "told", "renamed"
INSTANCE = Instance("i-1", TOLD, user_data=f"#!/bin/sh\necho ran >>{RUNS}\nsync {RUNS}\n")
QUESTIONS = {
    "hostname": "cat /proc/sys/kernel/hostname",
    "runs": f"cat {RUNS}",
    "mode": "cat /sys/fs/selinux/enforce",
    "failed": "systemctl list-units --failed --plain --no-legend --no-pager",
    "line": "cat /proc/cmdline",
    "deployments": "ostree admin status",
}


@dataclass(frozen=True)
class Told:
    """The answers of the first boot and of the one after its end."""

    first: dict[str, str]
    second: dict[str, str]


def ask(shell: Shell) -> dict[str, str]:
    wait_for_the_end_of_the_boot(shell)
    return {name: shell.run(question, timeout_seconds=60).stdout.strip() for name, question in QUESTIONS.items()}


def boot_twice(name: str, source: DataSource, directory: Path) -> Told:
    """The boots of a variant without Docker; in between somebody gives the machine another name."""
    recipe = load_variant(name)
    variant = load_variant(
        "atomic",
        overrides={
            "agent": recipe.agent, "data_source": source, "kernel_arguments": recipe.kernel_arguments,
            "parts": "ignition" if source == "ignition" else "",
        },
    )  # fmt: skip
    bench = open_workbench(parameter_values(variant), str(directory / "bench"))
    image = bench.build(bench.compose(bench.resolve()))
    assert image is not None
    disk, machine = Disk(image.qcow2, "qcow2"), Machine("bios", probe_accelerator(bench.tools).name, 2, 1024)
    make_overlay(bench.tools, disk, machine, directory)
    story = Story(bench.tools, disk, machine, directory)
    try:
        with one_boot_key(bench.tools, directory) as key:
            instance = Instance(INSTANCE.instance_id, TOLD, (key.public,), INSTANCE.user_data)
            with story.power_on(instance, source=source) as powered:
                with powered.log_in(key) as shell:
                    first = ask(shell)
                    shell.run(f"echo {RENAMED} >/etc/hostname && sync /etc/hostname")
                    powered.reboot(shell)
                with powered.log_in(key) as shell:
                    return Told(first, ask(shell))
    finally:
        remove_overlay(directory)


@pytest.fixture(scope="module")
def ignition(tmp_path_factory: pytest.TempPathFactory) -> Told:
    return boot_twice("atomic-ignition", "ignition", tmp_path_factory.mktemp("ignition"))


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Told:
    return boot_twice("atomic-credentials", "credentials", tmp_path_factory.mktemp("credentials"))


@pytest.mark.parametrize("way", ["ignition", "credentials"])
def test_the_job_is_done_with_selinux_enforcing(way: str, request: pytest.FixtureRequest) -> None:
    first = request.getfixturevalue(way).first
    assert (first["hostname"], first["runs"], first["mode"], first["failed"]) == (TOLD, "ran", "1", "")


def test_ignition_provisions_at_the_first_boot_only(ignition: Told) -> None:
    assert ignition.second["hostname"] == RENAMED
    assert ignition.second["failed"] == ""


def test_only_the_word_for_the_first_boot_leaves_the_kernel_command_line(ignition: Told) -> None:
    before, after = ignition.first["line"].split(), ignition.second["line"].split()
    own = ("BOOT_IMAGE=", "ostree=")  # the boot loader's and ostree's, which number the boot configuration
    assert sorted(set(before) - set(after) - {word for word in before if word.startswith(own)}) == [
        "ignition.firstboot=1"
    ]
    assert set(after) - set(before) <= {word for word in after if word.startswith(own)}
    assert ignition.second["deployments"] == ignition.first["deployments"]


def test_credentials_name_the_machine_and_run_the_script_at_every_boot(credentials: Told) -> None:
    assert credentials.second["hostname"] == RENAMED
    assert credentials.second["runs"].splitlines() == ["ran", "ran"]
