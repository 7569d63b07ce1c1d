"""The units of a boot: the time and resources of each, and the package that it belongs to."""

from collections.abc import Collection, Iterable, Mapping

from atomic_lib.base.model import Bytes, Model, WallSeconds
from atomic_lib.guest.evidence.running import Usage, of_login
from atomic_lib.guest.evidence.systemd import Properties, activation, whole_number
from atomic_lib.guest.vm.clock import Clock


class UnitTime(Model):
    """One systemd unit in a boot. ``seconds``: from the start of its activation to its end.

    ``started_seconds`` counts from the start of QEMU. ``critical``: it is on the critical chain.
    ``package`` owns the unit's file; None if no package does, or before the owners are known.
    ``cpu_seconds`` and ``memory_bytes`` are those of its control group when the boot was done.
    """

    unit: str
    seconds: WallSeconds
    started_seconds: WallSeconds | None = None
    critical: bool = False
    package: str | None = None
    cpu_seconds: WallSeconds | None = None
    memory_bytes: Bytes | None = None


def unit_times(
    units: Iterable[Properties], clock: Clock, critical: Collection[str], usage: Mapping[str, Usage]
) -> tuple[UnitTime, ...]:
    """The units that were activated, slowest first (by name where equal).

    These are all services and, of other units, those on the critical chain or with a control
    group; units of the login that measures are left out.
    """
    times = {}
    for unit in units:
        name, activated = unit.get("Id", ""), activation(unit)
        used = usage.get(name)
        wanted = name.endswith(".service") or name in critical or used is not None
        if activated is None or not name or not wanted or of_login(name):
            continue
        times[name] = UnitTime(
            unit=name,
            seconds=activated.seconds,
            started_seconds=clock.host_seconds(activated.started_seconds),
            critical=name in critical,
            cpu_seconds=_cpu_seconds(unit, used),
            memory_bytes=used.memory_bytes if used else None,
        )
    return tuple(sorted(times.values(), key=lambda time: (-time.seconds, time.unit)))


def unit_files(units: Iterable[Properties]) -> dict[str, str]:
    """The path of each unit's file, by unit; units without a file are left out."""
    return {unit["Id"]: unit["FragmentPath"] for unit in units if unit.get("Id") and unit.get("FragmentPath")}


def packaged_path(unit: str) -> str:
    """Where a package has the file that a unit runs by: an instance its template's, init.scope the manager itself.

    A suffix such as "(initrd)" is not part of the name.
    """
    name = unit.partition(" ")[0]
    if name == "init.scope":
        return "/usr/lib/systemd/systemd"
    template, at, instance = name.partition("@")
    return f"/usr/lib/systemd/system/{template}{at}{'.' if at else ''}{instance.rpartition('.')[2]}"


def _cpu_seconds(unit: Properties, used: Usage | None) -> float | None:
    """From the control group while it lives; systemd remembers those that are gone."""
    if used is not None and used.cpu_seconds is not None:
        return used.cpu_seconds
    nanoseconds = whole_number(unit, "CPUUsageNSec")
    return None if nanoseconds is None else nanoseconds / 1e9
