"""An agent broken on purpose: its image fails its boot, and the fallback is built and shown in its place.

The run is made in a checkout of its own, with variants, a treefile and a study of its own.
"""

import csv
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from atomic_lib.base import command
from atomic_lib.base.paths import CHECKOUT
from atomic_lib.base.store import remove_tree
from atomic_lib.guest.vm.qemu import read_console
from atomic_lib.results.result_files import read_study_result
from atomic_lib.results.study_result import StudyResult

pytestmark = pytest.mark.integration

BROKEN, SPARE = "broken-agent", "spare-agent"
BOOT_SECONDS = 120
"""Three times what a guest takes to its login prompt where the processor is emulated and nothing else runs."""
RUN_SECONDS = 1700
_USERS_VARIABLES = ("HOME", "XDG_CACHE_HOME", "WORKBOOK_CACHE", "WORKBOOK_MIRROR")

FILES = {
    f"params/variants/{BROKEN}.yaml": f"""\
variant: {BROKEN}
method: ostree
recipe: {BROKEN}
agent: min-cloud-agent
runtime: none
boot_timeout_seconds: {BOOT_SECONDS}
""",
    f"params/variants/{SPARE}.yaml": f"""\
variant: {SPARE}
method: ostree
recipe: atomic
parts: cloud-init
agent: cloud-init
runtime: none
last_stage: tree
""",
    f"params/treefiles/{BROKEN}.yaml": """\
include:
  - atomic.yaml
  - parts/min-cloud-agent.yaml
postprocess:
  - |
    #!/bin/sh
    printf '#!/bin/sh\\nexit 1\\n' > /usr/libexec/min-cloud-agent
""",
    "params/studies/broken.yaml": f"""\
study: broken
title: An agent that is broken
variants: [{BROKEN}]
baseline: {BROKEN}
fallbacks: {{{BROKEN}: {SPARE}}}
""",
}


@dataclass(frozen=True)
class Run:
    """What a run that failed said and left."""

    status: int | None
    told: str
    directory: Path
    study: StudyResult


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    top = tmp_path_factory.mktemp("broken") / "checkout"
    for name in ("atomic_lib", "notebooks", "params"):
        shutil.copytree(CHECKOUT / name, top / name, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
    for name, text in FILES.items():
        (top / name).write_text(text)
    yield run_study_in(top)
    remove_tree(top)


def run_study_in(top: Path) -> Run:
    """``./workbook run broken`` in the checkout ``top``."""
    env = {name: os.environ[name] for name in _USERS_VARIABLES if name in os.environ} | {"PYTHONPATH": str(top)}
    line = [sys.executable, "-P", "-m", "atomic_lib", "run", "broken"]
    with pytest.raises(command.CommandError) as caught:
        command.run(line, cwd=top, env=env, network=True, timeout_seconds=RUN_SECONDS)
    directory = Path(caught.value.stdout.strip()).parent
    return Run(caught.value.status, caught.value.stderr, directory, read_study_result(directory))


def test_the_broken_agent_fails_its_boot(run: Run) -> None:
    broken = run.study.variant(BROKEN)
    assert broken is not None
    assert broken.error is not None
    assert (broken.status, broken.error.stage) == ("failed", "boot")
    assert f"no ssh login within {BOOT_SECONDS} s" in broken.error.message
    # The guest itself came up. What systemd says of the agent is lost where the getty hangs the console up.
    assert "login: " in read_console(run.directory / BROKEN / "console-bios-1.log")


def test_the_run_builds_the_fallback_and_still_fails(run: Run) -> None:
    assert run.status == 1
    assert f"{BROKEN} failed at boot: building its fallback {SPARE}" in run.told
    assert f"{SPARE}, in place of {BROKEN}: the page has what it costs" in run.told
    assert [(result.variant, result.status) for result in run.study.variants] == [(BROKEN, "failed"), (SPARE, "ok")]


def test_the_page_shows_the_failure_and_what_the_fallback_costs(run: Run) -> None:
    broken, spare = run.study.variants
    text = (run.directory / "index.html").read_text()
    assert f"{BROKEN} failed at the stage boot" in text
    assert f"{SPARE}, in place of {BROKEN}" in text
    assert f"Its fallback {SPARE} stands in: +" in text
    assert "It was not booted" in text
    rows = list(csv.DictReader((run.directory / "fallbacks.csv").read_text().splitlines()))
    (tree,) = (row for row in rows if row["figure"] == "tree_bytes")
    assert (tree["variant"], tree["fallback"], tree["run"]) == (BROKEN, SPARE, run.directory.name)
    assert int(tree["cost"]) == (spare.tree_bytes or 0) - (broken.tree_bytes or 0) > 10_000_000
