"""The benchmark of the counted boot: its planted program and its tables."""

from pathlib import Path

import pytest

from atomic_lib.base import command
from atomic_lib.guest.counted.counted_boot import CountedBoot
from atomic_lib.guest.counted.probe import CountedUnit
from benchmarks.counted_spread import PLANTED_UNIT, Spread, burner, report, spread_percent, widest_unit

BOOT = CountedBoot(
    busy_seconds=20.0, outside_units_seconds=5.0, shift=0, units=(CountedUnit(unit="a.service", cpu_seconds=15.0),)
)  # fmt: skip


def with_units(seconds: dict[str, float], busy_seconds: float) -> CountedBoot:
    units = tuple(CountedUnit(unit=unit, cpu_seconds=cost) for unit, cost in seconds.items())
    return BOOT.model_copy(update={"units": units, "busy_seconds": busy_seconds})


@pytest.mark.parametrize("instructions", [4, 2_000_000])
def test_the_planted_program_runs_and_ends(tmp_path: Path, instructions: int) -> None:
    program = tmp_path / "burn"
    program.write_bytes(burner(instructions))
    program.chmod(0o755)
    assert command.run([program], timeout_seconds=20).stdout == ""


def test_spread_is_relative_to_the_middle() -> None:
    assert spread_percent([2.0, 2.0, 2.0]) == 0
    assert spread_percent([1.99, 2.0, 2.01]) == pytest.approx(1.0)


def test_the_unit_that_differs_most_is_named() -> None:
    other = with_units({"a.service": 15.001, "b.service": 0.0025}, 20.0)
    assert widest_unit([BOOT, other]) == "2.500 (b.service)"


def test_the_tables_count_false_alarms_and_show_the_planted_unit() -> None:
    far = with_units({"a.service": 17.0}, 22.0)
    planted = with_units({"a.service": 15.0, PLANTED_UNIT: 0.2}, 20.2)
    lines = report(Spread([BOOT, BOOT, BOOT], [BOOT, far], planted), 195_000_000).splitlines()
    assert "0 of 3 pairs" in lines[2]
    assert "1 of 1 pairs" in lines[3]
    assert [line for line in lines if line.startswith("- planted.service: +0.200 counted s")]
