"""CSV tables: every figure of the results is in one, empty where it was not measured."""

import csv

from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.tables import csv_tables
from atomic_lib.results.variant_result import FailedBoot
from tests.report import factory
from tests.report.enriched import enriched_study, factor_study
from tests.report.factory import study_of
from tests.results.update.study_updates import ALL_UPDATES


def rows_of(study: StudyResult, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(csv_tables.csv_texts(study)[name].splitlines()))


def test_every_row_has_the_columns_of_its_header() -> None:
    study = factor_study(enriched_study(study_of(*factory.all_results()), "atomic-min"))
    dead = FailedBoot(firmware="uefi", index=2, started="2026-01-02T03:04:05+00:00", reason="no login, within 600 s")
    variants = (study.variants[0].model_copy(update={"failed_boots": (dead,)}), *study.variants[1:])
    study = study.model_copy(update={"fallbacks": {"atomic-broken": "atomic-min"}, "variants": variants})
    texts = csv_tables.csv_texts(study, ALL_UPDATES)
    assert list(texts) == list(csv_tables.csv_headers())
    for name, text in texts.items():
        header, *rows = csv.reader(text.splitlines())
        assert rows, name
        assert {len(row) for row in rows} == {len(header)}, name


def test_without_results_there_are_header_lines_only() -> None:
    assert {len(text.splitlines()) for text in csv_tables.csv_texts(study_of()).values()} == {1}


def test_the_image_adds_up_in_its_table() -> None:
    study = enriched_study(study_of(factory.variant_result("atomic-min")))
    rows = rows_of(study, "image_parts.csv")
    assert sum(int(row["image_bytes"]) for row in rows) == study.variants[0].image_allocated_bytes
    assert sum(int(row["qcow2_bytes"]) for row in rows) == study.variants[0].image_compressed_bytes


def test_what_was_not_measured_is_an_empty_field() -> None:
    study = study_of(factory.variant_result("atomic-min"))
    (boot,) = rows_of(study, "boots.csv")
    assert (boot["service_count"], boot["listeners"], boot["setuid_files"]) == ("", "", "")
    assert (boot["started"], boot["host_load_1m"], boot["host_load_1m_after"]) == ("", "1.4", "")
    assert (boot["host_other_busy_cpus"], boot["host_cpu_model"], boot["warm_up"]) == ("", "Example CPU", "False")
    assert rows_of(study, "packages.csv")[0]["qcow2_bytes"] == ""
    assert rows_of(study, "units.csv")[0]["started_seconds"] == ""


def test_every_figure_is_one_row_with_its_unit_and_its_samples_counted_boots_included() -> None:
    study = enriched_study(study_of(factory.variant_result("atomic-min", boots=3), factory.incomplete_result()))
    rows = {(row["variant"], row["figure"]): row for row in rows_of(study, "figures.csv")}
    assert {row["unit"] for row in rows.values()} == {"bytes", "count", "seconds", "counted_seconds"}
    assert {(row["run"], row["date"], row["content"]) for row in rows.values()} == {
        (study.run, study.created, "standin")
    }
    found = {figure: (rows["atomic-min", figure]["value"], rows["atomic-min", figure]["n"]) for _, figure in rows}
    assert found["tree_bytes"] == (str(study.variants[0].tree_bytes), "1")
    assert found["ssh_login_seconds:bios:tcg"] == ("51.2", "3")
    busy = study.variants[0].counted_boots[0].busy_seconds
    assert found["counted_busy_seconds"] == (str(busy), "1")
    missing = rows["atomic-unbooted", "counted_busy_seconds"]
    assert (missing["value"], missing["n"]) == ("", "0")


def test_a_failed_boot_has_a_row_with_its_reason() -> None:
    dead = FailedBoot(firmware="counted", index=1, reason="no login, no end")
    result = factory.variant_result("atomic-min").model_copy(update={"failed_boots": (dead,)})
    assert rows_of(study_of(result), "failed_boots.csv") == [
        {"variant": "atomic-min", "firmware": "counted", "index": "1", "started": "", "reason": "no login, no end"}
    ]
