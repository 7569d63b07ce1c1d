"""The updates that a study asks for, and one error for each that cannot be made."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.params.study_file import load_study

STUDY = "study: all\ntitle: All\nvariants: [small, large]\nbaseline: small\n"


def loaded(params: Path, text: str) -> None:
    (params / "studies" / "all.yaml").write_text(f"{STUDY}{text}")
    load_study("all", params)


def test_the_study_of_updates_has_all_that_can_be_asked_for() -> None:
    study = load_study("update")
    assert study.variants == ("cloud-docker", "atomic-min")
    assert study.updates
    cuts = study.updates.power_cuts
    assert cuts
    assert (study.updates.changes, cuts.variant, cuts.packages) == ("package config", "atomic-min", "cloud-docker")
    returns, refusals = study.updates.automatic_return, study.updates.refusals
    assert returns
    assert refusals
    assert (returns.variant, refusals.variant) == ("atomic-min-return", "atomic-min")


def test_other_studies_update_nothing() -> None:
    assert load_study("default").updates is None


def test_all_that_can_be_asked_for_is_accepted(params: Path) -> None:
    cuts = "power_cuts: {variant: large, packages: small, states: 10, boots: 0}"
    others = "automatic_return: {variant: large, faults: all}, refusals: {variant: small, cases: dies}"
    loaded(params, f"updates: {{changes: package, {cuts}, {others}}}\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "updates.changes: is required"),
        ("{changes: package, power_cuts: {variant: small, packages: other}}",
         "updates: power_cuts: packages 'other' is not one of the variants: small, large"),
        ("{changes: package, power_cuts: {variant: other, packages: small}}",
         "updates: power_cuts: variant 'other' is not one of the variants: small, large"),
        ("{changes: package, power_cuts: {variant: large, packages: small, states: 0}}",
         "updates.power_cuts.states: 0 is not accepted"),
        ("{changes: package, automatic_return: {variant: lage, faults: all}}",
         "updates: automatic_return: variant: unknown variant 'lage' (did you mean 'large'?)"),
        ("{changes: package, refusals: {variant: smal, cases: all}}",
         "updates: refusals: variant: unknown variant 'smal' (did you mean 'small'?)"),
    ],
)  # fmt: skip
def test_what_cannot_be_updated_names_file_and_key(params: Path, text: str, message: str) -> None:
    with pytest.raises(WorkbookError) as caught:
        loaded(params, f"updates: {text}\n")
    assert caught.value.message.startswith(f"{params / 'studies' / 'all.yaml'}: {message}")
