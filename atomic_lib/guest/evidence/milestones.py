"""The milestones of a boot on one time line, in seconds since QEMU's start."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from atomic_lib.base.model import Agent, Model, Runtime, SelinuxMode, WallSeconds
from atomic_lib.guest.evidence.guest_queries import AGENT_UNITS, Answers, Secret
from atomic_lib.guest.evidence.systemd import Properties, activations, timestamp_seconds, unit_named
from atomic_lib.guest.vm.clock import Clock, seconds_in

_ACTIVE = "ActiveEnterTimestampMonotonic"


MilestoneName = Literal[
    "kernel", "initrd", "userspace", "ssh-banner", "ssh-login", "provisioned", "multi-user", "docker-ready",
    "container-exited",
]  # fmt: skip


class Milestone(Model):
    """A milestone that a boot reached, ``seconds`` after the start of QEMU."""

    name: MilestoneName
    seconds: WallSeconds


@dataclass(frozen=True)
class BootContext:
    """What a boot was requested with, and when the host saw ssh answer and a login succeed (after QEMU's start).

    ``selinux``: the mode that the guest must be in; None: any.
    """

    agent: Agent
    runtime: Runtime
    banner_seconds: float
    login_seconds: float
    selinux: SelinuxMode | None = None


def script_clock(answers: Answers, secret: Secret) -> float | None:
    """When the user-data script wrote its proof, on the guest's clock."""
    words = answers.whole("user_data").split()
    return seconds_in(words[1]) if len(words) == 2 and words[0] == secret.token else None


def provisioned_clock(units: Sequence[Properties], agent: Agent, script_seconds: float | None) -> float | None:
    """When the agent had finished, on the guest's clock: the last of its units, and the user-data script.

    None while one of its units still runs, where its units are unknown, and where it did nothing at all.
    """
    own = [unit for unit in units if unit.get("Id") in AGENT_UNITS[agent]]
    if not units or any(unit.get("ActiveState") == "activating" for unit in own):
        return None
    times = [times.done_seconds for times in activations(own).values()]
    return max([*times, *([] if script_seconds is None else [script_seconds])], default=None)


def milestones(
    answers: Answers,
    secret: Secret,
    clock: Clock,
    context: BootContext,
    *,
    manager: Properties,
    units: Sequence[Properties],
) -> dict[MilestoneName, float | None]:
    """Every milestone that this boot should reach; None if it did not, or if its time is unknown.

    The container's exit includes its import, but not the commands before it.
    """
    script = script_clock(answers, secret)
    guest: dict[MilestoneName, float | None] = {
        "kernel": 0.0,
        "initrd": timestamp_seconds(manager, "InitRDTimestampMonotonic"),
        "userspace": timestamp_seconds(manager, "UserspaceTimestampMonotonic"),
        "multi-user": timestamp_seconds(unit_named(units, "multi-user.target"), _ACTIVE),
        "provisioned": provisioned_clock(units, context.agent, script),
    }
    if context.runtime == "docker":
        guest["docker-ready"] = timestamp_seconds(unit_named(units, "docker.service"), _ACTIVE)
    if context.runtime != "none":
        run = answers.part("container_run")
        guest["container-exited"] = run.ended_seconds if run.status == 0 else None
    times: dict[MilestoneName, float | None] = {name: clock.host_seconds(at) for name, at in guest.items()}
    return {**times, "ssh-banner": context.banner_seconds, "ssh-login": context.login_seconds}


def in_order(times: Mapping[MilestoneName, float | None]) -> tuple[Milestone, ...]:
    """The milestones that were reached, in order of time."""
    known = [Milestone(name=name, seconds=at) for name, at in times.items() if at is not None]
    return tuple(sorted(known, key=lambda milestone: milestone.seconds))
