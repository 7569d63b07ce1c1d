"""The release notes of a run: head, objectives, changes, limits; and what has none."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.report.release_notes.notes import read_notes
from atomic_lib.report.release_notes.notes_markdown import markdown
from atomic_lib.results.result_files import write_study_results
from atomic_lib.results.runs import INDEX_FILE
from atomic_lib.results.variant_result import VariantResult
from atomic_lib.solve.lock import write_lock
from tests.report.enriched import LABELS
from tests.report.factory import STUDY, failed_result, incomplete_result
from tests.results.sbom.recorded import recorded_build


def run_with(directory: Path, *results: VariantResult) -> Path:
    """A finished run with these results, and the lock of the recorded build."""
    for result in results:
        (directory / result.variant).mkdir(parents=True)
        write_lock(recorded_build()[1], directory / result.variant / "lock.json")
    write_study_results(directory, STUDY, results)
    (directory / INDEX_FILE).touch()
    return directory


def said(run: Path, build: Path, since: str = "") -> str:
    return markdown(read_notes(run, "atomic-min", since, build).parts)


def test_the_notes_begin_with_what_the_content_is(tmp_path: Path) -> None:
    result, _ = recorded_build()
    text = said(run_with(tmp_path / "runs/two", result), tmp_path)
    head = text.partition("## ")[0]
    assert head.startswith("# Release notes of atomic-min\n\nStand-in content (Debian 13 packages as RPMs), ")
    assert "**These are Debian packages, not Fedora's:" in head
    assert "1 of 47 entries has no stand-in: nss-altfiles." in head


def test_the_checksums_and_sizes_are_those_of_the_result(tmp_path: Path) -> None:
    result, _ = recorded_build()
    text = said(run_with(tmp_path / "runs/two", result), tmp_path)
    for value in (result.commit, result.image_sha256, result.image_compressed_sha256, result.lock_sha256):
        assert value
        assert value in text
    assert f"({result.image_compressed_bytes:,} bytes)" in text
    assert "| reproduced | not measured |" in text


def test_limits_name_what_is_wrong_and_what_is_allowed(tmp_path: Path) -> None:
    result, _ = recorded_build()
    limits = said(run_with(tmp_path / "runs/two", result.model_copy(update={"labels": LABELS})), tmp_path)
    limits = limits.partition("## Known limits")[2]
    assert "**Wrong labels.** 2 paths: /etc/motd (no label, not system_u:object_r:etc_t:s0)" in limits
    assert "**Label with a reason.** 3 paths, such as /boot/k: It is a link into the repository." in limits
    assert "**Not booted.** Nothing here shows that the image starts." in limits
    assert "**Stand-in content.**" in limits


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({}, "ostree made the commit; rpm-ostree was not run."),
        ({"method": "traditional", "commit": None}, "dnf installed the packages; Anaconda was not run."),
        ({"download_bytes": None}, "The commit was pulled from an ostree remote; only the image was made here."),
    ],
)
def test_limits_say_what_composed_the_image(tmp_path: Path, changed: dict[str, object], wanted: str) -> None:
    result = recorded_build()[0].model_copy(update=changed)
    assert wanted in said(run_with(tmp_path / "runs/two", result), tmp_path)


def test_changes_are_those_since_the_named_run(tmp_path: Path) -> None:
    result, _ = recorded_build()
    run_with(tmp_path / "runs/one", result)
    run = run_with(tmp_path / "runs/two", result)
    assert "These notes compare with no earlier run." in said(run, tmp_path)
    text = said(run, tmp_path, "one")
    assert "Compared with the run one, " in text
    assert "The packages are the same, file by file." in text


@pytest.mark.parametrize("since", ["none", "two", "../runs/one", "/etc"])
def test_an_earlier_run_that_is_none_is_named_with_those_that_there_are(tmp_path: Path, since: str) -> None:
    result, _ = recorded_build()
    run_with(tmp_path / "runs/one", result)
    with pytest.raises(WorkbookError, match="no such other run") as caught:
        read_notes(run_with(tmp_path / "runs/two", result), "atomic-min", since, tmp_path)
    assert caught.value.hint == "the newest: one"


@pytest.mark.parametrize(
    ("variant", "message"),
    [
        ("atomic-broken", "atomic-broken failed at compose: there is nothing to release"),
        ("atomic-unbooted", "atomic-unbooted is not finished: there is nothing to release"),
        ("nosuch", "no variant 'nosuch'"),
    ],
)
def test_what_was_not_built_is_not_released(tmp_path: Path, variant: str, message: str) -> None:
    run = run_with(tmp_path / "runs/two", failed_result(), incomplete_result())
    with pytest.raises(WorkbookError, match=message):
        read_notes(run, variant, "", tmp_path)


def test_texts_of_foreign_packages_and_recipes_stay_text(tmp_path: Path) -> None:
    result, _ = recorded_build()
    hostile = "[x](http://y)\n\n# <script>alert(1)</script> | `"
    forged = result.model_copy(update={"description": hostile, "notes": (hostile,), "left_out": (hostile,)})
    run = run_with(tmp_path / "runs/two", forged)
    text = said(run, tmp_path)
    assert "<script>" not in text.replace("\\<script", "")
    assert text.count("\n# ") == 0
    assert "](" not in text.replace("\\](", "")
    assert "<script>" not in read_notes(run, "atomic-min", "", tmp_path)._repr_html_()
