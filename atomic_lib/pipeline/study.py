"""A study: its variants built and booted by notebooks, compared on one page."""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import BUILD, CHECKOUT, NOTEBOOKS, cache_directory
from atomic_lib.base.progress import say
from atomic_lib.content.definition import load_definition
from atomic_lib.params.study_file import Study, fallback_variants, load_study, study_variants
from atomic_lib.params.variant import Variant, parameter_values
from atomic_lib.pipeline.conformance import write_conformance
from atomic_lib.pipeline.notebooks import Execution, execute_all
from atomic_lib.recipe.load import load_recipe
from atomic_lib.report.text.boot_words import failed_boot_notes
from atomic_lib.results.analysis.fallbacks import contingencies, fallbacks_to_run, has_failed, in_place
from atomic_lib.results.history import earlier_figures
from atomic_lib.results.record import failed_result
from atomic_lib.results.result_files import RESULT_FILE, read_variant_result, write_study_results
from atomic_lib.results.runs import link_newest, new_run, only_run
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult
from atomic_lib.solve.lock import read_lock
from atomic_lib.tools.tools_tree import open_tools

_PARALLEL_BUILDS = 2


def run_study(study: str, *, variants: Sequence[str] = (), overrides: Mapping[str, Any] | None = None) -> int:
    """Run the study ``params/studies/STUDY.yaml`` and write its pages; returns the exit status.

    ``variants``: only these of the study's. ``overrides``: parameters for all of them.
    A variant that fails is shown as failed, the others go on, and the status is 1; its
    fallback is built and booted then, if it is none of the others.

    Raises WorkbookError for what is wrong before anything is built.
    """
    whole = load_study(study)
    chosen, loaded = _narrowed(whole, study_variants(whole, overrides=overrides), variants)
    spares = fallback_variants(whole, overrides=overrides)
    for variant in (*loaded, *spares.values()):
        load_definition(variant.content)
        load_recipe(variant)
        if variant.lock:
            read_lock(CHECKOUT / variant.lock)
    if os.geteuid() != 0:
        raise WorkbookError("composing needs root: owners, device nodes and labels of another system are written",
                            hint="sudo ./workbook run")  # fmt: skip
    with only_run(BUILD, cache_directory()):
        open_tools(cache_directory())
        directory = new_run(BUILD / "runs", study)
        results = _with_fallbacks(whole.fallbacks, spares, _run_variants(loaded, directory), directory)
        lost = [result for result in results if result.variant in whole.fallbacks and has_failed(result)]
        before = [earlier_figures(directory.parent, directory, result) for result in lost]
        written = write_study_results(directory, chosen, results, earlier=list(filter(None, before)))
        where = {"run_directory": str(directory.relative_to(CHECKOUT))}
        if whole.conformance:
            write_conformance(directory, [*loaded, *spares.values()], results)
        compare = Execution(NOTEBOOKS / "compare.ipynb", directory / "compare.ipynb", where)
        for problem in filter(None, execute_all([compare], workers=1)):
            raise WorkbookError(f"notebooks/compare.ipynb failed: {problem}")
        page = _publish(directory)
    return _report(written, page)


def _narrowed(study: Study, variants: Sequence[Variant], names: Sequence[str]) -> tuple[Study, list[Variant]]:
    """The study and its variants, or only those that are named; its steps and factors need all of them."""
    unknown = [name for name in names if name not in study.names]
    if unknown:
        raise WorkbookError(
            f"--variant {unknown[0]}: study {study.study!r} has no such variant",
            hint=f"it has: {', '.join(study.names)}",
        )
    if not names:
        return study, list(variants)
    kept = [variant for variant in variants if variant.variant in names]
    own = tuple(variant.variant for variant in kept)
    baseline = study.baseline if study.baseline in own else own[0]
    return study.model_copy(update={"variants": own, "baseline": baseline, "steps": (), "cells": None}), kept


def _run_variants(variants: Sequence[Variant], directory: Path) -> list[VariantResult]:
    """All variants: built two at a time, then booted one boot at a time in turn, A B C A B C.

    Each round executes every notebook that still lacks a boot again; what it made before
    it takes from the store.
    """
    open_rounds = list(variants)
    done: dict[str, VariantResult] = {}
    new_boots, workers = 0, _PARALLEL_BUILDS
    while open_rounds:
        executions = [_execution(variant, directory, new_boots) for variant in open_rounds]
        for variant, problem in zip(open_rounds, execute_all(executions, workers=workers), strict=True):
            done[variant.variant] = _result(variant, directory, problem)
        open_rounds = [variant for variant in open_rounds if done[variant.variant].status == "incomplete"]
        new_boots, workers = 1, 1
    return [done[variant.variant] for variant in variants]


def _with_fallbacks(
    fallbacks: Mapping[str, str], spares: Mapping[str, Variant], results: Sequence[VariantResult], directory: Path
) -> list[VariantResult]:
    """The results, and behind each failed one its fallback's: made now, where it was not among them."""
    made = list(results)
    while needed := fallbacks_to_run(fallbacks, made):
        for failed, name in needed.items():
            if name in (result.variant for result in made):
                continue  # made a moment ago for another one
            place = next(place for place, result in enumerate(made) if result.variant == failed)
            error = made[place].error
            stage = error.stage if error else "its proof of life"
            say(f"{failed} failed at {stage}: its fallback {name} is built")
            made[place + 1 : place + 1] = _run_variants([spares[name]], directory)
    return made


def _execution(variant: Variant, directory: Path, new_boots: int) -> Execution:
    own = directory / variant.variant
    own.mkdir(exist_ok=True)
    values = parameter_values(variant)
    if variant.lock:  # a copy of our own, so that no path of the user's stands in the results
        values["lock"] = str((own / "requested-lock.json").relative_to(CHECKOUT))
        shutil.copyfile(CHECKOUT / variant.lock, CHECKOUT / values["lock"])
    where = {"new_boots": new_boots, "output_directory": str(own.relative_to(CHECKOUT))}
    return Execution(NOTEBOOKS / "variant.ipynb", own / "variant.ipynb", {**values, **where})


def _result(variant: Variant, directory: Path, problem: str) -> VariantResult:
    own = directory / variant.variant
    if problem:
        return failed_result(own, variant, CHECKOUT, WorkbookError(problem))
    return read_variant_result(own / RESULT_FILE)


def _publish(directory: Path) -> Path:
    """Make the pages, and let ``latest`` point to the run."""
    from atomic_lib.report.page.export import write_pages

    page = write_pages(directory)
    link_newest(directory, "latest")
    return page


def _report(study: StudyResult, page: Path) -> int:
    """Say what failed, what stands in and where the page is; the exit status."""
    failures = [(result.variant, result.error) for result in study.variants if result.error]
    for name, error in failures:
        say(f"error: {name} failed at {error.stage}: {error.message}")
        if error.hint:
            say(f"Next step: {error.hint}")
    for note in failed_boot_notes(study.variants):
        say(note)
    for found in contingencies(study):
        if found.stand_in:
            say(f"{in_place(found.stand_in.variant, found.failed.variant)}: the page has what it costs")
        else:
            say(f"{found.failed.variant}: its fallback {found.fallback} failed as well, nothing stands in")
    print(page)
    return 1 if failures else 0
