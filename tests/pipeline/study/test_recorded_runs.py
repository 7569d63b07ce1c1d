"""What a run leaves behind: its record in the history, the latest run of its study, its budgets."""

import sqlite3
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import write_text
from atomic_lib.base.store import Store
from atomic_lib.params.budgets import Budget
from atomic_lib.params.study_file import load_study, study_variants
from atomic_lib.params.variant import Variant, load_variant
from atomic_lib.pipeline.build import Build
from atomic_lib.pipeline.schedule import run_inputs
from atomic_lib.pipeline.schedule.run_inputs import Locks, resolved_locks
from atomic_lib.pipeline.study import study_page, study_run
from atomic_lib.results.history.database import read_history
from atomic_lib.results.result_files import read_study_result
from tests.contexts import own_context
from tests.pipeline.study.rounds import CONTAINER_LOCKED, LOCKED, rounds


def made(capsys: pytest.CaptureFixture[str]) -> Path:
    """The directory of the run that was just made."""
    return Path(capsys.readouterr().out.split()[-1]).parent


def recorded(place: Path) -> list[tuple[object, ...]]:
    with read_history(place / "build/history.sqlite") as history:
        return history.execute("SELECT run, study, status, whole FROM runs ORDER BY rowid").fetchall()


def test_only_a_whole_run_without_a_failure_is_the_latest_of_its_study(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    latest = place / "build/runs/latest-default"
    rounds(monkeypatch)
    assert study_run.run_study("default", variants=["atomic-min"]) == 0
    assert study_run.run_study("default", overrides={"last_stage": "tree"}) == 0
    assert study_run.run_study("boot-times") == 0
    part, set_, other = recorded(place)
    assert [part[1:], set_[1:], other[1:]] == [("default", "ok", 0), ("default", "ok", 0), ("boot-times", "ok", 1)]
    assert not latest.exists()
    assert (place / "build/runs/latest-boot-times").resolve().name == other[0]
    assert study_run.run_study("default") == 0
    whole = made(capsys)
    assert latest.resolve() == whole
    rounds(monkeypatch, cloud_docker=WorkbookError("no such luck"))
    assert study_run.run_study("default") == 1
    failed = made(capsys)
    assert "no such luck" in (failed / "cloud-docker/index.html").read_text()
    assert latest.resolve() == whole
    assert recorded(place)[-2:] == [(whole.name, "default", "ok", 1), (failed.name, "default", "failed", 1)]


def as_recorded(variant: Variant) -> Locks:
    """The locks of a variant, as ``rounds`` writes them into its result."""
    return Locks(LOCKED, CONTAINER_LOCKED if variant.container else None)


def test_a_variant_is_resolved_with_the_packages_of_its_container_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_host, own = (Mock(lock=Mock(sha256=sha256)) for sha256 in (LOCKED, CONTAINER_LOCKED))
    monkeypatch.setattr(Build, "rpm_set", of_host)
    monkeypatch.setattr(Build, "container_packages", Mock(rpm_set=own))
    assert resolved_locks(load_variant("atomic-min"), own_context(tmp_path)) == (LOCKED, CONTAINER_LOCKED)
    monkeypatch.undo()
    monkeypatch.setattr(Build, "rpm_set", of_host)
    assert resolved_locks(load_variant("cloud-docker"), own_context(tmp_path)) == (LOCKED, None)


def no_mirror(*_: object) -> str:
    raise WorkbookError("no mirror")


def test_an_unchanged_study_is_not_run_again_and_a_changed_or_failed_one_is(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = load_study("default")
    locks = {variant.variant: as_recorded(variant) for variant in study_variants(whole)}
    monkeypatch.setattr(run_inputs, "resolved_locks", lambda variant, _: locks[variant.variant])

    def run(**outcomes: WorkbookError | str) -> int:
        executed = rounds(monkeypatch, **outcomes)
        study_run.run_study("default", if_changed=True)
        return len(executed.executed)

    assert run() == 3
    first = made(capsys)
    assert run() == 0
    assert f"nothing has changed since {first.name}" in capsys.readouterr().err
    unchanged = locks["atomic-min"]
    assert unchanged.container
    locks["atomic-min"] = unchanged._replace(container="1" * 64)
    assert run() == 3, "a package of the container image only has changed"
    locks["atomic-min"] = unchanged
    assert run() == 0
    locks["atomic-min"] = unchanged._replace(host="1" * 64)
    assert run(atomic_min=WorkbookError("dark")) > 0
    assert run() == 3, "what failed is tried again"
    locks["atomic-min"] = unchanged
    assert run() == 0
    locks.clear()
    monkeypatch.setattr(run_inputs, "resolved_locks", no_mirror)
    assert run() == 3, "the run meets the error and shows it"
    with pytest.raises(WorkbookError, match="--if-changed: belongs to a run of a whole study"):
        study_run.run_study("default", if_changed=True, variants=["atomic-min"])


def store_stages(store: Store) -> Path:
    """Store a result for each stage of ``rounds``; returns a file of the image."""
    for stage in ("resolve", "compose", "image"):
        made = store.get_or_make(stage, {"stage": stage}, lambda path: write_text(path / "file", "x"), what=stage)
    return made.path / "file"


def test_an_unchanged_run_shows_the_finished_one_while_its_pages_and_results_are_there(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run_inputs, "resolved_locks", lambda variant, _: as_recorded(variant))
    context = own_context(place)
    monkeypatch.setattr(study_run, "open_context", lambda: context)
    executed = rounds(monkeypatch).executed

    def run(**options: Any) -> int:
        before = len(executed)
        assert study_run.run_study("default", **options) == 0
        return len(executed) - before

    assert (run(), run()) == (3, 3), "the store has none of its results"
    image = store_stages(context.store)
    newest = made(capsys)
    assert run() == 0
    told = capsys.readouterr()
    assert Path(told.out.strip()) == newest / "index.html"
    assert f"nothing has changed since {newest.name}" in told.err
    assert (newest / "summary.md").read_text() in told.err
    image.write_text("y")
    assert run() == 3, "a damaged image"
    image.write_text("x")
    assert run() == 0
    (made(capsys) / "index.html").unlink()
    assert run() == 3, "without its page"
    some: dict[str, Any] = {"variants": ["atomic-min"], "overrides": {"version": "7"}}
    assert (run(**some), run(**some), run(variants=["atomic-min"])) == (1, 0, 1)


def test_a_broken_budget_heads_the_page_fails_the_run_and_moves_no_link(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run_inputs, "resolved_locks", lambda variant, _: as_recorded(variant))
    monkeypatch.setattr(study_run, "load_budgets", lambda _: {"atomic-min": Budget(package_count=189)})
    made_ = rounds(monkeypatch)
    assert study_run.run_study("default") == 1
    told = capsys.readouterr()
    line = "atomic-min: packages: 190, +1 over its budget of 189"
    assert f"over budget: {line}" in told.err
    page = Path(told.out.strip())
    assert line in page.read_text().partition("<section")[0], "before all else"
    assert read_study_result(page.parent).breaches[0].budget == "package_count"
    assert not (place / "build/runs/latest-default").exists()
    assert study_run.run_study("default", if_changed=True) == 1, "it is not run again, and still over its budget"
    assert len(made_.executed) == 3
    assert "it has broken budgets: 1" in capsys.readouterr().err


def test_a_history_that_cannot_be_written_loses_no_run_and_moves_no_link(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds(monkeypatch)
    monkeypatch.setattr(study_run, "publish_page", lambda directory: lock_history(place, _publish(directory)))
    with pytest.raises(WorkbookError, match="the history is locked") as caught:
        study_run.run_study("default")
    (run,) = (place / "build/runs").iterdir()
    assert f"The run is whole, and the next run adds it to the history: {run / 'index.html'}" in caught.value.hint
    OTHER_PROGRAM.pop().close()
    monkeypatch.setattr(study_run, "publish_page", _publish)
    assert study_run.run_study("default") == 0
    assert [row[0] for row in recorded(place)][:1] == [run.name]
    assert len(recorded(place)) == 2


def test_a_damaged_history_is_an_error_before_anything_is_built(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = rounds(monkeypatch)
    (place / "build").mkdir()
    (place / "build/history.sqlite").write_bytes(b"damaged" * 1000)
    with pytest.raises(WorkbookError, match="the history is damaged"):
        study_run.run_study("default")
    assert (made.executed, list((place / "build").glob("runs/*"))) == ([], [])


OTHER_PROGRAM: list[sqlite3.Connection] = []
_publish = study_page.publish_page


def lock_history(place: Path, page: Path) -> Path:
    """Another program keeps the history locked from the moment on when the page is made."""
    OTHER_PROGRAM.append(sqlite3.connect(place / "build/history.sqlite", isolation_level=None))
    OTHER_PROGRAM[0].execute("BEGIN EXCLUSIVE")
    return page
