"""Tables of packages: how large each is in tree, download and image, why it is here, what can be removed."""

from collections.abc import Sequence

from atomic_lib.measure.classes import default_class_rules
from atomic_lib.report.elements.blocks import Details, Section, Shown, Stack
from atomic_lib.report.elements.cells import Cell, missing, number, share
from atomic_lib.report.elements.table import Table
from atomic_lib.report.elements.values import plural, version_of
from atomic_lib.report.text import methods
from atomic_lib.results.analysis.metrics import missing_reason
from atomic_lib.results.analysis.package_changes import bytes_by_name
from atomic_lib.results.analysis.sharing import presence
from atomic_lib.results.build_result import DepartureSize, WhyLink
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult

_HOW = f"{methods.TREE} {methods.ALLOCATED} {methods.DOWNLOAD} Image and qcow2: {methods.IMAGE}"
_SHORT_CHAIN = 3
"""Of a longer chain only the ends are shown; the rest is folded away."""
_VARIANTS_MOST = 6
"""With more variants, the packages of each are only on its own page."""


def packages_table(result: VariantResult, to_run: str = "../") -> Table:
    """Every package of a variant, the largest first. ``to_run``: from the page to the run's directory."""
    rules = default_class_rules()
    packages = sorted(result.packages, key=lambda package: (-package.bytes, package.name))
    rows = tuple(
        (
            Cell(package.name),
            number(package.bytes, "bytes"),
            share(package.bytes, result.tree_bytes),
            number(package.download_bytes, "bytes"),
            number(package.qcow2_bytes, "bytes"),
            number(package.image_bytes, "bytes"),
            number(package.allocated_bytes, "bytes"),
            number(package.files, "count"),
            Cell(rules.title_of(package.class_)),
            why_cell(package.why),
            Cell(version_of(package)),
        )
        for package in packages
    )
    header = (
        "package", "in the tree", "share", "download", "in the qcow2", "in the image", "allocated in the tree", "files",
        "class", "why it is here", "version",
    )  # fmt: skip
    shown = plural(len(packages), "package") if packages else missing_reason(result)
    records = tuple(package.model_dump(exclude={"why"}) for package in packages)
    table = Table(f"Packages of {result.variant}: {shown}", header, rows, records, (), _HOW, f"{to_run}packages.csv")
    return _without_gaps(table)


def packages_side_by_side(study: StudyResult) -> Stack:
    """Every package of any variant with its bytes in each tree, then the packages of each variant, folded away."""
    measured = [result for result in study.variants if result.packages]
    details: list[Shown] = [
        Details(f"{r.variant}: {plural(len(r.packages), 'package')} in detail", packages_table(r, "")) for r in measured
    ]
    return Stack((_side_by_side(study, measured), *(details if len(measured) <= _VARIANTS_MOST else ())))


def departures(study: StudyResult) -> Section:
    """What could be removed from every variant that this was solved for; nothing if there is none."""
    asked = [result for result in study.variants if result.departures]
    return Section("What could be removed", "", tuple(departures_table(result, "") for result in asked))


def departures_table(result: VariantResult, to_run: str = "../") -> Table:
    """What is removed from the tree if something is not installed, by the solver."""
    ordered = sorted(result.departures, key=lambda departure: -departure.bytes)
    rows = tuple(
        (
            Cell(one.title or one.removed),
            number(len(one.packages), "count", note=""),
            number(one.bytes, "bytes"),
            share(one.bytes, result.tree_bytes),
            number(one.files, "count"),
            _names_cell(one.packages),
            _names_cell(one.arrivals),
            Cell(", ".join(one.entries) or "none"),
        )
        for one in ordered
    )
    header = ("without", "packages removed", "bytes removed", "share of the tree", "files removed", "packages",
              "installed instead", "entries of the recipe removed")  # fmt: skip
    records = tuple(_departure_record(one) for one in ordered)
    return Table(
        f"What could be removed from {result.variant}",
        header,
        rows,
        records,
        (),
        methods.DEPARTURES,
        f"{to_run}departures.csv",
    )


def why_cell(chain: Sequence[WhyLink]) -> Cell:
    """The chain of dependencies that installed a package: its ends, and the whole chain when unfolded."""
    if not chain:
        return missing("not measured")
    names = [link.package for link in chain]
    first = "recipe" if chain[0].kind == "recipe" else f"{chain[0].kind} {chain[0].capability}".rstrip()
    short = [first, *(names if len(names) <= _SHORT_CHAIN else [names[0], "…", names[-1]])]
    whole = " → ".join(f"{link.package} ({_need(link)})" for link in chain)
    return Cell(" → ".join(short), more=f"{first} → {whole}")


def _side_by_side(study: StudyResult, measured: Sequence[VariantResult]) -> Table:
    rules = default_class_rules()
    sizes = {result.variant: bytes_by_name(result.packages) for result in measured}
    known = {package.name: package for result in reversed(measured) for package in result.packages}
    found = presence(study)
    ordered = sorted(known, key=lambda name: (-max(of.get(name, 0) for of in sizes.values()), name))
    rows = tuple(
        (
            Cell(name),
            *(_size_cell(sizes[result.variant].get(name)) for result in measured),
            Cell(f"{found[name]} of {len(measured)}", kind="number", value=found[name]),
            number(known[name].download_bytes, "bytes"),
            Cell(rules.title_of(known[name].class_)),
            why_cell(known[name].why),
            Cell(version_of(known[name])),
        )
        for name in ordered
    )
    header = ("package", *(result.variant for result in measured), "in variants", "download", "class",
              "why it is here", "version")  # fmt: skip
    records = tuple({"package": name, **{variant: of.get(name) for variant, of in sizes.items()}} for name in ordered)
    note = "Download, reason and version are those of the first variant that has the package."
    caption = f"All packages: {plural(len(rows), 'package')} in {plural(len(measured), 'variant')}"
    return _without_gaps(Table(caption, header, rows, records, (note,), methods.TREE, "packages.csv"))


def _without_gaps(table: Table) -> Table:
    """The table without the columns that hold no figure at all; a note names them as not measured."""
    gaps = {
        place for place, column in enumerate(zip(*table.rows, strict=True)) if all(c.kind == "missing" for c in column)
    }
    if not gaps:
        return table
    note = f"Not measured: {', '.join(title for place, title in enumerate(table.header) if place in gaps)}."
    header = tuple(title for place, title in enumerate(table.header) if place not in gaps)
    rows = tuple(tuple(cell for place, cell in enumerate(row) if place not in gaps) for row in table.rows)
    return Table(table.caption, header, rows, table.records, (*table.notes, note), table.how, table.csv)


def _size_cell(size_bytes: int | None) -> Cell:
    return Cell("absent", kind="missing") if size_bytes is None else number(size_bytes, "bytes")


def _names_cell(names: Sequence[str]) -> Cell:
    if not names:
        return Cell("none")
    return Cell(", ".join(names)) if len(names) <= _SHORT_CHAIN else Cell(plural(len(names), "package"), more=", ".join(
        names))  # fmt: skip


def _need(link: WhyLink) -> str:
    return f"{link.kind} {link.capability}" if link.capability and link.capability != link.package else link.kind


def _departure_record(one: DepartureSize) -> dict[str, object]:
    return {"removed": one.removed, "packages": len(one.packages), "bytes": one.bytes, "files": one.files}
