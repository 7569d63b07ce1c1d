"""Reading the output of systemctl show."""

import pytest

from atomic_lib.guest.evidence.systemd import (
    Activation,
    Phases,
    activations,
    boot_phases,
    failed_units,
    forget_future,
    read_properties,
    timestamp_seconds,
    unit_named,
    whole_number,
)
from tests.guest.evidence.answers import phases

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
    assert activations(units) == {
        r"systemd-fsck@dev-disk-by\x2duuid-1a2b\x2d3c.service": Activation(2.0, 2.5),
        "docker.service": Activation(1.0, 4.0),
        "oneshot=odd.service": Activation(1.0, 1.25),
        "multi-user.target": Activation(5.0, 5.0),
    }
    assert activations(units)["docker.service"].seconds == 3.0
    assert failed_units(units) == ["failed-in-between.service"]
    assert timestamp_seconds(unit_named(units, "multi-user.target"), "ActiveEnterTimestampMonotonic") == 5.0
    assert unit_named(units, "sshd.service") == {}


@pytest.mark.parametrize("text", ["", "\n\n", "Failed to connect to bus: No such file or directory\n"])
def test_nothing_to_read_gives_no_units(text: str) -> None:
    assert read_properties(text) == []


def test_only_a_newline_ends_a_line() -> None:
    assert read_properties("FragmentPath=/a\u2028b\x0bc\x85d\nId=x") == [
        {"FragmentPath": "/a\u2028b\x0bc\x85d", "Id": "x"}
    ]


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("0", 0), ("250000", 250000), (" 7 ", 7), ("[not set]", None), ("infinity", None), ("", None), ("-1", None),
        (str(2**64 - 1), None), ("9" * 5000, None), ("\u0661\u0662", None), ("2y 11month", None), ("1e6", None),
    ],
)  # fmt: skip
def test_a_number_is_one_or_unknown(value: str, number: int | None) -> None:
    assert whole_number({"CPUUsageNSec": value}, "CPUUsageNSec") == number
    assert whole_number({}, "CPUUsageNSec") is None


def test_what_lies_after_the_answer_is_forgotten() -> None:
    unit = {
        "Id": "a.service",
        "CPUUsageNSec": "99000000",
        "InactiveExitTimestampMonotonic": "4000000",
        "ActiveEnterTimestampMonotonic": "63072000000000",
    }
    known = forget_future(unit, 5.0)
    assert set(unit) - set(known) == {"ActiveEnterTimestampMonotonic"}
    assert activations([known]) == {}


MANAGER = {
    "InitRDTimestampMonotonic": "2000000",
    "UserspaceTimestampMonotonic": "5500000",
    "FinishTimestampMonotonic": "20000000",
}


def test_phases_of_a_boot() -> None:
    assert boot_phases(MANAGER, 3.0) == phases(3.0, 2.0, 3.5, 14.5)
    without_initrd = {**MANAGER, "InitRDTimestampMonotonic": "0"}
    assert boot_phases(without_initrd, 3.0) == phases(3.0, 5.5, None, 14.5)


def test_what_the_guest_does_not_know_is_none_and_never_zero() -> None:
    assert boot_phases({**MANAGER, "FinishTimestampMonotonic": "0"}, 3.0).userspace_seconds is None
    assert boot_phases({}, None) == Phases()
    assert boot_phases({**MANAGER, "UserspaceTimestampMonotonic": "1"}, 1.0).initrd_seconds is None
