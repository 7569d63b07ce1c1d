"""The figures of updates as files beside their notebooks, for the page of a study.

Without a directory nothing is written: a notebook that is executed by itself has its own page only. A directory is
relative to the checkout.
"""

from collections.abc import Sequence

from atomic_lib.base.files import write_text
from atomic_lib.base.model import Model
from atomic_lib.base.paths import CHECKOUT
from atomic_lib.guest.update.return_faults import FaultOutcome
from atomic_lib.guest.update.update_ways import UpdateWay
from atomic_lib.pipeline.update.package_update import PackageUpdate
from atomic_lib.pipeline.update.variant_power_cuts import PowerCuts
from atomic_lib.pipeline.update.variant_refusals import VariantRefusals
from atomic_lib.pipeline.update.variant_update import VariantUpdate
from atomic_lib.results.update.update_results import (
    PowerCutsResult,
    RefusalsResult,
    ReturnsResult,
    RoundKind,
    UpdateResult,
)


def record_update(
    update: VariantUpdate | PackageUpdate, ways: Sequence[UpdateWay], changes: str, output_directory: str
) -> None:
    """Write what an update of a guest came to."""
    name = update.before.variant.variant
    if output_directory:
        _write(
            "update",
            output_directory,
            UpdateResult(variant=name, changes=changes, ways=tuple(ways), guest=update.guest, expected=update.expected),
        )


def record_power_cuts(cuts: PowerCuts, output_directory: str) -> None:
    """Write what power cuts leave."""
    if output_directory:
        packages = cuts.packages.before.variant.variant if cuts.packages else ""
        name = cuts.update.before.variant.variant
        found = PowerCutsResult(variant=name, packages=packages, recordings=cuts.all, booted=cuts.booted)
        _write("power-cuts", output_directory, found)


def record_returns(variant: str, outcomes: Sequence[FaultOutcome], output_directory: str) -> None:
    """Write what became of guests that had to go back by themselves."""
    if output_directory:
        _write("automatic-return", output_directory, ReturnsResult(variant=variant, outcomes=tuple(outcomes)))


def record_refusals(refusals: VariantRefusals, output_directory: str) -> None:
    """Write what a guest made of updates with a fault."""
    if output_directory:
        name = refusals.update.before.variant.variant
        _write("refused-updates", output_directory, RefusalsResult(variant=name, guest=refusals.guest))


def _write(kind: RoundKind, output_directory: str, figures: Model) -> None:
    write_text(CHECKOUT / output_directory / f"{kind}.json", figures.model_dump_json(indent=1) + "\n")
