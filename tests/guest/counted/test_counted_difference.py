"""When a difference between two counted boots counts."""

from atomic_lib.guest.counted.counted_boot import CountedBoot
from atomic_lib.guest.counted.counted_difference import UNIT_LIMIT_SECONDS, counted_difference
from atomic_lib.guest.counted.probe import CountedUnit

BOOT = CountedBoot(
    busy_seconds=19.4, outside_units_seconds=5.2, shift=0,
    units=(
        CountedUnit(unit="docker.service", cpu_seconds=12.0), CountedUnit(unit="small.service", cpu_seconds=2.2),
    ),
)  # fmt: skip


def with_units(**seconds: float) -> CountedBoot:
    units = {unit.unit: unit.cpu_seconds for unit in BOOT.units}
    units |= {f"{name}.service": value for name, value in seconds.items()}
    more = sum(units.values()) - sum(unit.cpu_seconds for unit in BOOT.units)
    rows = tuple(CountedUnit(unit=name, cpu_seconds=value) for name, value in units.items())
    return BOOT.model_copy(update={"units": rows, "busy_seconds": BOOT.busy_seconds + more})


def test_the_same_boot_shows_no_difference() -> None:
    assert counted_difference(BOOT, BOOT).costs == ()


def test_a_unit_that_takes_one_percent_of_the_boot_is_found_and_named() -> None:
    difference = counted_difference(BOOT, with_units(planted=0.194))
    assert difference.units == ("planted.service",)
    assert [cost.what for cost in difference.costs] == ["boot", "planted.service"]
    assert counted_difference(with_units(planted=0.194), BOOT).units == ("planted.service",)


def test_a_unit_within_its_limit_is_not_a_difference() -> None:
    near = with_units(small=2.2 + UNIT_LIMIT_SECONDS / 2, new=UNIT_LIMIT_SECONDS / 2)
    assert counted_difference(BOOT, near).costs == ()


def test_what_is_outside_of_all_units_is_told_apart_from_them() -> None:
    difference = counted_difference(BOOT, BOOT.model_copy(update={"outside_units_seconds": 6.2, "busy_seconds": 20.4}))
    assert [cost.what for cost in difference.costs] == ["boot", "outside all units"]
    assert difference.units == ()


def test_a_difference_says_what_changed_by_how_much() -> None:
    text = str(counted_difference(BOOT, with_units(planted=0.194)).costs[1])
    assert text.startswith("planted.service: +0.194 counted s (0.000 to 0.194, limit ")
