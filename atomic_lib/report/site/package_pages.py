"""A page for each package: its size over time in each variant, and why it is there."""

from collections.abc import Iterator, Mapping, Sequence

from atomic_lib.report.elements.blocks import Opening, Paragraph, Section, Shown
from atomic_lib.report.elements.cells import Cell, missing, number
from atomic_lib.report.elements.table import Table
from atomic_lib.report.elements.values import plural, signed
from atomic_lib.report.figures.size_steps import SizeStep, size_steps
from atomic_lib.report.page.export import PageLink
from atomic_lib.report.site.package_levels import PackageLevel, current_levels
from atomic_lib.report.site.run_pages import LinkLine
from atomic_lib.report.site.site_pages import (
    PACKAGES,
    SiteContent,
    link,
    package_page,
    run_page,
    variant_page,
    write_page,
)
from atomic_lib.report.tables.build_contents.package_tables import why_cell
from atomic_lib.report.text import methods
from atomic_lib.report.text.content_words import day
from atomic_lib.results.build_result import PackageSize
from atomic_lib.results.study_result import StudyResult

Installed = Mapping[str, Mapping[str, PackageSize]]
"""By package, then by variant: what the newest runs have of it."""


def installed_packages(studies: Sequence[StudyResult]) -> Installed:
    """The packages of the latest runs; of a variant in several studies, those of the first one."""
    found: dict[str, dict[str, PackageSize]] = {}
    for study in studies:
        for result in study.variants:
            for package in result.packages:
                found.setdefault(package.name, {}).setdefault(result.variant, package)
    return found


def write_package_pages(content: SiteContent, installed: Installed) -> None:
    """Write the page of each package that a variant ever had, and the list of them."""
    for name, levels in content.levels.items():
        _write_page(content, name, levels, installed.get(name, {}))
    _write_list(content, installed)


def _write_page(
    content: SiteContent, name: str, levels: Sequence[PackageLevel], installed: Mapping[str, PackageSize]
) -> None:
    path = package_page(name)
    now = sorted({level.variant for level in current_levels(list(levels))})
    where = f"In {', '.join(now)}" if now else "In no variant any more"
    variants = [level.variant for level in levels]
    parts: list[Shown] = [
        Opening(where, name, content.notice(variants)),
        LinkLine(tuple(PageLink(variant, link(path, variant_page(variant))) for variant in now)),
        *_why(path, installed),
        *_size(path, name, levels),
    ]
    write_page(content.site, path, f"{name} · Packages", parts)


def _why(path: str, installed: Mapping[str, PackageSize]) -> Iterator[Shown]:
    """Why the package is in each variant; variants with the same chain share a row."""
    by_chain: dict[str, list[str]] = {}
    for variant, package in sorted(installed.items()):
        by_chain.setdefault(why_cell(package.why).more or "not measured", []).append(variant)
    rows = tuple((Cell(", ".join(variants)), Cell(chain)) for chain, variants in by_chain.items())
    if rows:
        table = Table("The shortest chain from the recipe", ("variant", "chain"), rows, fixed=True)
        yield Section("Why it is here", "", (table,))


def _size(path: str, name: str, levels: Sequence[PackageLevel]) -> Iterator[Shown]:
    studies = {level.study for level in levels}
    series: dict[str, list[SizeStep]] = {}
    for level in levels:
        title = level.variant if len(studies) == 1 else f"{level.variant} ({level.study})"
        series.setdefault(title, []).append(SizeStep(level.created, level.bytes or 0))
    changed = any(len({step.bytes for step in steps}) > 1 for steps in series.values())
    parts: list[Shown] = [size_steps(name, series)] if changed else []
    parts.append(_levels_table(path, name, levels))
    text = "" if changed else "Its size has not changed since the first run that had it."
    yield Section("Its size over time", text, tuple(parts))


def _levels_table(path: str, name: str, levels: Sequence[PackageLevel]) -> Table:
    """Each change of version or size, the newest first; variants that changed alike share a row."""
    before: dict[tuple[str, str], int] = {}
    rows: dict[tuple[str, str, str, int | None, int | None], list[str]] = {}
    for level in levels:
        key = (level.study, level.variant)
        old = before.get(key)
        rows.setdefault((level.run, level.created, level.versions, level.bytes, old), []).append(level.variant)
        before[key] = level.bytes or 0
    shown = tuple(
        (
            Cell(day(created), link=link(path, run_page(run))),
            Cell(", ".join(dict.fromkeys(variants))),
            Cell(versions) if versions else missing("removed"),
            missing("removed") if size is None else number(size, "bytes"),
            missing("new") if old is None else Cell(signed((size or 0) - old, "bytes"), kind="number",
                                                      value=(size or 0) - old),
        )
        for (run, created, versions, size, old), variants in reversed(rows.items())
    )  # fmt: skip
    header = ("since the run of", "variants", "version", "in the tree", "change")
    return Table(f"Versions and sizes of {name}", header, shown, how=methods.TREE, anchor="sizes", fixed=True)


def _write_list(content: SiteContent, installed: Installed) -> None:
    rows, gone = [], []
    for name, levels in content.levels.items():
        now = current_levels(list(levels))
        cell = Cell(name, link=link(PACKAGES, package_page(name)))
        if not now:
            gone.append((cell, Cell(day(levels[-1].created), link=link(PACKAGES, run_page(levels[-1].run)))))
            continue
        largest = max(now, key=lambda level: level.bytes or 0)
        changed = max(level.created for level in now)
        rows.append(
            (cell, number(largest.bytes, "bytes"), Cell(", ".join(sorted({level.variant for level in now}))),
             Cell(largest.versions), Cell(changed[:10]))
        )  # fmt: skip
    rows.sort(key=lambda row: (-(row[1].value or 0), row[0].text))
    gone.sort(key=lambda row: row[0].text)
    header = ("package", "in the tree", "variants", "version", "last change")
    caption = f"Packages of the newest runs: {plural(len(rows), 'package')}, the largest first"
    variants = ", ".join(content.variants)
    parts: list[Shown] = [
        Opening(variants, "Packages", content.notice(content.variants)),
        Table(caption, header, tuple(rows), how=methods.TREE, anchor="packages"),
    ]
    if gone:
        removed = Table(
            f"In no variant any more: {plural(len(gone), 'package')}", ("package", "since the run of"), tuple(gone)
        )
        parts.append(Section("Removed packages", "", (removed,)))
    else:
        parts.append(Paragraph("No package was removed from all variants."))
    write_page(content.site, PACKAGES, "Packages", parts)
