"""``./workbook sweep``: solves all variants of a sweep file, or a variant without each of its packages."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from atomic_lib.base.files import write_text
from atomic_lib.base.paths import BUILD
from atomic_lib.base.progress import step
from atomic_lib.base.scrub import scrubber
from atomic_lib.content.repositories import Content
from atomic_lib.image.uncompressed_disk import remove_raw_disks
from atomic_lib.params.sweep_file import Sweep, SweepCell, load_sweep, sweep_cells
from atomic_lib.params.variant import Variant, load_variant
from atomic_lib.pipeline.notebooks import remove_abandoned
from atomic_lib.pipeline.sweep.cluster.address import ClusterAddress
from atomic_lib.pipeline.sweep.engine import Engines, local_engine
from atomic_lib.pipeline.sweep.sweep_building import NOTHING_MADE, Amounts, CellBuild, cell_build, with_built
from atomic_lib.pipeline.sweep.sweep_solving import SOLUTION, SweepContent, package_names
from atomic_lib.report.figures.sweep_front import built_section
from atomic_lib.report.page.export import PageFrame, PageLink, page_of
from atomic_lib.report.tables.sweep.sweep_tables import sweep_parts
from atomic_lib.results.runs import INDEX_FILE
from atomic_lib.results.sweep_result import SWEEP_FILE, SolvedVariant, SweepResult, SweepRow, factors_of, sweep_csv
from atomic_lib.results.variant_result import ContentSummary
from atomic_lib.tools.context import Context, open_context
from atomic_lib.tools.user_namespace import require_namespace

WITHOUT, NOTHING = "without", "nothing"
"""The factor of a variant without each of its packages, and its base level."""


def run_sweep(
    file: Path,
    overrides: Mapping[str, object],
    amounts: Amounts = NOTHING_MADE,
    scheduler: ClusterAddress | None = None,
) -> int:
    """Solve the sweep of a file, make ``amounts`` of its variants, and write its table and page.

    ``scheduler``: of the workers that solve; None: threads of this process do. Returns the exit status: 0; 1 if nothing
    has a solution, if a variant cannot be made, or if the files of its packages do not have the bytes that were
    predicted.

    Raises WorkbookError for a file that is not accepted, naming file, line and key; and as ``SweepContent`` does.
    """
    sweep = load_sweep(file)
    with _opened(scheduler) as (context, engines):
        if sweep.without_each:
            variant = load_variant(sweep.without_each, overrides=overrides)
            return _written(solve_without_each(variant, context, sweep, amounts, engines=engines))
        cells = sweep_cells(sweep, overrides=overrides)
        return _written(solve_sweep(sweep, cells, context, amounts, engines=engines))


def sweep_without_each(variant: Variant, amounts: Amounts, scheduler: ClusterAddress | None) -> int:
    """Solve a variant without each of its packages; otherwise as ``run_sweep``.

    Raises WorkbookError as ``SweepContent`` does.
    """
    sweep = Sweep(sweep=f"without-each-{variant.variant}"[:64], without_each=variant.variant)
    with _opened(scheduler) as (context, engines):
        return _written(solve_without_each(variant, context, sweep, amounts, engines=engines))


def solve_sweep(
    sweep: Sweep,
    cells: list[SweepCell],
    context: Context,
    amounts: Amounts = NOTHING_MADE,
    *,
    engines: Engines = local_engine,
) -> SweepResult:
    """What every cell resolves to, and what some of them are if they are made."""
    solved: dict[str, SolvedVariant] = {}
    contents: dict[str, SweepContent] = {}
    with step(f"sweep {sweep.sweep}: solve {len(cells)} variants"):
        for name in dict.fromkeys(cell.variant.content for cell in cells):
            own = [cell for cell in cells if cell.variant.content == name]
            contents[name] = SweepContent(own, context, engines=engines)
            solved.update(contents[name].solved(own))
    rows = [SweepRow(cell.name, cell.levels, solved[cell.name]) for cell in cells]
    by_name = {cell.name: cell for cell in cells}

    def build_of(name: str) -> CellBuild:
        cell = by_name[name]
        return cell_build(cell, contents[cell.variant.content], solved[name], context)

    made = with_built(rows, build_of, amounts, _evidence(sweep))
    factors = factors_of([cell.levels for cell in cells], cells[0].levels)
    summaries = tuple(summary_of(content.content) for content in contents.values())
    return SweepResult(sweep.sweep, sweep.title or sweep.sweep, factors, made, summaries)


def solve_without_each(
    variant: Variant,
    context: Context,
    sweep: Sweep,
    amounts: Amounts = NOTHING_MADE,
    *,
    engines: Engines = local_engine,
) -> SweepResult:
    """What a variant resolves to without each of its packages, one at a time, and what some of these are if made."""
    base = SweepCell("base", {WITHOUT: NOTHING}, variant)
    with step(f"sweep {sweep.sweep}: solve {variant.variant} without each of its packages"):
        content = SweepContent([base], context, engines=engines)
        solved = dict(content.solved([base]))
        stored = SOLUTION.stored(content.request(base), context)
        cells = [
            SweepCell(f"{WITHOUT}-{name}", {WITHOUT: name}, variant, exclude=(name,))
            for name in (package_names(stored) if stored else ())
        ]
        solved.update(content.solved(cells))
    by_name = {cell.name: cell for cell in (base, *cells)}
    rows = with_built(
        [SweepRow(name, cell.levels, solved[name]) for name, cell in by_name.items()],
        lambda name: cell_build(by_name[name], content, solved[name], context), amounts, _evidence(sweep),
    )  # fmt: skip
    factors = factors_of([row.levels for row in rows], [WITHOUT])
    title = sweep.title or f"{variant.variant} without each of its packages"
    return SweepResult(sweep.sweep, title, factors, rows, (summary_of(content.content),))


def summary_of(content: Content) -> ContentSummary:
    """What the page says of a content."""
    return ContentSummary(title=content.title, releasever=content.releasever, standin=content.stands_in)


@contextmanager
def _opened(scheduler: ClusterAddress | None) -> Iterator[tuple[Context, Engines]]:
    """Where the sweep works, without what other processes left there, and what answers its questions."""
    require_namespace()
    remove_abandoned()
    context = open_context()
    context.store.remove_abandoned()
    remove_raw_disks(context.store)
    if scheduler is None:
        yield context, local_engine
        return
    from atomic_lib.pipeline.sweep.cluster.client import cluster_engines

    with cluster_engines(scheduler, context.tools_key) as engines:
        yield context, engines


def _written(result: SweepResult) -> int:
    directory = BUILD / "sweeps" / result.name
    # errors name directories of this machine
    write_text(directory / SWEEP_FILE, scrubber(directory, host_name=False)(sweep_csv(result)))
    frame = PageFrame(result.title, files=[PageLink(SWEEP_FILE, SWEEP_FILE)])
    write_text(directory / INDEX_FILE, scrubber(directory)(page_of(sweep_parts(result, built_section(result)), frame)))
    for name in (SWEEP_FILE, INDEX_FILE):
        print(directory / name)
    return 0 if any(not row.solved.error for row in result.rows) and not any(map(_has_failed, result.rows)) else 1


def _has_failed(row: SweepRow) -> bool:
    return bool(row.built and (row.built.error or row.surplus_bytes != 0))


def _evidence(sweep: Sweep) -> Path:
    """Where the console logs of boots that fail go."""
    return BUILD / "sweeps" / sweep.sweep / "evidence"
