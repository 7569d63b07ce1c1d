"""Which build is the earlier one, and what is told of the way from it."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.measure.build_changes import LARGEST, Change, FileChange, grouped_changes
from atomic_lib.params.study_file import Study
from atomic_lib.params.variant import Variant
from atomic_lib.results.history.database import open_history
from atomic_lib.results.history.previous_builds import (
    NOT_BUILT_IN,
    PreviousBuild,
    changes_since,
    previous_build,
    previous_figures,
)
from atomic_lib.results.history.previous_study import previous_study
from atomic_lib.results.history.run_recording import record_missing_runs
from atomic_lib.results.result_files import write_study_results
from atomic_lib.results.study_result import PreviousFigures, StudyResult
from atomic_lib.results.variant_result import Failure, StageTime, VariantResult
from atomic_lib.solve.lock import Lock, LockedPackage, write_lock
from tests.contexts import own_context
from tests.formats.disk.disk_image import make_raw
from tests.image.raw_disks import store_image

STUDY = Study(study="default", title="One variant", variants=("own",), baseline="own")
BASH = LockedPackage("bash", 0, "5.2", "1", "x86_64", "a" * 64, 10, "standin")
NEWER = LockedPackage("bash", 0, "5.3", "1", "x86_64", "b" * 64, 10, "standin")


def built(commit: str | None = "c1", image: str = "i1", **changed: Any) -> VariantResult:
    stages = [StageTime(stage="compose", seconds=1.0, reused=False, key=f"t-{image or commit}")]
    if image:
        stages.append(StageTime(stage="image", seconds=1.0, reused=False, key=image))
    values = {
        "variant": "own", "status": "ok", "method": "ostree", "content": "standin", "recipe": "own",
        "agent": "min-cloud-agent", "commit": commit, "stages": tuple(stages), "parameters": {"parts": ""},
    }  # fmt: skip
    return VariantResult(**{**values, **changed})


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def add_run(runs: Path, name: str, result: VariantResult, *, created: str = "", package: LockedPackage = BASH) -> Path:
    run = runs / name
    lock = Lock("standin", (package,))
    write_study_results(run, STUDY, [result.model_copy(update={"lock_sha256": lock.sha256})])
    (run / result.variant).mkdir()
    write_lock(lock, run / result.variant / "lock.json")
    study = json.loads((run / "results.json").read_text())
    (run / "results.json").write_text(json.dumps(study | {"created": created or f"2026-01-0{name}"}))
    (run / "index.html").touch()
    return run


def previous(runs: Path, result: VariantResult, own: str = "own-run") -> PreviousBuild | None:
    with open_history(runs.parent / "history.sqlite") as history:
        record_missing_runs(history, runs)
        return previous_build(history, own, result)


def found(runs: Path, result: VariantResult | None = None, own: str = "own-run") -> str | None:
    earlier = previous(runs, result or built("c9", "i9"), own)
    return earlier.run if earlier else None


def test_it_is_the_newest_by_the_clock_of_the_run_not_by_its_name(runs: Path) -> None:
    add_run(runs, "b", built("c1", "i1"), created="2026-01-02T00:00:00+00:00")
    add_run(runs, "a", built("c2", "i2"), created="2026-01-03T00:00:00+00:00")
    (runs / "latest").symlink_to("b")
    earlier = previous(runs, built("c9", "i9"))
    assert earlier is not None
    assert (earlier.run, earlier.study, earlier.made) == ("a", "default", "2026-01-03T00:00:00+00:00")
    assert (earlier.commit, earlier.lock.packages) == ("c2", (BASH,))


def test_a_run_is_not_its_own_previous_build(runs: Path) -> None:
    add_run(runs, "1", built("c1", "i1"))
    own = add_run(runs, "2", built("c2", "i2"))
    (runs / "latest").symlink_to("2")
    assert found(runs, own="2") == "1"
    shutil.rmtree(runs / "1")
    assert found(runs, own="2") == "1", "the history outlives the directory"
    assert own.is_dir()


def test_without_runs_there_is_none(runs: Path) -> None:
    assert found(runs) is None


def test_another_variant_is_none(runs: Path) -> None:
    add_run(runs, "1", built(variant="other"))
    assert found(runs) is None


@pytest.mark.parametrize("spoil", ["index.html", "own/lock.json", "results.json"])
def test_what_is_not_whole_is_passed_over(runs: Path, spoil: str) -> None:
    add_run(runs, "1", built("c1", "i1"))
    (add_run(runs, "2", built("c2", "i2")) / spoil).unlink()
    assert found(runs) == "1"


def test_a_build_of_another_schema_or_one_that_failed_is_passed_over(runs: Path) -> None:
    add_run(runs, "1", built("c1", "i1"))
    error = Failure(stage="boot", message="no login")
    add_run(runs, "2", built("c2", "i2", status="failed", error=error))
    result = add_run(runs, "3", built("c3", "i3")) / "results.json"
    result.write_text(json.dumps(json.loads(result.read_text()) | {"schema_version": 1}))
    add_run(runs, "4", built("c4", "i4", status="incomplete"))
    (runs / "5/own").mkdir(parents=True)
    assert found(runs) == "1"


@pytest.mark.parametrize(
    ("before", "after", "another"),
    [
        (built("c1", "i1"), built("c2", "i2"), True),
        (built("c1", "i1"), built("c1", "i1"), False),
        (built("c1", "i1"), built("c1", "i2"), False),
        (built("c1", "i1"), built("c1", "i2", parameters={"parts": "", "kernel_arguments": "quiet"}), True),
        (built("c1", "i1"), built("c1", "i1", parameters={"parts": "", "boots_bios": 9}), False),
        (built("c1", "i1"), built("c1", "i2", parameters={"parts": "", "boots_bios": 9}), False),
        (built(None, "i1"), built(None, "i2"), True),
        (built(None, "i1"), built(None, "i1"), False),
        (built(None, "i1"), built(None, ""), True),
        (built("c1", ""), built("c1", "i1"), False),
        (built("c1", ""), built("c2", ""), True),
    ],
)
def test_a_build_is_another_one_by_its_commit_or_its_image(
    runs: Path, before: VariantResult, after: VariantResult, another: bool
) -> None:
    add_run(runs, "1", before)
    assert (found(runs, after) == "1") is another


def test_parameters_that_no_image_depends_on_are_a_variants() -> None:
    assert set(Variant.model_fields) > NOT_BUILT_IN
    assert not {"method", "content", "recipe", "parts", "kernel_arguments", "root_size_mib"} & NOT_BUILT_IN


def test_all_that_changed_is_told(runs: Path, tmp_path: Path) -> None:
    context = own_context(tmp_path)
    content = tmp_path / "content"
    content.mkdir()
    for key in ("i1", "i2"):
        (content / "file").write_text(key)
        make_raw(tmp_path / key, content)
        store_image(tmp_path / key, key, context)
        (content / "new").touch()
    before = built("c1", "i1", parameters={"parts": "", "boots_bios": 1}, provenance={"git_revision": "a" * 40})
    after = built("c2", "i2", parameters={"parts": "docs", "boots_bios": 2}, provenance={"git_revision": "b" * 40})
    add_run(runs, "1", before)
    earlier = previous(runs, after)
    assert earlier is not None
    release = changes_since(earlier, after, Lock("standin", (NEWER,)), context, directory=tmp_path)
    assert (release.run, release.made) == ("1", "2026-01-01")
    assert release.inputs == (
        Change(name="parts", before="", after="docs"),
        Change(name="revision of the workbook", before="a" * 40, after="b" * 40),
    )
    assert release.packages == (Change(name="bash", before="0:5.2-1.x86_64", after="0:5.3-1.x86_64"),)
    assert release.files is not None
    assert [(one.change, one.paths, one.largest[0].path) for one in release.files] == [
        ("added", 1, "/new"), ("other content", 1, "/file"),
    ]  # fmt: skip
    assert (tmp_path / "changed-files.csv").read_text().splitlines()[0] == "path,change,bytes,what"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("i1", "i2", "the previous image is no longer in the store; ./workbook run default --variant own --lock "
                     "build/runs/1/own/lock.json, with that run's parameters and revision, builds it again"),
        ("", "i2", "the previous build went no further than its tree"),
        ("i1", "", "the variant goes no further than its tree"),
    ],
)  # fmt: skip
def test_without_both_images_only_packages_are_compared(
    runs: Path, tmp_path: Path, before: str, after: str, said: str
) -> None:
    add_run(runs, "1", built("c1", before))
    earlier = previous(runs, built("c2", after))
    assert earlier is not None
    release = changes_since(
        earlier, built("c2", after), Lock("standin", (NEWER,)), own_context(tmp_path), directory=tmp_path
    )
    assert (len(release.packages), release.files, release.files_reason) == (1, None, said)
    assert not (tmp_path / "changed-files.csv").exists()


def test_a_damaged_image_does_not_fail_the_variant(runs: Path, tmp_path: Path) -> None:
    context = own_context(tmp_path)
    for key in ("i1", "i2"):
        (tmp_path / key).write_bytes(b"none")
        store_image(tmp_path / key, key, context)
    add_run(runs, "1", built("c1", "i1"))
    earlier = previous(runs, built("c2", "i2"))
    assert earlier is not None
    release = changes_since(earlier, built("c2", "i2"), Lock("standin", (BASH,)), context, directory=tmp_path)
    assert (release.packages, release.files) == ((), None)
    assert release.files_reason.startswith("the images could not be compared: ")
    assert str(tmp_path) not in release.files_reason


def test_the_largest_changes_are_kept_and_all_are_counted() -> None:
    changes = tuple(
        FileChange(path=f"/{number:02}", change="shrunk", bytes=-number, what="size; content")
        for number in range(1, 31)
    )
    files = grouped_changes((*changes, FileChange(path="/a", change="added", bytes=5, what="file of 5 bytes")))
    assert [(one.change, one.paths, one.bytes, len(one.largest)) for one in files] == [
        ("added", 1, 5, 1), ("shrunk", 30, -465, LARGEST),
    ]  # fmt: skip
    assert files[1].largest[0].path == "/30"


def figures(runs: Path, own: str, failed: VariantResult) -> PreviousFigures | None:
    with open_history(runs.parent / "history.sqlite") as history:
        record_missing_runs(history, runs)
        return previous_figures(history, own, failed)


def test_the_last_success_of_the_same_recipe_has_the_figures(runs: Path) -> None:
    failed = built(status="failed", error=Failure(stage="boot", message="dark"))
    assert figures(runs, "own", failed) is None
    add_run(runs, "first", built(package_count=1), created="2026-01-01")
    add_run(runs, "counts", built(package_count=3), created="2026-01-02")
    add_run(runs, "failed", failed, created="2026-01-03")
    add_run(runs, "another-recipe", built(recipe="another"), created="2026-01-04")
    add_run(runs, "other-parts", built(parameters={"parts": "docs"}), created="2026-01-05")
    add_run(runs, "own", failed, created="2026-01-06")
    earlier = figures(runs, "own", failed)
    assert earlier is not None
    assert (earlier.run, earlier.figures["package_count"]) == ("counts", 3)


def test_a_parameter_that_came_with_an_empty_value_is_no_change(runs: Path, tmp_path: Path) -> None:
    add_run(runs, "1", built())
    after = built("c2", "i2", parameters={"parts": "", "selinux": "", "remote_url": "file:///srv"})
    earlier = previous(runs, after, "own")
    assert earlier is not None
    release = changes_since(earlier, after, earlier.lock, own_context(tmp_path), directory=tmp_path)
    assert [change.name for change in release.inputs] == ["remote_url"]


def add_study(runs: Path, name: str, created: str, *variants: str, study: str = "default", whole: bool = False) -> Path:
    results = tuple(built(variant=variant) for variant in variants)
    made = StudyResult(study=study, title="t", baseline=variants[0], run=name, created=created, variants=results,
                       provenance={"whole": whole})  # fmt: skip
    (runs / name).mkdir(parents=True)
    (runs / name / "results.json").write_text(made.model_dump_json())
    (runs / name / "index.html").touch()
    return runs / name


def test_before_a_whole_run_only_another_whole_one_counts(runs: Path) -> None:
    add_study(runs, "1", "2026-01-01T00:00:00+00:00", "a", whole=True)
    add_study(runs, "2", "2026-01-02T00:00:00+00:00", "a")
    found = [
        previous_study(add_study(runs, "3", "2026-01-03T00:00:00+00:00", "a", whole=True)),
        previous_study(add_study(runs, "4", "2026-01-04T00:00:00+00:00", "a")),
    ]
    assert [one.run if one else "" for one in found] == ["1", "3"]


def test_the_previous_run_is_the_newest_earlier_one_of_the_study_with_all_variants(runs: Path) -> None:
    own = add_study(runs, "own", "2026-01-05T00:00:00+00:00", "a", "b")
    assert previous_study(own) is None
    add_study(runs, "later", "2026-01-06T00:00:00+00:00", "a", "b")
    add_study(runs, "other", "2026-01-04T00:00:00+00:00", "a", "b", study="factors")
    add_study(runs, "part", "2026-01-04T00:00:00+00:00", "a")
    add_study(runs, "first", "2026-01-01T00:00:00+00:00", "a", "b")
    add_study(runs, "second", "2026-01-02T00:00:00+00:00", "b", "a")
    damaged = add_study(runs, "damaged", "2026-01-03T00:00:00+00:00", "a", "b") / "results.json"
    damaged.write_text(damaged.read_text().replace('"schema_version":3', '"schema_version":2'))
    (runs / "latest").symlink_to("own")
    found = previous_study(runs / "latest")
    assert found is not None
    assert found.run == "second"
