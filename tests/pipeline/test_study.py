"""A study: which variants, in which order, and what becomes of one that fails."""

import json
import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base.errors import SetupError, WorkbookError
from atomic_lib.params.budgets import Budget
from atomic_lib.params.study_file import chosen_variant, load_study, study_variants
from atomic_lib.pipeline import study
from atomic_lib.pipeline.notebooks import Execution
from atomic_lib.pipeline.schedule import run_inputs
from atomic_lib.results.conformance_files import read_matrix
from atomic_lib.results.history import database
from atomic_lib.results.history.database import read_history
from atomic_lib.results.result_files import RESULT_FILE, read_study_result, write_variant_result
from atomic_lib.results.variant_result import StageTime, VariantResult
from atomic_lib.tools import user_namespace
from tests.contexts import put_empty_tools
from tests.pipeline.small_notebooks import notebook
from tests.report.factory import variant_result

LOCKED = "0" * 64
# In place of the real notebook: it says that it ran, and leaves what the real one would.
PARAMETERS = ("variant", "study", "output_directory")
VARIANT = """
from pathlib import Path
from atomic_lib.params.budgets import Budget
from atomic_lib.params.study_file import chosen_variant
from atomic_lib.results.variant_result import StageTime, VariantResult
from atomic_lib.results.history import database
from atomic_lib.results.history.database import read_history
from atomic_lib.results.result_files import write_variant_result
top = Path({top!r})
with open(top / "executions", "a") as file:
    file.write(f"{{variant}} {{new_boots}}\\n")
failing = top / "failing"
if failing.exists() and variant in failing.read_text().split():
    raise ValueError("no such luck")
chosen = chosen_variant(variant, study)
stages = tuple(StageTime(stage=name, seconds=1, reused=False, key=name) for name in ("resolve", "compose", "image"))
write_variant_result(top / output_directory / "result.json", VariantResult(
    variant=variant, status="ok" if new_boots else "incomplete", method=chosen.method, content=chosen.content,
    recipe=chosen.recipe, agent=chosen.agent, package_count=190, stages=stages))
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with small notebooks, an empty build directory and a tools tree that has no tools."""
    top = tmp_path / "checkout"
    (top / "notebooks").mkdir(parents=True)
    parameters = "".join(f'{name}: str = ""\n' for name in PARAMETERS) + "new_boots: int = 0\n"
    variant = notebook([parameters, VARIANT.format(top=str(top))])
    (top / "notebooks/variant.ipynb").write_text(json.dumps(variant))
    compare = notebook(['run_directory: str = ""\n', "print(run_directory)\n"])
    (top / "notebooks/compare.ipynb").write_text(json.dumps(compare))
    put_empty_tools(tmp_path / "cache")
    monkeypatch.setenv("WORKBOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(study, "CHECKOUT", top)
    monkeypatch.setattr(study, "BUILD", top / "build")
    monkeypatch.setattr(study, "NOTEBOOKS", top / "notebooks")
    monkeypatch.setattr(user_namespace, "is_inside", lambda: True)
    monkeypatch.setattr(database, "WAIT_SECONDS", 0.1)
    return top


def test_a_variant_that_fails_is_shown_and_the_others_go_on(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "failing").write_text("atomic-min")
    assert study.run_study("default", variants=["atomic-min", "cloud-docker"]) == 1
    told = capsys.readouterr()
    page = Path(told.out.strip())
    assert page.name == "index.html"
    assert page.is_file()
    assert not (place / "build/runs/latest").exists()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ-default", page.parent.name)
    result = read_study_result(page.parent)
    assert (result.baseline, [one.variant for one in result.variants]) == (
        "cloud-docker", ["cloud-docker", "atomic-min", "atomic-cloud-init"],
    )  # fmt: skip
    good, bad, spare = result.variants
    assert (good.status, bad.status, spare.status) == ("ok", "failed", "ok")
    assert bad.error is not None
    assert (bad.error.stage, bad.error.message) == ("notebook", "ValueError: no such luck")
    executed = (place / "executions").read_text().splitlines()
    assert sorted(executed[:2]) == ["atomic-min 0", "cloud-docker 0"]
    assert executed[2:3] == ["cloud-docker 1"], "built first, then booted; what failed is not tried again"
    assert executed[3:] == ["atomic-cloud-init 0", "atomic-cloud-init 1"], "the fallback only once it is needed"
    assert "atomic-min failed at notebook: building its fallback atomic-cloud-init" in told.err
    assert "atomic-cloud-init, in place of atomic-min: the page has what it costs" in told.err


def test_variants_are_built_two_at_a_time_and_booted_in_turns_one_at_a_time(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds: list[tuple[int, list[str]]] = []
    wanted = {"cloud-docker": 1, "atomic-cloud-init": 2, "atomic-min": 2}

    def execute(executions: Sequence[Execution], *, workers: int) -> list[WorkbookError | None]:
        rounds.append((workers, [f"{one.parameters['variant']} {one.parameters['new_boots']}" for one in executions]))
        for one in executions:
            name = str(one.parameters["variant"])
            status = "ok" if len(rounds) > wanted[name] else "incomplete"
            made = tuple(
                StageTime(stage=each, seconds=1.0, reused=False, key=each) for each in ("resolve", "compose", "image")
            )
            result = variant_result(name, boots=len(rounds)).model_copy(update={"status": status, "stages": made})
            write_variant_result(one.output.with_name(RESULT_FILE), result)
        return [None for _ in executions]

    monkeypatch.setattr(study, "execute_all", execute)
    directory = place / "build/runs/own"
    directory.mkdir(parents=True)
    results = study._Run("default", {}, directory).make(study_variants(load_study("default")))
    assert [(result.variant, result.status) for result in results] == [(name, "ok") for name in wanted]
    # A boot is timed by the wall clock, so nothing else may run beside it.
    assert rounds == [
        (2, ["cloud-docker 0", "atomic-cloud-init 0", "atomic-min 0"]),
        (1, ["cloud-docker 1", "atomic-cloud-init 1", "atomic-min 1"]),
        (1, ["atomic-cloud-init 1", "atomic-min 1"]),
    ]


def test_a_fallback_that_fails_too_is_not_built_twice_and_the_earlier_run_is_named(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert study.run_study("default", variants=["atomic-min"]) == 0
    before = Path(capsys.readouterr().out.strip()).parent.name
    assert (place / "executions").read_text().split() == ["atomic-min", "0", "atomic-min", "1"]
    (place / "failing").write_text("atomic-min atomic-cloud-init")
    assert study.run_study("default", variants=["atomic-min"]) == 1
    told = capsys.readouterr()
    assert "error: atomic-min failed at notebook: ValueError: no such luck" in told.err
    assert "error: atomic-cloud-init failed at notebook: ValueError: no such luck" in told.err
    assert "atomic-min: its fallback atomic-cloud-init failed as well, nothing stands in" in told.err
    result = read_study_result(Path(told.out.strip()).parent)
    assert [(one.variant, one.status) for one in result.variants] == [
        ("atomic-min", "failed"), ("atomic-cloud-init", "failed"),
    ]  # fmt: skip
    (earlier,) = result.previous
    assert (earlier.variant, earlier.run, earlier.figures) == ("atomic-min", before, {"package_count": 190.0})


def test_a_study_that_asks_for_it_says_of_every_agent_what_faults_did_to_it(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert study.run_study("provisioning") == 0
    told = capsys.readouterr()
    directory = Path(told.out.strip()).parent
    matrix = read_matrix(directory)
    assert matrix is not None
    reasons = dict(matrix.not_run)
    assert list(reasons) == ["credentials", "min-cloud-agent", "ignition", "cloud-init"]
    assert reasons["cloud-init"] == "no tree with it was composed: atomic-cloud-init, atomic-cloud-init-nocloud"
    assert "cloud-init: not tested against injected faults: no tree" in told.err
    assert (directory / "conformance.csv").read_text().startswith("fault,agent,variant,outcome,why,run,")
    page = (directory / "index.html").read_text()
    assert 'href="conformance.json"' in page
    assert 'href="conformance.csv"' in page


def test_no_faults_are_put_where_the_study_does_not_ask(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert study.run_study("default", variants=["atomic-min"]) == 0
    directory = Path(capsys.readouterr().out.strip()).parent
    assert not list(directory.glob("conformance.*"))


def test_a_variant_that_the_study_has_not_is_named_before_anything_is_made(place: Path) -> None:
    with pytest.raises(WorkbookError) as caught:
        study.run_study("default", variants=["atomic-mni"])
    assert caught.value.message == "--variant atomic-mni: study 'default' has no such variant"
    assert caught.value.hint == "it has: cloud-docker, atomic-cloud-init, atomic-min"
    assert not (place / "build").exists()


@pytest.mark.parametrize(
    ("name", "overrides", "said"),
    [
        ("defualt", {}, "no such file"),
        ("default", {"boots_bois": 1}, "unknown key 'boots_bois'"),
        ("default", {"boots_bios": -1}, "boots_bios: -1 is not accepted"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_made(
    place: Path, name: str, overrides: dict[str, Any], said: str
) -> None:
    with pytest.raises(WorkbookError, match=said):
        study.run_study(name, overrides=overrides)
    assert not (place / "build").exists()


def test_outside_of_the_namespace_the_next_step_is_told(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_namespace, "is_inside", lambda: False)
    with pytest.raises(WorkbookError, match="needs a namespace") as caught:
        study.run_study("default")
    assert "start it with ./workbook" in caught.value.hint
    assert not (place / "build").exists()


@pytest.mark.parametrize(
    ("names", "kept", "baseline"),
    [
        ((), ("cloud-docker", "atomic-cloud-init", "atomic-min"), "cloud-docker"),
        (("atomic-min", "cloud-docker"), ("cloud-docker", "atomic-min"), "cloud-docker"),
        (("atomic-min",), ("atomic-min",), "atomic-min"),
    ],
)
def test_a_study_narrowed_keeps_its_order_and_has_a_baseline(
    names: tuple[str, ...], kept: tuple[str, ...], baseline: str
) -> None:
    whole = load_study("default")
    narrowed, variants = study._narrowed(whole, study_variants(whole), names)
    assert (narrowed.variants, narrowed.baseline) == (kept, baseline)
    assert tuple(variant.variant for variant in variants) == kept


class Rounds:
    """In place of executed notebooks: each execution writes a result, or has an error, by the variant's name."""

    def __init__(self, **outcomes: WorkbookError | str) -> None:
        self.outcomes = outcomes
        self.executed: list[tuple[object, object]] = []

    def __call__(self, executions: Sequence[Execution], *, workers: int) -> list[WorkbookError | None]:
        return [self._execute(execution) for execution in executions]

    def _execute(self, execution: Execution) -> WorkbookError | None:
        execution.output.write_text(json.dumps(notebook(["1"])))
        name = str(execution.parameters.get("variant", ""))
        if not name:
            return None
        self.executed.append((name, execution.parameters["new_boots"]))
        outcome = self.outcomes.get(name.replace("-", "_"), "ok")
        if isinstance(outcome, WorkbookError):
            return outcome
        chosen = chosen_variant(name, "default", {})
        stages = ("resolve",) if outcome == "resolved" else ("resolve", "compose", "image")
        result = VariantResult(
            variant=name, status="ok" if outcome == "ok" else "incomplete", method=chosen.method, agent=chosen.agent,
            content=chosen.content, recipe=chosen.recipe, lock_sha256=LOCKED, package_count=190,
            stages=tuple(StageTime(stage=stage, seconds=1, reused=False, key=stage) for stage in stages),
        )  # fmt: skip
        if outcome == "damaged":
            (execution.output.parent / "result.json").write_text("{")
        elif outcome != "nothing":
            write_variant_result(execution.output.parent / "result.json", result)
        return None


def rounds(monkeypatch: pytest.MonkeyPatch, **outcomes: WorkbookError | str) -> Rounds:
    made = Rounds(**outcomes)
    monkeypatch.setattr(study, "execute_all", made)
    return made


@pytest.mark.parametrize(
    ("outcome", "executions", "message"),
    [
        ("nothing", 1, "notebooks/variant.ipynb left no result: "),
        ("damaged", 1, "notebooks/variant.ipynb left no result: "),
        ("resolved", 1, "notebooks/variant.ipynb has no cell for the stage compose"),
        ("composed", 2, "notebooks/variant.ipynb has no cell that boots the image"),
    ],
)
def test_a_notebook_that_lacks_cells_is_refused_and_not_executed_again(
    place: Path, monkeypatch: pytest.MonkeyPatch, outcome: str, executions: int, message: str
) -> None:
    made = rounds(monkeypatch, atomic_min=outcome)
    assert study.run_study("default", variants=["atomic-min", "cloud-docker"]) == 1
    (directory,) = (place / "build/runs").iterdir()
    good, bad = read_study_result(directory).variants
    assert (good.status, bad.status) == ("ok", "failed")
    assert bad.error is not None
    assert bad.error.message.startswith(message)
    assert bad.error.hint == "restore the notebook: git restore notebooks/variant.ipynb"
    assert [name for name, _ in made.executed].count("atomic-min") == executions


def test_of_a_fault_that_is_not_the_variants_own_no_fallback_is_built(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = rounds(monkeypatch, atomic_min=SetupError("the disk is full", hint="free some space"))
    assert study.run_study("default", variants=["atomic-min", "cloud-docker"]) == 1
    told = capsys.readouterr()
    assert made.executed == [("cloud-docker", 0), ("atomic-min", 0)]
    assert told.err.splitlines()[-3:] == [
        "error: atomic-min failed at notebook: the disk is full",
        "Next step: free some space",
        "atomic-min: the cause is not the variant itself, so no fallback is built",
    ]
    assert read_study_result(Path(told.out.strip()).parent).fallbacks == {}


def made(capsys: pytest.CaptureFixture[str]) -> Path:
    """The directory of the run that was just made."""
    return Path(capsys.readouterr().out.split()[-1]).parent


def recorded(place: Path) -> list[tuple[object, ...]]:
    with read_history(place / "build/history.sqlite") as history:
        return history.execute("SELECT run, study, status, whole FROM runs ORDER BY created, run").fetchall()


def test_only_a_whole_run_without_a_failure_is_the_latest_of_its_study(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    latest = place / "build/runs/latest-default"
    rounds(monkeypatch)
    assert study.run_study("default", variants=["atomic-min"]) == 0
    assert study.run_study("default", overrides={"last_stage": "tree"}) == 0
    assert study.run_study("boot-times") == 0
    part, set_, other = recorded(place)
    assert [part[1:], set_[1:], other[1:]] == [("default", "ok", 0), ("default", "ok", 0), ("boot-times", "ok", 1)]
    assert not latest.exists()
    assert (place / "build/runs/latest-boot-times").resolve().name == other[0]
    assert study.run_study("default") == 0
    whole = made(capsys)
    assert latest.resolve() == whole
    rounds(monkeypatch, cloud_docker=WorkbookError("no such luck"))
    assert study.run_study("default") == 1
    failed = made(capsys)
    assert "no such luck" in (failed / "cloud-docker/index.html").read_text()
    assert latest.resolve() == whole
    assert recorded(place)[-2:] == [(whole.name, "default", "ok", 1), (failed.name, "default", "failed", 1)]


def no_mirror(*_: object) -> str:
    raise WorkbookError("no mirror")


def test_an_unchanged_study_is_not_run_again_and_a_changed_or_failed_one_is(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    locks = dict.fromkeys(load_study("default").names, LOCKED)
    monkeypatch.setattr(run_inputs, "resolved_lock", lambda variant, _: locks[variant.variant])

    def run(**outcomes: WorkbookError | str) -> int:
        executed = rounds(monkeypatch, **outcomes)
        study.run_study("default", if_changed=True)
        return len(executed.executed)

    assert run() == 3
    first = made(capsys)
    assert run() == 0
    assert f"nothing has changed since {first.name}" in capsys.readouterr().err
    locks["atomic-min"] = "1" * 64
    assert run(atomic_min=WorkbookError("dark")) > 0
    assert run() == 3, "what failed is tried again"
    locks["atomic-min"] = LOCKED
    assert run() == 0
    locks.clear()
    monkeypatch.setattr(run_inputs, "resolved_lock", no_mirror)
    assert run() == 3, "the run meets the error and shows it"
    with pytest.raises(WorkbookError, match="--if-changed: belongs to a run of a whole study"):
        study.run_study("default", if_changed=True, variants=["atomic-min"])


def test_a_broken_budget_heads_the_page_fails_the_run_and_moves_no_link(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run_inputs, "resolved_lock", lambda variant, _: LOCKED)
    monkeypatch.setattr(study, "load_budgets", lambda _: {"atomic-min": Budget(package_count=189)})
    made_ = rounds(monkeypatch)
    assert study.run_study("default") == 1
    told = capsys.readouterr()
    line = "atomic-min: packages: 190, +1 over its budget of 189"
    assert f"over budget: {line}" in told.err
    page = Path(told.out.strip())
    assert line in page.read_text().partition("<section")[0], "before all else"
    assert read_study_result(page.parent).breaches[0].budget == "package_count"
    assert not (place / "build/runs/latest-default").exists()
    assert study.run_study("default", if_changed=True) == 1, "it is not run again, and still over its budget"
    assert len(made_.executed) == 3
    assert "it has broken budgets: 1" in capsys.readouterr().err


def test_a_history_that_cannot_be_written_loses_no_run_and_moves_no_link(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds(monkeypatch)
    monkeypatch.setattr(study, "_publish", lambda directory: lock_history(place, _publish(directory)))
    with pytest.raises(WorkbookError, match="the history is locked") as caught:
        study.run_study("default")
    (run,) = (place / "build/runs").iterdir()
    assert f"The run is whole, and the next run adds it to the history: {run / 'index.html'}" in caught.value.hint
    OTHER_PROGRAM.pop().close()
    monkeypatch.setattr(study, "_publish", _publish)
    assert study.run_study("default") == 0
    assert [row[0] for row in recorded(place)][:1] == [run.name]
    assert len(recorded(place)) == 2


def test_a_damaged_history_is_an_error_before_anything_is_built(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = rounds(monkeypatch)
    (place / "build").mkdir()
    (place / "build/history.sqlite").write_bytes(b"damaged" * 1000)
    with pytest.raises(WorkbookError, match="the history is damaged"):
        study.run_study("default")
    assert (made.executed, list((place / "build").glob("runs/*"))) == ([], [])


OTHER_PROGRAM: list[sqlite3.Connection] = []
_publish = study._publish


def lock_history(place: Path, page: Path) -> Path:
    """Another program keeps the history locked from the moment on when the page is made."""
    OTHER_PROGRAM.append(sqlite3.connect(place / "build/history.sqlite", isolation_level=None))
    OTHER_PROGRAM[0].execute("BEGIN EXCLUSIVE")
    return page
