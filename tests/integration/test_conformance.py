"""The agents of a composed tree, with its own shell, curl and Python, against the faults."""

from pathlib import Path

import pytest

from atomic_lib.machine.conformance.agents import cloud_init, min_cloud_agent
from atomic_lib.machine.conformance.faults import FAULTS, fault_named
from atomic_lib.machine.conformance.matrix import Matrix, run_conformance
from atomic_lib.params import load_variant, parameter_values
from atomic_lib.workbench import open_workbench

pytestmark = pytest.mark.integration

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
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of cloud-docker: a traditional tree with cloud-init; what the store has is taken from there."""
    bench = open_workbench(parameter_values(load_variant("cloud-docker")), str(tmp_path_factory.mktemp("run")))
    return bench.compose(bench.resolve()).root


def outcomes(matrix: Matrix, agent: str) -> dict[str, str]:
    return {cell.fault: cell.outcome for cell in matrix.cells if cell.agent == agent}


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_min_cloud_agent_survives_with_the_programs_of_the_image(tree: Path, shell: str) -> None:
    matrix = run_conformance([min_cloud_agent(tree, shell)])
    assert outcomes(matrix, "min-cloud-agent") == dict.fromkeys((fault.name for fault in FAULTS), "survived")


def test_cloud_init_is_run_against_the_same_faults(tree: Path) -> None:
    matrix = run_conformance([cloud_init(tree)], [fault_named(name) for name in SEEN])
    assert outcomes(matrix, "cloud-init") == SEEN
