"""What a guest's systemd says about its boot: the output of ``systemctl show``, read.

Timestamps are microseconds of the guest's monotonic clock, which starts with its kernel;
systemd writes 0 for "never". https://www.freedesktop.org/wiki/Software/systemd/dbus/
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

MANAGER_PROPERTIES = (
    "InitRDTimestampMonotonic",
    "UserspaceTimestampMonotonic",
    "FinishTimestampMonotonic",
)
UNIT_PROPERTIES = (
    "Id",
    "ActiveState",
    "InactiveExitTimestampMonotonic",
    "ActiveEnterTimestampMonotonic",
    "InactiveEnterTimestampMonotonic",
)

_UNSET = 2**64 - 1

Properties = Mapping[str, str]


@dataclass(frozen=True)
class Phases:
    """Seconds of each phase of a boot; None where the guest's systemd knows no such phase."""

    firmware_loader_seconds: float | None
    kernel_seconds: float | None
    initrd_seconds: float | None
    userspace_seconds: float | None


@dataclass(frozen=True)
class UnitTime:
    """How long a unit took from the start of its activation to its end."""

    unit: str
    seconds: float


def read_properties(text: str) -> list[dict[str, str]]:
    """The property blocks (one per unit, an empty line between) of ``systemctl show``."""
    blocks: list[dict[str, str]] = [{}]
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if not line.strip():
            blocks.append({})
        elif equals:
            blocks[-1][name] = value
    return [block for block in blocks if block]


def timestamp_seconds(properties: Properties, name: str) -> float | None:
    """A timestamp in seconds, or None where systemd has none."""
    value = properties.get(name, "").strip()
    if not value.isdecimal() or int(value) in (0, _UNSET):
        return None
    return int(value) / 1e6


def boot_phases(manager: Properties, clock_zero_seconds: float | None) -> Phases:
    """The phases; ``clock_zero_seconds``: from QEMU's start to the zero of the guest's clock.

    Firmware and boot loader end where the guest's clock starts. An image without an initrd
    has a kernel phase that lasts until userspace.
    """
    initrd = timestamp_seconds(manager, "InitRDTimestampMonotonic")
    userspace = timestamp_seconds(manager, "UserspaceTimestampMonotonic")
    finish = timestamp_seconds(manager, "FinishTimestampMonotonic")
    return Phases(
        clock_zero_seconds,
        initrd if initrd is not None else userspace,
        _difference(initrd, userspace),
        _difference(userspace, finish),
    )


def unit_times(units: Iterable[Properties]) -> list[UnitTime]:
    """Activation times of the services that were activated, slowest first (by name where equal)."""
    times = []
    for unit in units:
        seconds = _activation_seconds(unit)
        if unit.get("Id", "").endswith(".service") and seconds is not None:
            times.append(UnitTime(unit["Id"], round(seconds, 6)))
    return sorted(times, key=lambda time: (-time.seconds, time.unit))


def failed_units(units: Iterable[Properties]) -> list[str]:
    """The units in state "failed", by name."""
    return sorted(unit["Id"] for unit in units if unit.get("ActiveState") == "failed" and "Id" in unit)


def unit_named(units: Iterable[Properties], name: str) -> Properties:
    """The properties of one unit; empty where there is no such unit."""
    return next((unit for unit in units if unit.get("Id") == name), {})


def _activation_seconds(unit: Properties) -> float | None:
    started = timestamp_seconds(unit, "InactiveExitTimestampMonotonic")
    # A oneshot service that does not remain goes from "activating" to "inactive" and is never active.
    for name in ("ActiveEnterTimestampMonotonic", "InactiveEnterTimestampMonotonic"):
        seconds = _difference(started, timestamp_seconds(unit, name))
        if seconds is not None:
            return seconds
    return None


def _difference(earlier: float | None, later: float | None) -> float | None:
    if earlier is None or later is None or later < earlier:
        return None
    return later - earlier
