"""The files of a conformance test: the outcome of each injected fault by agent, and how many each agent survived."""

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.guest.faults.matrix import Matrix

MATRIX_FILE = "conformance.json"
CSV_FILE = "conformance.csv"
_FIELDS = ("fault", "agent", "variant", "outcome", "why", "run", "requests", "seconds")


@dataclass(frozen=True)
class OutcomeCounts:
    """Of the faults of one agent: how many have a known outcome, how many it survived, how many cost the login.

    ``run``: whether the agent was run at all; an agent that was not is known from its documentation.
    """

    known: int
    survived: int
    lost_login: int
    run: bool


def read_matrix(run_directory: Path) -> Matrix | None:
    """The outcomes of a run; None if its study injects no faults. Raises WorkbookError naming a damaged file."""
    path = run_directory / MATRIX_FILE
    if not path.exists():
        return None
    try:
        return Matrix.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise WorkbookError(
            f"{path}: no matrix of faults and agents: {error!r}", hint="run ./workbook run again: it writes it anew"
        ) from None


def csv_text(matrix: Matrix) -> str:
    """One row for each fault and agent; an agent that was not run has rows only if its documentation is known."""
    out = io.StringIO()
    rows = csv.DictWriter(out, _FIELDS, lineterminator="\n")
    rows.writeheader()
    rows.writerows(outcome_rows(matrix))
    return out.getvalue()


def outcome_rows(matrix: Matrix) -> tuple[dict[str, object], ...]:
    """The rows of ``conformance.csv``; ``variant`` is the one whose tree the agent was run in."""
    trees = dict(matrix.trees)
    return tuple(
        {"fault": cell.fault, "agent": cell.agent, "variant": trees.get(cell.agent), "outcome": cell.outcome,
         "why": cell.why, "run": cell.run, "requests": cell.requests, "seconds": cell.seconds}
        for cell in matrix.cells
    )  # fmt: skip


def outcome_counts(matrix: Matrix, agent: str) -> OutcomeCounts:
    """How many faults an agent survived."""
    cells = [cell for cell in matrix.cells if cell.agent == agent]
    return OutcomeCounts(
        known=sum(cell.outcome != "unknown" for cell in cells),
        survived=sum(cell.outcome == "survived" for cell in cells),
        lost_login=sum(cell.outcome == "lost login" for cell in cells),
        run=any(cell.run for cell in cells),
    )
