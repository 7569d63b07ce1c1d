"""Tables of the packages removed and added from the baseline to another variant."""

from collections.abc import Callable, Sequence

from atomic_lib.measure.classes import default_class_rules
from atomic_lib.report.elements.blocks import Details, Stack
from atomic_lib.report.elements.cells import Cell, missing
from atomic_lib.report.elements.table import Table
from atomic_lib.report.elements.values import plural, quantity, signed
from atomic_lib.report.text import methods
from atomic_lib.report.text.change_words import MOST_CAUSES, cause_words
from atomic_lib.results.analysis.metrics import missing_reason
from atomic_lib.results.analysis.package_changes import Cause, PackageChanges, causes, package_bytes, package_changes
from atomic_lib.results.build_result import PackageSize
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult

NAMED = 8
"""So many packages of a class are named; the rest is a count."""


def changes(study: StudyResult) -> Stack:
    """Where the difference from the baseline comes from, and the packages removed and added, by class."""
    base = study.variant(study.baseline)
    found = [(result, package_changes(base, result) if base else None) for result in study.others()]
    folded = [Details(f"{result.variant}: packages by class", _by_class(result, c)) for result, c in found if c]
    return Stack((_overview(study, found), *folded))


def causes_table(study: StudyResult) -> Table:
    """The largest causes of the differences from the baseline's tree; the rest is a sum."""
    base = study.variant(study.baseline)
    found = {result.variant: causes(base, result) for result in study.others()} if base else {}
    found = {variant: parts for variant, parts in found.items() if parts}
    largest = sorted((part for parts in found.values() for part in parts), key=lambda part: -abs(part.bytes))
    named = list(dict.fromkeys((part.kind, part.what) for part in largest))[:MOST_CAUSES]
    rows = []
    for key in named:
        parts = [next((part for part in of if (part.kind, part.what) == key), None) for of in found.values()]
        rows.append((Cell(cause_words(next(filter(None, parts)))), *map(_cause, parts)))
    rest = [sum(part.bytes for part in of if (part.kind, part.what) not in named) for of in found.values()]
    rows.append((Cell("all else"), *(Cell(signed(size, "bytes"), kind="number") for size in rest)))
    whole = [sum(part.bytes for part in of) for of in found.values()]
    rows.append((Cell("whole tree"), *(Cell(signed(size, "bytes"), kind="number") for size in whole)))
    records = tuple(
        {"variant": variant, "kind": part.kind, "cause": part.what, "bytes": part.bytes, "packages": part.packages}
        for variant, of in found.items()
        for part in of
    )
    note = (
        "A package counts for the entry of the recipe that brings it in by its shortest chain of requirements; the "
        "number of packages is below the bytes."
    )
    return Table(
        f"Why the trees differ from that of {study.baseline}", (f"against {study.baseline}", *found),
        tuple(rows) if found else (), records, (note,), methods.TREE, "packages.csv", feet=1, fixed=True,
        anchor="causes",
    )  # fmt: skip


def _cause(part: Cause | None) -> Cell:
    if part is None:
        return Cell("±0", kind="number", value=0)
    return Cell(
        signed(part.bytes, "bytes"), plural(part.packages, "package") if part.packages else "", "number",
        value=part.bytes,
    )  # fmt: skip


def _overview(study: StudyResult, found: Sequence[tuple[VariantResult, PackageChanges | None]]) -> Table:
    kinds: tuple[tuple[str, Callable[[PackageChanges], Cell]], ...] = (
        ("packages removed", lambda c: _counted(len(c.removed), -c.removed_bytes)),
        ("packages added", lambda c: _counted(len(c.added), c.added_bytes)),
        ("packages of another size", lambda c: _counted(c.resized, c.resized_bytes)),
        ("files that no package owns", lambda c: Cell(signed(c.unowned_bytes, "bytes"), kind="number")),
        ("whole tree", lambda c: Cell(signed(c.total_bytes, "bytes"), kind="number")),
    )
    rows = []
    unknown = f"not measured here or in {study.baseline}"
    for title, cell in kinds:
        rows.append((Cell(title), *(cell(c) if c else missing(missing_reason(result, unknown)) for result, c in found)))
    records = tuple(_record(result, c) for result, c in found if c)
    header = (f"against {study.baseline}", *(result.variant for result, _ in found))
    return Table(
        "Where the difference comes from", header, tuple(rows), records, (), methods.TREE, "packages.csv", feet=1,
        fixed=True,
    )  # fmt: skip


def _by_class(result: VariantResult, found: PackageChanges) -> Table:
    rules = default_class_rules()
    names = sorted({package.class_ for package in (*found.removed, *found.added)}, key=rules.order_of)
    rows = []
    for name in names:
        removed = [package for package in found.removed if package.class_ == name]
        added = [package for package in found.added if package.class_ == name]
        net_bytes = package_bytes(added) - package_bytes(removed)
        net = Cell(signed(net_bytes, "bytes"), kind="number", value=net_bytes)
        rows.append((Cell(rules.title_of(name)), net, _named(removed), _named(added)))
    records = tuple(
        {"change": change, **package.model_dump()}
        for change, packages in (("removed", found.removed), ("added", found.added))
        for package in packages
    )
    return Table(
        f"Packages removed and added, {result.variant}", ("class", "sum", "removed", "added"), tuple(rows), records, (),
        methods.TREE, "packages.csv",
    )  # fmt: skip


def _named(packages: Sequence[PackageSize]) -> Cell:
    """The largest packages by name; the rest as a count."""
    if not packages:
        return Cell("none")
    text = ", ".join(f"{package.name} {quantity(package.bytes, 'bytes')}" for package in packages[:NAMED])
    rest = packages[NAMED:]
    return Cell(
        text, f"and {plural(len(rest), 'package')} more, {quantity(package_bytes(rest), 'bytes')}" if rest else ""
    )


def _counted(count: int, size_bytes: int) -> Cell:
    return Cell(signed(size_bytes, "bytes"), plural(count, "package"), "number")


def _record(result: VariantResult, found: PackageChanges) -> dict[str, object]:
    return {
        "variant": result.variant,
        "removed": len(found.removed),
        "removed_bytes": found.removed_bytes,
        "added": len(found.added),
        "added_bytes": found.added_bytes,
        "resized": found.resized,
        "resized_bytes": found.resized_bytes,
        "unowned_bytes": found.unowned_bytes,
        "total_bytes": found.total_bytes,
    }
