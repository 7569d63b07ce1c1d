"""The steps of a package's size, as a picture and as words."""

from atomic_lib.report.figures.size_steps import SizeStep, size_steps

FIRST, GROWN, GONE = (
    SizeStep("2026-11-01T03:00:00+00:00", 1_000_000),
    SizeStep("2026-11-03T03:00:00+00:00", 2_000_000),
    SizeStep("2026-11-05T03:00:00+00:00", 0),
)


def test_variants_that_changed_alike_share_a_panel_and_the_words_say_what_it_shows() -> None:
    picture = size_steps("jq", {"a": [FIRST, GROWN], "b": [FIRST, GROWN], "c": [FIRST, GONE]})
    assert picture.alt.replace("\N{NO-BREAK SPACE}", " ") == (
        "a, b: 1.0 MB since 1 November 2026, 2.0 MB since 3 November 2026. "
        "c: 1.0 MB since 1 November 2026, 0 since 5 November 2026."
    )
    assert picture.wide_svg.count('font-weight="bold"') == 2
    assert "not installed" in picture.wide_svg
    assert "1 November 2026" in picture.wide_svg
    assert "5 November 2026" in picture.wide_svg


def test_the_height_of_a_step_is_its_part_of_the_largest_one() -> None:
    svg = size_steps("jq", {"a": [FIRST, GROWN]}).wide_svg
    assert "M0.0 47.0H601.6V22.0H640" in svg


def test_a_name_is_text() -> None:
    assert "<script>" not in size_steps("jq", {"<script>": [FIRST]}).wide_svg
