"""Ways of provisioning compared: what each costs against a tree without an agent, and what each can do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from atomic_lib.base.paths import RULES_DIRECTORY
from atomic_lib.guest.boot_record import Boot
from atomic_lib.params.schema import ParamsModel, read_yaml_mapping, validated
from atomic_lib.results.analysis.boot_groups import BootGroup, median_of, milestone_seconds
from atomic_lib.results.analysis.metrics import Criterion, counted_busy_seconds
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult

CAPABILITIES_FILE = RULES_DIRECTORY / "provisioning.yaml"
NO_AGENT = "credentials"
"""The agent of a variant that has none: its tree is what the others are compared with."""
_INITRAMFS = "initramfs"


class Claim(ParamsModel):
    """Whether an agent can do something. ``source``: where that is documented, an address or a man page."""

    can: bool
    note: str = ""
    source: str = Field(min_length=1)


class Capability(ParamsModel):
    """Something that a provisioning method can or cannot do, by agent."""

    title: str
    agents: dict[str, Claim]


class _Capabilities(ParamsModel):
    capabilities: tuple[Capability, ...] = Field(min_length=1, strict=False)


@dataclass(frozen=True)
class ProvisioningCost(Criterion):
    """A figure of a provisioning method.

    ``compared``: shown as a difference from the baseline. ``booted``: known only after a boot.
    """

    compared: bool = True
    booted: bool = False


@dataclass(frozen=True)
class SameSource:
    """A variant with min-cloud-agent and one with cloud-init whose guests read the same data source.

    ``differences``: each cost with the first's figure less the second's.
    """

    small: VariantResult
    large: VariantResult
    differences: tuple[tuple[ProvisioningCost, float], ...]


def load_capabilities(path: Path = CAPABILITIES_FILE) -> tuple[Capability, ...]:
    """The claims in ``path``; raises WorkbookError naming file and key."""
    return validated(_Capabilities, read_yaml_mapping(path), str(path), {}).capabilities


def data_source_of(result: VariantResult) -> str:
    """The data source that the variant's guests read: "ec2" where its parameters do not say."""
    return str(result.parameters.get("data_source", "ec2"))


def initramfs_bytes(result: VariantResult) -> int | None:
    """The initramfs alone: what of its class no package owns."""
    found = [size.bytes for size in result.classes if size.class_ == _INITRAMFS]
    packaged = sum(package.bytes for package in result.packages if package.class_ == _INITRAMFS)
    return found[0] - packaged if found else None


def counted_clock(result: VariantResult, milestone: str) -> float | None:
    """When counted boots reached a milestone, waiting included: the median, in counted seconds."""
    return median_of(boot.milestones.get(milestone) for boot in result.counted_boots)


def added_packages(result: VariantResult, base: VariantResult | None) -> tuple[str, ...]:
    """The names of the packages that the tree without an agent does not have, sorted."""
    before = {package.name for package in base.packages} if base else set()
    return tuple(sorted({package.name for package in result.packages} - before)) if result is not base else ()


def same_sources(study: StudyResult) -> tuple[SameSource, ...]:
    """min-cloud-agent compared with cloud-init wherever both had their data from the same source."""
    working = [result for result in study.variants if not result.error]
    return tuple(
        SameSource(small, large, _differences(small, large))
        for small in working
        for large in working
        if (small.agent, large.agent) == ("min-cloud-agent", "cloud-init")
        and data_source_of(small) == data_source_of(large)
    )


def boot_costs(group: BootGroup | None) -> tuple[ProvisioningCost, ...]:
    """The figures of boots by wall clock, of one kind: medians over the boots."""

    def over_boots(figure: Callable[[Boot], float | None]) -> Callable[[VariantResult], float | None]:
        return lambda result: median_of(figure(boot) for boot in group.boots_of(result)) if group else None

    login = over_boots(lambda boot: milestone_seconds(boot, "ssh-login"))
    script = over_boots(lambda boot: boot.script_done_seconds)
    memory = over_boots(lambda boot: boot.memory_used_bytes)
    return (
        ProvisioningCost("ssh login after", "seconds", login, compared=False, booted=True),
        ProvisioningCost("script finished after", "seconds", script, compared=False, booted=True),
        ProvisioningCost("memory in use", "bytes", memory, booted=True),
    )


def _counted(title: str, value: Callable[[VariantResult], float | None]) -> ProvisioningCost:
    return ProvisioningCost(title, "counted", value, booted=True)


TREE = ProvisioningCost("tree", "bytes", lambda result: result.tree_bytes)
PACKAGES = ProvisioningCost("packages", "count", lambda result: result.package_count)
BUSY = _counted("processor time of the boot, counted", counted_busy_seconds)
SCRIPT = _counted("script finished, on the counted clock", lambda result: counted_clock(result, "script"))
COSTS: Sequence[ProvisioningCost] = (
    TREE,
    ProvisioningCost("of which the initramfs", "bytes", initramfs_bytes),
    PACKAGES,
    ProvisioningCost("download", "bytes", lambda result: result.download_bytes),
    ProvisioningCost("compressed image", "bytes", lambda result: result.image_compressed_bytes),
    BUSY,
    _counted("ssh server up, on the counted clock", lambda result: counted_clock(result, "ssh")),
    SCRIPT,
)


def _differences(small: VariantResult, large: VariantResult) -> tuple[tuple[ProvisioningCost, float], ...]:
    figures = ((cost, cost.value(small), cost.value(large)) for cost in (TREE, BUSY, SCRIPT))
    return tuple((cost, own - other) for cost, own, other in figures if own is not None and other is not None)
