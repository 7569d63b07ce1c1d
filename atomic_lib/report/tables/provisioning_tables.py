"""The section on provisioning methods: what each costs against a tree without an agent, and what it can do."""

from collections.abc import Iterable
from dataclasses import replace

from atomic_lib.guest.faults.matrix import Matrix
from atomic_lib.report.elements.blocks import Section, Sentences
from atomic_lib.report.elements.cells import Cell, Kind, missing, number, verdict
from atomic_lib.report.elements.table import Table
from atomic_lib.report.elements.values import quantity, signed
from atomic_lib.report.text import methods
from atomic_lib.report.text.boot_words import not_alone_notes
from atomic_lib.report.text.provisioning_words import same_source_sentences, source_of
from atomic_lib.results.analysis.boot_groups import BootGroup, most_common_group
from atomic_lib.results.analysis.metrics import missing_boot_reason, missing_reason
from atomic_lib.results.analysis.provisioning import (
    COSTS,
    NO_AGENT,
    PACKAGES,
    Capability,
    Claim,
    ProvisioningCost,
    added_packages,
    boot_costs,
    load_capabilities,
)
from atomic_lib.results.conformance_files import outcome_counts
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult


def section(study: StudyResult, matrix: Matrix | None = None) -> Section:
    """All of a study of provisioning; nothing for one whose baseline has an agent.

    ``matrix``: the outcomes of the faults injected into agents, where there are any.
    """
    base = study.variant(study.baseline)
    if base is None or base.agent != NO_AGENT:
        return Section("Ways of provisioning", "", ())
    text = (
        f"{len(study.variants)} methods to do the same: set the ssh key and the host name, and run a script. Costs are "
        f"differences to {base.variant}, the same tree without an agent, so they include everything that an agent "
        "depends on."
    )
    parts = (Sentences(same_source_sentences(study)), table(study, load_capabilities(), matrix))
    return Section("Ways of provisioning", text, parts)


def table(study: StudyResult, capabilities: Iterable[Capability], matrix: Matrix | None = None) -> Table:
    """Costs and capabilities, a column for each method."""
    base = study.variant(study.baseline)
    group = most_common_group(study.variants)
    rows = [(Cell("works here"), *(_works(result) for result in study.variants))]
    rows.append((Cell("data source"), *(Cell(source_of(result)) for result in study.variants)))
    records: list[dict[str, object]] = []
    for cost in (*COSTS, *boot_costs(group)):
        cells = [_cost_cell(cost, result, base) for result in study.variants]
        if cost is PACKAGES:
            cells = [
                replace(cell, more=", ".join(added_packages(result, base)))
                for cell, result in zip(cells, study.variants, strict=True)
            ]
        rows.append((Cell(cost.title), *cells))
        records += [
            {"variant": result.variant, "figure": cost.title, "unit": cost.unit, "value": cost.value(result)}
            for result in study.variants
        ]
    if matrix:
        rows.append((Cell("faults survived"), *(_survived(matrix, result) for result in study.variants)))
    for one in capabilities:
        rows.append((Cell(one.title), *(_claim_cell(one.agents.get(result.agent)) for result in study.variants)))
    header = ("", *(f"{result.variant} ({result.agent})" for result in study.variants))
    notes = (
        "Capabilities are quoted from the linked documentation; they are not measured.",
        *_times_note(study, group),
    )
    how = f"{methods.TREE} {methods.WALL} {methods.COUNTED}"
    return Table("Ways of provisioning", header, tuple(rows), tuple(records), notes, how, "figures.csv", fixed=True)


def _times_note(study: StudyResult, group: BootGroup | None) -> tuple[str, ...]:
    if group is None:
        return ()
    most = max(len(group.boots_of(result)) for result in study.variants)
    samples = f"medians of up to {most} boots" if most > 1 else "one boot each, too few to show a difference"
    return (
        f"Wall-clock times ({group}): {samples}. Counted time does not depend on the load of the host. The counted "
        "clock runs while the guest waits; processor time does not.",
        *not_alone_notes(study.variants),
    )


def _works(result: VariantResult) -> Cell:
    if result.error:
        return verdict(False, f"not working: {result.error.stage}", result.error.message.partition("\n")[0])
    if not result.boots and not result.counted_boots:
        return missing("not booted")
    failed = {check.name for boot in result.boots for check in boot.checks if not check.passed}
    return verdict(not failed, "no" if failed else "yes", ", ".join(sorted(failed)))


def _cost_cell(cost: ProvisioningCost, result: VariantResult, base: VariantResult | None) -> Cell:
    value = cost.value(result)
    reason = missing_boot_reason(result) if cost.booted else missing_reason(result)
    if not cost.compared or value is None:
        return number(value, cost.unit, reason=reason)
    if base is result:
        return number(value, cost.unit, note="without an agent")
    before = cost.value(base) if base else None
    if before is None:
        return number(value, cost.unit, note="nothing to compare with")
    return Cell(signed(value - before, cost.unit), quantity(value, cost.unit), "number", value=value - before)


def _survived(matrix: Matrix, result: VariantResult) -> Cell:
    reason = dict(matrix.not_run).get(result.agent)
    count = outcome_counts(matrix, result.agent)
    if reason or not count.known:
        return missing(f"not run: {reason}" if reason else "no faults injected")
    tree = dict(matrix.trees).get(result.agent, result.variant)
    note = "" if tree == result.variant else f"run in the tree of {tree}"
    kind: Kind = "good" if count.survived == count.known else "bad"
    return Cell(f"{count.survived} of {count.known}", note, kind, "#faults-survived")


def _claim_cell(claim: Claim | None) -> Cell:
    if claim is None:
        return missing("not known")
    link = claim.source if claim.source.startswith("https://") else ""
    note = claim.note if link else ". ".join(part for part in (claim.note, f"Source: {claim.source}") if part)
    return Cell("✓ yes" if claim.can else "✗ no", note, "good" if claim.can else "bad", link)
