"""The section of a factor study: sentences, the plot of its strongest interaction, tables."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from atomic_lib.report.elements.blocks import Section, Sentences
from atomic_lib.report.elements.values import quantity
from atomic_lib.report.figures.picture import GRID, INK, Picture, draw_picture, is_wide, nothing_drawn
from atomic_lib.report.tables.factor_tables import cells_table, effects_table, interactions_table
from atomic_lib.report.text import methods
from atomic_lib.report.text.factor_words import sentences
from atomic_lib.results.analysis.factor_effects import CRITERIA, Interaction, interactions, value_of
from atomic_lib.results.analysis.metrics import Criterion
from atomic_lib.results.study_result import Factor, StudyResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_STYLES = (("#0072b2", "o", "-"), ("#d55e00", "s", "--"), ("#009e73", "^", "-."), (INK, "D", ":"))
_PLOTTED = ("Python", "packages")


def section(study: StudyResult) -> Section:
    """All of a factor study; nothing for a study without cells."""
    if not study.cells:
        return Section("Choices that interact", "", ())
    text = (
        "A factor study changes several choices (factors) at once. Each combination, a cell, is a tree of its own, "
        "composed and measured; no cell is booted. Two choices interact where their effects do not add up."
    )
    said = Sentences(sentences(study))
    tables = (effects_table(study), interactions_table(study), cells_table(study))
    return Section("Choices that interact", text, (said, figure_interaction(study), *tables))


def figure_interaction(study: StudyResult) -> Picture:
    """The two crossed factors with the strongest interaction: lines that are not parallel interact."""
    criteria = [criterion for criterion in CRITERIA if criterion.title in _PLOTTED]
    strongest = _strongest(study, criteria[0]) or _strongest(study, CRITERIA[1])
    if strongest is None:
        return nothing_drawn("Interaction plot.", "No two factors are crossed.")
    factors = {factor.name: factor for factor in study.factors}
    first, second = factors[strongest.first[0]], factors[strongest.second[0]]
    caption = f"Interaction plot of {first.name} and {second.name}: lines that are not parallel interact."
    alt = " ".join([caption, *(_words(study, first, second, criterion) for criterion in criteria)])
    return draw_picture(
        lambda width: _draw(study, first, second, criteria, width), alt, caption, how=methods.FACTORS, csv="cells.csv"
    )


def _strongest(study: StudyResult, criterion: Criterion) -> Interaction | None:
    found = [one for one in interactions(study, criterion) if any(one.values)]
    return max(found, key=lambda one: abs(one.contrast), default=None)


def _line(study: StudyResult, first: Factor, second: Factor, level: str, criterion: Criterion) -> list[float | None]:
    """The figures of one line: along the levels of ``first``, at one level of ``second``, the others at their base."""
    base = {factor.name: factor.levels[0] for factor in study.factors}
    return [value_of(study, {**base, second.name: level, first.name: one}, criterion) for one in first.levels]


def _words(study: StudyResult, first: Factor, second: Factor, criterion: Criterion) -> str:
    parts = [
        f"{first.name} {one} and {second.name} {level} {quantity(value, criterion.unit)}"
        for level in second.levels
        for one, value in zip(first.levels, _line(study, first, second, level, criterion), strict=True)
        if value is not None
    ]
    return f"{criterion.title}: {', '.join(parts)}."


def _draw(
    study: StudyResult, first: Factor, second: Factor, criteria: Sequence[Criterion], width_inches: float
) -> "Figure":
    from matplotlib.figure import Figure

    wide = is_wide(width_inches)
    columns, lines = (len(criteria), 1) if wide else (1, len(criteria))
    line_inches = 2.9
    figure = Figure(figsize=(width_inches, line_inches * lines))
    for place, criterion in enumerate(criteria):
        column, line = (place, 0) if wide else (0, place)
        left, bottom = column / columns + 0.55 / width_inches, 1 - (line + 1) / lines + 0.55 / (line_inches * lines)
        size = (1 / columns - 0.75 / width_inches, (line_inches - 0.95) / (line_inches * lines))
        _panel(figure.add_axes((left, bottom, *size)), study, first, second, criterion)
    return figure


def _panel(axes: "Axes", study: StudyResult, first: Factor, second: Factor, criterion: Criterion) -> None:
    scale = 1e6 if criterion.unit == "bytes" else 1.0
    for place, level in enumerate(second.levels):
        colour, marker, style = _STYLES[place % len(_STYLES)]
        values = _line(study, first, second, level, criterion)
        points = [(x, value) for x, value in enumerate(values) if value is not None]
        axes.plot(
            [x for x, _ in points], [value / scale for _, value in points], color=colour, marker=marker,
            linestyle=style, label=f"{second.name}: {level}", clip_on=False,
        )  # fmt: skip
        for x, value in points:
            axes.annotate(
                quantity(value, criterion.unit), (x, value / scale), textcoords="offset points", fontsize=7.5,
                xytext=(7 if x == 0 else -7, 5), ha="left" if x == 0 else "right",
            )  # fmt: skip
    axes.set_xticks(range(len(first.levels)), [f"{first.name}: {level}" for level in first.levels])
    axes.set_xlim(-0.15, len(first.levels) - 0.85)
    axes.set_ylim(bottom=0)
    axes.margins(y=0.25)
    axes.set_ylim(top=axes.get_ylim()[1] * 1.15)
    axes.set_title(f"{criterion.title}, {'MB' if criterion.unit == 'bytes' else 'number'}", loc="left", fontsize=9,
                   weight="bold")  # fmt: skip
    axes.grid(axis="y", color=GRID, linewidth=0.5)
    axes.legend(frameon=False, fontsize=7.5, loc="best")
