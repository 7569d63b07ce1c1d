"""Executes the notebooks of a study's updates, several at once, and writes the page of each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.model import Scalar
from atomic_lib.base.paths import CHECKOUT, NOTEBOOKS
from atomic_lib.base.progress import Parts, passed
from atomic_lib.base.scrub import scrubber
from atomic_lib.params.study_file import Study
from atomic_lib.params.study_updates import StudyUpdates
from atomic_lib.pipeline.notebooks import Execution, execute_all
from atomic_lib.pipeline.update.any_update import open_any_update
from atomic_lib.pipeline.update.update_run import all_cases, all_faults
from atomic_lib.pipeline.update.variant_power_cuts import open_power_cuts
from atomic_lib.pipeline.update.variant_refusals import open_refusals
from atomic_lib.pipeline.update.variant_return import open_returns
from atomic_lib.report.elements.blocks import Alert
from atomic_lib.report.page.export import PageFrame, PageLink, export_html
from atomic_lib.report.tables.update.study_update_tables import ROUND_NAMES, UPDATES_PAGE
from atomic_lib.results.analysis.fallbacks import has_failed
from atomic_lib.results.runs import INDEX_FILE
from atomic_lib.results.update.update_results import UpdateRound, write_rounds
from atomic_lib.results.variant_result import VariantResult


@dataclass(frozen=True)
class PlannedRound:
    """A round before it is made. ``parameters``: of its notebook; ``built``: variants of the study that it needs."""

    round: UpdateRound
    parameters: Mapping[str, Scalar]
    built: tuple[str, ...] = ()


def planned_rounds(study: Study, parameter: str) -> tuple[PlannedRound, ...]:
    """The rounds of a study, in their order; none if it updates nothing.

    ``parameter``: how notebooks know the study.
    """
    return tuple(_planned(study, study.updates, parameter)) if study.updates else ()


def _planned(study: Study, updates: StudyUpdates, parameter: str) -> Iterator[PlannedRound]:
    for name in study.variants:
        own = UpdateRound(kind="update", variant=name, directory=name)
        yield PlannedRound(own, {"variant": name, "changes": updates.changes, "study": parameter}, (name,))
    if (cuts := updates.power_cuts) and {cuts.variant, cuts.packages} <= {*study.variants}:
        own = UpdateRound(kind="power-cuts", variant=cuts.variant)
        yield PlannedRound(own, {**cuts.model_dump(), "study": parameter}, (cuts.variant, cuts.packages))
    if returns := updates.automatic_return:
        own = UpdateRound(kind="automatic-return", variant=returns.variant)
        faults = {"variant": returns.variant, "faults": all_faults(returns.faults)}
        yield PlannedRound(own, faults, _of_study(study, returns.variant))
    if refusals := updates.refusals:
        own = UpdateRound(kind="refused-updates", variant=refusals.variant)
        cases = {"variant": refusals.variant, "cases": all_cases(refusals.cases)}
        yield PlannedRound(own, cases, _of_study(study, refusals.variant))


def _of_study(study: Study, variant: str) -> tuple[str, ...]:
    """A variant that need not be one of the study's, if it is: what failed once would fail again."""
    return (variant,) if variant in study.variants else ()


def require_rounds(study: Study, parameter: str) -> None:
    """Raise WorkbookError for what cannot be updated as the study says, before anything is built."""
    updates = study.updates
    if not updates:
        return
    for name in study.variants:
        open_any_update(name, updates.changes, parameter)
    if cuts := updates.power_cuts:
        open_power_cuts(**cuts.model_dump(), study=parameter)
    if returns := updates.automatic_return:
        open_returns(returns.variant, all_faults(returns.faults))
    if refusals := updates.refusals:
        open_refusals(refusals.variant, all_cases(refusals.cases))


def make_rounds(
    planned: Sequence[PlannedRound],
    results: Sequence[VariantResult],
    directory: Path,
    parts: Parts,
    *,
    at_once: int,
) -> tuple[UpdateRound, ...]:
    """Execute the notebooks and write their pages and ``updates.json``; without rounds nothing is written.

    ``results``: of the study's variants. A round whose variants failed is not made, and says so. ``at_once``: how many
    are made side by side.
    """
    if not planned:
        return ()
    failed = {result.variant for result in results if has_failed(result)}
    made = [_without(one, failed) for one in planned]
    able = [number for number, one in enumerate(made) if not one.error]
    for one in made:
        if one.error:
            parts.drop(one.title)

    def ended(number: int, error: WorkbookError | None) -> None:
        own = made[able[number]]
        if error:
            parts.drop(own.title)
            made[able[number]] = _failed(own, error, directory)
        else:
            passed(own.title)

    execute_all([_execution(planned[number], directory) for number in able], workers=at_once, ended=ended)
    write_rounds(directory, made)
    for one in made:
        if (directory / one.file(".ipynb")).is_file():
            _write_page(one, made, directory)
    return tuple(made)


def _without(planned: PlannedRound, failed: set[str]) -> UpdateRound:
    """The round; with an error if variants that it needs failed."""
    lacking = [name for name in planned.built if name in failed]
    return planned.round.model_copy(update={"error": f"not made: {', '.join(lacking)} failed"} if lacking else {})


def _execution(planned: PlannedRound, directory: Path) -> Execution:
    own = planned.round
    parameters = {**planned.parameters, "output_directory": str((directory / own.directory).relative_to(CHECKOUT))}
    return Execution(NOTEBOOKS / f"{own.kind}.ipynb", directory / own.file(".ipynb"), parameters)


def _failed(own: UpdateRound, error: WorkbookError, directory: Path) -> UpdateRound:
    scrub = scrubber(directory)
    return own.model_copy(update={"error": scrub(error.message), "hint": scrub(error.hint), "log": scrub(error.log)})


def _write_page(own: UpdateRound, rounds: Sequence[UpdateRound], directory: Path) -> None:
    to_run = "../" if own.directory else ""
    links = [PageLink("Comparison", f"{to_run}{INDEX_FILE}"), PageLink("Updates", f"{to_run}{UPDATES_PAGE}")]
    links += [
        PageLink(_title(one), f"{to_run}{one.file('.html')}", one == own)
        for one in rounds
        if (directory / one.file(".ipynb")).is_file()
    ]
    files = [
        PageLink(f"{own.kind}{suffix}", f"{own.kind}{suffix}")
        for suffix in (".json", ".ipynb")
        if (directory / own.file(suffix)).is_file()
    ]
    alert = Alert(f"{_title(own)}: failed, or not as it must be", own.error, own.hint, own.log) if own.error else None
    frame = PageFrame(_title(own), links, files, failed=alert)
    export_html(directory / own.file(".ipynb"), directory / own.file(".html"), frame)


def _title(one: UpdateRound) -> str:
    return f"{ROUND_NAMES[one.kind]}: {one.variant}"
