"""The tables of labels, and the check as a result keeps it."""

import pytest
from pydantic import ValidationError

from atomic_lib.measure.labels import LabelCheck, LabelFinding, Labels
from atomic_lib.report.tables.build_contents import label_tables
from atomic_lib.results.tables.csv_tables import LABEL_FIELDS
from tests.report import factory
from tests.report.enriched import LABELS, enriched, enriched_study
from tests.report.factory import plain, study_of

ETC, BIN = "system_u:object_r:etc_t:s0", "system_u:object_r:bin_t:s0"


def check(*findings: LabelFinding) -> LabelCheck:
    return LabelCheck("default", 1000, findings, {"one": "Its reason is given.", "two": "Nobody needs this one."})


def test_a_result_counts_what_each_exception_explains_and_names_what_is_wrong() -> None:
    kept = check(
        LabelFinding("/a", ETC, BIN, "one"), LabelFinding("/b", "", ETC), LabelFinding("/odd\udcff", BIN, ETC, "one")
    ).summary()
    assert (kept.checked, kept.right, kept.unlabelled, kept.wrong_paths) == (1000, 997, 1, 1)
    assert [(one.exception, one.paths, one.example) for one in kept.explained] == [("one", 2, "/a")]
    assert [(one.path, one.label, one.wanted) for one in kept.wrong] == [("/b", "", ETC)]


def test_an_image_without_labels_does_not_fill_the_result() -> None:
    kept = check(*(LabelFinding(f"/{number}", "", ETC) for number in range(900))).summary()
    assert (kept.right, kept.wrong_paths, kept.unlabelled) == (100, 900, 900)
    assert 0 < len(kept.wrong) < 900


def test_odd_bytes_of_a_path_can_be_written() -> None:
    kept = check(LabelFinding("/odd\udcff", "", ETC)).summary()
    assert kept.wrong[0].path == "/odd\\xff"
    assert Labels.model_validate_json(kept.model_dump_json(), strict=False) == kept


def test_counts_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(ValidationError, match="do not add up"):
        Labels.model_validate({**dict(LABELS), "right": 1})


def test_the_table_of_a_variant_says_it_in_one_sentence_and_names_each_wrong_path() -> None:
    table = label_tables.labels_table(enriched(factory.variant_result("atomic-min")))
    assert plain(table.caption) == (
        "Labels: 12,345 paths checked against the image's own policy, 12,340 right, 2 wrong, 3 explained"
    )
    rows = [[plain(cell.text) for cell in row] for row in table.rows]
    assert rows[1] == ["kernel", "3", "It is a link into the repository."]
    assert rows[2] == ["/etc/motd", "✗ wrong", "no label, wanted system_u:object_r:etc_t:s0"]
    assert rows[-1][:2] == ["wrong", "✗ 2"]
    assert table.csv == "../labels.csv"


def test_a_study_has_one_column_for_each_variant_and_says_what_was_not_checked() -> None:
    study = enriched_study(study_of(factory.variant_result("atomic-min")))
    unchecked = factory.variant_result("cloud-docker")
    table = label_tables.labels(study.model_copy(update={"variants": (*study.variants, unchecked)}))
    rows = {plain(row[0].text): row[1:] for row in table.rows}
    assert [cell.text for cell in rows["explained: kernel"]] == ["3", "—"]
    assert [cell.kind for cell in rows["wrong"]] == ["bad", "missing"]
    assert "/usr/bin/su" in rows["wrong"][0].more


def test_without_any_checked_image_there_is_no_table() -> None:
    result = factory.variant_result("atomic-min")
    assert label_tables.labels(study_of(result)).rows == label_tables.labels_table(result).rows == ()


def test_the_record_of_the_table_is_what_the_csv_has() -> None:
    result = enriched(factory.variant_result("atomic-min"))
    records = label_tables.labels_table(result).records
    assert [record["verdict"] for record in records] == ["right", "explained", "wrong", "wrong"]
    assert {tuple(record) for record in records} == {LABEL_FIELDS}
