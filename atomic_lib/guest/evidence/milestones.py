"""The milestones of a boot on one time line, in seconds since QEMU's start."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from atomic_lib.guest.evidence.denials import SelinuxMode
from atomic_lib.guest.evidence.proof_of_life import AGENT_UNITS, Answers, Runtime, Secret
from atomic_lib.guest.evidence.systemd import Properties, activations, timestamp_seconds, unit_named
from atomic_lib.guest.vm.clock import Clock, seconds_in

_ACTIVE = "ActiveEnterTimestampMonotonic"


@dataclass(frozen=True)
class Mark:
    """A milestone that a boot reached."""

    name: str
    seconds: float


@dataclass(frozen=True)
class Asked:
    """What was asked of a boot, and when the host saw what it can see itself (seconds since QEMU's start).

    ``selinux``: the mode that the guest must be in; None: any.
    """

    agent: str
    runtime: Runtime
    banner_seconds: float
    login_seconds: float
    selinux: SelinuxMode | None = None


def script_clock(answers: Answers, secret: Secret) -> float | None:
    """When the user-data script wrote its proof, on the guest's clock."""
    words = answers.whole("user_data").split()
    return seconds_in(words[1]) if len(words) == 2 and words[0] == secret.token else None


def provisioned_clock(units: Sequence[Properties], agent: str, script_seconds: float | None) -> float | None:
    """When the agent had finished, on the guest's clock: the last of its units, and the user-data script.

    None while one of its units is still at work, where nobody knows of its units, and where it did nothing at all.
    """
    own = [unit for unit in units if unit.get("Id") in AGENT_UNITS[agent]]
    if not units or any(unit.get("ActiveState") == "activating" for unit in own):
        return None
    times = [times.done_seconds for times in activations(own).values()]
    return max([*times, *([] if script_seconds is None else [script_seconds])], default=None)


def milestones(
    answers: Answers, secret: Secret, clock: Clock, asked: Asked, manager: Properties, units: Sequence[Properties]
) -> dict[str, float | None]:
    """Every milestone that this boot should come to; None where it did not, or nobody knows when.

    The container's exit includes its import, but not the questions that were asked before it.
    """
    script = script_clock(answers, secret)
    guest = {
        "kernel": 0.0,
        "initrd": timestamp_seconds(manager, "InitRDTimestampMonotonic"),
        "userspace": timestamp_seconds(manager, "UserspaceTimestampMonotonic"),
        "multi-user": timestamp_seconds(unit_named(units, "multi-user.target"), _ACTIVE),
        "provisioned": provisioned_clock(units, asked.agent, script),
    }
    if asked.runtime == "docker":
        guest["docker-ready"] = timestamp_seconds(unit_named(units, "docker.service"), _ACTIVE)
    if asked.runtime != "none":
        run = answers.part("container_run")
        guest["container-exited"] = run.ended_seconds if run.status == 0 else None
    seen = {"ssh-banner": asked.banner_seconds, "ssh-login": asked.login_seconds}
    return {**{name: clock.host_seconds(at) for name, at in guest.items()}, **seen}


def in_order(times: Mapping[str, float | None]) -> tuple[Mark, ...]:
    """The milestones that were reached, in order of time."""
    known = [Mark(name, at) for name, at in times.items() if at is not None and math.isfinite(at) and at >= 0]
    return tuple(sorted(known, key=lambda mark: mark.seconds))
