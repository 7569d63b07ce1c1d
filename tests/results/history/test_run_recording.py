"""A run in the history: all of it or nothing, once, and also if it was made before the history."""

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.results.history import run_recording
from atomic_lib.results.history.database import open_history
from atomic_lib.results.history.previous_builds import recorded_lock
from atomic_lib.results.history.run_recording import record_missing_runs, record_run
from atomic_lib.results.result_files import write_study_results
from atomic_lib.results.run_facts import RunFacts
from atomic_lib.results.study_result import Breach
from atomic_lib.results.variant_result import VariantResult
from atomic_lib.solve.lock import Lock, LockedPackage, write_lock
from atomic_lib.tools.machine import describe_machine
from tests.report import factory

LOCK = Lock("standin", (LockedPackage("bash", 0, "5.2", "1", "x86_64", "a" * 64, 10, "standin"),))
FACTS = RunFacts(whole=True, inputs="0123", machine=describe_machine())


def add_run(
    runs: Path,
    name: str,
    *results: VariantResult,
    facts: RunFacts | None = FACTS,
    breaches: Sequence[Breach] = (),
) -> Path:
    run = runs / name
    locked = [result.model_copy(update={"lock_sha256": LOCK.sha256}) for result in results]
    provenance = facts.provenance() if facts else None
    write_study_results(run, factory.STUDY, locked, breaches=breaches, provenance=provenance)
    for result in results:
        (run / result.variant).mkdir()
        write_lock(LOCK, run / result.variant / "lock.json")
    (run / "index.html").touch()
    return run


def count(history: sqlite3.Connection, table: str) -> int:
    return int(history.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def test_a_run_is_recorded_with_all_its_builds(tmp_path: Path) -> None:
    good, failed = factory.variant_result("atomic-min", boots=3), factory.failed_result()
    run = add_run(tmp_path / "runs", "one", good, failed)
    with open_history(tmp_path / "history.sqlite") as history:
        record_run(history, run)
        row = history.execute("SELECT study, status, whole, inputs, cpus, cpu_model FROM runs").fetchone()
        assert row == ("default", "failed", 1, "0123", describe_machine().cpus, describe_machine().cpu_model)
        builds = history.execute("SELECT variant, status, passed, failed_stage, commit_checksum, lock FROM builds")
        assert builds.fetchall() == [
            ("atomic-min", "ok", 1, None, good.commit, LOCK.sha256),
            ("atomic-broken", "failed", 0, "compose", None, LOCK.sha256),
        ]
        figures = {name: (value, unit, n) for name, value, unit, n in history.execute(
            "SELECT figure, value, unit, n FROM figures JOIN builds USING (build) WHERE variant = 'atomic-min'"
        )}  # fmt: skip
        assert figures["tree_bytes"] == (good.tree_bytes, "bytes", 1)
        assert figures["ssh_login_seconds:bios:tcg"] == (51.2, "seconds", 3)
        assert count(history, "packages") == len(good.packages)
        parameters = history.execute("SELECT parameter, value FROM parameters WHERE parameter LIKE 'boots%'")
        assert parameters.fetchall() == [("boots_bios", "3"), ("boots_uefi", "0")]
        assert dict(history.execute("SELECT program, version FROM versions"))["git_revision"] == "0" * 40
        assert recorded_lock(history, LOCK.sha256) == LOCK


def test_a_boot_that_fails_its_proof_of_life_has_not_passed(tmp_path: Path) -> None:
    run = add_run(tmp_path / "runs", "one", factory.variant_result("atomic-cloud-init"))
    with open_history(tmp_path / "history.sqlite") as history:
        record_run(history, run)
        assert history.execute("SELECT status, passed FROM builds").fetchone() == ("ok", 0)
        assert history.execute("SELECT status FROM runs").fetchone() == ("failed",)


def test_a_run_is_recorded_once_and_a_lock_too(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    with open_history(tmp_path / "history.sqlite") as history:
        record_run(history, add_run(runs, "one", factory.variant_result("atomic-min")))
        record_run(history, runs / "one")
        add_run(runs, "two", factory.variant_result("atomic-min"))
        (runs / "latest-default").symlink_to("two")
        assert record_missing_runs(history, runs) == ["two"]
        assert record_missing_runs(history, runs) == []
        assert (count(history, "runs"), count(history, "builds"), count(history, "locks")) == (2, 2, 1)


def test_nothing_of_a_run_is_recorded_if_a_part_of_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = add_run(tmp_path / "runs", "one", factory.variant_result("atomic-min"))
    with open_history(tmp_path / "history.sqlite") as history:
        with monkeypatch.context() as patch:
            patch.setattr(run_recording, "_unit_rows", lambda _: iter([{"unit": None, "counted_seconds": 1.0}]))
            with pytest.raises(WorkbookError, match=r"^one: its results or a lock contradict themselves: NOT NULL"):
                record_run(history, run)
        assert [count(history, table) for table in ("runs", "builds", "figures", "locks")] == [0, 0, 0, 0]
        record_run(history, run)
        assert count(history, "runs") == 1


def test_a_run_from_before_the_history_has_the_machine_of_its_boots(tmp_path: Path) -> None:
    run = add_run(tmp_path / "runs", "one", factory.variant_result("atomic-min"), facts=None)
    with open_history(tmp_path / "history.sqlite") as history:
        record_run(history, run)
        assert history.execute("SELECT whole, inputs, cpu_model, memory_bytes FROM runs").fetchone() == (
            0, None, "Example CPU", None,
        )  # fmt: skip


@pytest.mark.parametrize("text", ["{", "[" * 100_000])
@pytest.mark.parametrize("file", ["results.json", "atomic-min/lock.json"])
def test_a_damaged_run_is_left_out_and_named_and_the_others_are_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str, text: str
) -> None:
    runs = tmp_path / "runs"
    (add_run(runs, "one", factory.variant_result("atomic-min")) / file).write_text(text)
    add_run(runs, "two", factory.variant_result("atomic-min"))
    with open_history(tmp_path / "history.sqlite") as history:
        assert record_missing_runs(history, runs) == ["two"]
    assert "! history: run one is left out: " in capsys.readouterr().err


def test_a_run_that_was_made_at_no_time_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = add_run(tmp_path / "runs", "one", factory.variant_result("atomic-min"))
    values = json.loads((run / "results.json").read_text())
    (run / "results.json").write_text(json.dumps({**values, "created": "yesterday"}))
    with open_history(tmp_path / "history.sqlite") as history:
        assert record_missing_runs(history, tmp_path / "runs") == []
    assert "run one is left out: one: results.json: created: Invalid isoformat string: 'yesterday'" in (
        capsys.readouterr().err
    )
