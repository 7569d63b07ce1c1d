"""Reading the report of a counted boot's probe: every counted second belongs to a unit or to the remainder.

The report is text in sections (``== NAME``), closed by the SHA-256 of what is before. Sources
of its figures: /proc/timer_list (nanoseconds without anything to do, of the tickless idle
loop), cpu.stat of every control group (``usage_usec``), ``systemctl show``, and for units that ended
and are no longer loaded the journal, where systemd notes what they took if it was a second.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import Field

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.model import Model, Seconds
from atomic_lib.guest.counted.probe_initramfs import PREFIX, PROBE_UNIT, REPORT_HEAD
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
_GROUP = re.compile(r"^\.(/.*)?/cpu\.stat:usage_usec (\d+)$")
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
# Groups are read one after the other: a microsecond here and there is not a contradiction.
_TOLERANCE_SECONDS = 0.001
_SYSTEM_SLICE = "system.slice"
_NEVER = 2**64 - 1
_AGAIN = "read report.txt and console.log in the directory of the boot"


class CountedUnit(Model):
    """Processor time of one unit. A slice's own row is what is not remembered by unit: mostly units of the initrd."""

    unit: str
    cpu_seconds: Seconds
    package: str | None = None


class Counts(Model):
    """What a boot cost, in counted seconds, without idle time and without the probe.

    ``busy_seconds``: from the start of the kernel's clock to a second after the end of the boot
    (systemd has no job left). ``outside_units_seconds`` is the remainder of it that no unit of
    ``units`` explains: the kernel's own threads and interrupts, and all before systemd counts. No
    second figure bounds it: the kernel keeps no exact account of its own time.
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
    ended = _ended_seconds(sections["journal"], timestamp_seconds(manager, "UserspaceTimestampMonotonic") or 0.0)
    costs = unit_costs(_group_seconds(sections["groups"]), systemd_units, ended)
    # What the copy unit took in the initrd is among what the slice no longer explains.
    initrd = _number(sections["initrd"], "initrd") / 1e6
    costs[_SYSTEM_SLICE] = max(costs.get(_SYSTEM_SLICE, 0.0) - initrd, 0.0)
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
        raise WorkbookError("the guest's report: its units were busy for longer than its processor", hint=_AGAIN)
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
    """When user-data ran; nothing where it did not."""
    return {"script": _decimal(text, "script")} if text.strip() else {}


def unit_costs(
    groups: Mapping[str, float], units: Iterable[Properties], ended: Mapping[str, float]
) -> dict[str, float]:
    """Seconds by unit, from the control groups that exist and from what systemd remembers or noted of others.

    ``groups``: seconds by control group, the groups below included; ``ended``: by unit, as the
    journal has it. A top-level slice has a row for what its units do not explain. Raises
    WorkbookError where they explain too much.
    """
    costs: dict[str, float] = {}
    explained: dict[str, float] = {}
    rows = {path: _unit_of(path) for path in groups if _unit_of(path)}
    remembered = {unit["Id"]: unit for unit in units if "Id" in unit and not unit["Id"].endswith(".slice")}
    for path, unit in rows.items():
        costs[unit] = groups[path]
        top = path.split("/")[1]
        explained[top] = explained.get(top, 0.0) + groups[path]
    for name, properties in remembered.items():
        seconds = _remembered_seconds(properties)
        if name not in costs and seconds is not None:
            costs[name] = seconds
            top = _top_slice(properties.get("Slice", ""))
            explained[top] = explained.get(top, 0.0) + seconds
    for name, seconds in ended.items():
        if name not in costs:
            costs[name] = seconds
            explained[_SYSTEM_SLICE] = explained.get(_SYSTEM_SLICE, 0.0) + seconds
    return costs | _unexplained(groups, explained)


def _unexplained(groups: Mapping[str, float], explained: Mapping[str, float]) -> dict[str, float]:
    rest: dict[str, float] = {}
    for path, seconds in groups.items():
        top = path[1:]
        if path.count("/") != 1 or not top.endswith(".slice"):
            continue
        left = seconds - explained.get(top, 0.0)
        if left < -_TOLERANCE_SECONDS:
            raise WorkbookError(f"the guest's report: the units of {top} took longer than it did", hint=_AGAIN)
        if left > 0:
            rest[top] = left
    return rest


def _unit_of(path: str) -> str:
    """The unit whose own control group ``path`` is; empty for slices and for groups inside of a unit."""
    names = path.split("/")[1:]
    if not names or names[-1].endswith(".slice") or not all(name.endswith(".slice") for name in names[:-1]):
        return ""
    # systemd puts "_" before a name that the kernel would take for a file of its own
    return names[-1].removeprefix("_") if "." in names[-1] else ""


def _top_slice(name: str) -> str:
    """The top-level slice above a slice: ``system.slice`` for ``system-getty.slice``."""
    stem = name.removesuffix(".slice").split("-")[0]
    return f"{stem}.slice"


def _remembered_seconds(properties: Properties) -> float | None:
    text = properties.get("CPUUsageNSec", "")
    if not text.isdecimal() or int(text) == _NEVER:
        return None
    return int(text) / 1e9


def _ended_seconds(text: str, userspace_seconds: float) -> dict[str, float]:
    """Seconds by unit in the journal's messages; one for each end of a unit.

    What ended before userspace began is the initrd's unit, another one than the later one of that name.
    """
    seconds: dict[str, float] = {}
    for line in text.strip().splitlines():
        try:
            message = json.loads(line)
            unit, cost = str(message["UNIT"]), int(message["CPU_USAGE_NSEC"]) / 1e9
            early = int(message["__MONOTONIC_TIMESTAMP"]) / 1e6 < userspace_seconds
        except (ValueError, TypeError, KeyError):
            raise WorkbookError(f"the guest's report: not a unit's usage: {line!r}", hint=_AGAIN) from None
        unit = f"{unit} (initrd)" if early else unit
        seconds[unit] = seconds.get(unit, 0.0) + cost
    return seconds


def _group_seconds(text: str) -> dict[str, float]:
    groups: dict[str, float] = {}
    for line in text.strip().splitlines():
        found = _GROUP.match(line)
        if not found:
            raise WorkbookError(f"the guest's report: not a control group's usage: {line!r}", hint=_AGAIN)
        groups[found[1] or "/"] = int(found[2]) / 1e6
    return groups


def _sections(text: str) -> dict[str, str]:
    begin = text.find(REPORT_HEAD)
    if begin < 0:
        raise WorkbookError("the guest's report does not begin as one", hint=_AGAIN)
    body = text[begin:]
    end = _SUM.search(body)
    if not end:
        raise WorkbookError(f"the guest's report is cut off after {len(body)} characters", hint=_AGAIN)
    if hashlib.sha256(body[: end.start()].encode()).hexdigest() != end[1]:
        raise WorkbookError("the guest's report is garbled: it is not what its checksum was made of", hint=_AGAIN)
    parts = _SECTION.split(body[: end.start()])
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    missing = [name for name in _SECTIONS if not sections.get(name, "").strip()]
    missing += [name for name in _MAYBE_EMPTY if name not in sections]
    if missing:
        raise WorkbookError(f"the guest's report lacks its section {missing[0]}", hint=_AGAIN)
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
            raise WorkbookError(f"the guest's report lacks {name}: its kernel keeps no such time", hint=_AGAIN)
        values[name] = int(found[1])
    busy = values["the time"] - values["the idle time"] - values["the time waiting for a disk"]
    return _Clock(busy / 1e9, values["the time of the probe"] / 1e6)


def _number(text: str, name: str) -> int:
    if not text.strip().isdecimal():
        raise WorkbookError(f"the guest's report: {name}: not a number: {text.strip()!r}", hint=_AGAIN)
    return int(text)


def _decimal(text: str, name: str) -> float:
    if not re.fullmatch(r"\d+\.\d+", text.strip()):
        raise WorkbookError(f"the guest's report: {name}: not a number of seconds: {text.strip()!r}", hint=_AGAIN)
    return float(text)
