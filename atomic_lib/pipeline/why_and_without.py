"""``./workbook why`` and ``./workbook without``: why a package is in a variant, and what removing it changes."""

from collections.abc import Sequence

from atomic_lib.params.variant import Variant
from atomic_lib.pipeline.build import open_build
from atomic_lib.report.elements.table import Table
from atomic_lib.report.elements.values import version_of
from atomic_lib.report.tables.build_contents.why_tables import (
    NOT_PREDICTED,
    consequences_table,
    departure_table,
    why_table,
)
from atomic_lib.solve.lock import STANDIN_VENDOR


def print_why(package: str, variant: Variant) -> int:
    """Print why ``package`` is in ``variant``; returns the exit status: 0, or 1 if nothing requires it.

    Raises WorkbookError as ``open_build`` does, and for a package that is not in the set.
    """
    build = open_build(variant)
    chains = build.why(package)
    table = why_table(package, chains)
    print(f"{variant.variant}: {plain_text(table)}")
    named = {link.package for chain in chains for link in chain}
    for one in build.rpm_set.lock.packages:
        if one.name in named and one.vendor.startswith(STANDIN_VENDOR):
            print(f"{one.name} is {version_of(one)}")
    return 0 if table.rows else 1


def print_without(packages: Sequence[str], variant: Variant) -> int:
    """Print how ``variant`` changes without ``packages``; returns the exit status.

    Raises WorkbookError as ``open_build`` and ``Build.without`` do.
    """
    build = open_build(variant)
    departure = build.without(packages)
    print(f"{variant.variant}: {plain_text(departure_table(departure, build.sizes))}\n")
    print(f"{plain_text(consequences_table(departure, build.generated))}\n")
    print(NOT_PREDICTED)
    return 0


def plain_text(table: Table) -> str:
    """A table as aligned text: the caption, then a line for each row."""
    if not table.rows:
        return f"{table.caption}\n{table.empty}"
    texts = [list(table.header), *([cell.text for cell in row] for row in table.rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    numeric = [any(cell.kind == "number" for cell in column) for column in zip(*table.rows, strict=True)]
    lines = [
        "  ".join(
            text.rjust(width) if is_number else text.ljust(width)
            for text, width, is_number in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in texts
    ]
    return "\n".join([table.caption, *lines])
