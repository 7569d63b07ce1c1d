"""The first table of the front page, and the table of causes."""

import pytest

from atomic_lib.measure.rank_statistics import Verdict
from atomic_lib.report.tables.build_contents.package_change_tables import causes_table
from atomic_lib.report.tables.overview_tables import overview
from atomic_lib.results.analysis.boot_times import BootTime
from atomic_lib.results.study_result import StudyResult
from tests.report import factory
from tests.report.enriched import enriched_study
from tests.report.factory import plain, study_of


def test_a_variant_has_its_image_tree_packages_and_boot_with_differences(study: StudyResult) -> None:
    table = overview(enriched_study(study))
    assert table.header == ("variant", "compressed image", "tree", "packages", "boot (counted)")
    baseline, _, smallest, *_ = table.rows
    assert [cell.note for cell in baseline[1:]] == ["", "", "", ""]
    assert (plain(smallest[2].text), plain(smallest[2].note)) == ("514.8 MB", "-154.6 MB (-23 %)")
    assert plain(smallest[4].text).endswith(" s")
    assert "counted" not in smallest[4].text + smallest[4].note
    assert "A counted second is " in table.notes[0]


def test_the_wall_clock_stands_in_for_counted_boots_and_a_study_of_trees_has_no_boots(study: StudyResult) -> None:
    assert overview(study).header[-1] == "to Docker ready (BIOS, TCG)"
    assert "counted" not in overview(study).notes[0]
    assert overview(study_of(factory.incomplete_result())).header == ("variant", "tree")


def test_one_boot_each_shows_no_difference_but_enough_of_them_do(
    study: StudyResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, shown = 2, [row[-1].note for row in overview(study).rows]
    assert (shown[0], shown[place]) == ("", "no difference shown")
    slower = Verdict("slower", 0.001, 9.0, 8.0, 10.0, 8, "p = 0.001")
    monkeypatch.setattr(BootTime, "verdict", lambda *_: slower)
    assert "%" in overview(study).rows[place][-1].note


def test_a_variant_without_figures_says_why(study: StudyResult) -> None:
    broken, unbooted = overview(study).rows[3:]
    assert broken[0].note == "✗ failed at the stage compose"
    assert {cell.note for cell in broken[1:]} == {"failed: compose"}
    assert unbooted[0].note.startswith("incomplete: not all boots have been made")


def test_the_causes_of_all_variants_have_one_row_each_and_sums(study: StudyResult) -> None:
    table = causes_table(study)
    assert table.header == ("against cloud-docker", "atomic-cloud-init", "atomic-min")
    assert len(table.rows) == 5 + 2
    values = [float(plain(row[2].text).split()[0].replace("±", "")) for row in table.rows]
    assert sum(values[:-1]) == pytest.approx(values[-1], abs=0.4)
    assert plain(table.rows[-1][2].text) == "-154.6 MB"
    assert causes_table(study_of(factory.failed_result())).rows == ()
