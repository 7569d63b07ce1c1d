"""The figures of a study's updates: all ways of all variants, and the map of power cuts."""

from dataclasses import replace

from atomic_lib.report.figures.picture import Picture
from atomic_lib.report.figures.update.study_update_figures import cuts_map, ways_chart
from tests.results.update.study_updates import UPDATES


def test_each_way_is_named_with_its_variant() -> None:
    chart = ways_chart(UPDATES)
    assert isinstance(chart, Picture)
    alt = chart.alt.replace("\N{NO-BREAK SPACE}", " ")
    assert "cloud-docker: RPM files (0.5 MB): look for the update 0.1 MB, the update 0.4 MB" in alt
    assert "atomic-min: loose objects (1.2 MB)" in alt


def test_the_map_has_the_upgrade_and_the_controls() -> None:
    found = cuts_map(UPDATES)
    assert isinstance(found, Picture)
    assert "the upgrade: version 1 boots 3" in found.alt
    assert "control: packages by dnf: " in found.alt


def test_without_updates_there_is_no_figure() -> None:
    for updates in (None, replace(UPDATES, updates=(), power_cuts=None)):
        assert ways_chart(updates)._repr_html_() == ""
        assert cuts_map(updates)._repr_html_() == ""
