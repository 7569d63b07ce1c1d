"""A study: its variants built and booted by notebooks, compared on one page."""

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from atomic_lib.errors import WorkbookError
from atomic_lib.host import cache_directory, open_tools
from atomic_lib.params import Study, Variant, load_study, load_variant, parameter_values
from atomic_lib.progress import say
from atomic_lib.report.model import VariantResult
from atomic_lib.report.record import failed_result
from atomic_lib.report.results import RESULT_FILE, read_variant_result, write_study_results
from atomic_lib.store import Store, run_lock
from atomic_lib.workbench import BUILD, CHECKOUT

NOTEBOOKS = CHECKOUT / "notebooks"
_PARALLEL_BUILDS = 2


@dataclass(frozen=True)
class _Execution:
    """One notebook to execute with papermill."""

    notebook: Path
    output: Path
    parameters: Mapping[str, Any]


def run_study(study: str, *, variants: Sequence[str] = (), overrides: Mapping[str, Any] | None = None) -> int:
    """Run the study ``params/studies/STUDY.yaml`` and write its pages; returns the exit status.

    ``variants``: only these of the study's. ``overrides``: parameters for all of them.
    A variant that fails is shown as failed, the others go on, and the status is 1.

    Raises WorkbookError for what is wrong before anything is built.
    """
    chosen = _narrowed(load_study(study), variants)
    loaded = [load_variant(name, overrides=overrides) for name in chosen.variants]
    if os.geteuid() != 0:
        raise WorkbookError("composing needs root: owners, device nodes and labels of another system are written",
                            hint="sudo ./workbook run")  # fmt: skip
    with run_lock(BUILD):
        for store in (Store(BUILD / "store"), Store(cache_directory())):
            store.remove_abandoned()
        open_tools(cache_directory())
        directory = _new_run(study)
        results = _run_variants(loaded, directory)
        write_study_results(directory, chosen, results)
        _execute(
            _Execution(NOTEBOOKS / "compare.ipynb", directory / "compare.ipynb", {"run_directory": str(directory)})
        )
        page = _publish(directory)
    return _report(results, page)


def _narrowed(study: Study, names: Sequence[str]) -> Study:
    unknown = [name for name in names if name not in study.variants]
    if unknown:
        raise WorkbookError(
            f"--variant {unknown[0]}: study {study.study!r} has no such variant",
            hint=f"it has: {', '.join(study.variants)}",
        )
    if not names:
        return study
    kept = tuple(name for name in study.variants if name in names)
    return study.model_copy(
        update={"variants": kept, "baseline": study.baseline if study.baseline in kept else kept[0]}
    )


def _new_run(study: str) -> Path:
    runs = BUILD / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    stem = f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}-{study}"
    directory = next(path for path in (runs / f"{stem}{end}" for end in ("", "-2", "-3", "-4")) if not path.exists())
    directory.mkdir()
    return directory


def _run_variants(variants: Sequence[Variant], directory: Path) -> list[VariantResult]:
    """All variants: built two at a time, then booted one boot at a time in turn, A B C A B C.

    Each round executes every notebook that still lacks a boot again; what it made before
    it takes from the store.
    """
    open_rounds = list(variants)
    done: dict[str, VariantResult] = {}
    new_boots = 0
    while open_rounds:
        executions = [_execution(variant, directory, new_boots) for variant in open_rounds]
        for variant, problem in zip(open_rounds, _execute_all(executions, parallel=new_boots == 0), strict=True):
            done[variant.variant] = _result(variant, directory, problem)
        open_rounds = [variant for variant in open_rounds if done[variant.variant].status == "incomplete"]
        new_boots = 1
    return [done[variant.variant] for variant in variants]


def _execution(variant: Variant, directory: Path, new_boots: int) -> _Execution:
    own = directory / variant.variant
    own.mkdir(exist_ok=True)
    where = {"new_boots": new_boots, "output_directory": str(own.relative_to(CHECKOUT))}
    return _Execution(NOTEBOOKS / "variant.ipynb", own / "variant.ipynb", {**parameter_values(variant), **where})


def _execute_all(executions: Sequence[_Execution], *, parallel: bool) -> list[str]:
    """Execute notebooks; for each the text of what went wrong, or an empty string."""
    if not parallel or len(executions) == 1:
        return [_problem(execution) for execution in executions]
    context = get_context("spawn")
    with ProcessPoolExecutor(_PARALLEL_BUILDS, mp_context=context) as pool:
        return list(pool.map(_problem, executions))


def _problem(execution: _Execution) -> str:
    from papermill.exceptions import PapermillExecutionError

    try:
        _execute(execution)
    except PapermillExecutionError as error:
        return f"{error.ename}: {error.evalue}"
    return ""


def _execute(execution: _Execution) -> None:
    """Execute one notebook with papermill, its kernel on sockets that only this user can reach."""
    import papermill
    from traitlets.config import Config

    with tempfile.TemporaryDirectory(prefix="kernel-") as sockets:
        papermill.execute_notebook(
            str(execution.notebook),
            str(execution.output),
            parameters=dict(execution.parameters),
            cwd=str(NOTEBOOKS),
            progress_bar=False,
            stderr_file=sys.stderr,
            config=Config({"KernelManager": {"transport": "ipc", "ip": f"{sockets}/kernel"}}),
        )


def _result(variant: Variant, directory: Path, problem: str) -> VariantResult:
    own = directory / variant.variant
    if problem:
        say(f"✗ {variant.variant}: {problem.splitlines()[0]}")
        return failed_result(own, variant, CHECKOUT, WorkbookError(problem))
    return read_variant_result(own / RESULT_FILE)


def _publish(directory: Path) -> Path:
    from atomic_lib.report.html import write_pages

    page = write_pages(directory)
    latest = directory.parent / "latest"
    fresh = directory.parent / f".latest-{os.getpid()}"
    with suppress(FileNotFoundError):
        fresh.unlink()
    fresh.symlink_to(directory.name)
    os.replace(fresh, latest)
    return page


def _report(results: Sequence[VariantResult], page: Path) -> int:
    failed = [result for result in results if result.status != "ok"]
    for result in failed:
        say(
            f"{result.variant}: {result.status}"
            + (f" at {result.error.stage}: {result.error.message}" if result.error else "")
        )
    print(page)
    return 1 if failed else 0
