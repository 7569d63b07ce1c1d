"""Pictures of a page: inline SVG, drawn twice, wide and narrow (for a phone), with text as text.

Parts are told apart by hatches and labels as well as by colour (Okabe and Ito's palette,
which colour-blind readers can tell apart), so a print in grey is legible.
"""

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from atomic_lib.report.elements.blocks import empty, how_measured
from atomic_lib.report.elements.values import slug

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDE_INCHES, NARROW_INCHES = 8.6, 3.9
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#999999")
HATCHES = ("", "///", "---", "xxx", "\\\\\\", "", "+++", "|||")
"""Lines only: dots and circles make an SVG twenty times larger."""
EDGE, GRID, INK, PAPER = "#222222", "#cccccc", "#000000", "#ffffff"
"""These colours follow the page's: each is a variable of its style sheet, and as written where there is none."""
TINT = 0.55
"""The opacity of an area with text on it; a page may have its own."""
TIP = "tip-"
"""A part of a drawing with the gid ``tip-N`` gets the N-th tip, which a browser shows below the pointer."""
_VARIABLES = {"edge": EDGE, "grid": GRID, "ink": INK, "paper": PAPER}
_FONTS = "DejaVu Sans, Verdana, sans-serif"
_RC: Any = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # a name with dollar signs is not a formula
    "svg.hashsalt": "workbook",  # the same figures give the same bytes
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "hatch.linewidth": 0.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
}


@dataclass(frozen=True)
class Style:
    """How a part of a figure is filled."""

    colour: str
    hatch: str


def style_at(place: int) -> Style:
    """The style of the part at a place of a figure's own parts."""
    return Style(COLOURS[place % len(COLOURS)], HATCHES[place % len(HATCHES)])


@dataclass(frozen=True)
class Picture:
    """A figure for a page: wide and narrow SVG, an alternative text, a caption.

    ``how``: unit, n, interval and method. ``csv``: the file with the same figures.
    """

    wide_svg: str
    narrow_svg: str
    alt: str
    caption: str
    how: str = ""
    csv: str = ""

    def _repr_html_(self) -> str:
        if not self.wide_svg:
            return empty(self.alt)
        name = self.anchor
        csv = f' <a class="csv" href="{escape(self.csv)}">CSV</a>' if self.csv else ""
        link = f'<a class="anchor-link" href="#{name}" aria-label="link to this figure">#</a>'
        return (
            f'<figure class="block" id="{name}">'
            f'<div class="wide">{self._inline(self.wide_svg, "w")}</div>'
            f'<div class="narrow" hidden>{self._inline(self.narrow_svg, "n")}</div>'
            f"<figcaption>{escape(self.caption)}{link}{csv}</figcaption>{how_measured(self.how)}</figure>"
        )

    @property
    def anchor(self) -> str:
        """The picture's id in a page, made of its caption up to the first colon."""
        return "figure-" + slug(re.split(r"[:.]", self.caption, maxsplit=1)[0])

    def _inline(self, svg: str, suffix: str) -> str:
        """The SVG with ids of its own, so that several fit into one page."""
        own = f"{self.anchor}-{suffix}-"
        svg = re.sub(r'\b(id="|href="#|url\(#)', lambda found: found[1] + own, svg)
        return svg.replace("<svg", f'<svg role="img" aria-label="{escape(self.alt)}"', 1)

    def __repr__(self) -> str:
        return f"{self.caption}\n{self.alt}"


def nothing_drawn(caption: str, reason: str = "Nothing was measured.") -> Picture:
    """A sentence in place of a picture."""
    return Picture("", "", f"{caption} {reason}", caption)


def draw_picture(
    draw: "Callable[[float], Figure]", alt: str, caption: str, *, how: str = "", csv: str = "", tips: Sequence[str] = ()
) -> Picture:
    """A picture by a function that draws for a width in inches."""
    wide, narrow = (_svg(draw, width, tips) for width in (WIDE_INCHES, NARROW_INCHES))
    return Picture(wide, narrow, alt, caption, how, csv)


def is_wide(width_inches: float) -> bool:
    """Whether a drawing is the one for a wide page."""
    return width_inches >= WIDE_INCHES


def text_inches(text: str, points: float) -> float:
    """The approximate width of a text, to decide what fits."""
    return len(text) * points * 0.62 / 72


def shortened(text: str, inches: float, points: float) -> str:
    """The text cut to what fits, with an ellipsis; empty if not even three letters do."""
    if text_inches(text, points) <= inches:
        return text
    kept = int(inches * 72 / (points * 0.62)) - 1
    return text[:kept].rstrip() + "…" if kept >= 3 else ""


def keep_labels_inside(figure: "Figure") -> None:
    """Have a label of the horizontal axis end at its tick, if it would be cut off at the right edge of the figure."""
    for axes in figure.axes:
        for label in axes.get_xticklabels():
            if label.get_window_extent().x1 > figure.bbox.x1:
                label.set_horizontalalignment("right")


def _svg(draw: "Callable[[float], Figure]", width_inches: float, tips: Sequence[str]) -> str:
    from matplotlib import rc_context

    out = io.StringIO()
    with rc_context(_RC):
        figure = draw(width_inches)
        keep_labels_inside(figure)
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = out.getvalue()
    return _slim(text[text.index("<svg") :], tips)


def _slim(svg: str, tips: Sequence[str]) -> str:
    """The SVG as part of an HTML page: no namespaces, no style of its own, no unused ids."""
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r' (xmlns(:xlink)?|version|width|height)="[^"]*"', "", svg, count=5)
    svg = svg.replace("xlink:href=", "href=").replace("<svg", f'<svg font-family="{_FONTS}" fill="currentColor"', 1)
    svg = re.sub(rf'<g id="{TIP}(\d+)">', lambda found: f"<g><title>{escape(tips[int(found[1])])}</title>", svg)
    svg = re.sub(r"font-family: [^;\"]*; ?", "", svg)
    svg = re.sub(r' (fill|stroke)="(#[0-9a-f]{6})"', r' style="\1: \2"', svg)
    for name, colour in _VARIABLES.items():
        svg = svg.replace(f": {colour}", f": var(--chart-{name}, {colour})")
    svg = svg.replace(f"opacity: {TINT}", f"opacity: var(--chart-tint, {TINT})")
    svg = re.sub(r' transform="rotate\(-0 [^"]*"', "", svg)
    svg = re.sub(r' (d|x|y|transform)="[^"]*"', lambda found: re.sub(r"(\.\d\d)\d+", r"\1", found[0]), svg)
    used = set(re.findall(r"(?:url\(#|href=\"#)([^)\"]+)", svg))
    svg = re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in used else "", svg)
    return re.sub(r">\s+<", "><", re.sub(r"\s+", " ", svg)).strip()
