"""The table of a sweep: one row for each variant, effects over every two rows that differ in one factor."""

import io
from dataclasses import replace

import pandas  # type: ignore[import-untyped]

from atomic_lib.results.study_result import Factor
from atomic_lib.results.sweep_result import BuiltVariant, SolvedVariant, SweepResult, SweepRow, factors_of, sweep_csv

FACTORS = (Factor(name="agent", levels=("small", "large")), Factor(name="docs", levels=("without", "with")))


def row(agent: str, docs: str, installed: int | None, error: str = "") -> SweepRow:
    known = installed is not None
    solved = SolvedVariant(
        100 if known else None,
        installed,
        50 if known else None,
        "ab" if known else "",
        ("sudo",) if known else (),
        error,
    )
    return SweepRow(f"{agent}.{docs}", {"agent": agent, "docs": docs}, solved)


ROWS = (
    row("small", "without", 1000),
    row("large", "without", 1500),
    row("small", "with", 1100),
    row("large", "with", None, "no solution, because\nof libc"),
)
RESULT = SweepResult("choices", "Choices", FACTORS, ROWS)


def test_the_table_is_read_by_pandas_as_it_was_written() -> None:
    table = pandas.read_csv(io.StringIO(sweep_csv(RESULT)))
    assert list(table.columns) == ["variant", "agent", "docs", "package_count", "installed_bytes", "download_bytes",
                                   "packages_sha256", "removed_entries", "solver_error", "composed_bytes",
                                   "changed_by_scriptlets_bytes", "image_bytes", "boot_seconds",
                                   "build_error"]  # fmt: skip
    assert list(table.installed_bytes[:3]) == [1000, 1500, 1100]
    assert pandas.isna(table.installed_bytes[3])
    assert table.solver_error[3] == "no solution, because\nof libc"


def test_an_effect_is_that_of_every_two_rows_that_differ_in_it_alone() -> None:
    large, with_docs = RESULT.effects("installed_bytes")
    assert (large.level, large.differences, large.comparisons) == ("large", (500,), 2)
    assert (with_docs.level, with_docs.differences) == ("with", (100,))


def test_a_row_without_a_partner_is_in_no_effect() -> None:
    also = replace(RESULT, rows=(ROWS[0], ROWS[1], ROWS[3]))
    large, with_docs = also.effects("installed_bytes")
    assert (large.differences, large.comparisons) == ((500,), 1)
    assert (with_docs.differences, with_docs.comparisons) == ((), 1)


def test_the_base_is_the_first_level_of_each_factor() -> None:
    assert factors_of([row.levels for row in ROWS], ["agent", "docs"]) == FACTORS
    assert RESULT.base.variant == "small.without"


def test_choices_interact_where_their_bytes_do_not_add_up() -> None:
    assert RESULT.interactions("installed_bytes") == (), "one of the four has no solution"
    whole = replace(RESULT, rows=(*ROWS[:3], row("large", "with", 1450)))
    (found,) = whole.interactions("installed_bytes")
    assert (found.values, found.contrast) == ((1000, 1500, 1100, 1450), -150)


def booted(*costs: tuple[int, float]) -> SweepResult:
    """A result of which each variant was booted, with the bytes of its image and the seconds of its boot."""
    rows = [
        SweepRow(f"v{place}", {}, SolvedVariant(1, 1000, 1), BuiltVariant(1000, {"/etc/passwd": 3}, *cost))
        for place, cost in enumerate(costs)
    ]
    return SweepResult("booted", "Booted", (), (*rows, SweepRow("not", {}, SolvedVariant(1, 1, 1), BuiltVariant(1))))


def test_on_the_front_is_what_nothing_beats_in_both_bytes_and_seconds() -> None:
    result = booted((300, 1.0), (100, 3.0), (200, 3.0), (250, 2.0), (100, 4.0))
    assert [row.variant for row in result.booted] == ["v1", "v4", "v2", "v3", "v0"]
    assert [row.variant for row in result.front] == ["v1", "v3", "v0"]
    assert booted().front == ()


def test_what_was_made_is_in_the_table() -> None:
    table = pandas.read_csv(io.StringIO(sweep_csv(booted((300, 1.5)))))
    assert list(table.image_bytes[:1]) == [300]
    assert list(table.boot_seconds[:1]) == [1.5]
    assert list(table.composed_bytes) == [1000, 1]
    assert list(table.changed_by_scriptlets_bytes) == [3, 0]
    assert pandas.isna(table.boot_seconds[1])
