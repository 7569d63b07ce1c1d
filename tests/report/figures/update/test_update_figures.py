"""The figure of an update tells the bytes of each way, that of a study also of each variant."""

from dataclasses import replace

from atomic_lib.report.figures.picture import Picture
from atomic_lib.report.figures.update.update_figures import downloads_chart, ways_chart
from tests.guest.update.updates import dnf_ways, good_ways
from tests.results.update.study_updates import UPDATES


def test_each_way_comes_after_the_look_for_the_update_but_an_image() -> None:
    alt = downloads_chart(good_ways()).alt.replace("\N{NO-BREAK SPACE}", " ")
    assert "loose objects (1.2 MB): look for the update 0.0 MB, the update 1.2 MB" in alt
    assert "static delta (1.0 MB)" in alt
    assert "casync chunks (1.7 MB): the update 1.7 MB" in alt
    assert "OCI layers (2.3 MB): the update 2.3 MB" in alt
    assert "least possible (0.9 MB): the update 0.9 MB" in alt
    assert "whole image (262.1 MB): the update 262.1 MB." in alt


def test_the_ways_of_dnf() -> None:
    picture = downloads_chart(dnf_ways())
    alt = picture.alt.replace("\N{NO-BREAK SPACE}", " ")
    assert alt.endswith("way. RPM files (0.5 MB): look for the update 0.1 MB, the update 0.4 MB.")
    assert picture.wide_svg


def test_each_way_is_named_with_its_variant() -> None:
    chart = ways_chart(UPDATES)
    assert isinstance(chart, Picture)
    alt = chart.alt.replace("\N{NO-BREAK SPACE}", " ")
    assert "cloud-docker: RPM files (0.5 MB): look for the update 0.1 MB, the update 0.4 MB" in alt
    assert "atomic-min: loose objects (1.2 MB)" in alt


def test_without_updates_there_is_no_chart() -> None:
    for updates in (None, replace(UPDATES, updates=())):
        assert ways_chart(updates)._repr_html_() == ""
