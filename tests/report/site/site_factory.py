"""Runs in a build directory and their history, to publish."""

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import pytest

from atomic_lib.base.files import write_text
from atomic_lib.report.elements.blocks import Opening
from atomic_lib.report.figures import picture
from atomic_lib.report.figures.picture import Picture
from atomic_lib.report.figures.trend_lines import picture_of
from atomic_lib.report.page.export import PageFrame, page_of
from atomic_lib.report.site import front_page, variant_pages
from atomic_lib.report.site.site import Published, publish_site
from atomic_lib.results.build_result import PackageSize, WhyLink
from atomic_lib.results.history.database import open_history
from atomic_lib.results.history.figure_trends import Trend
from atomic_lib.results.history.run_recording import record_missing_runs
from atomic_lib.results.run_facts import RunFacts
from atomic_lib.results.study_result import Breach
from atomic_lib.results.variant_result import ContentSummary, VariantResult
from tests.report import factory
from tests.results.history.test_run_recording import FACTS, add_run

STANDIN = ContentSummary(title="stand-in content (Debian 13 as RPMs)", releasever="13", standin=True)
JQ = PackageSize(name="jq", version="1.7", release="1", arch="x86_64", bytes=3_000_000, files=9, class_="other",
                 why=(WhyLink(kind="recipe", package="jq", capability="jq"),))  # fmt: skip
PARTIAL = RunFacts(whole=False, inputs=None, machine=FACTS.machine)
BREACH = Breach(variant="atomic-min", budget="tree_bytes", unit="bytes", value=2.0, limit=1.0)


def variant(name: str, *more: PackageSize, **values: object) -> VariantResult:
    """A variant of stand-in content that was not booted, with ``more`` packages."""
    plain = factory.variant_result(name, boots=0)
    packages = (*plain.packages[:8], *more)  # a page for each takes time
    size = sum(one.bytes for one in packages)
    changed = {"packages": packages, "classes": (), "tree_bytes": size, "package_count": len(packages),
               "commit": hashlib.sha256(repr(packages).encode()).hexdigest(), "content_summary": STANDIN}  # fmt: skip
    return plain.model_copy(update={**changed, **values})


def add(build: Path, day: int, *results: VariantResult, breaches: Sequence[Breach] = (), whole: bool = True) -> str:
    """Add a run of a day in November 2026, with a page; returns its name."""
    name = f"2026-11-{day:02}T03-00-00Z-default"
    run = add_run(build / "runs", name, *results, facts=FACTS if whole else PARTIAL, breaches=breaches)
    study = json.loads((run / "results.json").read_text())
    study["created"] = f"2026-11-{day:02}T03:10:00+00:00"
    write_text(run / "results.json", json.dumps(study))
    write_text(run / "summary.md", f"# Summary of day {day}\n\nPage: index.html\n")
    (run / "index.html").write_text(page_of([Opening("", f"The run of day {day}")], PageFrame("A run")))
    return name


def publish(build: Path, directory: Path) -> Published:
    """Publish all runs of a build directory."""
    with open_history(build / "history.sqlite") as history:
        record_missing_runs(history, build / "runs")
        return publish_site(history, build / "runs", directory)


_DRAWN: dict[tuple[Trend, ...], Picture] = {}


def _drawn(trends: Sequence[Trend]) -> Picture:
    if tuple(trends) not in _DRAWN:
        _DRAWN[tuple(trends)] = picture_of(trends)
    return _DRAWN[tuple(trends)]


def _drawn_or_sketched(trends: Sequence[Trend]) -> Picture:
    return _DRAWN.get(tuple(trends)) or _sketched(tuple(trends))


@cache
def _sketched(trends: tuple[Trend, ...]) -> Picture:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(picture, "_svg", lambda draw, width, _: f"<svg>{len(draw(width).axes)} panels</svg>")
        return picture_of(trends)


def draw_once(patch: pytest.MonkeyPatch) -> None:
    """Have figures over time that are the same, and take most of a site's time, drawn once."""
    _put(patch, _drawn)


def draw_anew(patch: pytest.MonkeyPatch) -> None:
    """Have all figures over time drawn, also those that were drawn before, but the same ones once."""
    _DRAWN.clear()
    draw_once(patch)


def sketch(patch: pytest.MonkeyPatch) -> None:
    """Have figures over time made as they are, but not written as SVG, other than those that were drawn before."""
    _put(patch, _drawn_or_sketched)


def _put(patch: pytest.MonkeyPatch, draw: Callable[[Sequence[Trend]], Picture]) -> None:
    for module in (front_page, variant_pages):
        patch.setattr(module, "picture_of", draw)


def contents(directory: Path) -> dict[str, bytes]:
    """All files of a site with their bytes."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def inodes(directory: Path) -> dict[str, int]:
    """All files of a site with their inodes."""
    return {str(path.relative_to(directory)): path.stat().st_ino for path in directory.rglob("*") if path.is_file()}
