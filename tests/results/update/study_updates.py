"""Updates of a study that went well, of one variant by ostree and of one by dnf."""

from pathlib import Path

from atomic_lib.results.update.update_results import (
    PowerCutsResult,
    RefusalsResult,
    ReturnsResult,
    UpdateResult,
    UpdateResults,
    UpdateRound,
)
from tests.guest.refusals.cases import guest, result
from tests.guest.update.returns import outcome
from tests.guest.update.updates import AFTER, BEFORE, dnf_guest, dnf_ways, good_guest, good_ways
from tests.measure.power_cuts.states import LOST, MIXED, WHOLE_1, WHOLE_2, WORN, states_of

OSTREE = UpdateResult(
    variant="atomic-min", changes="package config", ways=good_ways(), guest=good_guest(),
    expected=(BEFORE, BEFORE, AFTER, BEFORE),
)  # fmt: skip
DNF = UpdateResult(
    variant="cloud-docker", changes="package config", ways=dnf_ways(), guest=dnf_guest(),
    expected=(BEFORE, AFTER, AFTER, BEFORE),
)  # fmt: skip
CUTS = PowerCutsResult(
    variant="atomic-min",
    packages="cloud-docker",
    recordings=(
        states_of("none", WHOLE_1, WHOLE_1, WHOLE_1, LOST, WHOLE_2, WHOLE_2, WHOLE_2, WHOLE_2),
        states_of("no-fsync", WORN, WORN),
        states_of("no-sync", LOST, WHOLE_2),
        states_of("dnf", WHOLE_1, MIXED, MIXED, WHOLE_2),
    ),
    booted=(),
)
RETURNS = ReturnsResult(variant="atomic-min-return", outcomes=(outcome("unit"), outcome("nothing")))
REFUSALS = RefusalsResult(variant="atomic-min", guest=guest(result("unsigned"), result("dies")))
ROUNDS = (
    UpdateRound(kind="update", variant="cloud-docker", directory="cloud-docker"),
    UpdateRound(kind="update", variant="atomic-min", directory="atomic-min"),
    UpdateRound(kind="power-cuts", variant="atomic-min"),
)
MORE_ROUNDS = (
    UpdateRound(kind="automatic-return", variant="atomic-min-return"),
    UpdateRound(kind="refused-updates", variant="atomic-min"),
)
UPDATES = UpdateResults(ROUNDS, (DNF, OSTREE), CUTS)
ALL_UPDATES = UpdateResults((*ROUNDS, *MORE_ROUNDS), (DNF, OSTREE), CUTS, RETURNS, REFUSALS)


def write_figures(directory: Path) -> None:
    """The figures of all rounds, where the notebooks of a run would write them."""
    figures = {
        "cloud-docker/update": DNF, "atomic-min/update": OSTREE, "power-cuts": CUTS, "automatic-return": RETURNS,
        "refused-updates": REFUSALS,
    }  # fmt: skip
    for name, own in figures.items():
        path = directory / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(own.model_dump_json())
