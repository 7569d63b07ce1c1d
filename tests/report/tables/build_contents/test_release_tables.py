"""What is shown of the changes since the previous build."""

import re
from typing import Any

import pytest

from atomic_lib.measure.build_changes import Change, ChangedFiles, FileChange
from atomic_lib.report.tables.build_contents.release_tables import files_changed_table, release, releases
from atomic_lib.results.build_result import Release
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult
from tests.report.factory import STUDY, failed_result, plain, variant_result

FILES = (
    ChangedFiles(change="added", paths=1, bytes=1_300_000, largest=(
        FileChange(path="/usr/bin/new", change="added", bytes=1_300_000, what="file of 1300000 bytes"),)),
    ChangedFiles(change="other rights", paths=119, bytes=0, largest=(
        FileChange(path="/etc/<odd>", change="other rights", bytes=0, what="mode: 0644 → 0600"),)),
)  # fmt: skip
RELEASE = Release(
    run="2026-01-02T03-04-05Z-default",
    made="2026-01-02T03:05:06+00:00",
    inputs=(Change(name="parts", before="", after="docs"), Change(name="revision", before="a" * 40, after="b" * 40)),
    packages=(Change(name="bash", before="0:5.2-1.x86_64", after="0:5.3-1.x86_64"),),
    files=FILES,
)


def with_release(**changed: Any) -> VariantResult:
    return variant_result("atomic-min").model_copy(update={"release": RELEASE.model_copy(update=changed)})


def line(result: VariantResult) -> str:
    study = StudyResult(study="s", title="t", baseline=result.variant, run="r", created="c", variants=(result,))
    ((_, text),) = releases(study).items
    return plain(text)


def test_the_page_shows_with_what_it_is_compared_and_what_changed() -> None:
    page = plain(release(with_release())._repr_html_())
    assert "Compared with the run 2026-01-02T03-04-05Z-default, made 2026-01-02 03:05 UTC" in page
    assert "1 package changed, 120 paths, +1.3 MB; also changed: parts, revision." in page
    assert "Changed inputs" in page
    assert "Packages: 1 change" in page
    assert "Files: 120 paths changed" in page
    assert 'href="changed-files.csv"' in page
    assert "/etc/&lt;odd&gt;" in page
    assert "mode: 0644 → 0600" in page
    assert "and 118 more, all in changed-files.csv" in page


def test_without_a_previous_build_one_sentence_is_shown() -> None:
    page = release(variant_result("atomic-min"))._repr_html_()
    assert page == "<p>atomic-min: no previous build in build/runs, so there is nothing to compare with.</p>"


def test_files_that_cannot_be_compared_are_said_to_be_with_the_reason() -> None:
    page = release(with_release(files=None, files_reason="the previous image is gone"))._repr_html_()
    assert "<p>Files are not compared: the previous image is gone.</p>" in page
    assert "Packages: 1 change" in page
    assert "paths changed" not in page


def test_a_build_that_came_out_the_same_says_so() -> None:
    page = release(with_release(files=(), packages=(), inputs=()))._repr_html_()
    assert "the same packages, no path changed" in page
    assert "The packages are the same." in page
    assert "The file systems are equal in everything." in page
    assert "Changed inputs" not in page


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "since 2026-01-02T03-04-05Z-default: 1 package changed, 120 paths, +1.3 MB; "
             "also changed: parts, revision."),
        ({"files": None, "inputs": ()},
         "since 2026-01-02T03-04-05Z-default: 1 package changed, files not compared."),
        ({"files": (), "packages": ()}, "since 2026-01-02T03-04-05Z-default: the same packages, no path changed; "
                                        "also changed: parts, revision."),
    ],
)  # fmt: skip
def test_a_study_has_a_line_for_each_variant(changed: dict[str, Any], said: str) -> None:
    assert line(with_release(**changed)) == said


def test_a_variant_without_a_previous_build_or_that_failed_has_its_line_too() -> None:
    assert line(variant_result(STUDY.baseline)) == "no previous build in build/runs."
    assert line(failed_result()) == "not compared, failed at the stage compose."


def test_a_few_bytes_are_not_rounded_to_none() -> None:
    (row,) = files_changed_table([ChangedFiles(change="shrunk", paths=2, bytes=-16)]).rows
    assert [plain(cell.text) for cell in row] == ["shrunk", "2", "-16 bytes", ""]


def test_every_part_of_the_page_has_an_anchor_of_its_own() -> None:
    anchors = re.findall(r' id="([^"]*)"', release(with_release())._repr_html_())
    assert anchors == ["changed-inputs", "packages-changed", "files", "files-added", "files-other-rights"]


def test_a_result_keeps_it() -> None:
    result = with_release()
    assert VariantResult.model_validate_json(result.model_dump_json()).release == RELEASE
