"""Reading the output of systemctl show."""

import pytest

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

UNITS = r"""Id=systemd-fsck@dev-disk-by\x2duuid-1a2b\x2d3c.service
ActiveState=active
InactiveExitTimestampMonotonic=2000000
ActiveEnterTimestampMonotonic=2500000
InactiveEnterTimestampMonotonic=0

InactiveExitTimestampMonotonic=1000000
ActiveEnterTimestampMonotonic=4000000
Id=docker.service
ActiveState=active


Id=oneshot=odd.service
ActiveState=inactive
InactiveExitTimestampMonotonic=1000000
ActiveEnterTimestampMonotonic=0
InactiveEnterTimestampMonotonic=1250000

Id=failed-in-between.service
ActiveState=failed
InactiveExitTimestampMonotonic=9000000
ActiveEnterTimestampMonotonic=1000000
InactiveEnterTimestampMonotonic=18446744073709551615

Id=never.service
ActiveState=inactive
InactiveExitTimestampMonotonic=0
ActiveEnterTimestampMonotonic=
InactiveEnterTimestampMonotonic=[not set]

Id=multi-user.target
ActiveState=active
InactiveExitTimestampMonotonic=5000000
ActiveEnterTimestampMonotonic=5000000
"""


def test_units_are_read_whatever_their_names_and_order_of_properties() -> None:
    units = read_properties(UNITS)
    assert unit_times(units) == [
        UnitTime("docker.service", 3.0),
        UnitTime(r"systemd-fsck@dev-disk-by\x2duuid-1a2b\x2d3c.service", 0.5),
        UnitTime("oneshot=odd.service", 0.25),
    ]
    assert failed_units(units) == ["failed-in-between.service"]
    assert timestamp_seconds(unit_named(units, "multi-user.target"), "ActiveEnterTimestampMonotonic") == 5.0
    assert unit_named(units, "sshd.service") == {}


@pytest.mark.parametrize("text", ["", "\n\n", "Failed to connect to bus: No such file or directory\n"])
def test_nothing_to_read_gives_no_units(text: str) -> None:
    assert read_properties(text) == []
    assert unit_times([]) == []


def test_services_that_took_equally_long_are_ordered_by_name() -> None:
    block = "Id={}.service\nInactiveExitTimestampMonotonic=1\nActiveEnterTimestampMonotonic=1\n\n"
    units = read_properties(block.format("b") + block.format("a"))
    assert unit_times(units) == [UnitTime("a.service", 0.0), UnitTime("b.service", 0.0)]


MANAGER = {
    "InitRDTimestampMonotonic": "2000000",
    "UserspaceTimestampMonotonic": "5500000",
    "FinishTimestampMonotonic": "20000000",
}


def test_phases_of_a_boot() -> None:
    assert boot_phases(MANAGER, 3.0) == Phases(3.0, 2.0, 3.5, 14.5)
    without_initrd = {**MANAGER, "InitRDTimestampMonotonic": "0"}
    assert boot_phases(without_initrd, 3.0) == Phases(3.0, 5.5, None, 14.5)


def test_what_the_guest_does_not_know_is_none_and_never_zero() -> None:
    assert boot_phases({**MANAGER, "FinishTimestampMonotonic": "0"}, 3.0).userspace_seconds is None
    assert boot_phases({}, None) == Phases(None, None, None, None)
    assert boot_phases({**MANAGER, "UserspaceTimestampMonotonic": "1"}, 1.0).initrd_seconds is None
