"""Which objectives of the Change page are in an image: only what this build measured, with its evidence.

The objectives: https://fedoraproject.org/wiki/Changes/Atomic_Cloud_Image
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from atomic_lib.guest.boot_record import Boot
from atomic_lib.report.elements.values import plural, quantity, version_of
from atomic_lib.results.analysis.boot_groups import median_of
from atomic_lib.results.equality_record import EqualityRecord
from atomic_lib.results.variant_result import VariantResult

Answer = Literal["yes", "no", "not measured"]
_AGENT, _REPLACED = "min-cloud-agent", "cloud-init"
_PROVISIONED = ("user-data script ran", "host name that the guest was given")


@dataclass(frozen=True)
class Objective:
    """What was to be delivered, whether it was, and the figure that says so, or why there is none."""

    title: str
    answer: Answer
    evidence: str


def objectives(result: VariantResult, equality: EqualityRecord | None) -> tuple[Objective, ...]:
    """Every objective; a measurement that is missing is never a yes."""
    return (
        Objective("Delivered as an ostree commit", *_commit(result)),
        Objective("Updated and rolled back atomically", "not measured", "not in a variant's result: ./workbook update"),
        Objective("Neither yum nor dnf", *_without(result, "the package manager")),
        Objective("No Python", *_without(result, "Python")),
        Objective("min-cloud-agent in place of cloud-init", *_agent(result)),
        Objective("The agent provisions a guest", *_booted(result, _PROVISIONED, "took host name, key and script")),
        Objective("SELinux labels in the tree", *_labels(result)),
        Objective("Boots with SELinux enforcing", *_enforcing(result)),
        Objective("The tree is the file system of a traditional image of the same packages", *_equal(equality)),
        Objective("The same RPM content in host and container image", *_container(result)),
        Objective("Docker ready after the boot", *_docker(result)),
    )


_Finding = tuple[Answer, str]


def _commit(result: VariantResult) -> _Finding:
    if result.method != "ostree":
        return "no", "a traditional root file system"
    if result.commit is None:
        return "not measured", "no tree was composed"
    return "yes", f"commit {result.commit}; composed with ostree and dnf, not by rpm-ostree itself"


def _without(result: VariantResult, kind: str) -> _Finding:
    count = result.forbidden_paths.get(kind)
    if count is None:
        return "not measured", "no image was measured"
    return ("no" if count else "yes"), f"{plural(count, 'file')} of {kind} in the image"


def _agent(result: VariantResult) -> _Finding:
    if not result.packages:
        return "not measured", "no packages were resolved"
    found = {package.name: package for package in result.packages if package.name in (_AGENT, _REPLACED)}
    if _REPLACED in found:
        return "no", f"cloud-init is installed: {version_of(found[_REPLACED])}"
    if _AGENT not in found:
        return "no", "neither is installed"
    agent = found[_AGENT]
    return "yes", f"{_AGENT} {version_of(agent)}, {quantity(agent.bytes, 'bytes')}; no package {_REPLACED}"


def _booted(result: VariantResult, checks: Sequence[str], did: str) -> _Finding:
    """Whether every boot by wall clock passed these checks; a boot that never came to a login did not."""

    def passed(boot: Boot) -> bool:
        found = {check.name: check.passed for check in boot.checks}
        return all(found.get(name) for name in checks)

    return _in_every_boot(result, passed, did)


def _in_every_boot(result: VariantResult, passed: Callable[[Boot], bool], did: str) -> _Finding:
    lost = sum(boot.firmware != "counted" for boot in result.failed_boots)
    whole = len(result.boots) + lost
    if not whole:
        return "not measured", "not booted"
    count = sum(map(passed, result.boots))
    kinds = " and ".join(dict.fromkeys(boot.firmware.upper() for boot in result.boots))
    return (
        "yes" if count == whole else "no"
    ), f"{count} of {plural(whole, 'boot')} {f'({kinds}) ' if kinds else ''}{did}"


def _labels(result: VariantResult) -> _Finding:
    labels = result.labels
    if labels is None:
        return "not measured", "no image was measured, or SELinux is disabled in it"
    bad = labels.wrong_paths + labels.unlabelled + labels.unknown
    text = (
        f"{labels.right:,} of {plural(labels.checked, 'path')} as the image's own policy {labels.policy!r} says, "
        f"{labels.explained_paths:,} with a reason, {labels.wrong_paths:,} wrong, {labels.unlabelled:,} without a label"
    )
    return ("no" if bad else "yes"), text


def _enforcing(result: VariantResult) -> _Finding:
    if not result.failed_boots and all(boot.selinux_mode is None for boot in result.boots):
        return "not measured", "not asked in a boot" if result.boots else "not booted"
    return _in_every_boot(result, lambda boot: boot.selinux_mode == "enforcing", "enforced the policy")


def _equal(record: EqualityRecord | None) -> _Finding:
    if record is None:
        return "not measured", "./workbook equality did not compare this image"
    after = "before and after a boot" if record.booted else "before a boot"
    count = plural(record.differences, "difference")
    found = f"{record.unexplained:,} of {count} without a reason" if record.unexplained else f"{count}, each explained"
    text = f"{plural(record.paths, 'path')} in both {record.ostree} and {record.traditional}, {after}: {found}"
    return ("no" if record.unexplained else "yes"), f"{text} in params/rules"


def _container(result: VariantResult) -> _Finding:
    found = result.container
    if found is None:
        return "not measured", "no container image was made"
    places = [package.place for package in found.packages]
    shared, alone = places.count("shared"), places.count("container")
    text = f"{found.name}: {plural(shared, 'package')} of the same RPM files, {alone} that the host has not"
    return ("no" if alone else "yes"), text


def _docker(result: VariantResult) -> _Finding:
    runtime = result.parameters.get("runtime", "docker")
    if runtime != "docker":
        return "no", f"the variant's runtime is {runtime}"
    answer, text = _booted(result, ("docker version answers", "docker run prints"), "ran a container")
    seconds = median_of(boot.docker_ready_seconds for boot in result.boots)
    if answer == "yes" and seconds is not None:
        text += f"; ready {quantity(seconds, 'seconds')} after the start of QEMU (wall clock, median)"
    return answer, text
