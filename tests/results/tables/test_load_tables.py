"""The tables of a run as pandas tables, and the documentation of their columns."""

import re
from pathlib import Path

import pytest

import atomic_lib
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import CHECKOUT
from atomic_lib.results.result_files import write_study_results
from atomic_lib.results.tables.csv_columns import column_of, columns_page
from atomic_lib.results.tables.csv_tables import csv_headers
from atomic_lib.results.update.update_results import write_rounds
from tests.report import factory
from tests.report.enriched import enriched
from tests.results.update.study_updates import MORE_ROUNDS, ROUNDS, write_figures


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("run")
    write_figures(directory)
    write_rounds(directory, (*ROUNDS, *MORE_ROUNDS))
    made = [enriched(result) if result.boots else result for result in factory.all_results()]
    write_study_results(directory, factory.STUDY, made)
    return directory


def test_every_table_has_the_documented_types(run: Path) -> None:
    tables = atomic_lib.load_results(run)
    assert set(tables) == {name.removesuffix(".csv") for name in csv_headers()}
    for name, table in tables.items():
        for column, dtype in table.dtypes.items():
            assert str(dtype) == column_of(name, str(column)).dtype, f"{name}.{column}"


def test_the_example_of_the_documentation_works_and_gives_the_figures(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = atomic_lib.load_results(run)
    monkeypatch.setattr(atomic_lib, "load_results", lambda: tables)
    exec(columns_page().partition("```python\n")[2].partition("```")[0], {})
    told = capsys.readouterr().out
    assert re.search(r"atomic-min +-154\.6", told)
    assert "container-runtime" in told


def test_what_was_not_measured_is_na_and_texts_stay_texts(run: Path) -> None:
    figures = atomic_lib.load_results(run)["figures"].set_index(["variant", "figure"])
    assert figures.value.isna()["atomic-unbooted", "image_compressed_bytes"]
    assert figures.n["atomic-unbooted", "image_compressed_bytes"] == 0
    assert str(figures.date.iloc[0].tz) == "UTC"


def test_a_text_that_reads_like_a_missing_value_stays_a_text(run: Path, tmp_path: Path) -> None:
    for path in run.glob("*.csv"):
        (tmp_path / path.name).write_text(path.read_text().replace("\natomic-min,", "\nNA,"))
    assert "NA" in set(atomic_lib.load_results(tmp_path)["packages"].variant)


def test_a_run_without_tables_or_with_others_is_refused_by_name(run: Path, tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match=r"figures\.csv: no such file"):
        atomic_lib.load_results(tmp_path)
    for path in run.glob("*.csv"):
        (tmp_path / path.name).write_text(path.read_text())
    (tmp_path / "boots.csv").write_text("variant,firmware\na,b\n")
    with pytest.raises(WorkbookError, match=r"boots\.csv: not a table of this version"):
        atomic_lib.load_results(tmp_path)


def test_the_documentation_describes_every_column() -> None:
    page = (CHECKOUT / "docs/tables.md").read_text()
    assert page == columns_page(), "make it anew: python -m atomic_lib.results.tables.csv_columns >docs/tables.md"
    for name, columns in csv_headers().items():
        assert f"## {name}" in page
        assert all(f"| `{column}` |" in page for column in columns)
