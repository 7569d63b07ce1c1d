"""The tables of the landing notebook: the variants that there are, and the newest runs."""

from pathlib import Path

from atomic_lib.base.paths import BUILD, PARAMS_DIRECTORY
from atomic_lib.params.variant import load_variant, variant_names
from atomic_lib.report.elements.cells import Cell
from atomic_lib.report.elements.table import Table
from atomic_lib.results.runs import finished_runs


def variants_table(params: Path = PARAMS_DIRECTORY) -> Table:
    """The variants in ``params``, each with what it is; raises WorkbookError for one that is not accepted."""
    variants = [load_variant(name, params) for name in variant_names(params)]
    rows = tuple(
        (Cell(one.variant), Cell(one.description), Cell(one.method), Cell(one.agent), Cell(one.runtime))
        for one in variants
    )
    fields = ("variant", "description", "method", "agent", "runtime")
    records = tuple({name: getattr(one, name) for name in fields} for one in variants)
    return Table("Variants", ("variant", "what it is", "method", "agent", "runtime"), rows, records)


def runs_table(most: int, runs: Path = BUILD / "runs") -> Table:
    """The newest finished runs, each with a link to its page, relative to the folder of the notebooks."""
    found = sorted(finished_runs(runs), reverse=True)[:most]
    rows = tuple((Cell(run.name, link=f"../build/runs/{run.name}/index.html"),) for run in found)
    empty = "There are no runs yet: ./workbook run makes the first."
    return Table("Newest runs", ("run",), rows, tuple({"run": run.name} for run in found), empty=empty)
