"""Units with their times, use and package."""

import pytest

from atomic_lib.guest.evidence.running import Usage
from atomic_lib.guest.evidence.systemd import read_properties
from atomic_lib.guest.evidence.unit_times import UnitTime, packaged_path, unit_files, unit_times
from atomic_lib.guest.vm.clock import Clock

CLOCK = Clock(4.0, 0.1)
BLOCK = "Id={}\nInactiveExitTimestampMonotonic={}\nActiveEnterTimestampMonotonic={}\n{}\n"


def block(name: str, started: int, done: int, rest: str = "") -> str:
    return BLOCK.format(name, started * 1_000_000, done * 1_000_000, rest)


def test_a_unit_has_its_times_use_and_file() -> None:
    units = read_properties(
        block("a.service", 1, 3, "CPUUsageNSec=1500000000\nFragmentPath=/usr/lib/systemd/system/a.service\n")
        + block("b.service", 2, 3, "CPUUsageNSec=[not set]\n")
        + block("c.target", 5, 5, f"CPUUsageNSec={2**64 - 1}\n")
    )
    usage = {"b.service": Usage(0.25, 4096, 1)}
    assert unit_times(units, CLOCK, {"c.target"}, usage) == (
        UnitTime(unit="a.service", seconds=2.0, started_seconds=5.0, cpu_seconds=1.5),
        UnitTime(unit="b.service", seconds=1.0, started_seconds=6.0, cpu_seconds=0.25, memory_bytes=4096),
        UnitTime(unit="c.target", seconds=0.0, started_seconds=9.0, critical=True),
    )
    assert unit_files(units) == {"a.service": "/usr/lib/systemd/system/a.service"}


def test_units_that_tell_nothing_are_left_out() -> None:
    text = block("x.target", 1, 1) + block("never.service", 0, 0) + block("user@0.service", 1, 2)
    text += block("init.scope", 1, 1) + block("a.service", 1, 2) + block("a.service", 1, 2)
    names = [time.unit for time in unit_times(read_properties(text), CLOCK, (), {"init.scope": Usage(1.0, 2, 1)})]
    assert names == ["a.service", "init.scope"]


def test_names_from_hell_stay_as_they_are() -> None:
    names = [
        r"dev-disk-by\x2dlabel-root\x5cx.service", "-.service", "--help.service", "a=b==c.service",
        "\N{SNOWMAN}\u2028\N{RIGHT-TO-LEFT OVERRIDE}.service", f"{'x' * 247}.service", "$(reboot) `x`.service",
        "<script>alert(1)</script>.service", "nan.service", "../../etc.service",
    ]  # fmt: skip
    units = read_properties("\n".join(block(name, 1, 2) for name in names))
    assert sorted(time.unit for time in unit_times(units, CLOCK, (), {})) == sorted(names)


def test_units_that_took_equally_long_are_ordered_by_name() -> None:
    times = unit_times(read_properties(block("b.service", 1, 1) + block("a.service", 1, 1)), CLOCK, (), {})
    assert [time.unit for time in times] == ["a.service", "b.service"]


@pytest.mark.parametrize(
    ("unit", "path"),
    [
        ("docker.service", "/usr/lib/systemd/system/docker.service"),
        ("systemd-udevd.service (initrd)", "/usr/lib/systemd/system/systemd-udevd.service"),
        ("getty@tty1.service", "/usr/lib/systemd/system/getty@.service"),
        ("modprobe@efi_pstore.service", "/usr/lib/systemd/system/modprobe@.service"),
        ("init.scope", "/usr/lib/systemd/systemd"),
    ],
)
def test_where_a_package_has_the_file_of_a_unit(unit: str, path: str) -> None:
    assert packaged_path(unit) == path
