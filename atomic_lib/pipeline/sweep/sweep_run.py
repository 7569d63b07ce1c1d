"""``./workbook sweep``: solves all variants of a sweep file, or a variant without each of its packages."""

from collections.abc import Mapping
from pathlib import Path

from atomic_lib.base.files import write_text
from atomic_lib.base.paths import BUILD
from atomic_lib.base.progress import step
from atomic_lib.params.sweep_file import Sweep, SweepCell, load_sweep, sweep_cells
from atomic_lib.params.variant import Variant, load_variant
from atomic_lib.pipeline.notebooks import remove_abandoned
from atomic_lib.pipeline.sweep.sweep_solving import SOLUTION, SweepContent, package_names
from atomic_lib.report.page.export import PageFrame, PageLink, page_of
from atomic_lib.report.tables.sweep_tables import sweep_parts
from atomic_lib.report.text.content_words import STANDIN_NOTICE
from atomic_lib.results.runs import INDEX_FILE
from atomic_lib.results.sweep_result import SWEEP_FILE, SolvedVariant, SweepResult, SweepRow, factors_of, sweep_csv
from atomic_lib.tools.context import Context, open_context
from atomic_lib.tools.user_namespace import require_namespace

WITHOUT, NOTHING = "without", "nothing"
"""The factor of a variant without each of its packages, and its base level."""


def run_sweep(file: Path, overrides: Mapping[str, object]) -> int:
    """Solve the sweep of a file, and write its table and page; returns the exit status, as ``sweep_without_each``.

    Raises WorkbookError for a file that is not accepted, naming file, line and key; and as ``SweepContent`` does.
    """
    sweep = load_sweep(file)
    require_namespace()
    remove_abandoned()
    context = open_context()
    if sweep.without_each:
        return _written(solve_without_each(load_variant(sweep.without_each, overrides=overrides), context, sweep))
    return _written(solve_sweep(sweep, sweep_cells(sweep, overrides=overrides), context))


def sweep_without_each(variant: Variant) -> int:
    """Solve a variant without each of its packages; returns the exit status: 0, or 1 if nothing has a solution.

    Raises WorkbookError as ``SweepContent`` does.
    """
    require_namespace()
    remove_abandoned()
    sweep = Sweep(sweep=f"without-each-{variant.variant}"[:64], without_each=variant.variant)
    return _written(solve_without_each(variant, open_context(), sweep))


def solve_sweep(sweep: Sweep, cells: list[SweepCell], context: Context) -> SweepResult:
    """What every cell resolves to."""
    solved: dict[str, SolvedVariant] = {}
    standin = False
    with step(f"sweep {sweep.sweep}: solve {len(cells)} variants"):
        for name in dict.fromkeys(cell.variant.content for cell in cells):
            own = [cell for cell in cells if cell.variant.content == name]
            content = SweepContent(own, context)
            standin |= content.content.stands_in
            solved.update(content.solved(own))
    rows = tuple(SweepRow(cell.name, cell.levels, solved[cell.name]) for cell in cells)
    factors = factors_of([cell.levels for cell in cells], cells[0].levels)
    return SweepResult(sweep.sweep, sweep.title or sweep.sweep, factors, rows, standin)


def solve_without_each(variant: Variant, context: Context, sweep: Sweep) -> SweepResult:
    """What a variant resolves to without each of its packages, one at a time."""
    base = SweepCell("base", {WITHOUT: NOTHING}, variant)
    with step(f"sweep {sweep.sweep}: solve {variant.variant} without each of its packages"):
        content = SweepContent([base], context)
        solved = dict(content.solved([base]))
        stored = SOLUTION.stored(content.request(base), context)
        cells = [
            SweepCell(f"{WITHOUT}-{name}", {WITHOUT: name}, variant, exclude=(name,))
            for name in (package_names(stored) if stored else ())
        ]
        solved.update(content.solved(cells))
    rows = tuple(SweepRow(cell.name, cell.levels, solved[cell.name]) for cell in (base, *cells))
    factors = factors_of([row.levels for row in rows], [WITHOUT])
    title = sweep.title or f"{variant.variant} without each of its packages"
    return SweepResult(sweep.sweep, title, factors, rows, content.content.stands_in)


def _written(result: SweepResult) -> int:
    directory = BUILD / "sweeps" / result.name
    write_text(directory / SWEEP_FILE, sweep_csv(result))
    frame = PageFrame(result.title, files=[PageLink(SWEEP_FILE, SWEEP_FILE)],
                      notice=STANDIN_NOTICE if result.standin else "")  # fmt: skip
    write_text(directory / INDEX_FILE, page_of(sweep_parts(result), frame))
    for name in (SWEEP_FILE, INDEX_FILE):
        print(directory / name)
    return 0 if any(not row.solved.error for row in result.rows) else 1
