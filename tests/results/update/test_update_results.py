"""The files of a study's updates: read as they were written, and named where they are damaged."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.results.update.update_results import UPDATES_FILE, UpdateRound, read_updates, write_rounds
from tests.results.update.study_updates import ALL_UPDATES, MORE_ROUNDS, ROUNDS, UPDATES, write_figures


def test_all_figures_are_read_as_they_were_written(tmp_path: Path) -> None:
    write_figures(tmp_path)
    write_rounds(tmp_path, (*ROUNDS, *MORE_ROUNDS))
    assert read_updates(tmp_path) == ALL_UPDATES


def test_only_figures_of_this_run_are_read(tmp_path: Path) -> None:
    write_figures(tmp_path)
    write_rounds(tmp_path, ROUNDS)
    assert read_updates(tmp_path) == UPDATES


def test_a_run_without_updates_has_none(tmp_path: Path) -> None:
    write_figures(tmp_path)
    assert read_updates(tmp_path) is None


def test_a_round_that_failed_early_has_no_figures_and_one_that_is_not_as_predicted_has(tmp_path: Path) -> None:
    write_figures(tmp_path)
    (tmp_path / "power-cuts.json").unlink()
    update, _, cuts = ROUNDS
    bad = (update.model_copy(update={"error": "1 byte more"}), cuts.model_copy(update={"error": "no such luck"}))
    write_rounds(tmp_path, bad)
    found = read_updates(tmp_path)
    assert found
    assert found.failed == bad
    assert [one.variant for one in found.updates] == ["cloud-docker"]
    assert found.power_cuts is None


@pytest.mark.parametrize("name", [UPDATES_FILE, "power-cuts.json", "atomic-min/update.json"])
def test_a_damaged_file_is_named(tmp_path: Path, name: str) -> None:
    write_figures(tmp_path)
    write_rounds(tmp_path, ROUNDS)
    (tmp_path / name).write_text('{"rounds": [')
    with pytest.raises(WorkbookError, match=name) as caught:
        read_updates(tmp_path)
    assert "run ./workbook run again" in caught.value.hint


def test_the_files_of_a_round_are_in_its_directory() -> None:
    assert UpdateRound(kind="update", variant="x", directory="x").file(".html") == "x/update.html"
    assert UpdateRound(kind="power-cuts", variant="x").file(".json") == "power-cuts.json"
