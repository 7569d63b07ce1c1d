"""The result of one boot: what the guest answered, as numbers with units and as checks."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from atomic_lib.machine.proof import Answers, Secret
from atomic_lib.machine.systemd import (
    Phases,
    UnitTime,
    boot_phases,
    failed_units,
    read_properties,
    timestamp_seconds,
    unit_named,
    unit_times,
)

_ACTIVE = "ActiveEnterTimestampMonotonic"


@dataclass(frozen=True)
class Check:
    """One thing a usable guest must do; ``detail`` is the evidence."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class Clock:
    """Where the guest's clock begins: seconds from QEMU's start, and by how much that may be wrong."""

    zero_seconds: float
    error_seconds: float

    def host_seconds(self, guest_seconds: float | None) -> float | None:
        """Seconds since QEMU's start for a time of the guest's clock."""
        return None if guest_seconds is None else self.zero_seconds + guest_seconds


@dataclass(frozen=True)
class Host:
    """The machine that QEMU ran on, as it was just before the boot."""

    cpu_model: str
    cpus: int
    load_1m: float
    qemu_version: str


@dataclass(frozen=True)
class Findings:
    """What one boot of a guest showed. Times are seconds since QEMU's start; None: not known."""

    docker_ready_seconds: float | None
    script_done_seconds: float | None
    multi_user_seconds: float | None
    phases: Phases
    units: tuple[UnitTime, ...]
    memory_used_bytes: int | None
    memory_total_bytes: int | None
    process_count: int | None
    failed_units: tuple[str, ...]
    checks: tuple[Check, ...]
    kernel_release: str


def read_findings(answers: Answers, secret: Secret, clock: Clock) -> Findings:
    """Turn the guest's answers into numbers and checks; what is missing is None and a failed check."""
    units = read_properties(answers.part("units").text)
    manager = (read_properties(answers.part("manager").text) or [{}])[0]
    docker = clock.host_seconds(timestamp_seconds(unit_named(units, "docker.service"), _ACTIVE))
    multi_user = clock.host_seconds(timestamp_seconds(unit_named(units, "multi-user.target"), _ACTIVE))
    script = clock.host_seconds(_script_clock(answers, secret))
    phases = boot_phases(manager, clock.zero_seconds)
    total, used = _memory_bytes(answers.part("memory").text)
    known = {
        "docker.service": docker,
        "multi-user.target": multi_user,
        "user-data": script,
        "kernel": phases.kernel_seconds,
        "userspace": phases.userspace_seconds,
        "memory": used,
    }
    failed = failed_units(units)
    return Findings(
        docker_ready_seconds=docker,
        script_done_seconds=script,
        multi_user_seconds=multi_user,
        phases=phases,
        units=tuple(unit_times(units)),
        memory_used_bytes=used,
        memory_total_bytes=total,
        process_count=_whole_number(answers.part("processes").text),
        failed_units=tuple(failed),
        checks=tuple(
            [*_checks(answers, secret, failed), _complete([name for name, at in known.items() if at is None])]
        ),
        kernel_release=answers.part("kernel").text,
    )


def as_json(value: Any) -> dict[str, Any]:
    """A frozen dataclass as JSON data: times to the millisecond, never NaN or infinity."""
    return {key: _plain(item) for key, item in asdict(value).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return round(value, 3) if math.isfinite(value) else None
    return value


def _checks(answers: Answers, secret: Secret, failed: Sequence[str]) -> list[Check]:
    state, hostname = answers.part("state"), answers.part("hostname")
    user_data = answers.part("user_data")
    version, run = answers.part("docker_version"), answers.part("docker_run")
    imported = answers.part("docker_import")
    run_detail = run.text if imported.status == 0 else f"docker import: {imported.text}"
    printed = imported.status == run.status == 0 and secret.token in run.text.split()
    return [
        Check("login with the key from the metadata service", True, "root"),
        Check("user-data script ran", user_data.text.split()[:1] == [secret.token], user_data.text),
        Check("system is running", state.text == "running", _state_detail(state.text, failed)),
        Check("docker version answers", version.status == 0 and bool(version.text), version.text),
        Check("docker run prints", printed, run_detail),
        Check("host name from the metadata service", hostname.text == secret.hostname, hostname.text),
    ]


def _state_detail(state: str, failed: Sequence[str]) -> str:
    words = state or "no answer within the time limit"
    return f"{words}; failed: {', '.join(failed)}" if failed else words


def _complete(missing: Sequence[str]) -> Check:
    detail = f"missing: {', '.join(missing)}" if missing else "all"
    return Check("the guest's own measurements are complete", not missing, detail)


def _script_clock(answers: Answers, secret: Secret) -> float | None:
    words = answers.part("user_data").text.split()
    if len(words) != 2 or words[0] != secret.token:
        return None
    return _seconds(words[1])


def _seconds(word: str) -> float | None:
    whole, _, fraction = word.partition(".")
    return float(word) if whole.isdecimal() and (fraction or "0").isdecimal() else None


def _memory_bytes(meminfo: str) -> tuple[int | None, int | None]:
    """Total, and total without what is available to new programs, from /proc/meminfo."""
    kib: dict[str, int] = {}
    for line in meminfo.splitlines():
        name, _, rest = line.partition(":")
        words = rest.split()
        if words[1:] == ["kB"] and words[0].isdecimal():
            kib[name] = int(words[0])
    total, available = kib.get("MemTotal"), kib.get("MemAvailable")
    if total is None or available is None:
        return None, None
    return total * 1024, (total - available) * 1024


def _whole_number(text: str) -> int | None:
    return int(text) if text.isdecimal() else None
