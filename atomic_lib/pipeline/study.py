"""Runs a study: notebooks build and boot its variants, and a page compares them."""

import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from atomic_lib.base.errors import SetupError, WorkbookError
from atomic_lib.base.paths import BUILD, CHECKOUT, NOTEBOOKS, PARAMS_DIRECTORY, cache_directory
from atomic_lib.base.progress import Parts, counting, passed, say
from atomic_lib.content.definition import load_definition
from atomic_lib.guest.boot_stages import boot_names, is_timed_alone
from atomic_lib.params.budgets import load_budgets
from atomic_lib.params.study_file import Study, fallback_variants, load_study, study_variants
from atomic_lib.params.variant import Variant
from atomic_lib.pipeline.conformance import write_conformance
from atomic_lib.pipeline.notebooks import Execution, execute_all
from atomic_lib.pipeline.schedule.pruning import prune
from atomic_lib.pipeline.schedule.run_inputs import FinishedRun, inputs_of_run, is_kept, recorded_locks, unchanged_run
from atomic_lib.pipeline.side_by_side.capacity import seconds_side_by_side, variants_at_once
from atomic_lib.recipe.load import load_recipes
from atomic_lib.report.page.export import write_pages
from atomic_lib.report.text.boot_words import failed_boot_notes
from atomic_lib.report.text.budget_words import breach_words
from atomic_lib.report.text.summary import SUMMARY_FILE
from atomic_lib.results.analysis.fallbacks import fallback_outcomes, fallbacks_to_run, has_failed, in_place
from atomic_lib.results.history.budget_check import check_budgets
from atomic_lib.results.history.database import HISTORY_FILE, open_history, read_history
from atomic_lib.results.history.expected_times import expected_seconds
from atomic_lib.results.history.previous_builds import previous_figures
from atomic_lib.results.history.run_recording import record_missing_runs, record_run
from atomic_lib.results.record import failed_result
from atomic_lib.results.result_files import RESULT_FILE, read_variant_result, write_study_results
from atomic_lib.results.run_facts import RunFacts
from atomic_lib.results.runs import INDEX_FILE, RESUMED_FILE, latest_link, link_newest, new_run, only_run
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult
from atomic_lib.solve.rpm_ostree.lockfile import read_requested_lock
from atomic_lib.tools.context import Context, open_context
from atomic_lib.tools.machine import describe_machine
from atomic_lib.tools.user_namespace import require_namespace

_ALL_BOOTS = 100
"""As many boots as a variant may lack: what the notebook makes where nobody limits it."""
_STAGES_BEFORE_BOOT = ("resolve", "compose", "image")
_COMPARISON = "comparison"
"""The last part of a run. It takes seconds, so it does not count for the time that is left."""
_RESTORE = "restore the notebook: git restore notebooks/variant.ipynb"


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
    is a fault of the setup, which the fallback would meet too. The link ``latest-STUDY`` points to the run
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
    chosen, loaded = _narrowed(whole, study_variants(whole, params, overrides), variants)
    fallbacks = fallback_variants(whole, params, overrides)
    for variant in (*loaded, *fallbacks.values()):
        load_definition(variant.content)
        load_recipes(variant)
        if variant.lock:
            read_requested_lock(CHECKOUT / variant.lock)
    budgets = load_budgets(params)
    require_namespace()
    with only_run(BUILD, cache_directory(), f"./workbook run {study}", wait=wait) as interrupted:
        context = open_context()
        with open_history(BUILD / HISTORY_FILE) as history:
            record_missing_runs(history, BUILD / "runs")
            unchanged = unchanged_run(history, chosen, loaded, context, whole=whole_study)
            if unchanged and (if_changed or is_kept(BUILD / "runs" / unchanged.name, loaded, context.store)):
                return _tell_unchanged(unchanged)
            expected = expected_seconds(history, context.store, loaded)
            parts = Parts({**seconds_side_by_side(expected, _at_once(loaded)), _COMPARISON: 0.0})
            spare = {one.variant: expected_seconds(history, context.store, [one]) for one in fallbacks.values()}
        run = _Run(
            _parameter(study, params), overrides or {}, new_run(BUILD / "runs", study, interrupted), parts, spare
        )
        with counting(parts):
            results = run.with_fallbacks(whole.fallbacks, fallbacks, run.make(loaded))
        chosen = chosen.model_copy(update={"fallbacks": run.own_faults_only(chosen.fallbacks)})
        failed = [result for result in results if result.variant in chosen.fallbacks and has_failed(result)]
        with read_history(BUILD / HISTORY_FILE) as history:
            previous = [previous_figures(history, run.directory.name, result) for result in failed]
            breaches = check_budgets(history, budgets, results)
        facts = RunFacts(
            whole=whole_study, inputs=_inputs(chosen, loaded, results, context), machine=describe_machine()
        )
        written = write_study_results(
            run.directory,
            chosen,
            results,
            previous=list(filter(None, previous)),
            breaches=breaches,
            provenance=facts.provenance(),
        )
        if whole.conformance:
            write_conformance(run.directory, [*loaded, *fallbacks.values()], results)
        with counting(parts):
            page = _publish(run.directory)
        (run.directory / RESUMED_FILE).unlink(missing_ok=True)
        _record(run.directory, page)
        if move_link and whole_study and not (breaches or any(map(has_failed, results))):
            link_newest(run.directory, latest_link(study))
        if keep is not None:
            prune(BUILD, keep)
    return _report(written, page, run.setup_faults)


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


@dataclass(frozen=True)
class _Run:
    """A run of a study in its directory; ``overrides`` are the parameters for all variants.

    ``parts``: what is counted as done; ``spare``: the parts of each fallback, with their expected seconds.
    ``setup_faults``: the variants that failed because of a fault of the setup.
    """

    study: str
    overrides: Mapping[str, object]
    directory: Path
    parts: Parts = field(default_factory=lambda: Parts({}))
    spare: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    setup_faults: set[str] = field(default_factory=set)

    def make(self, variants: Sequence[Variant]) -> list[VariantResult]:
        """The results of all variants, in this order, which are built and booted side by side.

        Boots that are timed alone come between: after all builds, in turns (A B C A B C), with nothing beside them.
        Each round executes the notebooks that still lack a boot again; they take finished stages
        from the store. A notebook that adds nothing in a round is not executed again.
        """
        done: dict[str, VariantResult] = {}
        at_once, incomplete = variants_at_once(variants), list(variants)
        if any(map(is_timed_alone, variants)):
            incomplete = self._round(incomplete, done, new_boots=0, workers=at_once)
            while turns := [variant for variant in incomplete if _lacks_turn(variant, done[variant.variant])]:
                self._round(turns, done, new_boots=1, workers=1)
                incomplete = [variant for variant in incomplete if done[variant.variant].status == "incomplete"]
        while incomplete:
            incomplete = self._round(incomplete, done, new_boots=_ALL_BOOTS, workers=at_once)
        return [done[variant.variant] for variant in variants]

    def _round(
        self, variants: Sequence[Variant], done: dict[str, VariantResult], *, new_boots: int, workers: int
    ) -> list[Variant]:
        """Execute the notebooks of some variants; their results are then in ``done``. Returns those that lack boots."""
        executions = [self._execution(variant, new_boots) for variant in variants]
        for variant, error in zip(variants, execute_all(executions, workers=workers), strict=True):
            before = done.get(variant.variant)
            done[variant.variant] = self._result(variant, error, _boot_count(before) if new_boots else None)
        return [variant for variant in variants if done[variant.variant].status == "incomplete"]

    def with_fallbacks(
        self, fallbacks: Mapping[str, str], variants: Mapping[str, Variant], results: Sequence[VariantResult]
    ) -> list[VariantResult]:
        """The results, each failed one followed by that of its fallback, which is made now if necessary."""
        made = list(results)
        while needed := fallbacks_to_run(self.own_faults_only(fallbacks), made):
            for failed, name in needed.items():
                if name in (result.variant for result in made):
                    continue  # just made, as the fallback of another variant
                at = next(at for at, result in enumerate(made) if result.variant == failed)
                error = made[at].error
                stage = error.stage if error else "its proof of life"
                say(f"{failed} failed at {stage}: building its fallback {name}")
                self.parts.add(self.spare.get(name, {}))
                made[at + 1 : at + 1] = self.make([variants[name]])
        return made

    def own_faults_only(self, fallbacks: Mapping[str, str]) -> dict[str, str]:
        """The fallbacks without those of variants that failed because of a fault of the setup."""
        return {variant: name for variant, name in fallbacks.items() if variant not in self.setup_faults}

    def _execution(self, variant: Variant, new_boots: int) -> Execution:
        own = self.directory / variant.variant
        own.mkdir(exist_ok=True)
        chosen = {**self.overrides, "variant": variant.variant, "study": self.study}
        chosen.pop("lock", None)  # a fallback has none
        if variant.lock:  # a copy, so that results do not contain a path of the user's
            copied = (own / "requested-lock").with_suffix(Path(variant.lock).suffix)
            shutil.copyfile(CHECKOUT / variant.lock, copied)
            chosen["lock"] = str(copied.relative_to(CHECKOUT))
        mode = {"new_boots": new_boots, "output_directory": str(own.relative_to(CHECKOUT))}
        return Execution(NOTEBOOKS / "variant.ipynb", own / "variant.ipynb", {**chosen, **mode})

    def _result(self, variant: Variant, error: WorkbookError | None, before: int | None) -> VariantResult:
        """The result of a variant whose notebook was executed.

        ``before``: how many boots it had; None if it was to make none.
        """
        own = self.directory / variant.variant
        if not error:
            try:
                result = read_variant_result(own / RESULT_FILE)
            except WorkbookError as unreadable:
                (own / RESULT_FILE).unlink(missing_ok=True)
                error = SetupError(f"notebooks/variant.ipynb left no result: {unreadable.message}", hint=_RESTORE)
            else:
                error = _refusal(result, before)
        if not error:
            return result
        result = failed_result(own, variant, CHECKOUT, error)
        self.parts.drop(f"{variant.variant}: ")
        if isinstance(error, SetupError) or (result.error and result.error.stage == "tools"):
            self.setup_faults.add(variant.variant)
        return result


def _at_once(variants: Sequence[Variant]) -> int:
    """How many variants a run makes side by side, for the time that is left: one where boots are timed alone."""
    return 1 if any(map(is_timed_alone, variants)) else variants_at_once(variants)


def _lacks_turn(variant: Variant, result: VariantResult) -> bool:
    """Whether a wall-clock boot is missing that is timed alone."""
    wanted = sum(firmware is not None for firmware, _ in boot_names(variant))
    return is_timed_alone(variant) and len(result.boots) < wanted


def _refusal(result: VariantResult, before: int | None) -> SetupError | None:
    """The error for an executed notebook that lacks cells: without a stage, or without a boot beyond those before."""
    if result.status != "incomplete":
        return None
    stages = [stage.stage for stage in result.stages]
    missing = [name for name in _STAGES_BEFORE_BOOT if name not in stages]
    if missing:
        return SetupError(f"notebooks/variant.ipynb has no cell for the stage {missing[0]}", hint=_RESTORE)
    if before is not None and _boot_count(result) <= before:
        return SetupError("notebooks/variant.ipynb has no cell that boots the image", hint=_RESTORE)
    return None


def _boot_count(result: VariantResult | None) -> int:
    return len(result.boots) + len(result.counted_boots) if result else 0


def _publish(directory: Path) -> Path:
    """Execute the comparison, write the pages and print the summary; returns the index."""
    parameters = {"run_directory": str(directory.relative_to(CHECKOUT))}
    compare = Execution(NOTEBOOKS / "compare.ipynb", directory / "compare.ipynb", parameters)
    for error in filter(None, execute_all([compare], workers=1)):
        opened = f"the executed notebook is {directory / 'compare.ipynb'}; open it with ./workbook lab"
        raise WorkbookError(f"notebooks/compare.ipynb failed: {error.message}", hint=error.hint or opened)
    page = write_pages(directory)
    passed(_COMPARISON)
    say(f"\n{(directory / SUMMARY_FILE).read_text(encoding='utf-8')}")
    return page


def _with_places(hint: str, directory: Path) -> str:
    """A hint in whose text files are named by their place in a variant's directory, as in its result."""
    return " ".join(str(directory / word) if word.startswith("./") else word for word in hint.split(" "))


def _report(study: StudyResult, page: Path, setup_faults: Collection[str] = ()) -> int:
    """Print the failures, their fallbacks, the breaches of budgets and the path of the page; returns the exit status.

    ``setup_faults``: the variants that failed because of a fault of the setup.
    """
    failures = [(result.variant, result.error) for result in study.variants if result.error]
    for name, error in failures:
        say(f"error: {name} failed at {error.stage}: {error.message}")
        if error.hint:
            say(f"Next step: {_with_places(error.hint, page.parent / name)}")
        if name in setup_faults:
            say(f"{name}: the cause is not the variant itself, so no fallback is built")
    for note in failed_boot_notes(study.variants):
        say(note)
    for found in fallback_outcomes(study):
        if found.stand_in:
            say(f"{in_place(found.stand_in.variant, found.failed.variant)}: the page has what it costs")
        else:
            say(f"{found.failed.variant}: its fallback {found.fallback} failed as well, nothing stands in")
    for breach in study.breaches:
        say(f"over budget: {breach_words(breach)}")
    print(page)
    return 1 if failures or study.breaches else 0
