"""The agents of a composed tree, with its own shell, curl and Python, against the faults."""

from pathlib import Path

import pytest

from atomic_lib.guest.faults.agents import cloud_init, min_cloud_agent
from atomic_lib.guest.faults.catalogue import FAULTS, fault_named
from atomic_lib.guest.faults.matrix import Matrix, run_agent, run_conformance
from atomic_lib.guest.faults.trial import agent_in, root_of
from atomic_lib.pipeline.build import open_build

pytestmark = pytest.mark.integration

WORKERS = 8
SEEN = {
    "nothing wrong": "survived",
    "five keys": "survived",
    "script fails": "survived",
    "cloned disk": "survived",
    "host name of two lines": "lost login",
    "link at .ssh": "lost login",
}
"""What cloud-init 25.1 does."""


@pytest.fixture(scope="module")
def tree() -> Path:
    """The root of cloud-docker: a traditional tree with cloud-init; what the store has is taken from there."""
    return open_build("cloud-docker").tree.root


def outcomes(matrix: Matrix, agent: str) -> dict[str, str]:
    return {cell.fault: cell.outcome for cell in matrix.cells if cell.agent == agent}


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_min_cloud_agent_survives_with_the_programs_of_the_image(tree: Path, shell: str) -> None:
    matrix = run_conformance([min_cloud_agent(tree, shell)], workers=WORKERS)
    assert outcomes(matrix, "min-cloud-agent") == dict.fromkeys((fault.name for fault in FAULTS), "survived")


def test_cloud_init_is_run_against_the_same_faults(tree: Path) -> None:
    matrix = run_conformance([cloud_init(tree)], [fault_named(name) for name in SEEN])
    assert outcomes(matrix, "cloud-init") == SEEN


def test_an_agent_is_run_out_of_a_commit_with_the_program_that_is_in_it(tmp_path: Path) -> None:
    build = open_build("atomic-min")
    root = root_of(build.tree, build.context.tools, tmp_path)
    assert not (root / "mnt").is_symlink()
    assert (root / "etc/passwd").is_file()
    agent = agent_in("min-cloud-agent", root)
    assert agent.files[0][0] == root / "usr/libexec/min-cloud-agent"
    names = ("nothing wrong", "gzip", "five keys", "script fails")
    cells = run_agent(agent, [fault_named(name) for name in names])
    assert [(cell.fault, cell.outcome) for cell in cells] == [(name, "survived") for name in names]
