"""The stage that puts faults to an agent: what it depends on, what it keeps, and what it refuses."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.tree import Tree
from atomic_lib.guest.faults import trial
from atomic_lib.guest.faults.agents import RunnableAgent, cloud_init
from atomic_lib.guest.faults.catalogue import fault_named
from atomic_lib.guest.faults.matrix import MatrixCell, run_agent
from atomic_lib.guest.faults.trial import reason_not_to_run, root_of, try_agent
from tests.contexts import NO_TOOLS, own_context

CELLS = (MatrixCell("gzip", "min-cloud-agent", "survived", "", True, 5, 0.4),)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A traditional tree without any file."""
    (tmp_path / "tree/root/etc").mkdir(parents=True)
    return Tree("t1", "traditional", tmp_path / "tree", "6.1", None, None, (), 1.0, False)


def test_a_result_is_taken_from_the_store_for_the_same_tree_and_agent_only(
    tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []

    def run(agent: RunnableAgent, *_: object) -> Sequence[MatrixCell]:
        ran.append(agent.name)
        return CELLS

    monkeypatch.setattr(trial, "run_agent", run)
    for program in ("bin/cloud-init", "libexec/min-cloud-agent"):
        (tree.root / "usr" / program).parent.mkdir(parents=True)
        (tree.root / "usr" / program).touch()
    context = own_context(tmp_path)
    for _ in range(2):
        assert try_agent("min-cloud-agent", tree, context) == CELLS
    assert ran == ["min-cloud-agent"]
    try_agent("cloud-init", tree, context)
    try_agent("min-cloud-agent", replace(tree, key="t2"), context)
    assert ran == ["min-cloud-agent", "cloud-init", "min-cloud-agent"]


def test_a_tree_without_the_agent_is_refused_and_leaves_nothing(tree: Tree, tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match="cloud-init: the tree has no /usr/bin/cloud-init"):
        try_agent("cloud-init", tree, own_context(tmp_path))
    assert not (tmp_path / "store/conformance").exists()
    assert list((tmp_path / "store/tmp").iterdir()) == []


def test_a_traditional_tree_is_run_in_where_it_is(tree: Tree, tmp_path: Path) -> None:
    assert root_of(tree, NO_TOOLS, tmp_path) == tree.root


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
