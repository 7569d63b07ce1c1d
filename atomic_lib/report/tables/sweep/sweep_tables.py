"""The page of a sweep: which choices save most, what each level changes, which interact, and every variant."""

from collections.abc import Sequence
from statistics import mean

from atomic_lib.report.elements.blocks import Opening, Paragraph, Section, Shown
from atomic_lib.report.elements.cells import Cell, number
from atomic_lib.report.elements.table import Table
from atomic_lib.report.elements.values import plural
from atomic_lib.report.tables.factor_tables import (
    INTERACTION_COLUMNS,
    INTERACTION_NOTE,
    effect_cell,
    interaction_cells,
)
from atomic_lib.report.text.content_words import STANDIN_NOTICE, summary_words
from atomic_lib.report.text.factor_words import named
from atomic_lib.results.analysis.factor_effects import Effect
from atomic_lib.results.analysis.metrics import Unit
from atomic_lib.results.sweep_result import FIGURES, SWEEP_FILE, SweepResult, SweepRow

HOW = (
    "Solved by the dnf of a compose, nothing is composed. Installed: the size of the packages' files by their RPMs, "
    "without the documentation and languages that the recipe leaves out (those of a mirror's packages, of which only "
    "the index is here, are counted); what the compose makes (initramfs, RPM database, caches) and what scripts "
    "change or remove is not in it. Download: the size of the RPM files."
)
CHOICES_MOST = 20
_SHOWN: tuple[tuple[str, Unit], ...] = (("packages", "count"), ("installed", "bytes"), ("download", "bytes"))
"""Title and unit of each of FIGURES."""


def sweep_parts(result: SweepResult, built: Section) -> tuple[Shown, ...]:
    """The parts of the page, in their order; ``built``: what was composed and booted."""
    failed = [row for row in result.rows if row.solved.error]
    about = f"{plural(len(result.rows), 'variant')} solved, {plural(len(failed), 'variant')} without a solution. {HOW}"
    contents = " and ".join(map(summary_words, result.contents))
    standin = any(content.standin for content in result.contents)
    return (
        Opening(contents[:1].upper() + contents[1:], result.title, STANDIN_NOTICE if standin else ""),
        Paragraph(about),
        Section("Which choices save most", "", (savings_table(result),)),
        Section("What each choice changes", "", (main_effects_table(result),)),
        Section("Which choices interact", "", (interactions_table(result),)),
        built,
        Section("All variants", "", (variants_table(result),)),
    )


def savings_table(result: SweepResult) -> Table:
    """The levels that save the most installed bytes against their factor's base level, the most saving first."""
    found = sorted(_known(result), key=lambda rows: (mean(rows[1].differences), rows[0].factor, rows[0].level))
    saving = [effects for effects in found if mean(effects[1].differences) < 0]
    return _effects_table("Choices that save most", saving[:CHOICES_MOST], "No choice saves anything.")


def main_effects_table(result: SweepResult) -> Table:
    """What each level changes against its factor's base level."""
    return _effects_table(
        "Main effects", list(zip(*map(result.effects, FIGURES), strict=True)), "There are no choices."
    )


def interactions_table(result: SweepResult) -> Table:
    """Two choices whose installed bytes do not add up, the largest difference first."""
    found = [one for one in result.interactions("installed_bytes") if one.contrast]
    found.sort(key=lambda one: (-abs(one.contrast), named(one)))
    rows = [(Cell(named(one)), *interaction_cells(one, "bytes")) for one in found[:CHOICES_MOST]]
    header = ("first and second choice", *INTERACTION_COLUMNS)
    notes = (f"Installed bytes, all other choices as in the base. {INTERACTION_NOTE}",)
    empty = "The bytes of all choices add up, or there are no two factors."
    return Table("Choices that interact", header, tuple(rows), (), notes, HOW, SWEEP_FILE, empty=empty)


def variants_table(result: SweepResult) -> Table:
    """Every variant with its levels and its figures."""
    header = (
        "variant",
        *(factor.name for factor in result.factors),
        *(title for title, _ in _SHOWN),
        "entries removed",
    )
    rows = [_row(result, row) for row in result.rows]
    return Table("Variants", header, tuple(rows), (), (), HOW, SWEEP_FILE)


def _known(result: SweepResult) -> list[tuple[Effect, ...]]:
    by_figure = zip(*map(result.effects, FIGURES), strict=True)
    return [effects for effects in by_figure if effects[1].differences]


def _effects_table(caption: str, found: Sequence[tuple[Effect, ...]], empty: str) -> Table:
    rows = [
        (
            Cell(f"{effects[0].factor}: {effects[0].level}"),
            Cell(effects[0].base),
            *(effect_cell(one, unit, reason="no solution") for one, (_, unit) in zip(effects, _SHOWN, strict=True)),
            Cell(effects[0].kind),
        )
        for effects in found
    ]
    header = ("choice", "against", *(title for title, _ in _SHOWN), "kind of effect")
    return Table(caption, header, tuple(rows), (), (), HOW, SWEEP_FILE, empty=empty)


def _row(result: SweepResult, row: SweepRow) -> tuple[Cell, ...]:
    levels = [Cell(row.levels[factor.name]) for factor in result.factors]
    shown = zip(FIGURES, _SHOWN, strict=True)
    figures = [number(getattr(row.solved, name), unit, reason=row.solved.error) for name, (_, unit) in shown]
    return (Cell(row.variant), *levels, *figures, Cell(" ".join(row.solved.removed)))
