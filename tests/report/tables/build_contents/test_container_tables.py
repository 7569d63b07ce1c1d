"""The tables of a container image: its parts add up, and what differs is named."""

from atomic_lib.report.tables.build_contents import container_tables
from tests.report import factory
from tests.report.enriched import enriched, enriched_study
from tests.report.factory import plain, study_of

RESULT = enriched(factory.variant_result("atomic-min"))


def test_the_parts_of_the_image_add_up_to_the_whole_and_the_host_has_a_row_of_its_own() -> None:
    table = container_tables.container_table(RESULT)
    assert [[plain(cell.text) for cell in row] for row in table.rows] == [
        ["packages of both", "1", "5", "1.3 MB", "1.3 MB", "99.9 %"],
        ["packages of the container image only", "1", "2", "40.0 kB", "0", "0.0 %"],
        ["packages of the host only", "1", "700", "9.0 MB", "—", "—"],
        ["files of the image that no package owns", "—", "3", "0.9 MB", "0.2 MB", "22.2 %"],
        ["whole image", "2", "10", "2.2 MB", "1.5 MB", "66.9 %"],
    ]
    assert RESULT.container
    none = RESULT.container.model_copy(update={"packages": RESULT.container.packages[:1]})
    empty = container_tables.container_table(RESULT.model_copy(update={"container": none})).rows[1]
    assert [plain(cell.text) for cell in empty[1:]] == ["0", "0", "0", "0", "—"]
    assert empty[-1].note == "there are none"
    assert "manifest sha256:abab" in table.notes[0]
    assert "4 files of packages of both are the same in both, 1 not" in table.notes[0]


def test_every_package_is_named_with_its_place() -> None:
    table = container_tables.container_packages_table(RESULT)
    assert [[plain(cell.text) for cell in row[:2]] for row in table.rows] == [
        ["bash", "both"], ["own", "the container image only"], ["systemd", "the host only"],
    ]  # fmt: skip


def test_files_that_differ_and_what_rpm_says_are_listed_or_none_is_said_to_be() -> None:
    table = container_tables.container_files_table(RESULT)
    assert [[plain(cell.text) for cell in row] for row in table.rows] == [
        ["/etc/bash.bashrc", "bash", "changed on the host"],
        ["c /etc/passwd", "", "rpm --verify: S.5....T.  c /etc/passwd"],
    ]
    assert RESULT.container
    clean = RESULT.container.model_copy(update={"differences": (), "deviations": ()})
    shown = container_tables.container_files_table(RESULT.model_copy(update={"container": clean}))._repr_html_()
    assert "None: every file is the same in both, and as its package has it." in shown


def test_a_study_has_a_column_for_each_container_image() -> None:
    study = enriched_study(study_of(factory.variant_result("atomic-min")))
    table = container_tables.containers(study)
    assert table.header == ("", "atomic-min: container-base")
    assert [plain(row[1].text) for row in table.rows] == ["1.3 MB", "40.0 kB", "9.0 MB", "0.9 MB", "2.2 MB", "30.5 MB"]


def test_a_variant_without_a_container_image_has_no_table() -> None:
    result = factory.variant_result("atomic-min")
    assert "<table" not in container_tables.container_image(result)._repr_html_()
    assert "<table" not in container_tables.containers(study_of(result))._repr_html_()
    assert container_tables.container_image(RESULT)._repr_html_().count("<table") == 3
