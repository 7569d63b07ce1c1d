"""What all pages of a site share: their addresses, the links at their heads, and how one is written."""

import hashlib
import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from urllib.parse import quote

from atomic_lib.report.elements.blocks import Alert, Shown
from atomic_lib.report.page.export import TEMPLATES, PageFrame, PageLink, page_of
from atomic_lib.report.site.package_levels import PackageLevel
from atomic_lib.report.site.site_directory import NextSite, checksum
from atomic_lib.report.site.site_runs import RecordedRun
from atomic_lib.results.history.figure_trends import Trend

FRONT, RUNS, VARIANTS, PACKAGES = "index.html", "runs/index.html", "variants/index.html", "packages/index.html"
FEED = "feed.xml"
_LINKS = {"Latest": FRONT, "Runs": RUNS, "Variants": VARIANTS, "Packages": PACKAGES}
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]*")


@dataclass(frozen=True)
class SiteContent:
    """What a site is made from. ``trends``: by study. ``levels``: by package. ``standin``: notices by variant."""

    history: sqlite3.Connection
    site: NextSite
    runs: tuple[RecordedRun, ...]
    trends: Mapping[str, tuple[Trend, ...]]
    levels: Mapping[str, Sequence[PackageLevel]]
    standin: Mapping[str, str]

    @property
    def studies(self) -> tuple[str, ...]:
        """The studies, the one with the newest run first."""
        return tuple(dict.fromkeys(run.study for run in self.runs))

    @property
    def variants(self) -> tuple[str, ...]:
        """The names of all variants of the runs, sorted."""
        return tuple(sorted({variant for run in self.runs for variant in run.variants}))

    def notice(self, variants: Sequence[str]) -> str:
        """That figures are not Fedora's, if one of the variants was ever built of stand-in content."""
        return next((self.standin[variant] for variant in variants if variant in self.standin), "")


def run_page(run: str) -> str:
    """The address of a run's page."""
    return f"runs/{_name(run)}/index.html"


def variant_page(variant: str) -> str:
    """The address of a variant's page."""
    return f"variants/{_name(variant)}/index.html"


def package_page(package: str) -> str:
    """The address of a package's page."""
    return f"packages/{_name(package)}/index.html"


def _name(text: str) -> str:
    """The name of a directory; names of packages come from foreign repositories."""
    plain = _PLAIN.fullmatch(text) and text != "index.html"  # the name of the list beside the directories
    return text if plain else f"-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def link(path: str, target: str) -> str:
    """The relative link from the page ``path`` to another one."""
    return "../" * path.count("/") + quote(target, safe="/+")


def site_links(path: str) -> tuple[PageLink, ...]:
    """The links at the head of the page ``path``."""
    return tuple(PageLink(text, link(path, target), target == path) for text, target in _LINKS.items())


def write_page(site: NextSite, path: str, title: str, parts: Sequence[Shown], *, alert: Alert | None = None) -> None:
    """Write a page of these parts; one that would be the same is not made again."""
    frame = PageFrame(title, site_links(path), failed=alert, feed=link(path, FEED))
    key = checksum(_templates(), repr(frame), *(part._repr_html_() for part in parts))
    if not site.is_made_from(path, key):
        site.write(path, page_of(parts, frame), key)


@cache
def _templates() -> str:
    """What all pages look like, as a checksum."""
    return checksum(*(path.read_text(encoding="utf-8") for path in sorted(TEMPLATES.rglob("*")) if path.is_file()))
