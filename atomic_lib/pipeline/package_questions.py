"""``./workbook why`` and ``./workbook without``: why a package is in a variant, and what leaves without it."""

from collections.abc import Sequence

from atomic_lib.pipeline.build import open_build
from atomic_lib.report.page.elements import Table
from atomic_lib.report.tables.build.why_tables import NOT_PREDICTED, consequences_table, departure_table, why_table


def print_why(package: str, variant: str) -> int:
    """Print why ``package`` is in ``variant``; the exit status: 0, or 1 where nothing asks for it."""
    table = why_table(package, open_build(variant, "./workbook why").why(package))
    print(f"{variant}: {plain_text(table)}")
    return 0 if table.rows else 1


def print_without(packages: Sequence[str], variant: str) -> int:
    """Print what leaves ``variant`` without ``packages``; the exit status."""
    build = open_build(variant, "./workbook without")
    departure = build.without(packages)
    print(f"{variant}: {plain_text(departure_table(departure, build.sizes))}\n")
    print(f"{plain_text(consequences_table(departure, build.generated))}\n")
    print(NOT_PREDICTED)
    return 0


def plain_text(table: Table) -> str:
    """A table as aligned text: its caption, then a line for each row."""
    if not table.rows:
        return f"{table.caption}\n{table.empty}"
    texts = [list(table.header), *([cell.text for cell in row] for row in table.rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    figures = [any(cell.kind == "number" for cell in column) for column in zip(*table.rows, strict=True)]
    lines = [
        "  ".join(
            text.rjust(width) if figure else text.ljust(width)
            for text, width, figure in zip(row, widths, figures, strict=True)
        ).rstrip()
        for row in texts
    ]
    return "\n".join([table.caption, *lines])
