"""The stage that puts faults to an agent: what it depends on, what it keeps, and what it refuses."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.store import Store
from atomic_lib.compose.tree import Tree
from atomic_lib.guest.faults.agents import cloud_init
from atomic_lib.guest.faults.catalogue import fault_named
from atomic_lib.guest.faults.matrix import MatrixCell, run_agent
from atomic_lib.guest.faults.trial import CELLS_FILE, reason_not_to_run, root_of, stage_inputs, try_agent
from atomic_lib.tools.sandbox import Tools

CELLS = (MatrixCell("gzip", "min-cloud-agent", "survived", "", True, 5, 0.4),)
TOOLS = Tools(Path("/nowhere"), "tools")


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A traditional tree without any file."""
    (tmp_path / "tree/root").mkdir(parents=True)
    return Tree("t1", "traditional", tmp_path / "tree", "6.1", None, None, (), 1.0, False)


def test_a_result_is_taken_from_the_store_for_the_same_tree_and_agent_only(tree: Tree, tmp_path: Path) -> None:
    def make(directory: Path) -> None:
        (directory / CELLS_FILE).write_text(json.dumps([asdict(cell) for cell in CELLS]))

    store = Store(tmp_path / "store")
    store.get_or_make("conformance", stage_inputs("min-cloud-agent", tree, TOOLS), make, what="faults")
    assert try_agent("min-cloud-agent", tree, TOOLS, store) == CELLS
    for agent, other in (("cloud-init", tree), ("min-cloud-agent", replace(tree, key="t2"))):
        with pytest.raises(WorkbookError, match="the tree has no /usr"):
            try_agent(agent, other, TOOLS, store)


def test_a_tree_without_the_agent_is_refused_and_leaves_nothing(tree: Tree, tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match="cloud-init: the tree has no /usr/bin/cloud-init"):
        try_agent("cloud-init", tree, TOOLS, Store(tmp_path / "store"))
    assert not (tmp_path / "store/conformance").exists()
    assert list((tmp_path / "store/tmp").iterdir()) == []


def test_a_traditional_tree_is_run_in_where_it_is(tree: Tree, tmp_path: Path) -> None:
    assert root_of(tree, TOOLS, tmp_path) == tree.root


@pytest.mark.parametrize(("agent", "runs"), [("cloud-init", True), ("min-cloud-agent", True), ("ignition", False),
                                             ("credentials", False)])  # fmt: skip
def test_an_agent_that_needs_a_guest_says_so(agent: str, runs: bool) -> None:
    assert reason_not_to_run(agent).endswith("needs a guest") is not runs


def test_a_fault_that_an_agent_cannot_be_tested_against_has_a_cell_that_says_why() -> None:
    faults = [fault_named(name) for name in ("power cut after a step", "disc")]
    cells = run_agent(cloud_init(Path("/nowhere")), faults)
    assert [(cell.fault, cell.outcome, cell.run) for cell in cells] == [(one.name, "unknown", False) for one in faults]
    assert "no command at which to cut the power" in cells[0].why
    assert cells[1].why == "not run, because it is tested with the metadata service only"
