"""``python -m benchmarks.publication``: what it costs to publish one run more, with a thousand in the history.

The history is made up: three variants of 200 packages, of which two get a new version in each run. The directories of
the runs are gone, as after ``clean --keep``.
"""

import random
import sqlite3
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from atomic_lib.base.files import size_bytes
from atomic_lib.report.site.site import publish_site
from atomic_lib.results.history.database import open_history, transaction
from benchmarks.__main__ import measured_now
from benchmarks.measured import Column, MeasuredTable

RUNS = 1000
_VARIANTS = ("cloud-docker", "atomic-cloud-init", "atomic-min")
_PACKAGES = tuple(f"package-{number}" for number in range(200))
_FIRST_DAY = datetime(2024, 1, 1, tzinfo=UTC)
Sizes = dict[str, tuple[int, int]]
"""The version of each package and its bytes."""


def main(runs: int = RUNS) -> MeasuredTable:
    """Publish a site of so many runs, then one more twice."""
    with tempfile.TemporaryDirectory() as scratch:
        build, site = Path(scratch), Path(scratch, "site")
        sizes: Sizes = {name: (1, 1_000_000 + 10_000 * place) for place, name in enumerate(_PACKAGES)}
        rows = []
        with open_history(build / "history.sqlite") as history:
            for number in range(runs):
                record(history, number, sizes)
            rows.append((f"{runs:,} runs, for the first time", *_published(history, build, site)))
            record(history, runs, sizes)
            rows.append(("one run more", *_published(history, build, site)))
            rows.append(("nothing more", *_published(history, build, site)))
        caption = f"Publication with {runs:,} runs of three variants in the history; the site has {_files(site)} files"
    return MeasuredTable(
        name="publication",
        caption=caption,
        source=measured_now("`python -m benchmarks.publication`"),
        columns=(Column(title=""), Column(title="wall time", format="seconds"),
                 Column(title="processor time", format="seconds"), Column(title="files written", format="count"),
                 Column(title="size of the site", format="bytes")),
        rows=tuple(rows),
    )  # fmt: skip


def record(history: sqlite3.Connection, number: int, sizes: Sizes) -> None:
    """Record one made-up run, in which two packages have changed."""
    generator = random.Random(number)
    for name in generator.sample(_PACKAGES, 2):
        version, size = sizes[name]
        sizes[name] = (version + 1, max(1000, size + generator.randint(-20_000, 25_000)))
    created = (_FIRST_DAY + timedelta(days=number)).isoformat()
    run = f"{created[:10]}T00-00-00Z-made-up"
    total = sum(size for _, size in sizes.values())
    with transaction(history):
        history.execute(
            "INSERT INTO runs (run, study, title, baseline, created, status, whole)"
            " VALUES (?, 'made-up', 'Made up', ?, ?, 'ok', 1)", (run, _VARIANTS[0], created),
        )  # fmt: skip
        for variant in _VARIANTS:
            build = history.execute(
                "INSERT INTO builds (run, variant, status, passed, method, content, recipe, agent, commit_checksum)"
                " VALUES (?, ?, 'ok', 1, 'ostree', 'made-up', ?, '', ?)", (run, variant, variant, f"{number:064}"),
            ).lastrowid  # fmt: skip
            figures = [("tree_bytes", "tree", "bytes", total), ("package_count", "packages", "count", len(sizes)),
                       ("image_compressed_bytes", "compressed image", "bytes", total // 3)]  # fmt: skip
            history.executemany("INSERT INTO figures VALUES (?, ?, ?, ?, ?, 1)", [(build, *one) for one in figures])
            history.executemany(
                "INSERT INTO packages (build, name, epoch, version, release, arch, class, files, bytes)"
                " VALUES (?, ?, 0, ?, '1', 'x86_64', 'other', 1, ?)",
                [(build, name, str(version), size) for name, (version, size) in sizes.items()],
            )


def _published(history: sqlite3.Connection, build: Path, site: Path) -> tuple[float, float, int, int]:
    """Wall time and processor time of a publication, the files that it wrote, and the bytes of the site."""
    wall, cpu = time.monotonic(), time.process_time()
    written = publish_site(history, build / "runs", site).written
    return time.monotonic() - wall, time.process_time() - cpu, written, size_bytes(site)


def _files(site: Path) -> str:
    return f"{sum(path.is_file() for path in site.rglob('*')):,}"


if __name__ == "__main__":
    print(main(int(sys.argv[1]) if sys.argv[1:] else RUNS).markdown())
