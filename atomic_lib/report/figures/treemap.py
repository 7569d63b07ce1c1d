"""The footprint as a treemap: a tree's area divided by class, each class by package."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from atomic_lib.measure.classes import default_class_rules
from atomic_lib.report.elements.values import quantity
from atomic_lib.report.figures.class_styles import REST, REST_STYLE, class_style, largest_classes
from atomic_lib.report.figures.picture import (
    EDGE,
    PAPER,
    TINT,
    TIP,
    Picture,
    draw_picture,
    is_wide,
    nothing_drawn,
    shortened,
)
from atomic_lib.report.text import methods
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_UNOWNED = "no package"
_POINTS = 7.0
_BOLD = 1.13
"""How much wider bold text is."""
_LEAST_SHARE = 0.0006
"""Packages below this share of the largest tree are drawn as one rectangle of their class."""
_MOST_BESIDE = 3


@dataclass(frozen=True)
class Box:
    """A rectangle; ``size`` decides its share of the area around it."""

    name: str
    size: float
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    height: float = 0.0


@dataclass(frozen=True)
class _Tree:
    """What is drawn for one variant: its classes, each with its packages."""

    variant: str
    total: int
    classes: dict[str, list[tuple[str, int]]]


def figure_treemap(study: StudyResult) -> Picture:
    """The trees side by side at one scale: the area of a rectangle is its bytes. More than three: first and last."""
    measured = [result for result in study.variants if result.packages and result.tree_bytes]
    shown = measured if len(measured) <= _MOST_BESIDE else [measured[0], measured[-1]]
    return _picture(shown, measured, "Treemap of the tree by class and package")


def _picture(results: Sequence[VariantResult], coloured: Sequence[VariantResult], caption: str) -> Picture:
    if not results:
        return nothing_drawn(f"{caption}.")
    largest = max(result.tree_bytes or 0 for result in results)
    trees = [_tree(result, largest) for result in results]
    rules = default_class_rules()
    colours = {name: class_style(name).colour for name in largest_classes(coloured)}
    tips = [
        f"{name} ({rules.title_of(class_)}): {quantity(size, 'bytes')}"
        for tree in trees
        for class_, parts in tree.classes.items()
        for name, size in parts
    ]
    alt = " ".join(_words(tree) for tree in trees)
    caption = (
        f"{caption}: the area of each rectangle is its bytes, at one scale for {' and '.join(t.variant for t in trees)}"
        ". The tables below list every figure."
    )
    return draw_picture(
        lambda width: _draw(trees, colours, largest, width), f"{caption} {alt}", caption,
        how=methods.TREE, csv="packages.csv", tips=tips,
    )  # fmt: skip


def _tree(result: VariantResult, largest: int) -> _Tree:
    """The parts of a tree; unowned files, and packages too small to draw, are one part each of their class."""
    classes: dict[str, list[tuple[str, int]]] = {}
    sums: dict[str, int] = {}
    for package in sorted(result.packages, key=lambda package: -package.bytes):
        parts = classes.setdefault(package.class_, [])
        sums[package.class_] = sums.get(package.class_, 0) + package.bytes
        if package.bytes >= _LEAST_SHARE * largest:
            parts.append((package.name, package.bytes))
    for size in result.classes:
        parts = classes.setdefault(size.class_, [])
        small = sums.get(size.class_, 0) - _sum(parts)
        parts += [("small packages", small)] if small > 0 else []
        unowned = size.bytes - sums.get(size.class_, 0)
        parts += [(_UNOWNED, unowned)] if unowned > 0 else []
    ordered = sorted(classes.items(), key=lambda item: -_sum(item[1]))
    return _Tree(result.variant, result.tree_bytes or 0, {name: parts for name, parts in ordered if _sum(parts)})


def _words(tree: _Tree) -> str:
    rules = default_class_rules()
    first = list(tree.classes.items())[:5]
    parts = ", ".join(f"{rules.title_of(name)} {quantity(_sum(of), 'bytes')}" for name, of in first)
    return f"{tree.variant}, {quantity(tree.total, 'bytes')}: {parts}, and smaller classes."


def _sum(parts: Sequence[tuple[str, int]]) -> int:
    return sum(size for _, size in parts)


def squarify(parts: Sequence[tuple[str, float]], area: Box) -> list[Box]:
    """Rectangles for ``parts`` (largest first) that fill ``area``; as square as the algorithm of Bruls et al. gets."""
    x, y, width, height = area.x, area.y, area.width, area.height
    total = sum(size for _, size in parts)
    if not total or width <= 0 or height <= 0:
        return []
    boxes: list[Box] = []
    rest = [Box(name, size * width * height / total) for name, size in parts if size > 0]
    while rest:
        side = min(width, height)
        count = 1
        while count < len(rest) and _worst(rest[: count + 1], side) <= _worst(rest[:count], side):
            count += 1
        row, rest = rest[:count], rest[count:]
        depth = sum(box.size for box in row) / side
        place = 0.0
        for box in row:
            length = box.size / depth
            if width >= height:
                boxes.append(Box(box.name, box.size, x, y + place, depth, length))
            else:
                boxes.append(Box(box.name, box.size, x + place, y, length, depth))
            place += length
        x, y, width, height = (
            (x + depth, y, width - depth, height) if width >= height else (x, y + depth, width, height - depth)
        )
    return boxes


def _worst(row: Sequence[Box], side: float) -> float:
    """The worst ratio of sides among the rectangles of a row."""
    total = sum(box.size for box in row)
    return max(max(side**2 * box.size / total**2, total**2 / (side**2 * box.size)) for box in row)


def _draw(trees: Sequence[_Tree], colours: dict[str, str], largest: int, width_inches: float) -> "Figure":
    """Trees beside each other on a wide page, one below the other on a narrow one; equal areas are equal bytes."""
    from matplotlib.figure import Figure

    beside = is_wide(width_inches)
    columns = len(trees) if beside else 1
    panel_width = width_inches / columns - 0.1
    full_height = 4.6 if beside else 3.4
    heights = [full_height * tree.total / largest for tree in trees]
    legend_inches = 0.18 * -(-(len(colours) + 1) // (4 if beside else 2)) + 0.1
    height = legend_inches + ((full_height + 0.3) if beside else sum(heights) + 0.3 * len(trees))
    figure = Figure(figsize=(width_inches, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width_inches)
    axes.set_ylim(height, 0)
    axes.axis("off")
    top, tip = 0.0, 0
    for place, tree in enumerate(trees):
        left = place * width_inches / columns + 0.05 if beside else 0.05
        title = f"{tree.variant}  {quantity(tree.total, 'bytes')}"
        axes.text(left, top + 0.2, title, weight="bold", fontsize=8.5)
        tip = _draw_tree(axes, tree, colours, Box("", 0, left, top + 0.27, panel_width, heights[place]), tip)
        top += 0.0 if beside else heights[place] + 0.3
    figure.legend(
        handles=_legend(colours), loc="lower left", bbox_to_anchor=(0.0, 0.0), ncols=4 if beside else 2, frameon=False,
        fontsize=_POINTS, handlelength=1.6, handleheight=1.0, columnspacing=1.2, borderaxespad=0.1, labelspacing=0.3,
    )  # fmt: skip
    return figure


def _legend(colours: dict[str, str]) -> list[object]:
    from matplotlib.patches import Patch

    rules = default_class_rules()
    shown = [(rules.title_of(name), colour) for name, colour in colours.items()]
    return [
        Patch(facecolor=colour, alpha=TINT, edgecolor=EDGE, linewidth=0.5, label=title)
        for title, colour in [*shown, (REST, REST_STYLE.colour)]
    ]


def _draw_tree(axes: "Axes", tree: _Tree, colours: dict[str, str], area: Box, tip: int) -> int:
    """Draw one tree; returns the number of the next tip."""
    rules = default_class_rules()
    sizes = [(name, float(_sum(parts))) for name, parts in tree.classes.items()]
    for outer in squarify(sizes, area):
        parts = [(str(number), float(size)) for number, (_, size) in enumerate(tree.classes[outer.name])]
        colour = colours.get(outer.name, REST_STYLE.colour)
        for inner in squarify(sorted(parts, key=lambda p: -p[1]), outer):
            number = int(inner.name)
            below_title = inner.y - outer.y > 0.05
            _draw_box(axes, inner, tree.classes[outer.name][number][0], colour, tip + number, below_title)
        tip += len(parts)
        _frame(axes, outer, rules.title_of(outer.name))
    return tip


def _draw_box(axes: "Axes", box: Box, name: str, colour: str, tip: int, below_title: bool) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(
        Rectangle(
            (box.x, box.y), box.width, box.height, facecolor=colour, alpha=TINT, edgecolor=PAPER, linewidth=0.5,
            gid=f"{TIP}{tip}",
        )
    )  # fmt: skip
    label = shortened(name, box.width - 0.06, _POINTS)
    if label and box.height > (0.13 if below_title else 0.34) and (label == name or len(label) > 6):
        axes.text(box.x + box.width / 2, box.y + box.height / 2 + 0.03, label, ha="center", va="center",
                  fontsize=_POINTS)  # fmt: skip


def _frame(axes: "Axes", box: Box, title: str) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((box.x, box.y), box.width, box.height, facecolor="none", edgecolor=EDGE, linewidth=1.0))
    label = shortened(title, (box.width - 0.08) / _BOLD, _POINTS)
    if box.height > 0.2 and len(label) > 5:
        axes.text(
            box.x + 0.03, box.y + 0.03, label, ha="left", va="top", fontsize=_POINTS, weight="bold",
            bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.8, "alpha": 0.8},
        )  # fmt: skip
