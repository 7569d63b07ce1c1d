"""The conformance test: an agent of a composed tree tested against injected faults, as a stage."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.progress import say
from atomic_lib.base.stage import Stage
from atomic_lib.base.store import remove_tree
from atomic_lib.compose.tree import Tree
from atomic_lib.compose.tree_access.tree_files import TreeFiles
from atomic_lib.guest.faults.agents import RunnableAgent, cloud_init, min_cloud_agent
from atomic_lib.guest.faults.catalogue import FAULTS
from atomic_lib.guest.faults.matrix import MatrixCell, run_agent
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Bind, Tools

CELLS_FILE = "cells.json"
_PROGRAMS = {"cloud-init": "usr/bin/cloud-init", "min-cloud-agent": "usr/libexec/min-cloud-agent"}
_REPORT_EVERY = 10
# In a commit these are links into /var and /sysroot, or not there at all; a guest has something at each.
_DIRECTORIES = ("dev", "etc", "mnt", "proc", "root", "run", "sys", "tmp", "var")
_GUEST_ONLY = {
    "ignition": "Ignition works in the initramfs, before there is a root to run it in, so it needs a guest",
    "credentials": "systemd itself reads the credentials as it starts the machine, so it needs a guest",
}


def reason_not_to_run(agent: str) -> str:
    """Why an agent cannot be tested without a guest; empty if it can."""
    return _GUEST_ONLY.get(agent, "")


@dataclass(frozen=True)
class TrialRequest:
    """An agent, and the tree whose programs run."""

    agent: str
    tree: Tree


def try_agent(agent: str, tree: Tree, context: Context) -> tuple[MatrixCell, ...]:
    """The outcome of every fault for ``agent``, with the programs of ``tree``; run now, or taken from the store.

    Raises WorkbookError for a tree that has no such agent, or where the test itself failed.
    """
    stored = FAULT_TRIAL.get(TrialRequest(agent, tree), context)
    return tuple(MatrixCell(**cell) for cell in json.loads((stored.path / CELLS_FILE).read_text()))


def _make(request: TrialRequest, context: Context, directory: Path) -> None:
    checkout = directory / "checkout"
    checkout.mkdir()
    try:
        able = agent_in(request.agent, root_of(request.tree, context.tools, checkout))
        total = sum(not able.why_not(fault) for fault in FAULTS)
        cells = run_agent(able, FAULTS, _Progress(request.agent, total))
    finally:
        remove_tree(checkout)
    (directory / CELLS_FILE).write_text(json.dumps([asdict(cell) for cell in cells], indent=1))


FAULT_TRIAL = Stage(
    "conformance",
    _make,
    lambda request, _: {"agent": request.agent, "tree": request.tree.key},
    title=lambda request: f"{request.agent}: test against injected faults",
    space_bytes=2_000_000_000,
)


def root_of(tree: Tree, tools: Tools, directory: Path) -> Path:
    """A root to run agents in: a traditional tree's own, or the commit checked out in ``directory``, not labelled."""
    if tree.commit is None:
        return tree.root
    root = directory / "root"
    binds = [Bind(tree.repo, "/mnt/repo"), Bind(directory, "/mnt/checkout", writable=True)]
    words = ["ostree", "checkout", "--repo=/mnt/repo", "--user-mode", tree.commit, "/mnt/checkout/root"]
    tools.run(words, binds=binds, rights="root")
    files = TreeFiles(root)
    files.move("usr/etc", "etc")
    for name in _DIRECTORIES:
        if not files.is_directory(name):
            files.remove(name)
            files.make_directory(name)
    return root


def agent_in(agent: str, root: Path) -> RunnableAgent:
    """The agent with the programs of ``root``; raises WorkbookError where it is not there."""
    files = TreeFiles(root)
    for path, there in ((_PROGRAMS[agent], files.has_file), ("etc", files.is_directory)):
        if not there(path):
            raise WorkbookError(f"{agent}: the tree has no /{path}", hint="check the variant's agent and recipe")
    return cloud_init(root) if agent == "cloud-init" else min_cloud_agent(root, program=files.on_host(_PROGRAMS[agent]))


class _Progress:
    """Prints a line every few faults."""

    def __init__(self, agent: str, total: int) -> None:
        self._agent, self._total, self._done, self._survived = agent, total, 0, 0

    def __call__(self, cell: MatrixCell) -> None:
        self._done += 1
        self._survived += cell.outcome == "survived"
        if self._done % _REPORT_EVERY == 0:
            say(f"  {self._agent}: {self._done} of {self._total} faults, {self._survived} survived")
