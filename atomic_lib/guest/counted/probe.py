"""Reading the report of a counted boot's probe: every counted second belongs to a unit or to the remainder.

The report is text in sections (``== NAME``), closed by the SHA-256 of what is before. Sources
of its figures: /proc/timer_list (nanoseconds without anything to do, of the tickless idle
loop), cpu.stat of every control group (``usage_usec``), ``systemctl show``, and for units that ended
and are no longer loaded the journal, where systemd notes what they took if it was a second.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import Field

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.model import Model, Seconds
from atomic_lib.guest.counted.probe_initramfs import PREFIX, PROBE_UNIT, REPORT_HEAD
from atomic_lib.guest.counted.unit_costs import HINT, SYSTEM_SLICE, ended_seconds, group_seconds, unit_costs
from atomic_lib.guest.evidence.systemd import Properties, failed_units, read_properties, timestamp_seconds, unit_named
from atomic_lib.guest.vm.data_source import USER_DATA_UNIT

_SECTION = re.compile(r"^== (\w+)$", flags=re.MULTILINE)
_SECTIONS = ("state", "clock", "initrd", "groups", "manager", "units")
_MAYBE_EMPTY = ("script", "journal")
_SUM = re.compile(r"^== sum\n([0-9a-f]{64})  -\n\Z", flags=re.MULTILINE)
_CLOCK = {
    "the time": re.compile(r"^now at (\d+) nsecs$", flags=re.MULTILINE),
    "the idle time": re.compile(r"^ *\.idle_sleeptime *: (\d+) nsecs$", flags=re.MULTILINE),
    "the time of the probe": re.compile(r"^usage_usec (\d+)$", flags=re.MULTILINE),
    "the time waiting for a disk": re.compile(r"^ *\.iowait_sleeptime *: (\d+) nsecs$", flags=re.MULTILINE),
}
_MANAGER_MILESTONES = {
    "initrd": "InitRDTimestampMonotonic",
    "userspace": "UserspaceTimestampMonotonic",
    "finish": "FinishTimestampMonotonic",
}
_UNIT_MILESTONES = {
    "multi_user": ("multi-user.target",),
    "ssh": ("ssh.service", "sshd.service"),
    "docker": ("docker.service",),
    "provisioned": (
        "min-cloud-agent.service",
        "min-cloud-agent-disc.service",
        "cloud-final.service",
        USER_DATA_UNIT,
    ),
}


class CountedUnit(Model):
    """Processor time of one unit. A slice's own row is what is not remembered by unit: mostly units of the initrd."""

    unit: str
    cpu_seconds: Seconds
    package: str | None = None


class Counts(Model):
    """What a boot cost, in counted seconds, without idle time and without the probe.

    ``busy_seconds``: from the start of the kernel's clock to a second after the end of the boot
    (systemd has no job left). ``outside_units_seconds`` is the remainder of it that no unit of
    ``units`` explains: the kernel's threads and interrupts, and all before systemd counts.
    It is a difference and not measured by itself, so no other figure can contradict it.
    ``probe_seconds``: what the probe itself took. ``milestones`` count from the start of the
    guest's clock, idle time included.
    """

    busy_seconds: Seconds
    outside_units_seconds: Seconds
    probe_seconds: Seconds | None = None
    milestones: dict[str, Seconds] = Field(default_factory=dict)
    units: tuple[CountedUnit, ...] = ()
    failed_units: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """The probe's report. ``state``: systemd's, at the end of the boot."""

    state: str
    counts: Counts


def read_report(text: str) -> Report:
    """Read the report as it came through the serial port.

    Raises WorkbookError where it is cut off, garbled, or its parts contradict each other.
    """
    sections = _sections(text.replace("\r\n", "\n"))
    systemd_units = read_properties(sections["units"])
    clock = _read_clock(sections["clock"])
    manager = (read_properties(sections["manager"]) or [{}])[0]
    ended = ended_seconds(sections["journal"], timestamp_seconds(manager, "UserspaceTimestampMonotonic") or 0.0)
    costs = unit_costs(group_seconds(sections["groups"]), systemd_units, ended)
    # What the copy unit took in the initrd is among what the slice no longer explains.
    initrd = _number(sections["initrd"], "initrd") / 1e6
    costs[SYSTEM_SLICE] = max(costs.get(SYSTEM_SLICE, 0.0) - initrd, 0.0)
    probe = initrd + clock.probe_seconds
    probe += sum(cost for unit, cost in costs.items() if unit.startswith(PREFIX) and unit != PROBE_UNIT)
    units = [
        CountedUnit(unit=unit, cpu_seconds=round(cost, 6))
        for unit, cost in costs.items()
        if not unit.startswith(PREFIX)
    ]
    # To the microsecond, which is what control groups count in, so that the parts make up the whole in print too.
    busy = round(clock.busy_seconds - probe, 6)
    outside = round(busy - sum(unit.cpu_seconds for unit in units), 6)
    if outside < 0:
        raise WorkbookError("the guest's report: its units were busy for longer than its processor", hint=HINT)
    counts = Counts(
        busy_seconds=busy,
        outside_units_seconds=outside,
        probe_seconds=round(probe, 6),
        milestones=counted_milestones(manager, systemd_units) | _script_seconds(sections["script"]),
        units=tuple(sorted(units, key=lambda unit: (-unit.cpu_seconds, unit.unit))),
        failed_units=tuple(failed_units(systemd_units)),
    )
    return Report(sections["state"].strip(), counts)


def counted_milestones(manager: Properties, units: Iterable[Properties]) -> dict[str, float]:
    """When the guest reached each milestone that it has, in counted seconds since its clock began."""
    units = list(units)
    found = {name: timestamp_seconds(manager, key) for name, key in _MANAGER_MILESTONES.items()}
    for name, candidates in _UNIT_MILESTONES.items():
        times = [timestamp_seconds(unit_named(units, unit), "ActiveEnterTimestampMonotonic") for unit in candidates]
        found[name] = next((time for time in times if time is not None), None)
    return {name: seconds for name, seconds in found.items() if seconds is not None}


def _script_seconds(text: str) -> dict[str, float]:
    """When user-data ran; nothing if it did not."""
    return {"script": _decimal(text, "script")} if text.strip() else {}


def _sections(text: str) -> dict[str, str]:
    begin = text.find(REPORT_HEAD)
    if begin < 0:
        raise WorkbookError("the guest's report does not begin as one", hint=HINT)
    body = text[begin:]
    end = _SUM.search(body)
    if not end:
        raise WorkbookError(f"the guest's report is cut off after {len(body)} characters", hint=HINT)
    if hashlib.sha256(body[: end.start()].encode()).hexdigest() != end[1]:
        raise WorkbookError("the guest's report is garbled: it is not what its checksum was made of", hint=HINT)
    parts = _SECTION.split(body[: end.start()])
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    missing = [name for name in _SECTIONS if not sections.get(name, "").strip()]
    missing += [name for name in _MAYBE_EMPTY if name not in sections]
    if missing:
        raise WorkbookError(f"the guest's report lacks its section {missing[0]}", hint=HINT)
    return sections


@dataclass(frozen=True)
class _Clock:
    busy_seconds: float
    probe_seconds: float


def _read_clock(text: str) -> _Clock:
    """The processor's busy time, and the probe's share of it up to then."""
    values: dict[str, int] = {}
    for name, pattern in _CLOCK.items():
        found = pattern.search(text)
        if not found:
            raise WorkbookError(f"the guest's report lacks {name}: its kernel keeps no such time", hint=HINT)
        values[name] = int(found[1])
    busy = values["the time"] - values["the idle time"] - values["the time waiting for a disk"]
    return _Clock(busy / 1e9, values["the time of the probe"] / 1e6)


def _number(text: str, name: str) -> int:
    if not text.strip().isdecimal():
        raise WorkbookError(f"the guest's report: {name}: not a number: {text.strip()!r}", hint=HINT)
    return int(text)


def _decimal(text: str, name: str) -> float:
    if not re.fullmatch(r"\d+\.\d+", text.strip()):
        raise WorkbookError(f"the guest's report: {name}: not a number of seconds: {text.strip()!r}", hint=HINT)
    return float(text)
