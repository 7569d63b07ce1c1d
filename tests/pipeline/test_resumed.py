"""A run that is killed at any stage resumes: its page is that of an undisturbed run, and no stage is made again.

Small notebooks stand in for the real ones. Their stages are of the real store and recorded as the real ones are, in
processes that are really killed.
"""

import json
import os
import re
import signal
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from atomic_lib.tools.user_namespace import is_inside
from tests.contexts import put_empty_tools
from tests.pipeline.drivers import driver, run_study_in
from tests.pipeline.small_notebooks import notebook
from tests.pipeline.test_stopped import wait_until

STAGES = ("rpm-set", "tree", "image", "boot", "compare")
PARAMETERS = 'variant: str = ""\nstudy: str = ""\noutput_directory: str = ""\nnew_boots: int = 0\n'
STAGE = """
import json, os, sys, time
from pathlib import Path
from types import SimpleNamespace
top = Path({top!r})

def stage(name, files, of=""):
    from atomic_lib.base.store import Store
    def make(directory):
        for file, text in files.items():
            (directory / file).write_text(text)
        if (top / "stop-at").exists() and (top / "stop-at").read_text() == name:
            (top / "stop-at").unlink()
            (top / "stopped").touch()
            time.sleep(300)
        with open(top / "made", "a") as file:
            file.write(name + "\\n")
    return Store(top / "build/store").get_or_make(name, {{"of": of}}, make, what=name)
"""
VARIANT = (
    """
from atomic_lib.compose.tree import Tree
from atomic_lib.image.disk import Image
from atomic_lib.params.study_file import chosen_variant
from atomic_lib.results.record import VariantRecord
from atomic_lib.solve.lock import Lock
from atomic_lib.solve.rpm_set import RpmSet
chosen = chosen_variant(variant, study)
record = VariantRecord(chosen, top / output_directory, top)
made = stage("rpm-set", {"lock.json": ""}, variant)
rpms = RpmSet(made.key, Lock("standin", ()), made.path / "rpms", (), 1.0, made.reused)
record.add_packages(SimpleNamespace(notes=(), left_out=(), packages=()), rpms, "tools", {})
""",
    """
entry = {"path": "/usr/bin/bash", "kind": "file", "size_bytes": 9, "allocated_bytes": 9, "inode": 1}
made = stage("tree", {"entries.jsonl": ENTRIES, "owners.json": "{}"}, variant)
record.add_tree(rpms, Tree(made.key, "ostree", made.path, "6.12", "c" * 64, "d" * 64, (), 2.0, made.reused))
""",
    """
from atomic_lib.results.sbom.sbom_document import write_sbom
made = stage("image", {"entries.jsonl": ENTRIES}, variant)
record.add_image(Image(made.key, made.path, 4096, 2048, 1024, 3.0, made.reused))
write_sbom(top / output_directory, record.result, rpms.lock)
""",
    """
if new_boots:
    stage("boot", {"boot.json": ""}, variant)
    record.finish()
""",
)
COMPARE = ('run_directory: str = ""\n', STAGE, 'stage("compare", {}, os.urandom(8).hex() )\nprint("compared")')
needs_namespace = pytest.mark.skipif(not is_inside(), reason="needs the workbook's namespace: ./workbook test")


@pytest.fixture
def temporary() -> Iterator[Path]:
    with TemporaryDirectory() as directory:  # short, as it holds sockets
        yield Path(directory)


def checkout_in(top: Path) -> Path:
    """A checkout with small notebooks, and a cache with a tools tree that has no tools."""
    from atomic_lib.compose.tree_access.walk import Entry, write_entries

    (top / "notebooks").mkdir(parents=True)
    write_entries([Entry("/usr/bin/bash", "file", 1200, 4096, 1)], top / "entries")
    entries = f"ENTRIES = {(top / 'entries').read_text()!r}\n"
    stage = STAGE.format(top=str(top))
    variant = notebook([PARAMETERS, stage + entries, *VARIANT])
    (top / "notebooks/variant.ipynb").write_text(json.dumps(variant))
    (top / "notebooks/compare.ipynb").write_text(json.dumps(notebook([COMPARE[0], stage, COMPARE[2]])))
    put_empty_tools(top / "cache")
    return top


def run_in(top: Path, temporary: Path, *, kill_at: str = "") -> Path | None:
    """Run the study; the directory of the run, or None if it was killed in the middle of a stage."""
    mark = {name: value for name, value in os.environ.items() if name == "WORKBOOK_NAMESPACE"}
    environment = {"TMPDIR": str(temporary), "HOME": str(top), "WORKBOOK_CACHE": str(top / "cache"), **mark}
    log, ended = top / "log", 0 if not kill_at else -signal.SIGKILL
    if kill_at:
        (top / "stop-at").write_text(kill_at)
    log.write_text("")
    with driver(run_study_in, top, log, environment) as process:
        if kill_at:
            assert wait_until((top / "stopped").exists, 200), log.read_text()
            process.kill()
        process.join(300)
        assert process.exitcode == ended, log.read_text()
    return None if kill_at else Path(log.read_text().splitlines()[-1]).parent


def content(run: Path) -> dict[str, str]:
    """The pages and data of a run, without its name and its times: when it was made, and how long its steps took."""
    files = {path.relative_to(run): path.read_text() for path in sorted(run.rglob("*"))
             if path.suffix in {".html", ".json", ".csv"}}  # fmt: skip
    assert not [name for name, text in files.items() if name.suffix == ".html" and "→ rpm-set" in text], "no progress"
    times = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")
    return {str(name): times.sub("", text.replace(run.name, "RUN")) for name, text in files.items()}


@needs_namespace
def test_a_run_that_is_killed_at_any_stage_resumes(tmp_path: Path, temporary: Path) -> None:
    undisturbed = run_in(checkout_in(tmp_path / "undisturbed"), temporary)
    assert undisturbed
    expected = content(undisturbed)
    assert {"index.html", "results.json", "atomic-min/index.html", "stages.csv"} <= expected.keys()
    assert "atomic-min/atomic-min.cdx.json" in expected
    top = checkout_in(tmp_path / "killed")
    for stage in STAGES:  # killed five times, each time one stage further
        assert run_in(top, temporary, kill_at=stage) is None
        (top / "stopped").unlink()
    resumed = run_in(top, temporary)
    assert resumed
    found = content(resumed)
    assert found.keys() == expected.keys()
    for name, text in expected.items():
        assert list(unified_diff(text.splitlines(), found[name].splitlines(), name)) == []
    assert (top / "made").read_text().split() == list(STAGES), "no finished stage was made again"
    assert [path.name for path in (top / "build/runs").iterdir()] == [resumed.name]
    again = run_in(top, temporary)
    assert again
    assert "rpm-set" not in (top / "made").read_text().split()[len(STAGES) :]
    assert ",True," in (again / "stages.csv").read_text(), "a later run reuses what an earlier one made"
