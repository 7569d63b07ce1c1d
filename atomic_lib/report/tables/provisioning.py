"""Ways of provisioning side by side: what each costs against a tree without an agent, and what it can do."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import Field, field_validator

from atomic_lib.base.paths import PARAMS_DIRECTORY
from atomic_lib.guest.faults.matrix import Matrix
from atomic_lib.params.schema import ParamsModel, read_yaml_mapping, validated
from atomic_lib.report.page.elements import (
    Cell,
    Kind,
    Section,
    Sentences,
    Table,
    Unit,
    missing,
    number,
    quantity,
    signed,
    verdict,
)
from atomic_lib.report.text import methods
from atomic_lib.results.metrics import (
    BootGroup,
    counted_busy_seconds,
    mark_seconds,
    median_of,
    missing_boot_reason,
    missing_reason,
    usual_group,
)
from atomic_lib.results.variant_result import Boot, StudyResult, VariantResult

NO_AGENT = "credentials"
"""The agent of a variant that has none: the tree that the others are compared with."""
_INITRAMFS = "initramfs"
_SOURCES = {
    "ec2": "metadata service",
    "nocloud": "NoCloud disc",
    "ignition": "config by fw_cfg",
    "credentials": "SMBIOS tables",
}


class Claim(ParamsModel):
    """Whether an agent can do something. ``source``: where that is said, an address or a man page."""

    can: bool
    note: str = ""
    source: str = Field(min_length=1)


class Capability(ParamsModel):
    """Something that a way of provisioning can do or not, by agent."""

    title: str
    agents: dict[str, Claim]


class _Capabilities(ParamsModel):
    capabilities: tuple[Capability, ...] = Field(min_length=1)

    _tuple = field_validator("capabilities", mode="before")(
        lambda value: tuple(value) if isinstance(value, list) else value
    )


@dataclass(frozen=True)
class Cost:
    """A figure of a way; ``value`` is None where it was not measured. ``compared``: shown against the baseline."""

    title: str
    unit: Unit
    value: Callable[[VariantResult], float | None]
    compared: bool = True
    booted: bool = False


def load_capabilities(params: Path = PARAMS_DIRECTORY) -> tuple[Capability, ...]:
    """The claims of ``params/rules/provisioning.yaml``; raises WorkbookError naming file and key."""
    path = params / "rules/provisioning.yaml"
    return validated(_Capabilities, read_yaml_mapping(path), str(path), {}).capabilities


def section(study: StudyResult, matrix: Matrix | None = None) -> Section:
    """All of a study of provisioning; nothing for one whose baseline has an agent.

    ``matrix``: what faults did to agents, where that was tried.
    """
    base = study.variant(study.baseline)
    if base is None or base.agent != NO_AGENT:
        return Section("Ways of provisioning", "", ())
    text = (
        f"The same job done in {len(study.variants)} ways: the key, the host name and a script. Costs are differences "
        f"to {base.variant}, the same tree without an agent, so they hold all that an agent pulls in."
    )
    parts = (Sentences(fair_pairs(study)), table(study, load_capabilities(), matrix))
    return Section("Ways of provisioning", text, parts)


def fair_pairs(study: StudyResult) -> tuple[tuple[str, str], ...]:
    """What min-cloud-agent costs against cloud-init where both had their data from the same source."""
    working = [result for result in study.variants if not result.error]
    return tuple(
        (f"Both from the same {source_of(small)}.", f"{small.variant} against {large.variant}: {_told(small, large)}.")
        for small in working
        for large in working
        if (small.agent, large.agent) == ("min-cloud-agent", "cloud-init") and source_of(small) == source_of(large)
    )


def _told(small: VariantResult, large: VariantResult) -> str:
    differences = ((cost, what, cost.value(small), cost.value(large)) for cost, what in _PAIRED)
    return ", ".join(
        f"{quantity(abs(own - other), cost.unit)} {'less' if own < other else 'more'} {what}"
        for cost, what, own, other in differences
        if own is not None and other is not None
    )


def table(study: StudyResult, capabilities: Iterable[Capability], matrix: Matrix | None = None) -> Table:
    """Costs and capabilities, a column for each way."""
    base = study.variant(study.baseline)
    group = usual_group(study.variants)
    rows = [(Cell("works here"), *(_works(result) for result in study.variants))]
    rows.append((Cell("data from"), *(Cell(source_of(result)) for result in study.variants)))
    records: list[dict[str, object]] = []
    for cost in (*_COSTS, *_boot_costs(group)):
        cells = [_cost_cell(cost, result, base) for result in study.variants]
        if cost is _PACKAGES:
            cells = [replace(cell, more=_come_along(r, base)) for cell, r in zip(cells, study.variants, strict=True)]
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
    notes = ("Capabilities are what the linked documentation says; they are not measured.", *_times_note(study, group))
    how = f"{methods.TREE} {methods.WALL} {methods.COUNTED}"
    return Table("Ways of provisioning", header, tuple(rows), tuple(records), notes, how, "comparison.csv", fixed=True)


def source_of(result: VariantResult) -> str:
    """Where the variant's guests find their data, in words."""
    return _SOURCES.get(str(result.parameters.get("data_source", "ec2")), "metadata service")


def initramfs_bytes(result: VariantResult) -> int | None:
    """The initramfs alone: of its class what is no package's."""
    found = [size.bytes for size in result.classes if size.class_ == _INITRAMFS]
    packaged = sum(package.bytes for package in result.packages if package.class_ == _INITRAMFS)
    return found[0] - packaged if found else None


def counted_clock(result: VariantResult, milestone: str) -> float | None:
    """When counted boots came to a milestone, waiting included: the median, in counted seconds."""
    return median_of(boot.milestones.get(milestone) for boot in result.counted_boots)


_TREE = Cost("tree", "bytes", lambda result: result.tree_bytes)
_PACKAGES = Cost("packages", "count", lambda result: result.package_count)
_BUSY = Cost("processor time of the boot, counted", "counted", counted_busy_seconds, booted=True)
_SCRIPT = Cost(
    "script finished, on the counted clock", "counted", lambda result: counted_clock(result, "script"), booted=True
)
_COSTS = (
    _TREE,
    Cost("of it the initramfs", "bytes", initramfs_bytes),
    _PACKAGES,
    Cost("download", "bytes", lambda result: result.download_bytes),
    Cost("compressed image", "bytes", lambda result: result.image_compressed_bytes),
    _BUSY,
    Cost("ssh server up, on the counted clock", "counted", lambda result: counted_clock(result, "ssh"), booted=True),
    _SCRIPT,
)
_PAIRED = ((_TREE, "in the tree"), (_BUSY, "of the processor"), (_SCRIPT, "until the script was finished"))


def _boot_costs(group: BootGroup | None) -> tuple[Cost, ...]:
    def over_boots(figure: Callable[[Boot], float | None]) -> Callable[[VariantResult], float | None]:
        return lambda result: median_of(figure(boot) for boot in group.boots_of(result)) if group else None

    return (
        Cost("ssh login after", "seconds", over_boots(lambda boot: mark_seconds(boot, "ssh-login")), False, True),
        Cost("script finished after", "seconds", over_boots(lambda boot: boot.script_done_seconds), False, True),
        Cost("memory in use", "bytes", over_boots(lambda boot: boot.memory_used_bytes), booted=True),
    )


def _times_note(study: StudyResult, group: BootGroup | None) -> tuple[str, ...]:
    if group is None:
        return ()
    most = max(len(group.boots_of(result)) for result in study.variants)
    told = f"medians of up to {most} boots" if most > 1 else "of one boot each, which tells no difference"
    return (
        f"Wall-clock times through {group}: {told}; counted time does not depend on what else the host did. "
        "The counted clock runs while the guest waits, processor time does not.",
    )


def _works(result: VariantResult) -> Cell:
    if result.error:
        return verdict(False, f"not working: {result.error.stage}", result.error.message.partition("\n")[0])
    if not result.boots and not result.counted_boots:
        return missing("not booted")
    failed = {check.name for boot in result.boots for check in boot.checks if not check.passed}
    return verdict(not failed, "no" if failed else "yes", ", ".join(sorted(failed)))


def _cost_cell(cost: Cost, result: VariantResult, base: VariantResult | None) -> Cell:
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


def _come_along(result: VariantResult, base: VariantResult | None) -> str:
    """The packages that the tree without an agent has not."""
    without = {package.name for package in base.packages} if base else set()
    return ", ".join(sorted({package.name for package in result.packages} - without)) if result is not base else ""


def _survived(matrix: Matrix, result: VariantResult) -> Cell:
    reason = dict(matrix.not_run).get(result.agent)
    known = [cell for cell in matrix.cells if cell.agent == result.agent and cell.outcome != "unknown"]
    if reason or not known:
        return missing(f"not run, because: {reason}" if reason else "no faults were tried")
    count = sum(cell.outcome == "survived" for cell in known)
    tree = dict(matrix.trees).get(result.agent, result.variant)
    note = "" if tree == result.variant else f"run in the tree of {tree}"
    kind: Kind = "good" if count == len(known) else "bad"
    return Cell(f"{count} of {len(known)}", note, kind, "#faults-survived")


def _claim_cell(claim: Claim | None) -> Cell:
    if claim is None:
        return missing("not known")
    link = claim.source if claim.source.startswith("https://") else ""
    note = claim.note if link else ". ".join(part for part in (claim.note, f"Source: {claim.source}") if part)
    return Cell("✓ yes" if claim.can else "✗ no", note, "good" if claim.can else "bad", link)
