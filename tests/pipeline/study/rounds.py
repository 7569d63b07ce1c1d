"""Runs of studies in a checkout of a test's own, and what stands in for the execution of notebooks."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.store import key_of
from atomic_lib.compose.tree import tree_key
from atomic_lib.params.study_file import chosen_variant
from atomic_lib.pipeline.notebooks import Execution
from atomic_lib.pipeline.study import study_page, study_run, update_rounds, variant_rounds
from atomic_lib.results.result_files import write_variant_result
from atomic_lib.results.variant_result import StageTime, VariantResult
from tests.pipeline.small_notebooks import notebook

LOCKED, CONTAINER_LOCKED = "0" * 64, "c" * 64


def recorded_key(stage: str) -> str:
    """The key of a stage in a result; its key in the store is that of ``{"stage": stage}``."""
    stored = key_of({"stage": stage})
    return tree_key(stored) if stage == "compose" else stored


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
        chosen = chosen_variant(name, str(execution.parameters["study"]))
        stages = ("resolve",) if outcome == "resolved" else ("resolve", "compose", "image")
        result = VariantResult(
            variant=name, status="ok" if outcome == "ok" else "incomplete", method=chosen.method, agent=chosen.agent,
            content=chosen.content, recipe=chosen.recipe, lock_sha256=LOCKED, package_count=190,
            container_lock_sha256=CONTAINER_LOCKED if chosen.container else None,
            stages=tuple(
                StageTime(stage=stage, seconds=1, reused=False, key=recorded_key(stage)) for stage in stages
            ),
        )  # fmt: skip
        if outcome == "damaged":
            (execution.output.parent / "result.json").write_text("{")
        elif outcome != "nothing":
            write_variant_result(execution.output.parent / "result.json", result)
        return None


def put_checkout(patch: pytest.MonkeyPatch, top: Path) -> None:
    """Have this process run studies in the checkout ``top``."""
    patch.setattr(study_run, "BUILD", top / "build")
    for module in (study_run, variant_rounds, update_rounds, study_page):
        patch.setattr(module, "CHECKOUT", top)
    for module in (variant_rounds, update_rounds, study_page):
        patch.setattr(module, "NOTEBOOKS", top / "notebooks")


def put_execution(patch: pytest.MonkeyPatch, execute: Callable[..., list[WorkbookError | None]]) -> None:
    """Have ``execute`` called in place of the execution of notebooks."""
    for module in (variant_rounds, update_rounds, study_page):
        patch.setattr(module, "execute_all", execute)


def rounds(monkeypatch: pytest.MonkeyPatch, **outcomes: WorkbookError | str) -> Rounds:
    made = Rounds(**outcomes)
    put_execution(monkeypatch, made)
    return made
