"""Figures of stacked bars: the tree by class, packages in common, the parts of the image, the phases of boots."""

from collections.abc import Callable, Sequence

from atomic_lib.measure.classes import default_class_rules
from atomic_lib.report.elements.values import quantity
from atomic_lib.report.figures.bars import Bar, BarChart, BarMark, Segment, stack_of
from atomic_lib.report.figures.class_styles import REST, REST_STYLE, class_style, largest_classes
from atomic_lib.report.figures.picture import PAPER, Picture, Style
from atomic_lib.report.tables.build_contents.sharing_tables import SHARING_TITLES
from atomic_lib.report.text import methods
from atomic_lib.report.text.boot_words import not_alone
from atomic_lib.results.analysis.boot_groups import (
    MILESTONES,
    PHASES,
    BootGroup,
    boot_groups,
    milestone_seconds,
    summary_of,
)
from atomic_lib.results.analysis.sharing import measured_trees, shared_parts
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult

_ONLY_IMAGE = "what only an image has"
_MARKED = ("ssh-login", "provisioned", "docker-ready", "container-exited")


def figure_footprint(study: StudyResult) -> Picture:
    """The tree of every measured variant, stacked by class."""
    results = [result for result in study.variants if result.classes]
    return _footprint(results, "Footprint of the tree by class.", "footprint_by_class.csv")


def figure_classes(result: VariantResult) -> Picture:
    """The tree of one variant, stacked by class."""
    return _footprint([result] if result.classes else [], f"Footprint of {result.variant} by class.", "")


def figure_sharing(study: StudyResult) -> Picture:
    """The tree of every measured variant: what all have, what some have, what only this one has."""
    bars = []
    measured = measured_trees(study)
    for result in measured:
        shared = shared_parts(result, measured)
        parts = tuple(Segment(SHARING_TITLES[name], part.bytes / 1e6) for name, part in shared.items())
        bars.append(Bar(result.variant, quantity(result.tree_bytes or 0, "bytes"), parts))
    chart = stack_of(bars, tuple(SHARING_TITLES.values()), "MB in the tree (1 MB = 1,000,000 bytes)", "MB")
    return chart.picture("What the variants have in common.", methods.TREE, "packages.csv")


def figure_image(study: StudyResult) -> Picture:
    """The raw image of every variant by class, with what only an image has as one part."""
    results = [result for result in study.variants if result.image_parts]
    chart = _chart(
        results, "MB allocated in the raw image (1 MB = 1,000,000 bytes)", lambda r: r.image_allocated_bytes,
        lambda r: {part.part: part.image_bytes for part in r.image_parts},
    )  # fmt: skip
    return chart.picture("Where the image's bytes go.", methods.IMAGE, "image_parts.csv")


def figure_boots(study: StudyResult) -> Picture:
    """The boot of every variant by phase, one bar per kind of boot."""
    return _boots(study.variants, "Boots side by side", "boots.csv")


def figure_boot(result: VariantResult) -> Picture:
    """The boots of one variant by phase."""
    return _boots([result], f"Boots of {result.variant} by phase", "")


def _footprint(results: Sequence[VariantResult], caption: str, csv: str) -> Picture:
    chart = _chart(
        results, "MB in the tree (1 MB = 1,000,000 bytes)", lambda r: r.tree_bytes,
        lambda r: {size.class_: size.bytes for size in r.classes},
    )  # fmt: skip
    return chart.picture(caption, methods.TREE, csv)


def _chart(
    results: Sequence[VariantResult],
    axis: str,
    total: Callable[[VariantResult], int | None],
    sizes_of: Callable[[VariantResult], dict[str, int]],
) -> BarChart:
    """Bars of classes by variant: the largest of the trees are drawn by themselves."""
    rules = default_class_rules()
    shown = largest_classes(results)
    bars = []
    for result in results:
        sizes = sizes_of(result)
        segments = [Segment(rules.title_of(name), sizes.get(name, 0) / 1e6) for name in shown]
        only_image = sum(size for name, size in sizes.items() if _only_in_images(name))
        rest = sum(size for name, size in sizes.items() if name not in shown) - only_image
        segments += [Segment(REST, rest / 1e6), Segment(_ONLY_IMAGE, only_image / 1e6)]
        bars.append(Bar(result.variant, quantity(total(result) or 0, "bytes"), tuple(segments)))
    styles = {rules.title_of(name): class_style(name) for name in shown}
    styles |= {REST: REST_STYLE, _ONLY_IMAGE: Style(PAPER, "\\\\")}
    return BarChart(tuple(bars), styles, axis, "MB")


def _only_in_images(class_: str) -> bool:
    """Whether a class is a part of disk images, which no file of a tree falls into."""
    rules = default_class_rules().rules
    return any(rule.name == class_ and not rule.packages and not rule.paths for rule in rules)


def _boots(results: Sequence[VariantResult], caption: str, csv: str) -> Picture:
    bars = [_boot_bar(group, result) for result in results for group in boot_groups([result])]
    chart = stack_of(bars, [title for _, title in PHASES], "seconds from the start of QEMU", "s")
    if not bars:
        return chart.picture(f"{caption}.")
    notes = ["; ".join(dict.fromkeys(bar.note for bar in bars))]
    notes += filter(None, [not_alone(boot for result in results for boot in result.boots)])
    if any(not bar.note.endswith("n=1") for bar in bars):
        notes.append("bars and milestones are medians")
    if any(mark.low is not None for bar in bars for mark in bar.marks):
        notes.append("lines along the bars are 95 % intervals")
    if any(bar.segments and bar.segments[0].title != PHASES[0][1] for bar in bars):
        notes.append("a bar without the firmware phase starts too early")
    how = f"{methods.WALL} {methods.TCG}" if any("TCG" in bar.note for bar in bars) else methods.WALL
    return chart.picture(f"{caption}: {'; '.join(notes)}.", how, csv)


def _boot_bar(group: BootGroup, result: VariantResult) -> Bar:
    boots = group.boots_of(result)
    phases = [(title, summary_of(getattr(boot.phases, name) for boot in boots)) for name, title in PHASES]
    marks = [(MILESTONES[name], summary_of(milestone_seconds(boot, name) for boot in boots)) for name in _MARKED]
    return Bar(
        result.variant,
        f"{group}, n={len(boots)}",
        tuple(Segment(title, spread.median) for title, spread in phases if spread),
        tuple(BarMark(title, spread.median, spread.low, spread.high) for title, spread in marks if spread),
    )
