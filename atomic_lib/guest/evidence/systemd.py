"""Reading ``systemctl show``: what a guest's systemd says about its boot.

Timestamps are microseconds of the guest's monotonic clock, which starts with its kernel;
systemd writes 0 for "never". https://www.freedesktop.org/wiki/Software/systemd/dbus/
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from atomic_lib.base.model import Model, WallSeconds

MANAGER_PROPERTIES = (
    "InitRDTimestampMonotonic",
    "UserspaceTimestampMonotonic",
    "FinishTimestampMonotonic",
)
UNIT_PROPERTIES = (
    "Id",
    "ActiveState",
    "SubState",
    "InactiveExitTimestampMonotonic",
    "ActiveEnterTimestampMonotonic",
    "InactiveEnterTimestampMonotonic",
    "FragmentPath",
    "CPUUsageNSec",
    "After",
)

_UNSET = 2**64 - 1
_TIMESTAMP = "TimestampMonotonic"

Properties = Mapping[str, str]


class Phases(Model):
    """The phases of a boot, as the guest's systemd counts them; None if it knows no such phase."""

    firmware_loader_seconds: WallSeconds | None = None
    kernel_seconds: WallSeconds | None = None
    initrd_seconds: WallSeconds | None = None
    userspace_seconds: WallSeconds | None = None


@dataclass(frozen=True)
class Activation:
    """From when to when a unit was activated, in seconds of the guest's clock."""

    started_seconds: float
    done_seconds: float

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.done_seconds - self.started_seconds


def read_properties(text: str) -> list[dict[str, str]]:
    """The property blocks (one per unit, an empty line between) of ``systemctl show``."""
    blocks: list[dict[str, str]] = [{}]
    for line in text.split("\n"):
        name, equals, value = line.partition("=")
        if not line.strip():
            blocks.append({})
        elif equals:
            blocks[-1][name] = value
    return [block for block in blocks if block]


def whole_number(properties: Properties, name: str) -> int | None:
    """A number of 64 bits, or None if systemd has none ("[not set]", or all bits set)."""
    value = properties.get(name, "").strip()
    if not (value.isascii() and value.isdecimal()) or len(value) > 20 or int(value) >= _UNSET:
        return None
    return int(value)


def timestamp_seconds(properties: Properties, name: str) -> float | None:
    """A timestamp in seconds, or None if systemd has none."""
    value = whole_number(properties, name)
    return value / 1e6 if value else None


def forget_future(properties: Properties, now_seconds: float) -> dict[str, str]:
    """The properties without timestamps later than ``now_seconds``, the guest's clock afterwards."""
    return {
        name: value
        for name, value in properties.items()
        if not (name.endswith(_TIMESTAMP) and (timestamp_seconds(properties, name) or 0) > now_seconds)
    }


def boot_phases(manager: Properties, clock_zero_seconds: float | None) -> Phases:
    """The phases; ``clock_zero_seconds``: from QEMU's start to the zero of the guest's clock.

    Firmware and boot loader end where the guest's clock starts. An image without an initrd
    has a kernel phase that lasts until userspace.
    """
    initrd = timestamp_seconds(manager, "InitRDTimestampMonotonic")
    userspace = timestamp_seconds(manager, "UserspaceTimestampMonotonic")
    finish = timestamp_seconds(manager, "FinishTimestampMonotonic")
    return Phases(
        firmware_loader_seconds=clock_zero_seconds,
        kernel_seconds=initrd if initrd is not None else userspace,
        initrd_seconds=_difference(initrd, userspace),
        userspace_seconds=_difference(userspace, finish),
    )


def activation(unit: Properties) -> Activation | None:
    """When the unit was last activated; None if it was not, or if its timestamps make no sense."""
    started = timestamp_seconds(unit, "InactiveExitTimestampMonotonic")
    # A oneshot service that does not remain goes from "activating" to "inactive" and is never active.
    for name in ("ActiveEnterTimestampMonotonic", "InactiveEnterTimestampMonotonic"):
        done = timestamp_seconds(unit, name)
        if started is not None and done is not None and done >= started:
            return Activation(started, done)
    return None


def activations(units: Iterable[Properties]) -> dict[str, Activation]:
    """The activations by unit, of those that were activated."""
    found = ((unit.get("Id", ""), activation(unit)) for unit in units)
    return {name: times for name, times in found if name and times is not None}


def failed_units(units: Iterable[Properties]) -> list[str]:
    """The units in state "failed", by name."""
    return sorted(unit["Id"] for unit in units if unit.get("ActiveState") == "failed" and "Id" in unit)


def unit_named(units: Iterable[Properties], name: str) -> Properties:
    """The properties of one unit; empty if there is no such unit."""
    return next((unit for unit in units if unit.get("Id") == name), {})


def _difference(earlier: float | None, later: float | None) -> float | None:
    if earlier is None or later is None or later < earlier:
        return None
    return later - earlier
