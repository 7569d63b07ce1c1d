"""Figures of notebooks, as a study reads them; a notebook without a directory writes nothing."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from atomic_lib.pipeline.update import recorded_updates
from atomic_lib.results.update.update_results import (
    PowerCutsResult,
    RefusalsResult,
    ReturnsResult,
    UpdateResult,
    UpdateRound,
    read_updates,
    write_rounds,
)
from tests.results.update.study_updates import ALL_UPDATES, CUTS, DNF, OSTREE, REFUSALS, RETURNS

Recorded = UpdateResult | PowerCutsResult | ReturnsResult | RefusalsResult


def build_of(variant: str) -> SimpleNamespace:
    """A build, of which only the name is asked for."""
    return SimpleNamespace(variant=SimpleNamespace(variant=variant))


def record(figures: Recorded, directory: str) -> None:
    """Have figures recorded as a notebook does, from what the pipeline has."""
    update: Any = SimpleNamespace(before=build_of(figures.variant))
    if isinstance(figures, UpdateResult):
        update.guest, update.expected = figures.guest, figures.expected
        recorded_updates.record_update(update, figures.ways, figures.changes, directory)
    elif isinstance(figures, PowerCutsResult):
        cuts: Any = SimpleNamespace(
            update=update, all=figures.recordings, booted=figures.booted,
            packages=SimpleNamespace(before=build_of(figures.packages)),
        )  # fmt: skip
        recorded_updates.record_power_cuts(cuts, directory)
    elif isinstance(figures, ReturnsResult):
        recorded_updates.record_returns(figures.variant, figures.outcomes, directory)
    else:
        refusals: Any = SimpleNamespace(update=update, guest=figures.guest)
        recorded_updates.record_refusals(refusals, directory)


def test_what_notebooks_record_is_what_the_page_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded_updates, "CHECKOUT", tmp_path)
    for figures, directory in ((DNF, "run/cloud-docker"), (OSTREE, "run/atomic-min"), (CUTS, "run"), (RETURNS, "run"),
                               (REFUSALS, "run")):  # fmt: skip
        (tmp_path / directory).mkdir(parents=True, exist_ok=True)
        record(figures, directory)
    write_rounds(tmp_path / "run", ALL_UPDATES.rounds)
    assert read_updates(tmp_path / "run") == ALL_UPDATES


@pytest.mark.parametrize("figures", [OSTREE, CUTS, RETURNS, REFUSALS], ids=lambda one: type(one).__name__)
def test_without_a_directory_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figures: Recorded
) -> None:
    monkeypatch.setattr(recorded_updates, "CHECKOUT", tmp_path)
    record(figures, "")
    assert list(tmp_path.iterdir()) == []


def test_power_cuts_without_packages_name_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded_updates, "CHECKOUT", tmp_path)
    cuts: Any = SimpleNamespace(
        update=SimpleNamespace(before=build_of("atomic-min")), all=CUTS.recordings[:3], booted=(), packages=None
    )
    recorded_updates.record_power_cuts(cuts, ".")
    write_rounds(tmp_path, (UpdateRound(kind="power-cuts", variant="atomic-min"),))
    found = read_updates(tmp_path)
    assert found
    assert found.power_cuts
    assert (found.power_cuts.packages, found.power_cuts.by_packages) == ("", None)
