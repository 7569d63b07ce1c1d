"""Packages, image and sharing: sums that are whole, chains that are short, gaps that are told."""

import pytest

from atomic_lib.report.elements.table import Table
from atomic_lib.report.tables.build_contents import footprint_tables, package_tables
from atomic_lib.results.analysis.sharing import measured_trees, shared_parts
from atomic_lib.results.build_result import WhyLink
from atomic_lib.results.study_result import StudyResult
from tests.report import factory
from tests.report.enriched import enriched, enriched_study
from tests.report.factory import study_of


@pytest.fixture(scope="module")
def study() -> StudyResult:
    return enriched_study(study_of(*factory.all_results()))


def test_what_is_shared_and_what_is_not_adds_up_to_every_tree(study: StudyResult) -> None:
    measured = measured_trees(study)
    parts = {result.variant: shared_parts(result, measured) for result in measured}
    for result in measured:
        assert sum(part.bytes for part in parts[result.variant].values()) == result.tree_bytes
    own = [p.bytes for p in study.variants[2].packages if p.name == "min-cloud-agent"]
    assert parts["atomic-min"]["own"].bytes == sum(own)
    assert list(parts) == ["cloud-docker", "atomic-cloud-init", "atomic-min"]


def test_a_package_of_another_version_is_not_shared() -> None:
    base = factory.variant_result("cloud-docker")
    first, *rest = base.packages
    other = base.model_copy(update={"variant": "other", "packages": (first.model_copy(update={"version": "0"}), *rest)})
    assert shared_parts(other, [base, other])["own"].bytes == first.bytes


def test_the_parts_of_the_image_add_up_raw_and_compressed(study: StudyResult) -> None:
    for table, field in (
        (footprint_tables.image_parts(study), "image_allocated_bytes"),
        (footprint_tables.image_parts(study, compressed=True), "image_compressed_bytes"),
    ):
        sums = table.frame.groupby("variant")["bytes"].sum()
        whole = {row.text for row in table.rows[-1]}
        for result in study.variants[:3]:
            assert sums[result.variant] == getattr(result, field)
        assert "whole image" in whole


def test_an_older_result_says_that_the_image_was_not_measured() -> None:
    table = footprint_tables.image_parts(study_of(factory.variant_result("atomic-min")))
    assert table.rows == ()
    assert "The image by part: not measured." in table._repr_html_()


def test_columns_without_any_figure_are_left_out_and_named() -> None:
    table = package_tables.packages_table(factory.variant_result("atomic-min"))
    assert "in the qcow2" not in table.header
    assert table.notes == ("Not measured: in the qcow2, in the image, allocated in the tree, why it is here.",)
    full = package_tables.packages_table(enriched(factory.variant_result("atomic-min")))
    assert "in the qcow2" in full.header
    assert full.notes == ()


def test_a_chain_is_short_in_the_cell_and_whole_when_unfolded() -> None:
    chain = [WhyLink(kind="recipe", package="docker.io", capability="docker.io")]
    chain += [WhyLink(kind="requires", package=name, capability="so.1") for name in ("a", "b", "c")]
    cell = package_tables.why_cell(chain)
    assert cell.text == "recipe → docker.io → … → c"
    assert "a (requires so.1) → b" in cell.more
    assert package_tables.why_cell(chain[:2]).text == "recipe → docker.io → a"
    assert package_tables.why_cell(()).note == "not measured"


def test_every_package_of_any_variant_is_in_the_table_of_all(study: StudyResult) -> None:
    table = package_tables.packages_side_by_side(study).parts[0]
    assert isinstance(table, Table)
    names = {package.name for result in study.variants for package in result.packages}
    assert {row[0].text for row in table.rows} == names
    agent = next(row for row in table.rows if row[0].text == "min-cloud-agent")
    assert [cell.text for cell in agent[1:3]] == ["absent", "absent"]
    assert agent[4].text == "1 of 3"


def test_departures_are_shown_where_they_were_asked_for(study: StudyResult) -> None:
    html = package_tables.departures(study)._repr_html_()
    assert "What could be removed from cloud-docker" in html
    assert package_tables.departures(study_of(factory.variant_result("atomic-min")))._repr_html_() == ""
