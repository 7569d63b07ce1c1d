"""The CSV tables of updates: each figure with where it is from, and each state, guest and attempt."""

import csv
from pathlib import Path

import atomic_lib
from atomic_lib.results.result_files import write_study_results
from atomic_lib.results.tables.csv_tables import csv_texts
from atomic_lib.results.tables.csv_updates import update_headers
from atomic_lib.results.update.update_results import write_rounds
from tests.report import factory
from tests.report.factory import study_of
from tests.results.update.study_updates import ALL_UPDATES, CUTS, MORE_ROUNDS, ROUNDS, write_figures

TEXTS = csv_texts(study_of(), ALL_UPDATES)


def rows_of(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(TEXTS[name].splitlines()))


def test_a_way_has_a_row_for_each_figure_with_where_it_is_from() -> None:
    rows = [row for row in rows_of("update_ways.csv") if row["variant"] == "atomic-min"]
    assert [
        (row["source"], row["requests"], row["bytes"]) for row in rows if row["way"] == "loose objects"
    ] == [("locks", "", "1220000"), ("versions", "321", "1234567"), ("loopback", "321", "1234567"),
          ("guest", "321", "1234567")]  # fmt: skip
    assert {row["source"] for row in rows if row["way"] == "whole image"} == {"locks", "versions"}
    assert {row["changes"] for row in rows} == {"package config"}


def test_a_step_has_what_it_took_and_what_was_not_measured_is_empty() -> None:
    steps = {row["step"]: row for row in rows_of("update_steps.csv") if row["variant"] == "atomic-min"}
    download = steps["download"]
    assert (download["written_bytes"], download["processor_seconds"]) == ("50000000", "7.2")
    assert (download["disk_used_bytes"], download["docker_seconds"]) == ("1000000000", "")
    assert (steps["reboot"]["docker_seconds"], steps["reboot"]["written_bytes"]) == ("75.0", "")


def test_each_state_after_a_power_cut_is_a_row() -> None:
    rows = rows_of("power_cuts.csv")
    assert len(rows) == sum(len(one.cuts) for one in CUTS.recordings)
    assert {(row["recording"], row["variant"]) for row in rows} == {
        ("none", "atomic-min"), ("no-fsync", "atomic-min"), ("no-sync", "atomic-min"), ("dnf", "cloud-docker"),
    }  # fmt: skip
    lost = [row for row in rows if row["outcome"] == "unbootable" and row["recording"] == "none"]
    assert [(row["kind"], row["flush"], row["kept"], row["damaged_parts"]) for row in lost] == [
        ("one missing", "10", "3", "boot")
    ]


def test_guests_that_went_back_and_attempts_are_rows() -> None:
    returned, good = rows_of("automatic_returns.csv")
    assert [returned[name] for name in ("fault", "version", "as_expected", "version_2_boots", "version_1_boots")] == [
        "unit", "version 1", "True", "2", "1",
    ]  # fmt: skip
    assert (good["fault"], good["version"]) == ("nothing", "version 2")
    refused, resumed = rows_of("refused_updates.csv")
    assert [refused[name] for name in ("case", "command", "expected", "status", "repeat_status")] == [
        "unsigned", "upgrade", "refused", "1", "",
    ]  # fmt: skip
    assert (resumed["objects"], resumed["repeat_status"], resumed["repeat_objects"]) == ("34", "0", "33")


def test_only_a_run_with_updates_has_the_tables_and_they_are_read_with_the_others(tmp_path: Path) -> None:
    write_study_results(tmp_path, factory.STUDY, [])
    assert [name for name in update_headers() if (tmp_path / name).exists()] == []
    assert "update_ways" not in atomic_lib.load_results(tmp_path)
    write_figures(tmp_path)
    write_rounds(tmp_path, (*ROUNDS, *MORE_ROUNDS))
    write_study_results(tmp_path, factory.STUDY, [])
    tables = atomic_lib.load_results(tmp_path)
    assert {name: len(tables[name.removesuffix(".csv")]) for name in update_headers()} == {
        name: len(rows_of(name)) for name in update_headers()
    }
    assert tables["update_ways"].requests.isna().sum() > 0
