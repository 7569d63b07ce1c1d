"""min-cloud-agent on a disk with a past: power cuts, a reboot, a clone, and a network that comes late.

One disk is booted five times, and its guest is never shut down. What can fail here and in no namespace:
the real units with their order and their confinement, the real file system, the real SELinux policy.
"""

import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from atomic_lib.guest.vm.metadata_service import Instance
from atomic_lib.guest.vm.qemu import Disk, Machine, make_overlay, remove_overlay
from atomic_lib.guest.vm.ssh import Key, one_boot_key
from atomic_lib.image.disk import Image
from atomic_lib.pipeline.build import open_build
from atomic_lib.results.analysis.denial_reasons import unexplained
from atomic_lib.tools.accelerator import probe_accelerator
from atomic_lib.tools.sandbox import Tools
from tests.integration.guest import (
    AGENT,
    RUNS,
    SCRIPT,
    STATE,
    Powered,
    Seen,
    Story,
    wait_for_the_end_of_the_boot,
    wait_until,
)
from tests.integration.small import small_variant

pytestmark = pytest.mark.integration

PASSWORD = secrets.token_hex(16)
LEAVE_LINE = f'read -r boot </proc/sys/kernel/random/boot_id; echo "$1 $boot" >>{RUNS}; sync {RUNS}'
ORIGINAL = Instance(
    "i-original", "original", user_data=f"#!/bin/sh\n# {PASSWORD}\nset -- original\n{LEAVE_LINE}\necho aloud\nexit 3\n"
)
CLONE = Instance(
    "i-clone", "clone", user_data=f"#!/bin/sh\nset -- clone\n{LEAVE_LINE}\nsleep 3600\nset -- end\n{LEAVE_LINE}\n"
)
UNPLUGGED = 0.5
"""How long the cable stays out after the prompt, as a part of the time until then: sshd needs its host keys first."""
AGENT_SECONDS = 60

CARRIER, STARTED = "enp0s2: Gained carrier", "ExecMainStartTimestampMonotonic"
QUESTIONS = ("api/token", "meta-data/instance-id", "meta-data/public-keys/", "meta-data/local-hostname")
"""What each boot asks; a new instance is asked for more."""
FILES = {
    "/root/.ssh": "700 root:root ssh_home_t",
    "/root/.ssh/authorized_keys": "600 root:root ssh_home_t",
    "/etc/hostname": "644 root:root net_conf_t",
    STATE: "700 root:root var_lib_t",
}

WAIT_ONLINE = "systemd-networkd-wait-online.service"
DROP_INS = {
    WAIT_ONLINE: b"[Service]\nExecStart=\nExecStart=/usr/lib/systemd/systemd-networkd-wait-online --timeout=1\n",
    AGENT: b"[Service]\nEnvironment=MIN_CLOUD_AGENT_SECONDS=1200\nTimeoutStartSec=1800\n",
}
"""Make the system give up waiting for the network at once, so that the agent starts without one, and have the agent
wait for it as long as a slow machine needs."""


@dataclass(frozen=True)
class Told:
    """What the boots showed, in their order."""

    finished: Seen
    rebooted: Seen
    cloned: Seen
    cut: Seen

    @property
    def boots(self) -> tuple[Seen, ...]:
        """All of them."""
        return self.finished, self.rebooted, self.cloned, self.cut


@pytest.fixture(scope="module")
def built() -> tuple[Tools, Image]:
    """The smallest image that has the agent; what the store has is taken from there."""
    build = open_build(small_variant())
    return build.context.tools, build.image


@pytest.fixture(scope="module")
def story(built: tuple[Tools, Image], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    tools, image = built
    directory = tmp_path_factory.mktemp("guest")
    disk, machine = Disk(image.qcow2, "qcow2"), Machine("bios", probe_accelerator(tools).name, 1, 1024)
    make_overlay(tools, disk, machine, directory)
    yield Story(tools, disk, machine, directory)
    remove_overlay(directory)


@pytest.fixture(scope="module")
def told(story: Story) -> Iterator[Told]:
    """All boots, one after the other."""
    with one_boot_key(story.tools, story.directory) as key, one_boot_key(story.tools, story.directory) as other:
        original = replace(ORIGINAL, public_keys=(key.public,))
        clone = replace(CLONE, public_keys=(other.public,))
        cut_before_the_script(story, original)
        finished, rebooted = finish_and_reboot(story, original, key)
        cloned = cut_in_the_script(story, clone, other)
        yield Told(finished, rebooted, cloned, boot_once_more(story, clone, other))


def cut_before_the_script(story: Story, instance: Instance) -> None:
    with story.power_on(instance) as powered:
        powered.wait_for_request("user-data")


def finish_and_reboot(story: Story, instance: Instance, key: Key) -> tuple[Seen, Seen]:
    with story.power_on(instance, cable=False) as powered:
        powered.wait_for_prompt()
        leave_unplugged(powered)
        powered.plug_in()
        with powered.log_in(key) as shell:
            wait_until(shell, f"[ -e {STATE}/{instance.instance_id}/status ]")
            finished = powered.look(shell)
            powered.reboot(shell)
        with powered.log_in(key) as shell:
            wait_for_the_end_of_the_boot(shell)
            rebooted = powered.look(shell)
            for unit, text in DROP_INS.items():
                directory = f"/etc/systemd/system/{unit}.d"
                shell.run(f"mkdir {directory} && cat >{directory}/own.conf", input=text)
            shell.run(
                "rm /etc/ssh/ssh_host_* && sync"
            )  # what belongs to one machine leaves a disk that is to be cloned
            return finished, rebooted


def leave_unplugged(powered: Powered) -> None:
    time.sleep(UNPLUGGED * (time.monotonic() - powered.guest.started))


def cut_in_the_script(story: Story, instance: Instance, key: Key) -> Seen:
    with story.power_on(instance, cable=False) as powered:
        powered.wait_for_prompt()
        leave_unplugged(powered)
        powered.plug_in()
        with powered.log_in(key, new=True) as shell:
            wait_until(shell, f"grep -q ^clone {RUNS}")
            return powered.look(shell)


def boot_once_more(story: Story, instance: Instance, key: Key) -> Seen:
    with story.power_on(instance) as powered, powered.log_in(key) as shell:
        wait_for_the_end_of_the_boot(shell)
        return powered.look(shell)


def state_of(instance: Instance, *names: str) -> set[str]:
    return {f"{instance.instance_id}/{name} {700 if name == 'user-data' else 600} root:root" for name in names}


def test_a_network_that_comes_late_holds_up_neither_ssh_nor_the_login_prompt(told: Told) -> None:
    carrier_seconds = told.finished.message_seconds(CARRIER)
    assert told.finished.unit_seconds("sshd.service") < carrier_seconds
    assert carrier_seconds < told.finished.unit_seconds(AGENT, STARTED)
    assert told.finished.unit_seconds(AGENT) < carrier_seconds + AGENT_SECONDS


def test_an_agent_that_starts_without_a_network_finishes_when_it_comes(told: Told) -> None:
    carrier_seconds = told.cloned.message_seconds(CARRIER)
    assert told.cloned.unit_seconds("sshd.service") < carrier_seconds
    assert told.cloned.unit_seconds(AGENT, STARTED) < carrier_seconds < told.cloned.unit_seconds(AGENT)
    assert told.cloned.unit_seconds(AGENT) < carrier_seconds + AGENT_SECONDS
    assert told.cloned.failed == [WAIT_ONLINE]


def test_a_power_cut_before_the_script_costs_nothing(told: Told) -> None:
    seen = told.finished
    assert set(QUESTIONS) <= set(seen.requests) <= {*QUESTIONS, "meta-data/public-keys/0/openssh-key", "user-data"}
    assert seen.answers["hostname"] == "original"
    assert seen.runs == [f"original {seen.answers['boot']}"]
    assert seen.state == state_of(ORIGINAL, "provisioned", "user-data", "started", "status")


def test_the_exit_status_of_the_script_is_kept_and_shown(told: Told) -> None:
    unit = told.finished.units[SCRIPT]
    assert (unit["ActiveState"], unit["Result"], unit["ExecMainStatus"]) == ("failed", "exit-code", "3")
    assert "status=3" in told.finished.answers["status"]
    assert "user-data: ended with exit status 3" in told.finished.answers["status"]
    assert told.finished.failed == [SCRIPT]


def test_after_a_reboot_the_same_instance_is_left_alone(told: Told) -> None:
    seen = told.rebooted
    assert seen.answers["boot"] != told.finished.answers["boot"]
    assert seen.requests == (*told.finished.requests, *QUESTIONS)
    assert (seen.runs, seen.state, seen.failed) == (told.finished.runs, told.finished.state, [])
    assert seen.answers["keys"] == told.finished.answers["keys"]
    assert (seen.units[SCRIPT]["ActiveState"], seen.units[AGENT]["ActiveState"]) == ("inactive", "active")


def test_a_clone_is_provisioned_again(told: Told) -> None:
    seen = told.cloned
    assert seen.answers["hostname"] == "clone"
    assert len(seen.answers["keys"].splitlines()) == 2
    assert seen.runs == [*told.rebooted.runs, f"clone {seen.answers['boot']}"]
    assert seen.state == told.rebooted.state | state_of(CLONE, "provisioned", "user-data", "started")


def test_a_power_cut_in_the_script_does_not_run_it_again(told: Told) -> None:
    seen = told.cut
    assert seen.requests == QUESTIONS
    assert (seen.runs, seen.state) == (told.cloned.runs, told.cloned.state)
    assert "user-data: started in an earlier boot and not seen to end: not run again" in seen.answers["journal"]
    assert seen.units[SCRIPT]["ActiveState"] == "inactive"


def test_host_keys_are_made_where_there_are_none_and_outlive_a_power_cut(told: Told) -> None:
    first, again, clone, cut = (seen.answers["host_key"] for seen in told.boots)
    assert first.startswith("ssh-ed25519 ")
    assert (again, cut) == (first, clone)
    assert clone.startswith("ssh-ed25519 ")
    assert clone != first


def test_the_journal_has_what_the_script_said_and_nothing_secret(told: Told) -> None:
    assert "aloud" in told.finished.answers["journal"]
    for seen in told.boots:
        assert re.fullmatch(r"[\w-]{43}", seen.answers["token"])
        keys = [line.split()[1] for line in seen.answers["keys"].splitlines()]
        assert [word for word in (PASSWORD, seen.answers["token"], *keys) if word in seen.answers["journal"]] == []


def test_files_have_mode_owner_and_label(told: Told) -> None:
    for seen in told.boots:
        assert seen.files == FILES


def test_selinux_enforced_and_denied_nothing_that_matters(told: Told) -> None:
    for seen in told.boots:
        assert seen.answers["mode"] == "1"
        assert unexplained(seen.denials.distinct) == ()
