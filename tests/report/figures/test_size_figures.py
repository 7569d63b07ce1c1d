"""Figures: their text says what they show, they are drawn for two widths, the same figures give the same bytes."""

import re

from atomic_lib.measure.classes import default_class_rules
from atomic_lib.report.figures import class_styles, size_figures, treemap
from tests.report import factory
from tests.report.factory import study_of


def test_the_footprint_tells_its_figures_in_words() -> None:
    result = factory.variant_result("atomic-min")
    picture = size_figures.figure_classes(result)
    runtime = next(size for size in result.classes if size.class_ == "container-runtime")
    assert f"container runtime {runtime.bytes / 1e6:.1f} MB" in picture.alt
    assert "all other classes" in picture.alt
    assert "Python" not in picture.alt


def test_parts_of_a_footprint_bar_add_up_to_the_tree() -> None:
    result = factory.variant_result("cloud-docker")
    alt = size_figures.figure_classes(result).alt.partition("): ")[2].rstrip(".")
    parts = [float(part.split()[-2]) for part in alt.split(", ") if part.endswith(" MB")]
    assert len(parts) == class_styles.LARGEST + 1
    assert abs(sum(parts) - (result.tree_bytes or 0) / 1e6) < 0.05 * len(parts)


def test_a_class_has_one_colour_and_hatch_in_every_figure() -> None:
    styles = {rule.name: class_styles.class_style(rule.name) for rule in default_class_rules().rules if rule.packages}
    assert len({style.colour for style in styles.values()}) == len(styles) > 14
    alone, together = (study_of(*map(factory.variant_result, names)) for names in (("atomic-min",), factory.LETTERS))
    for study in (alone, together):
        runtime = class_styles.class_style("container-runtime").colour
        assert runtime in size_figures.figure_footprint(study).wide_svg
        assert runtime in treemap.figure_treemap(study).wide_svg


def test_lines_and_texts_of_a_figure_follow_the_colours_of_the_page() -> None:
    svg = size_figures.figure_classes(factory.variant_result("atomic-min")).wide_svg
    assert 'fill="currentColor"' in svg
    assert "var(--chart-edge, #222222)" in svg
    assert not re.search(r"[^ ]: #(222222|ffffff|cccccc)|(fill|stroke)=\"#", svg)


def test_boot_figures_name_accelerator_firmware_and_n() -> None:
    study = study_of(factory.variant_result("cloud-docker", boots=3), factory.variant_result("atomic-min", uefi=1))
    picture = size_figures.figure_boots(study)
    assert picture.caption == (
        "Boots side by side: BIOS, TCG, n=3; BIOS, TCG, n=1; UEFI, TCG, n=1; bars and milestones are medians."
    )
    assert "cloud-docker (BIOS, TCG, n=3): firmware and boot loader 7.1 s" in picture.alt
    assert "ssh login at 77.0 s; provisioned at 75.8 s; Docker ready at 86.4 s" in picture.alt


def test_a_boot_without_its_first_phase_says_so() -> None:
    result = factory.variant_result("atomic-min")
    phases = result.boots[0].phases.model_copy(update={"firmware_loader_seconds": None})
    boot = result.boots[0].model_copy(update={"phases": phases})
    picture = size_figures.figure_boot(result.model_copy(update={"boots": (boot,)}))
    assert "a bar without the firmware phase starts too early" in picture.caption
    assert "firmware and boot loader" not in picture.alt


def test_a_figure_is_reproducible_and_holds_no_address_that_loads() -> None:
    study = study_of(factory.variant_result("cloud-docker"), factory.failed_result())
    first, second = size_figures.figure_footprint(study), size_figures.figure_footprint(study)
    assert first == second
    assert first.wide_svg != first.narrow_svg
    assert "DOCTYPE" not in first.wide_svg
    assert len(first.wide_svg) < 150_000


def test_without_figures_the_picture_says_that_nothing_was_measured() -> None:
    assert size_figures.figure_classes(factory.failed_result()).alt.endswith("Nothing was measured.")
    boots = size_figures.figure_boot(factory.incomplete_result())
    assert boots._repr_html_() == (
        '<div class="empty"><p>Boots of atomic-unbooted by phase. Nothing was measured.</p></div>'
    )
