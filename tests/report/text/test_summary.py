"""The summary for a mailing list, the causes of a difference and the changes since the previous run."""

import pytest

from atomic_lib.report.text.change_words import since, since_previous_run
from atomic_lib.report.text.content_words import STANDIN_NOTICE, content_and_date, standin_notice
from atomic_lib.report.text.summary import summary
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import ContentSummary
from tests.report import factory
from tests.report.enriched import enriched_study
from tests.report.factory import plain, study_of

STANDIN = ContentSummary(title="stand-in content (Debian 13)", releasever="13", standin=True)
FEDORA = ContentSummary(title="Fedora", releasever="43", standin=False)


def with_content(study: StudyResult, content: ContentSummary) -> StudyResult:
    variants = tuple(result.model_copy(update={"content_summary": content}) for result in study.variants)
    return study.model_copy(update={"variants": variants})


@pytest.fixture(scope="module")
def study() -> StudyResult:
    made = enriched_study(study_of(*(factory.variant_result(name) for name in factory.LETTERS)), "atomic-min")
    return with_content(made, STANDIN)


def test_it_has_content_and_date_table_changes_causes_and_link(study: StudyResult) -> None:
    text = summary(study, None, "index.html")
    lines = [line for line in text.splitlines() if line]
    assert lines[:2] == ["# A title", f"Stand-in content (Debian 13), 2 January 2026. {STANDIN_NOTICE}"]
    assert lines[2].split() == ["|", "variant", "|", "compressed", "image", "|", "tree", "|", "packages", "|", "boot",
                                "(counted)", "|"]  # fmt: skip
    assert len({len(line) for line in lines[2:7]}) == 1, "the columns are aligned in plain text"
    assert "(-23 %)" in lines[6]
    assert "A counted second is " in lines[7]
    assert lines[8] == "There is no earlier run to compare with."
    assert lines[9].startswith("Why the tree of atomic-min is 154.6 MB smaller than that of cloud-docker: ")
    assert lines[10:] == ["Page: index.html"]
    assert "\N{NO-BREAK SPACE}" not in text


def test_what_is_said_of_updates_comes_last_and_is_no_markup(study: StudyResult) -> None:
    text = summary(study, None, "index.html", "Updates to a version 2:\n- atomic-min: *failed*")
    assert text.endswith("\n\nUpdates to a version 2:\n- atomic-min: \\*failed\\*\n\nPage: index.html\n")


def test_the_five_largest_causes_and_the_rest_add_up() -> None:
    made = study_of(factory.variant_result("cloud-docker"), factory.variant_result("atomic-min"))
    line = next(line for line in plain(summary(made, None, "x")).splitlines() if line.startswith("Why"))
    parts = line.partition(": ")[2].rstrip(".").split(", ")
    assert len(parts) == 6
    assert parts[-1].startswith("all else ")
    megabytes = [float(part.split()[-2]) for part in parts if part.endswith(" MB")]
    assert sum(megabytes) == pytest.approx(-154.6, abs=0.5)


def test_what_has_no_stand_in_is_said_at_the_head(study: StudyResult) -> None:
    lacking = {"cloud-docker": (("a", "b"), 74), "atomic-min": (("c",), 47), "atomic-cloud-init": (("c",), 48)}
    variants = [
        result.model_copy(update=dict(zip(("left_out", "entry_count"), lacking[result.variant], strict=True)))
        for result in study.variants if result.variant in lacking
    ]  # fmt: skip
    text = standin_notice(study.model_copy(update={"variants": tuple(variants)}))
    assert text.removeprefix(STANDIN_NOTICE) == (
        " cloud-docker: 2 of 74 entries have no stand-in: a, b."
        " atomic-cloud-init, atomic-min: 1 entry (of 48 and 47) has no stand-in: c."
    )


def test_a_name_of_a_foreign_recipe_is_no_markup_in_the_summary(study: StudyResult) -> None:
    entries = ("<img src=//x>", "[a](b:c)", "e2fs_progs")
    odd = study.variants[0].model_copy(update={"left_out": entries, "entry_count": 3})
    text = summary(study.model_copy(update={"variants": (odd, *study.variants[1:])}), None, "x")
    assert r"3 of 3 entries have no stand-in: \<img src=//x\>, \[a\](b:c), e2fs_progs." in text


def test_fedora_is_named_with_its_release_and_has_no_notice(study: StudyResult) -> None:
    fedora = with_content(study, FEDORA)
    assert content_and_date(fedora) == "Fedora 43, 2 January 2026"
    assert STANDIN_NOTICE not in summary(fedora, None, "x")
    assert content_and_date(study_of(factory.variant_result("atomic-min"))) == "Content 'standin', 2 January 2026"


def test_a_study_of_trees_has_no_column_of_images_or_boots() -> None:
    bare = {"image_compressed_bytes": None, "boots": (), "counted_boots": ()}
    trees = study_of(*(factory.variant_result(name).model_copy(update=bare) for name in ("cloud-docker", "atomic-min")))
    text = summary(trees, None, "x")
    assert text.splitlines()[4].split() == ["|", "variant", "|", "tree", "|", "packages", "|"]
    assert "counted" not in text


def test_without_a_counted_boot_the_time_to_docker_stands_there() -> None:
    variants = factory.variant_result("cloud-docker"), factory.variant_result("atomic-min"), factory.failed_result()
    text = summary(study_of(*variants), None, "x")
    assert "to Docker ready (BIOS, TCG)" in text
    row = next(line for line in text.splitlines() if line.startswith("| atomic-min"))
    assert "%" not in row.split("|")[-2], "one boot each shows no difference"
    assert "failed: compose" in text
    assert "atomic-broken failed at the stage compose." in text


def test_nothing_changed_is_one_sentence(study: StudyResult) -> None:
    assert "Nothing changed since the previous run, 2 January 2026." in summary(study, study, "x")
    assert since_previous_run(study, None)._repr_html_() == ""


def test_what_changed_in_several_variants_alike_is_one_line_with_versions(study: StudyResult) -> None:
    changed = "2 packages changed: bash 0.1-1 → 5.2.37-2+b10, nano removed"
    alike = "cloud-docker, atomic-cloud-init, atomic-min"
    assert since(study, with_older_bash(study)) == ((alike, changed),)
    text = summary(study, with_older_bash(study), "x")
    assert f"Since the previous run, 2 January 2026:\n- {alike}: {changed}\n" in text


def test_sizes_and_counted_boots_that_changed_are_named(study: StudyResult) -> None:
    old = study.variants[2]
    slower = old.counted_boots[0].model_copy(update={"busy_seconds": old.counted_boots[0].busy_seconds + 1})
    smaller = {"image_parts": (), "image_compressed_bytes": (old.image_compressed_bytes or 0) - 2_000_000}
    before = old.model_copy(update={"counted_boots": (slower,), **smaller})
    failed = factory.failed_result().model_copy(update={"variant": "cloud-docker"})
    found = since(study, study.model_copy(update={"variants": (failed, before)}))
    assert [variants for variants, _ in found] == ["cloud-docker", "atomic-cloud-init", "atomic-min"]
    assert [text for _, text in found[:2]] == ["failed then, not compared", "is new"]
    assert plain(found[2][1]).startswith("compressed image +2.0 MB (+")
    assert plain(found[2][1]).endswith("; boot -1.00 counted s")


def with_older_bash(study: StudyResult) -> StudyResult:
    """The study with another version of bash, and with nano."""
    variants = []
    for result in study.variants:
        bash = next(package for package in result.packages if package.name == "bash")
        others = (package for package in result.packages if package.name != "bash")
        older = bash.model_copy(update={"version": "0.1", "release": "1"})
        packages = (*others, older, bash.model_copy(update={"name": "nano"}))
        variants.append(result.model_copy(update={"packages": packages}))
    return study.model_copy(update={"variants": tuple(variants)})
