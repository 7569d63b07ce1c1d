"""The faults put to the agents that a study's variants bring."""

import json
from collections.abc import Sequence
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import write_text
from atomic_lib.base.progress import say
from atomic_lib.guest.faults.matrix import Cell, Matrix, matrix_of
from atomic_lib.guest.faults.trial import reason_not_to_run, try_agent
from atomic_lib.params.variant import Variant
from atomic_lib.pipeline.questions import open_loaded
from atomic_lib.results.conformance_files import CSV_FILE, MATRIX_FILE, csv_text
from atomic_lib.results.variant_result import VariantResult


def write_conformance(directory: Path, variants: Sequence[Variant], results: Sequence[VariantResult]) -> Matrix:
    """Put the faults to the agents of ``variants`` and write the matrix, as JSON and CSV, into a run's directory."""
    matrix = try_agents(variants, results)
    write_text(directory / MATRIX_FILE, json.dumps(matrix.to_json(), indent=1) + "\n")
    write_text(directory / CSV_FILE, csv_text(matrix))
    return matrix


def try_agents(variants: Sequence[Variant], results: Sequence[VariantResult]) -> Matrix:
    """Every agent in the tree of the first of ``variants`` that has it and was composed.

    An agent that cannot be run stands in the matrix with the reason; nothing is raised for it.
    """
    cells: list[Cell] = []
    trees: dict[str, str] = {}
    not_run: dict[str, str] = {}
    ran = {result.variant for result in results}  # of the fallbacks, only those that were needed
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
            except WorkbookError as error:
                reason = error.message.partition("\n")[0]
        if reason:
            not_run[agent] = reason
            say(f"{agent}: no faults were put to it: {reason}")
    return matrix_of(cells, trees=trees, not_run=not_run)


def _is_composed(variant: Variant, results: Sequence[VariantResult]) -> bool:
    return any(result.variant == variant.variant and result.tree_bytes is not None for result in results)


def _cells(agent: str, variant: Variant) -> tuple[Cell, ...]:
    opened = open_loaded(variant)
    return try_agent(agent, opened.tree, opened.tools, opened.store)
