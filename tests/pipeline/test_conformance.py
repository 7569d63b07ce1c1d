"""Which agents of a study the faults are put to, and what is said of the others."""

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.guest.faults.documented import AGENT
from atomic_lib.params.variant import Variant, load_variant
from atomic_lib.pipeline import conformance
from atomic_lib.results.variant_result import VariantResult

FAILED = "the mirror is not reached"


def result(variant: Variant, tree_bytes: int | None) -> VariantResult:
    return VariantResult(
        variant=variant.variant, status="ok", method=variant.method, content=variant.content, recipe=variant.recipe,
        agent=variant.agent, tree_bytes=tree_bytes,
    )  # fmt: skip


def test_an_agent_without_a_composed_tree_is_named_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    variants = [load_variant(name) for name in ("atomic-min", "atomic-min-nocloud", "atomic-ignition")]
    matrix = conformance.try_agents(variants, [result(variant, None) for variant in variants])
    assert matrix.agents == (AGENT,)
    reasons = dict(matrix.not_run)
    assert reasons["min-cloud-agent"] == "no tree with it was composed: atomic-min, atomic-min-nocloud"
    assert reasons["ignition"].endswith("needs a guest")
    assert "min-cloud-agent: not tested against injected faults: no tree" in capsys.readouterr().err


def test_a_fallback_that_was_not_needed_is_no_row() -> None:
    ran, spare = load_variant("atomic-ignition"), load_variant("atomic-cloud-init")
    assert [agent for agent, _ in conformance.try_agents([ran, spare], [result(ran, 1)]).not_run] == ["ignition"]


def test_a_tree_that_cannot_be_had_costs_its_agent_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def refuse(variant: Variant) -> None:
        opened.append(variant.variant)
        raise WorkbookError(f"{FAILED}\nand more")

    monkeypatch.setattr(conformance, "open_build", refuse)
    variants = [load_variant(name) for name in ("atomic-min", "atomic-min-nocloud", "atomic-cloud-init")]
    sizes = {"atomic-min": None}
    matrix = conformance.try_agents(variants, [result(one, sizes.get(one.variant, 5)) for one in variants])
    assert dict(matrix.not_run) == {"min-cloud-agent": FAILED, "cloud-init": FAILED}
    assert opened == ["atomic-min-nocloud", "atomic-cloud-init"], "the first that was composed"
    assert matrix.trees == ()
