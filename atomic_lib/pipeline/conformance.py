"""Tests the agents of a study's variants against injected faults."""

import json
from collections.abc import Sequence
from pathlib import Path

from atomic_lib.base.files import write_text
from atomic_lib.base.progress import say
from atomic_lib.guest.faults.matrix import Matrix, MatrixCell, matrix_of
from atomic_lib.guest.faults.trial import reason_not_to_run, try_agent
from atomic_lib.params.variant import Variant
from atomic_lib.pipeline.build import open_build
from atomic_lib.pipeline.failures import explained
from atomic_lib.results.conformance_files import CSV_FILE, MATRIX_FILE, csv_text
from atomic_lib.results.variant_result import VariantResult


def write_conformance(directory: Path, variants: Sequence[Variant], results: Sequence[VariantResult]) -> Matrix:
    """Test the agents of ``variants`` against all faults, and write the matrix to ``directory`` as JSON and CSV."""
    matrix = try_agents(variants, results)
    write_text(directory / MATRIX_FILE, json.dumps(matrix.to_json(), indent=1) + "\n")
    write_text(directory / CSV_FILE, csv_text(matrix))
    return matrix


def try_agents(variants: Sequence[Variant], results: Sequence[VariantResult]) -> Matrix:
    """Test each agent in the first composed tree that contains it.

    For an agent that cannot be tested, the matrix contains the reason; this raises nothing.
    """
    cells: list[MatrixCell] = []
    trees: dict[str, str] = {}
    not_run: dict[str, str] = {}
    ran = {result.variant for result in results}  # excludes fallbacks that were not needed
    for agent in dict.fromkeys(variant.agent for variant in variants if variant.variant in ran):
        own = [variant for variant in variants if variant.agent == agent and variant.variant in ran]
        composed = [variant for variant in own if _is_composed(variant, results)]
        reason = reason_not_to_run(agent)
        if not reason and not composed:
            reason = f"no tree with it was composed: {', '.join(variant.variant for variant in own)}"
        if not reason:
            try:
                cells += _cells(agent, composed[0])
                trees[agent] = composed[0].variant
            except Exception as error:  # of the guest or the service: the other agents are still tested
                reason = explained(error).message.partition("\n")[0]
        if reason:
            not_run[agent] = reason
            say(f"{agent}: not tested against injected faults: {reason}")
    return matrix_of(cells, trees=trees, not_run=not_run)


def _is_composed(variant: Variant, results: Sequence[VariantResult]) -> bool:
    return any(result.variant == variant.variant and result.tree_bytes is not None for result in results)


def _cells(agent: str, variant: Variant) -> tuple[MatrixCell, ...]:
    build = open_build(variant)
    return try_agent(agent, build.tree, build.context)
