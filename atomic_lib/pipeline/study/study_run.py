"""Runs a study: notebooks build and boot its variants, and a page compares them. The run is recorded in the history."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import BUILD, CHECKOUT, PARAMS_DIRECTORY, cache_directory
from atomic_lib.base.progress import Parts, counting, say
from atomic_lib.content.definition import load_definition
from atomic_lib.guest.boot_stages import is_timed_alone
from atomic_lib.params.budgets import load_budgets
from atomic_lib.params.study_file import Study, fallback_variants, load_study, study_variants
from atomic_lib.params.variant import Variant
from atomic_lib.pipeline.conformance import write_conformance
from atomic_lib.pipeline.schedule.pruning import prune
from atomic_lib.pipeline.schedule.run_inputs import FinishedRun, inputs_of_run, is_kept, recorded_locks, unchanged_run
from atomic_lib.pipeline.side_by_side.capacity import seconds_side_by_side, variants_at_once
from atomic_lib.pipeline.study.study_page import COMPARISON, publish_page, report_run
from atomic_lib.pipeline.study.update_rounds import PlannedRound, make_rounds, planned_rounds, require_rounds
from atomic_lib.pipeline.study.variant_rounds import VariantRounds
from atomic_lib.recipe.load import load_recipes
from atomic_lib.report.text.summary import SUMMARY_FILE
from atomic_lib.results.analysis.fallbacks import has_failed
from atomic_lib.results.history.budget_check import check_budgets
from atomic_lib.results.history.database import HISTORY_FILE, open_history, read_history
from atomic_lib.results.history.expected_times import expected_seconds
from atomic_lib.results.history.previous_builds import previous_figures
from atomic_lib.results.history.run_recording import record_missing_runs, record_run
from atomic_lib.results.result_files import write_study_results
from atomic_lib.results.run_facts import RunFacts
from atomic_lib.results.runs import INDEX_FILE, RESUMED_FILE, latest_link, link_newest, new_run, only_run
from atomic_lib.results.variant_result import VariantResult
from atomic_lib.solve.rpm_ostree.lockfile import read_requested_lock
from atomic_lib.tools.context import Context, open_context
from atomic_lib.tools.machine import describe_machine
from atomic_lib.tools.user_namespace import require_namespace


def run_study(
    study: str,
    *,
    params: Path = PARAMS_DIRECTORY,
    variants: Sequence[str] = (),
    overrides: Mapping[str, object] | None = None,
    wait: bool = False,
    if_changed: bool = False,
    keep: int | None = None,
    move_link: bool = True,
) -> int:
    """Run the study ``params/studies/STUDY.yaml`` and write its pages; returns the exit status.

    ``variants``: run only these variants of the study. ``overrides``: parameters for all of them.
    A breach of a budget heads the page; the status is 1 then, too.
    If a variant fails, the page shows it as failed, the other variants continue, and the status is
    1. Its fallback is then built and booted, unless it is one of the study's variants, or the cause
    is a fault of the setup, which the fallback would meet too. So it is if an update of a variant is not as it must be,
    in a study with ``updates``; such a study takes no overrides. The link ``latest-STUDY`` points to the run
    only if it is one of the whole study, without variants or overrides, and the status is 0.

    Nothing is executed if lock, code and parameters are those of the newest run of the study, which was successful, and
    its pages and images are still there. ``if_changed``: also if they are not; only for a whole study.

    ``wait``: wait until no other run is active. ``keep``: afterwards remove all but so many runs of each
    study, as ``prune`` does. ``move_link``: False if the link is to be moved later, once the run is published.

    Raises WorkbookError for errors in parameters and recipes, before anything is built; and if the history cannot be
    read or written: a run that is finished by then stays, and the next run records it.
    """
    whole_study = not (variants or overrides) and params == PARAMS_DIRECTORY
    if if_changed and not whole_study:
        raise WorkbookError(
            "--if-changed: belongs to a run of a whole study, without --variant, --set, --content and --lock",
            hint="write what differs into the parameters of a study of your own",
        )
    whole = load_study(study, params)
    if whole.updates and overrides:
        raise WorkbookError(
            f"study {study!r} updates its variants as its file has them: {', '.join(overrides)} cannot be overridden",
            hint="write what differs into the parameters of a study of your own",
        )
    chosen, loaded = _narrowed(whole, study_variants(whole, params, overrides), variants)
    fallbacks = fallback_variants(whole, params, overrides)
    for variant in (*loaded, *fallbacks.values()):
        load_definition(variant.content)
        load_recipes(variant)
        if variant.lock:
            read_requested_lock(CHECKOUT / variant.lock)
    budgets = load_budgets(params)
    planned = planned_rounds(chosen, _parameter(study, params))
    require_namespace()
    with only_run(BUILD, cache_directory(), f"./workbook run {study}", wait=wait) as interrupted:
        context = open_context()
        require_rounds(chosen, _parameter(study, params))
        with open_history(BUILD / HISTORY_FILE) as history:
            record_missing_runs(history, BUILD / "runs")
            unchanged = unchanged_run(history, chosen, loaded, context, whole=whole_study)
            if unchanged and (if_changed or is_kept(BUILD / "runs" / unchanged.name, loaded, context.store)):
                return _tell_unchanged(unchanged)
            expected = expected_seconds(history, context.store, loaded)
            builds = seconds_side_by_side(expected, _at_once(loaded))
            parts = Parts({**builds, **{one.round.title: None for one in planned}, COMPARISON: 0.0})
            spare = {one.variant: expected_seconds(history, context.store, [one]) for one in fallbacks.values()}
        run = VariantRounds(
            _parameter(study, params), overrides or {}, new_run(BUILD / "runs", study, interrupted), parts, spare
        )
        with counting(parts):
            results = run.with_fallbacks(whole.fallbacks, fallbacks, run.make(loaded))
            rounds = make_rounds(planned, results, run.directory, parts, at_once=_updates_at_once(planned, loaded))
        failures = [one for one in rounds if one.error]
        chosen = chosen.model_copy(update={"fallbacks": run.own_faults_only(chosen.fallbacks)})
        failed = [result for result in results if result.variant in chosen.fallbacks and has_failed(result)]
        with read_history(BUILD / HISTORY_FILE) as history:
            previous = [previous_figures(history, run.directory.name, result) for result in failed]
            breaches = check_budgets(history, budgets, results)
        facts = RunFacts(
            whole=whole_study,
            inputs=None if failures else _inputs(chosen, loaded, results, context),
            machine=describe_machine(),
        )
        written = write_study_results(
            run.directory,
            chosen,
            results,
            previous=list(filter(None, previous)),
            breaches=breaches,
            failed_updates=[one.title for one in failures],
            provenance=facts.provenance(),
        )
        if whole.conformance:
            write_conformance(run.directory, [*loaded, *fallbacks.values()], results)
        with counting(parts):
            page = publish_page(run.directory)
        (run.directory / RESUMED_FILE).unlink(missing_ok=True)
        _record(run.directory, page)
        if move_link and whole_study and not (breaches or failures or any(map(has_failed, results))):
            link_newest(run.directory, latest_link(study))
        if keep is not None:
            prune(BUILD, keep)
    return report_run(written, page, run.setup_faults, failures)


def _tell_unchanged(run: FinishedRun) -> int:
    """Print the summary and the page of a run that need not be made again; returns its exit status."""
    broken = f"; it has broken budgets: {run.breaches}" if run.breaches else ""
    say(f"nothing has changed since {run.name}: lock, code and parameters are the same{broken}")
    directory = BUILD / "runs" / run.name
    if (directory / SUMMARY_FILE).is_file():
        say(f"\n{(directory / SUMMARY_FILE).read_text(encoding='utf-8')}")
        print(directory / INDEX_FILE)
    return run.status


def _inputs(
    study: Study, variants: Sequence[Variant], results: Sequence[VariantResult], context: Context
) -> str | None:
    """What the run was made from; None if a variant was not resolved."""
    locks = recorded_locks(results)
    if any(variant.variant not in locks for variant in variants):
        return None
    return inputs_of_run(study, variants, locks, context)


def _record(directory: Path, page: Path) -> None:
    """Record the finished run in the history. Raises WorkbookError naming its page if that is not possible."""
    try:
        with open_history(BUILD / HISTORY_FILE) as history:
            record_run(history, directory)
    except WorkbookError as error:
        hint = f"{error.hint}. The run is whole, and the next run adds it to the history: {page}"
        raise WorkbookError(error.message, hint=hint) from None


def _parameter(study: str, params: Path) -> str:
    """The parameter ``study`` of the notebooks: the study's name, or the path of its file if it is elsewhere."""
    return study if params == PARAMS_DIRECTORY else str((params / "studies" / f"{study}.yaml").relative_to(CHECKOUT))


def _narrowed(study: Study, variants: Sequence[Variant], names: Sequence[str]) -> tuple[Study, list[Variant]]:
    """The study and its variants, reduced to ``names`` if there are any; then without steps and factors."""
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


def _updates_at_once(planned: Sequence[PlannedRound], variants: Sequence[Variant]) -> int:
    """How many rounds a run makes side by side: each boots a guest, whatever the last stage of the variants is."""
    guest = max(variants, key=lambda variant: variant.guest_memory_mib)
    return variants_at_once([guest.model_copy(update={"last_stage": "boot"})] * len(planned))


def _at_once(variants: Sequence[Variant]) -> int:
    """How many variants a run makes side by side, for the time that is left: one where boots are timed alone."""
    return 1 if any(map(is_timed_alone, variants)) else variants_at_once(variants)
