"""Change points of a figure: a planted step is found and named, and noise alone has none."""

import random
import sqlite3
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import write_text
from atomic_lib.guest.counted.counted_boot import CountedBoot
from atomic_lib.guest.counted.probe import CountedUnit
from atomic_lib.results.build_result import PackageSize
from atomic_lib.results.history.change_points import Noise, change_points
from atomic_lib.results.history.database import open_history
from atomic_lib.results.history.figure_trends import Trend, read_trends
from atomic_lib.results.history.run_recording import record_run
from atomic_lib.results.result_files import RESULTS_FILE
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult
from tests.report import factory
from tests.results.history.test_run_recording import FACTS

RUNS, STEP_AT = 30, 17
PLAIN = factory.variant_result("atomic-min", boots=0)
NAMES = [f"package{number}" for number in range(20)]


def noise_of(seed: int, part: float, count: int = RUNS) -> list[float]:
    generator = random.Random(seed)
    return [1 + generator.gauss(0, part) for _ in range(count)]


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize(("noise", "part"), [("exact", 0.0), ("exact", 0.0002), ("counted", 0.004), ("clock", 0.05)])
def test_noise_alone_has_no_change_point(seed: int, noise: Noise, part: float) -> None:
    values = [500e6 * value for value in noise_of(seed, part)]
    assert change_points(values, noise) == ()


@pytest.mark.parametrize("seed", range(30))
def test_wall_clock_times_of_a_loaded_machine_have_none_either(seed: int) -> None:
    generator = random.Random(seed)
    load = accumulate((generator.uniform(0, 0.2) for _ in range(RUNS)), lambda old, new: 0.6 * old + new)
    values = [50 * (1 + one + 0.03 * generator.expovariate(1)) for one in load]
    assert change_points(values, "clock") == ()


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(("noise", "part"), [("exact", 0.0), ("exact", 0.0002), ("counted", 0.002)])
def test_a_step_of_one_percent_is_found_where_it_is(seed: int, noise: Noise, part: float) -> None:
    values = noise_of(seed, part)
    stepped = [value * (1.01 if place >= STEP_AT else 1) for place, value in enumerate(values)]
    (found,) = change_points(stepped, noise)
    assert abs(found - STEP_AT) <= (1 if noise == "counted" else 0), "noise may hide one run, and a size has none"


def test_a_new_size_is_found_in_the_first_run_that_has_it() -> None:
    assert change_points([500e6] * 9 + [505e6], "exact") == (9,)
    assert change_points([500e6, 505e6], "exact") == (1,)


def test_a_large_step_of_wall_clock_times_needs_as_many_boots_as_the_rank_test() -> None:
    fast, slow = [value * 50 for value in noise_of(1, 0.02, 10)], [value * 65 for value in noise_of(2, 0.02, 10)]
    assert change_points([*fast, *slow], "clock") == (10,)
    assert change_points([*fast, *slow[:3]], "clock") == ()


@pytest.mark.parametrize("values", [[], [1.0], [0.0] * 20, [5.0] * 20])
@pytest.mark.parametrize("noise", ["exact", "counted", "clock"])
def test_a_short_or_constant_series_has_none(values: Sequence[float], noise: Noise) -> None:
    assert change_points(values, noise) == ()


@pytest.fixture
def history(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with open_history(tmp_path / "history.sqlite") as connection:
        connection.execute("PRAGMA synchronous = OFF")  # a thousand transactions
        yield connection


def build(sizes: dict[str, tuple[str, int]], units: dict[str, float]) -> VariantResult:
    packages = tuple(
        PackageSize(name=name, version=version, release="1", arch="x86_64", bytes=size, files=1, class_="other")
        for name, (version, size) in sizes.items()
    )
    rows = tuple(CountedUnit(unit=f"{name}.service", package=name, cpu_seconds=cost) for name, cost in units.items())
    boot = CountedBoot(
        busy_seconds=sum(units.values()), outside_units_seconds=0, shift=0, qemu_version="10", units=rows
    )
    total = sum(size for _, size in sizes.values())
    return PLAIN.model_copy(
        update={"packages": packages, "classes": (), "tree_bytes": total, "counted_boots": (boot,)}
    )  # fmt: skip


def record_series(history: sqlite3.Connection, runs: Path, seed: int, *, step: float) -> str:
    """Record thirty runs with new versions every day, and a step of the tree and the boot; returns the package."""
    generator = random.Random(seed)
    planted = generator.choice(NAMES)
    sizes = {name: ("1.0", generator.randint(3_000_000, 40_000_000)) for name in NAMES}
    total, costs = sum(size for _, size in sizes.values()), {name: generator.uniform(0.3, 1.5) for name in NAMES}
    whole = sum(costs.values())
    for place in range(RUNS):
        for name in generator.sample(NAMES, 3):  # what changes every day: versions, and a few bytes
            sizes[name] = (f"1.{place}", sizes[name][1] + generator.randint(-9_000, 9_000))
        if place == STEP_AT:
            sizes[planted] = ("2.0", sizes[planted][1] + round(step * total))
            costs[planted] += step * whole
        noisy = {name: cost * (1 + generator.gauss(0, 0.004)) for name, cost in costs.items()}
        study = StudyResult(study="default", title="t", baseline="atomic-min", run=f"{place:02}",
                            created=f"2026-01-{place + 1:02}", variants=(build(sizes, noisy),),
                            provenance=FACTS.provenance())  # fmt: skip
        write_text(runs / study.run / RESULTS_FILE, study.model_dump_json())
        record_run(history, runs / study.run)
    return planted


def trends(history: sqlite3.Connection) -> tuple[Trend, Trend]:
    tree, boot = read_trends(history, "default", ["tree_bytes", "counted_busy_seconds"])
    return tree, boot


@pytest.mark.parametrize("seed", range(20))
def test_a_planted_step_of_one_percent_is_found_and_its_cause_is_named(
    history: sqlite3.Connection, tmp_path: Path, seed: int
) -> None:
    planted = record_series(history, tmp_path / "runs", seed, step=0.01)
    tree, boot = trends(history)
    (change,) = tree.changes
    assert (change.after.run, change.before.run) == (f"{STEP_AT:02}", f"{STEP_AT - 1:02}")
    assert (change.causes[0].name, change.causes[0].after) == (planted, "2.0-1")
    assert sum(one.amount for one in change.causes) == pytest.approx(change.amount)
    (change,) = boot.changes
    assert change.causes[0].name == f"{planted}.service"
    assert abs(int(change.after.run) - STEP_AT) <= 1, "the noise may hide one run"


@pytest.mark.parametrize("seed", range(30))
def test_a_history_without_a_step_has_no_change(history: sqlite3.Connection, tmp_path: Path, seed: int) -> None:
    record_series(history, tmp_path / "runs", seed, step=0.0)
    assert [trend.changes for trend in trends(history)] == [(), ()]


def test_a_figure_that_no_build_has_is_refused_with_those_that_there_are(
    history: sqlite3.Connection, tmp_path: Path
) -> None:
    record_series(history, tmp_path / "runs", 1, step=0)
    with pytest.raises(WorkbookError, match=r"has a figure 'tree_bites' \(did you mean 'tree_bytes'\?\)") as caught:
        read_trends(history, "default", ["tree_bytes", "tree_bites"])
    assert "counted_busy_seconds, " in caught.value.hint
