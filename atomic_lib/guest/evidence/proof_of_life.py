"""The proof of life: the checks that a boot must pass, and its figures, from the answers to ``guest_queries``."""

from collections.abc import Mapping, Sequence
from typing import Any

from atomic_lib.base.model import Bytes, Count, Model, SelinuxMode, WallSeconds
from atomic_lib.guest.evidence.critical_chain import critical_chain
from atomic_lib.guest.evidence.denials import Denial, Denials, container_label, read_denials, read_mode
from atomic_lib.guest.evidence.guest_queries import Answers, Secret
from atomic_lib.guest.evidence.milestones import BootContext, Milestone, in_order, milestones, script_clock
from atomic_lib.guest.evidence.running import (
    Listener,
    read_cgroups,
    read_listeners,
    read_setuid_files,
    running_services,
)
from atomic_lib.guest.evidence.systemd import (
    Phases,
    Properties,
    boot_phases,
    failed_units,
    forget_future,
    read_properties,
    timestamp_seconds,
)
from atomic_lib.guest.evidence.unit_times import UnitTime, unit_times
from atomic_lib.guest.vm.clock import Clock

USER_DATA_CHECK = "user-data script ran"
COMPLETE_CHECK = "the guest's own measurements are complete"


class Check(Model):
    """One thing that a usable guest must do; ``detail`` is the evidence."""

    name: str
    passed: bool
    detail: str = ""


class Evidence(Model):
    """What one boot of a guest showed. Times are seconds after the start of QEMU; None: not known.

    ``milestones`` are in order of time. Memory, processes and sockets are those of the moment when
    the boot was done, before the first container; ``process_count`` counts user processes.
    ``denials``: SELinux's, from the kernel's start to the end of the first container;
    ``denials_lost`` further ones came too fast for the kernel to log.
    """

    docker_ready_seconds: WallSeconds | None = None
    script_done_seconds: WallSeconds | None = None
    multi_user_seconds: WallSeconds | None = None
    phases: Phases = Phases()
    milestones: tuple[Milestone, ...] = ()
    units: tuple[UnitTime, ...] = ()
    memory_used_bytes: Bytes | None = None
    memory_total_bytes: Bytes | None = None
    process_count: Count | None = None
    service_count: Count | None = None
    listeners: tuple[Listener, ...] | None = None
    setuid_files: tuple[str, ...] | None = None
    failed_units: tuple[str, ...] = ()
    selinux_mode: SelinuxMode | None = None
    denials: tuple[Denial, ...] | None = None
    denials_lost: Count | None = None
    checks: tuple[Check, ...] = ()
    kernel_release: str | None = None


def read_evidence(answers: Answers, secret: Secret, clock: Clock, context: BootContext) -> Evidence:
    """Turn the guest's answers into numbers and checks; what is missing is None and a failed check."""
    units = read_units(answers)
    manager = next(iter(_blocks(answers, "manager")), {})
    times = milestones(answers, secret, clock, context, manager=manager, units=units)
    script = clock.host_seconds(script_clock(answers, secret))
    phases = boot_phases(manager, clock.host_seconds(0.0))
    chain = critical_chain(units, timestamp_seconds(manager, "UserspaceTimestampMonotonic") or 0.0)
    cgroups = read_cgroups(answers.whole("cgroups"))
    running = {"process_count": cgroups.process_count, **_running_figures(answers, units)}
    failed = failed_units(units)
    mode, denials = read_mode(answers.whole("selinux")), read_denials(answers.whole("denials"))
    needed: dict[str, object] = {name: at for name, at in times.items() if name != "initrd"}
    needed |= {"user-data": script, "kernel phase": phases.kernel_seconds, "userspace phase": phases.userspace_seconds}
    needed |= {"memory": running["memory_used_bytes"]}
    extra = {"critical chain": chain or None, **{title: running[name] for name, title in _EXTRA.items()}}
    return Evidence(
        docker_ready_seconds=times.get("docker-ready"),
        script_done_seconds=script,
        multi_user_seconds=times["multi-user"],
        phases=phases,
        milestones=in_order(times),
        units=unit_times(units, clock, chain, cgroups.units),
        failed_units=tuple(failed),
        selinux_mode=mode,
        denials=denials.distinct if denials else None,
        denials_lost=denials.lost if denials else None,
        checks=(
            *_checks(answers, secret, context, failed),
            *_selinux_checks(answers, context, mode, denials),
            _pace(clock),
            _complete(needed, extra),
        ),
        kernel_release=answers.whole("kernel") or None,
        **running,
    )


_EXTRA = {
    "process_count": "processes",
    "service_count": "services",
    "listeners": "listening sockets",
    "setuid_files": "set-uid files",
}
"""Figures of ``Evidence`` that a tree need not have the programs for, by field."""


def _running_figures(answers: Answers, units: Sequence[Properties]) -> dict[str, Any]:
    """What runs when the boot is done, as fields of ``Evidence``."""
    total, used = _memory_bytes(answers.whole("memory"))
    return {
        "memory_used_bytes": used,
        "memory_total_bytes": total,
        "service_count": running_services(units) if units else None,
        "listeners": read_listeners(answers.part("listeners").text) if _succeeded(answers, "listeners") else None,
        "setuid_files": read_setuid_files(answers.part("setuid").text) if _succeeded(answers, "setuid") else None,
    }


def read_units(answers: Answers) -> list[Properties]:
    """The properties of each systemd unit in the answers."""
    return [unit for unit in _blocks(answers, "units") if unit.get("Id")]


def _blocks(answers: Answers, name: str) -> list[Properties]:
    """The property blocks of an answer, without timestamps later than the answer."""
    now_seconds = answers.ended_seconds
    blocks = read_properties(answers.whole(name))
    return [block if now_seconds is None else forget_future(block, now_seconds) for block in blocks]


def _succeeded(answers: Answers, name: str) -> bool:
    return answers.part(name).status == 0


def _checks(answers: Answers, secret: Secret, context: BootContext, failed: Sequence[str]) -> list[Check]:
    state, hostname, user_data = answers.part("state"), answers.part("hostname"), answers.part("user_data")
    return [
        _check(USER_DATA_CHECK, user_data.text.split()[:1] == [secret.token], user_data.text),
        _check("system is running", state.text == "running", _state_detail(state.text, failed)),
        *(_container_checks(answers, secret, context.runtime) if context.runtime != "none" else []),
        _check("host name that the guest was given", hostname.text == secret.hostname, hostname.text),
    ]


def _container_checks(answers: Answers, secret: Secret, runtime: str) -> list[Check]:
    imported, run = answers.part("container_import"), answers.part("container_run")
    version = answers.part("container_version")
    printed = imported.status == run.status == 0 and secret.token in run.text.split()
    told = secret.token if printed else run.text
    detail = told if imported.status == 0 else f"{runtime} import: {imported.text}"
    return [
        _check(f"{runtime} version answers", version.status == 0 and bool(version.text), version.text),
        _check(f"{runtime} run prints", printed, detail),
    ]


def _check(name: str, passed: bool, detail: str) -> Check:
    return Check(name=name, passed=passed, detail=detail)


def _selinux_checks(
    answers: Answers, context: BootContext, mode: SelinuxMode | None, denials: Denials | None
) -> list[Check]:
    """The mode, and what it means for containers: the host's /etc/shadow stays closed to root in one."""
    checks = [_check(f"SELinux is {context.selinux}", mode == context.selinux, str(mode))] if context.selinux else []
    if mode != "enforcing" or context.runtime == "none":
        return checks
    first, second = (answers.part(name) for name in ("container_run", "container_shadow"))
    labels = [container_label(answer.text) for answer in (first, second)]
    confined = all(labels) and len(set(labels)) == 2
    refused = second.status not in (0, None) and "/host/shadow': Permission denied" in second.text
    logged = read_denials(answers.whole("denials_after"))
    # never the content: it would go into a report
    read = "Permission denied" if refused else f"exit status {second.status}"
    was_logged = logged is not None and denials is not None and logged.count > denials.count
    return [
        *checks,
        _check("a container is confined, with categories of its own", confined, " ".join(labels) or first.text),
        _check("a container cannot read the host's /etc/shadow", refused and bool(labels[1]), read),
        _check("the attempt is logged as a denial", was_logged, _last_denial(logged, denials)),
    ]


def _last_denial(after: Denials | None, before: Denials | None) -> str:
    known = {_uncounted(denial) for denial in (before.distinct if before else ())}
    new = [denial for denial in (after.distinct if after else ()) if _uncounted(denial) not in known]
    return "; ".join(f"{one.source} {'/'.join(one.permissions)} {one.target} {one.name}" for one in new) or "none"


def _uncounted(denial: Denial) -> Denial:
    return denial.model_copy(update={"count": 0})


def _state_detail(state: str, failed: Sequence[str]) -> str:
    words = state or "no answer within the time limit"
    return f"{words}; failed: {', '.join(failed)}" if failed else words


def _pace(clock: Clock) -> Check:
    """Failed when the guest's clock jumped, or lost time on a busy host: its figures mean nothing then."""
    drift = clock.drift_seconds
    detail = "it was not read again" if drift is None else f"{drift:+.3f} s over the boot"
    return _check("the guest's clock kept pace with the host's", clock.kept_pace, detail)


def _complete(needed: Mapping[str, object], extra: Mapping[str, object]) -> Check:
    """Passed when nothing needed is missing; the rest may be: a tree need not have the programs that find it out."""
    missing = [name for name, value in needed.items() if value is None]
    unknown = [name for name, value in extra.items() if value is None]
    gaps = [f"missing: {', '.join(missing)}"] if missing else []
    gaps += [f"not found out: {', '.join(unknown)}"] if unknown else []
    return _check(COMPLETE_CHECK, not missing, "; ".join(gaps) or "all")


def _memory_bytes(meminfo: str) -> tuple[int | None, int | None]:
    """Total, and total without what is available to new programs, from /proc/meminfo."""
    kib: dict[str, int] = {}
    for line in meminfo.split("\n"):
        name, _, rest = line.partition(":")
        words = rest.split()
        if words[1:] == ["kB"] and words[0].isdecimal():
            kib[name] = int(words[0])
    total, available = kib.get("MemTotal"), kib.get("MemAvailable")
    if total is None or available is None or available > total:
        return None, None
    return total * 1024, (total - available) * 1024
