"""Measured tables: their JSON, their Markdown, and what is refused."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from atomic_lib.base.errors import WorkbookError
from benchmarks.measured import Column, Format, MeasuredTable, Source, Value, quantity, read_table, spread, write_table


def table(*rows: tuple[Value, ...], columns: tuple[Column, ...] = ()) -> MeasuredTable:
    return MeasuredTable(
        name="costs",
        caption="Costs",
        source=Source(command="`a command`", revision="0123456789abcdef-dirty", date="2026-01-02", load_1m=1.25),
        columns=columns or (Column(title="way"), Column(title="tree", format="bytes", difference=True)),
        rows=rows,
    )


def test_rows_after_the_first_show_their_difference() -> None:
    lines = table(("none", 10_000_000), ("more", 10_043_000), ("less", 9_000_000), ("same", 10_000_000)).markdown()
    assert lines.splitlines()[2:8] == [
        "| way | tree |",
        "| --- | ---: |",
        "| none | 10.0 MB |",
        "| more | +43.0 kB |",
        "| less | −1.0 MB |",  # noqa: RUF001
        "| same | +0 B |",
    ]


def test_the_source_stands_below_the_table() -> None:
    last = table(("none", 1)).markdown().splitlines()[-1]
    assert last == "Source: `a command`, revision 0123456789ab-dirty, 2026-01-02, load 1.2 before the start."


def test_samples_show_median_and_range_and_texts_are_shown_as_they_are() -> None:
    columns = (Column(title=""), Column(title="time", format="seconds"))
    text = table(("a", (3.0, 1.0, 2.0)), ("b", "none"), ("c", None), columns=columns).markdown()
    assert "| a | 2.0 s (1.0 to 3.0) |\n| b | none |\n| c | – |\n" in text  # noqa: RUF001
    assert spread([3.0], "seconds") == "3.0 s"


@pytest.mark.parametrize(
    ("value", "format", "text"),
    [
        (1_850_000_000, "bytes", "1.85 GB"), (498_100_000, "bytes", "498.1 MB"), (12, "bytes", "12 B"),
        (66 * 2**20, "memory", "66 MiB"), (817.4, "seconds", "817 s"), (35, "seconds", "35 s"),
        (0.12, "seconds", "0.1 s"),
        (17069, "count", "17,069"), (35.6, "percent", "36 %"), (2.704, "ratio", "2.70"),
    ],
)  # fmt: skip
def test_numbers_have_their_unit(value: float, format: Format, text: str) -> None:
    assert quantity(value, format) == text


def test_json_keeps_everything(tmp_path: Path) -> None:
    columns = (Column(title=""), Column(title="time", format="seconds"), Column(title="size", format="bytes"))
    whole = table(("a", (3.0, 1.0), 7), ("b", None, "unknown"), columns=columns)
    write_table(whole, tmp_path)
    assert read_table(tmp_path / "costs.json") == whole


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ((), "at least one row"),
        ((("a",),), "has 1 values for 2 columns"),
        ((("a", 1, 2),), "has 3 values for 2 columns"),
        (((5, 1),), "is a text column and holds a number"),
    ],
)
def test_incomplete_tables_are_refused(rows: tuple[tuple[Value, ...], ...], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        table(*rows)


def test_a_file_is_named_as_its_table(tmp_path: Path) -> None:
    write_table(table(("a", 1)), tmp_path)
    (tmp_path / "costs.json").rename(tmp_path / "other.json")
    with pytest.raises(WorkbookError, match="must be 'other'"):
        read_table(tmp_path / "other.json")
    (tmp_path / "other.json").write_text('{"name": "other"}')
    with pytest.raises(WorkbookError, match=r"other\.json: caption"):
        read_table(tmp_path / "other.json")
