"""What each unit cost in a counted boot, from control groups, from what systemd remembers, and from the journal."""

import json
import re
from collections.abc import Iterable, Mapping

from atomic_lib.base.errors import WorkbookError
from atomic_lib.guest.evidence.systemd import Properties

SYSTEM_SLICE = "system.slice"
HINT = "read report.txt and console.log in the directory of the boot"
"""What to do about a report that cannot be read."""

_GROUP = re.compile(r"^\.(/.*)?/cpu\.stat:usage_usec (\d+)$")
# Groups are read one after the other: a microsecond here and there is not a contradiction.
_TOLERANCE_SECONDS = 0.001
_NEVER = 2**64 - 1


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
            explained[SYSTEM_SLICE] = explained.get(SYSTEM_SLICE, 0.0) + seconds
    return costs | _unexplained(groups, explained)


def _unexplained(groups: Mapping[str, float], explained: Mapping[str, float]) -> dict[str, float]:
    rest: dict[str, float] = {}
    for path, seconds in groups.items():
        top = path[1:]
        if path.count("/") != 1 or not top.endswith(".slice"):
            continue
        left = seconds - explained.get(top, 0.0)
        if left < -_TOLERANCE_SECONDS:
            raise WorkbookError(f"the guest's report: the units of {top} took longer than it did", hint=HINT)
        if left > 0:
            rest[top] = left
    return rest


def _unit_of(path: str) -> str:
    """The unit whose own control group ``path`` is; empty for slices and for groups inside a unit."""
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


def ended_seconds(text: str, userspace_seconds: float) -> dict[str, float]:
    """Seconds by unit in the journal's messages; one for each end of a unit.

    What ended before userspace began belongs to the initrd, not to the later unit of the same name.
    """
    seconds: dict[str, float] = {}
    for line in text.strip().splitlines():
        try:
            message = json.loads(line)
            unit, cost = str(message["UNIT"]), int(message["CPU_USAGE_NSEC"]) / 1e9
            early = int(message["__MONOTONIC_TIMESTAMP"]) / 1e6 < userspace_seconds
        except (ValueError, TypeError, KeyError):
            raise WorkbookError(f"the guest's report: not a unit's usage: {line!r}", hint=HINT) from None
        unit = f"{unit} (initrd)" if early else unit
        seconds[unit] = seconds.get(unit, 0.0) + cost
    return seconds


def group_seconds(text: str) -> dict[str, float]:
    groups: dict[str, float] = {}
    for line in text.strip().splitlines():
        found = _GROUP.match(line)
        if not found:
            raise WorkbookError(f"the guest's report: not a control group's usage: {line!r}", hint=HINT)
        groups[found[1] or "/"] = int(found[2]) / 1e6
    return groups
