"""Ignition and systemd credentials in a guest that enforces SELinux: what no namespace can try.

Each does the whole job (key, host name, script) in the smallest image that has it.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from atomic_lib.base.model import DataSource
from atomic_lib.guest.vm.metadata_service import Instance
from atomic_lib.guest.vm.qemu import Disk, Machine, make_overlay, remove_overlay
from atomic_lib.guest.vm.ssh import Shell, one_boot_key
from atomic_lib.params.variant import load_variant
from atomic_lib.pipeline.build import open_build
from atomic_lib.tools.accelerator import probe_accelerator
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


def ask(shell: Shell) -> dict[str, str]:
    wait_for_the_end_of_the_boot(shell)
    return {name: shell.run(question, timeout_seconds=60).stdout.strip() for name, question in QUESTIONS.items()}


def boots(name: str, source: DataSource, directory: Path, *, count: int) -> list[dict[str, str]]:
    """What ``count`` boots of a variant without Docker tell; in between somebody gives the machine another name."""
    recipe = load_variant(name)
    variant = load_variant(
        "atomic",
        overrides={
            "agent": recipe.agent, "data_source": source, "kernel_arguments": recipe.kernel_arguments,
            "parts": "ignition" if source == "ignition" else "",
        },
    )  # fmt: skip
    build = open_build(variant)
    tools = build.context.tools
    disk, machine = Disk(build.image.qcow2, "qcow2"), Machine("bios", probe_accelerator(tools).name, 1, 1024)
    make_overlay(tools, disk, machine, directory)
    story = Story(tools, disk, machine, directory)
    told: list[dict[str, str]] = []
    with one_boot_key(tools, directory) as key:
        instance = replace(INSTANCE, public_keys=(key.public,))
        with story.power_on(instance, source=source) as powered:
            while len(told) < count:
                with powered.log_in(key) as shell:
                    told.append(ask(shell))
                    if len(told) < count:
                        shell.run(f"echo {RENAMED} >/etc/hostname && sync /etc/hostname")
                        powered.reboot(shell)
    remove_overlay(directory)
    return told


@pytest.fixture(scope="module")
def ignition(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    return boots("atomic-ignition", "ignition", tmp_path_factory.mktemp("ignition"), count=2)


def require_done(told: dict[str, str]) -> None:
    assert (told["hostname"], told["runs"], told["mode"], told["failed"]) == (TOLD, "ran", "1", "")


def test_ignition_does_the_job_with_selinux_enforcing(ignition: list[dict[str, str]]) -> None:
    require_done(ignition[0])


def test_credentials_do_the_job_with_selinux_enforcing(tmp_path: Path) -> None:
    (told,) = boots("atomic-credentials", "credentials", tmp_path, count=1)
    require_done(told)


def test_ignition_provisions_at_the_first_boot_only(ignition: list[dict[str, str]]) -> None:
    assert ignition[1]["hostname"] == RENAMED
    assert ignition[1]["failed"] == ""


def test_only_the_word_for_the_first_boot_leaves_the_kernel_command_line(ignition: list[dict[str, str]]) -> None:
    before, after = (told["line"].split() for told in ignition)
    assert [word for word in before if word not in after] == ["ignition.firstboot=1"]
    assert [word for word in after if word not in before] == []
    assert ignition[1]["deployments"] == ignition[0]["deployments"]
