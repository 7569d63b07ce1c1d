"""The table of a study's steps: what each decision changes, in bytes and in counted boot cost."""

from collections.abc import Iterable, Sequence

from atomic_lib.report.elements.cells import Cell, missing, number
from atomic_lib.report.elements.table import Table
from atomic_lib.report.elements.values import signed
from atomic_lib.report.text import methods
from atomic_lib.results.analysis.decisions import BOOT, IMAGE, TREE, DecisionCost, criteria_of, decision_costs
from atomic_lib.results.analysis.metrics import Criterion
from atomic_lib.results.study_result import StudyResult

NO_BOOT = "Boot cost: not measured (set counted_boots: 1 to measure it)."
_HOW = {TREE: methods.TREE, IMAGE: methods.COMPRESSED_IMAGE, BOOT: f"{methods.COUNTED_SECOND} {methods.COUNTED}"}


def table(study: StudyResult) -> Table:
    """Every step with its bytes in the tree and in the image, and its boot cost."""
    criteria = criteria_of(study)
    columns = [decision_costs(study, criterion) for criterion in criteria]
    rows = []
    for place, cost in enumerate(columns[0]):
        cells = [cell for column, m in zip(columns, criteria, strict=True) for cell in _cells(column[place], m)]
        rows.append((Cell(cost.label), Cell(cost.variant), *cells))
    totals = [c for column, m in zip(columns, criteria, strict=True) for c in (Cell(""), _total(column, m))]
    rows.append((Cell("all steps together"), Cell(""), *totals))
    header = ["decision", "leads to", *(f"{word}{m.title}" for m in criteria for word in ("", "change of "))]
    records = tuple(
        {"decision": c.label, "variant": c.variant, "figure": m.title, "after": c.after, "change": c.change}
        for column, m in zip(columns, criteria, strict=True)
        for c in column
    )
    notes = () if BOOT in criteria else (NO_BOOT,)
    return Table(
        "Waterfall, step by step", tuple(header), tuple(rows), records, notes, how_of(criteria), "figures.csv",
        feet=1, fixed=True,
    )  # fmt: skip


def how_of(criteria: Iterable[Criterion]) -> str:
    """How the criteria of a waterfall are measured."""
    return " ".join(_HOW[criterion] for criterion in criteria)


def _cells(cost: DecisionCost, criterion: Criterion) -> tuple[Cell, Cell]:
    if cost.after is None:
        return missing("not measured"), missing("in the next step")
    after = number(cost.after, criterion.unit)
    if cost.change is None:
        return after, missing("the start" if cost.decision == "baseline" else "no figure of the baseline")
    return after, Cell(signed(cost.change, criterion.unit), kind="number", value=cost.change)


def _total(rows: Sequence[DecisionCost], criterion: Criterion) -> Cell:
    changes = [row.change for row in rows if row.change is not None]
    if not changes:
        return missing("not measured")
    return Cell(signed(sum(changes), criterion.unit), kind="number", value=sum(changes))
