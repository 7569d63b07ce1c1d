"""Treemap, timeline and the SVG they are: areas that are bytes, units in their place, text as text."""

import pytest
from matplotlib.figure import Figure

from atomic_lib.report.figures import timeline, treemap
from atomic_lib.report.figures.picture import NARROW_INCHES, keep_labels_inside, shortened
from atomic_lib.results.analysis.boot_groups import BootGroup
from atomic_lib.results.analysis.boot_times import typical_boot
from tests.report import factory
from tests.report.enriched import enriched
from tests.report.factory import study_of


def test_rectangles_fill_the_area_in_proportion_and_do_not_overlap() -> None:
    sizes = [("a", 60.0), ("b", 25.0), ("c", 10.0), ("d", 4.0), ("e", 1.0)]
    boxes = treemap.squarify(sizes, treemap.Box("", 0.0, 1.0, 2.0, 4.0, 2.5))
    assert {box.name: round(box.width * box.height, 9) for box in boxes} == {n: s / 10 for n, s in sizes}
    for place, one in enumerate(boxes):
        for other in boxes[place + 1 :]:
            apart_x = one.x + one.width <= other.x + 1e-9 or other.x + other.width <= one.x + 1e-9
            apart_y = one.y + one.height <= other.y + 1e-9 or other.y + other.height <= one.y + 1e-9
            assert apart_x or apart_y
    assert treemap.squarify([("a", 0.0)], treemap.Box("", 0.0, 0, 0, 1, 1)) == []


def test_the_treemap_names_packages_as_text_and_every_rectangle_below_the_pointer() -> None:
    study = study_of(factory.variant_result("cloud-docker"), factory.failed_result())
    picture = treemap.figure_treemap(study)
    assert ">containerd</text>" in picture.wide_svg
    assert "<title>containerd (container runtime): " in picture.narrow_svg
    assert "cloud-docker, 669.4" in picture.alt
    assert "atomic-broken" not in picture.alt


def test_inline_svg_has_names_of_its_own_and_no_namespace() -> None:
    html = treemap.figure_treemap(study_of(factory.variant_result("cloud-docker")))._repr_html_()
    assert "xmlns" not in html
    assert "font-family: " not in html
    assert 'id="figure-treemap-of-the-tree-by-class-and-package"' in html


def test_the_time_line_draws_the_boot_nearest_to_the_median() -> None:
    result = enriched(factory.variant_result("cloud-docker", boots=3))
    boot = typical_boot(result, BootGroup("bios", "tcg"))
    assert boot is not None
    assert boot.index == 1
    picture = timeline.figure_time_line(result)
    assert "boot 1, the boot nearest to the median of 3." in picture.caption
    assert "Hatched: the critical chain" in picture.caption
    assert "Critical chain: " in picture.alt
    assert ">docker 25.7" in picture.wide_svg.replace("\N{NO-BREAK SPACE}", " ")


def test_units_are_chosen_by_the_chain_first_and_drawn_in_order_of_their_start() -> None:
    boot = enriched(factory.variant_result("cloud-docker")).boots[0]
    units = timeline.shown_units(boot, 6)
    assert len(units) == 6
    assert {unit.unit for unit in boot.units if unit.critical} <= {unit.unit for unit in units}
    starts = [unit.started_seconds or 0 for unit in units]
    assert starts == sorted(starts)


def test_an_older_result_without_starts_has_its_phases_and_says_what_is_missing() -> None:
    picture = timeline.figure_time_line(factory.variant_result("cloud-docker"))
    assert "The critical chain was not measured." in picture.caption
    assert "ssh login at 74.0 s" in picture.alt
    assert "Boots still to be made." in timeline.figure_time_line(factory.incomplete_result()).alt


@pytest.mark.parametrize(("inches", "expected"), [(5.0, "containerd"), (0.5, "contai…"), (0.1, "")])
def test_a_label_is_cut_to_what_fits(inches: float, expected: str) -> None:
    assert shortened("containerd", inches, 7.0)[:4] == expected[:4]
    assert len(shortened("containerd", inches, 7.0)) <= max(len(expected), 10)


def test_a_unit_name_from_hell_is_drawn_as_it_is() -> None:
    result = enriched(factory.variant_result("cloud-docker"))
    boot = result.boots[0]
    nasty = boot.units[0].model_copy(update={"unit": "$a^b$<script>&\\x2d\N{SNOWMAN}.mount", "critical": True})
    picture = timeline.figure_time_line(result.model_copy(update={"boots": (
        boot.model_copy(update={"units": (nasty,)}),)}))  # fmt: skip
    assert "$a^b$&lt;script&gt;&amp;\\x2d\N{SNOWMAN}.mount" in picture.wide_svg
    assert "<script>" not in picture._repr_html_()


@pytest.mark.parametrize("extent", [299.9, 300.0, 302.8, 349.0])
def test_no_label_of_the_axis_is_cut_off_at_the_right_edge(extent: float) -> None:
    figure = Figure(figsize=(NARROW_INCHES, 2))
    axes = figure.add_axes((0.015, 0.2, 0.97, 0.8))
    axes.set_xlim(0, extent)
    keep_labels_inside(figure)
    figure.draw_without_rendering()
    ends = [label.get_window_extent().x1 for label in axes.get_xticklabels() if label.get_position()[0] <= extent]
    assert max(ends) <= figure.bbox.x1
