"""Power cuts during the upgrade of a variant, and during an update of packages: recorded, replayed, what they leave."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

from atomic_lib.base.errors import WorkbookError
from atomic_lib.guest.power_cuts.upgrade_recording import CONTROLS, Control, RecordingRequest, record_upgrade
from atomic_lib.image.sysroot import STATEROOT
from atomic_lib.measure.power_cuts.booted_states import (
    BootedState,
    BootedStateRequest,
    Proof,
    boot_state,
    chosen_to_boot,
)
from atomic_lib.measure.power_cuts.packages.package_check import PackageVersions
from atomic_lib.measure.power_cuts.power_cut_states import PowerCutStates, StatesRequest, power_cut_states
from atomic_lib.measure.power_cuts.state_check import CommitVersions
from atomic_lib.measure.power_cuts.verdict import Outcome
from atomic_lib.params.study_file import chosen_variant
from atomic_lib.params.variant import Variant, variant_from
from atomic_lib.pipeline.build import Build, open_build
from atomic_lib.pipeline.side_by_side.capacity import variants_at_once
from atomic_lib.pipeline.update.package_update import REBUILT_FILES, PackageUpdate
from atomic_lib.pipeline.update.variant_update import VariantUpdate, open_update
from atomic_lib.report.elements.blocks import Paragraph
from atomic_lib.report.elements.values import plural

CHANGES = "package config initramfs"
"""What version 2 changes: with another initramfs, so that a kernel and an initramfs are written to /boot."""
REBUILT = (
    *REBUILT_FILES,
    "/etc/bash.bashrc",
    "/etc/ld.so.conf.d/x86_64-linux-gnu.conf",
    "/etc/ssh/ssh_config",
    "/usr/lib/systemd/system/basic.target",
)
"""Files of the packages of which a version 2 for dnf has new releases: filesystem, bash, glibc, ssh's client, systemd.
Each of their files is written anew, and in these the first word, which is in a comment, is another one."""
_VAR = f"/ostree/deploy/{STATEROOT}"
_KEPT = "/var/lib/kept"
_KEPT_BY_RUNTIME = {"docker": (_KEPT, "/var/lib/docker/volumes/kept/_data/proof")}
"""What the administrator made in /var (``guest/update/programs/administer``), by the runtime of containers."""
_REPAIRS = 10
"""How many states of each recording e2fsck repairs."""


@dataclass(frozen=True)
class PowerCuts:
    """The power cuts of an update.

    ``states``: about how many are checked of each recording; ``boots``: how many of the upgrade itself are booted.
    ``packages``: an update by dnf to compare it with; None: nothing.
    """

    update: VariantUpdate
    states: int
    boots: int
    packages: PackageUpdate | None = None

    @cached_property
    def upgrade(self) -> PowerCutStates:
        """The upgrade as it is."""
        return power_cut_states(self.request("none"), self.update.before.context)

    @cached_property
    def controls(self) -> tuple[PowerCutStates, ...]:
        """The upgrades in which something is broken on purpose, and the update by dnf."""
        context = self.update.before.context
        asked = (self.request(control) for control in CONTROLS if control not in ("none", "dnf"))
        found = tuple(power_cut_states(request, context) for request in asked)
        return (*found, self.by_packages) if self.by_packages else found

    @cached_property
    def by_packages(self) -> PowerCutStates | None:
        """The update by dnf, if there is one."""
        update = self.packages
        return power_cut_states(self.package_request(update), update.before.context) if update else None

    @property
    def all(self) -> tuple[PowerCutStates, ...]:
        """The upgrade, and the controls."""
        return (self.upgrade, *self.controls)

    @cached_property
    def booted(self) -> tuple[BootedState, ...]:
        """States of the upgrade that were booted, several at a time, each with one processor.

        The first one of each version passes a proof of life, the others reach their default target.
        """
        build, states = self.update.before, self.request("none")
        variant = variant_from({**build.variant.model_dump(), "guest_cpus": 1})
        requests, known = list[BootedStateRequest](), set[Outcome]()
        for number in chosen_to_boot(self.upgrade, self.boots):
            cut = self.upgrade.cuts[number]
            proof: Proof = "default target" if cut.verdict.outcome in known else "proof of life"
            known.add(cut.verdict.outcome)
            requests.append(
                BootedStateRequest(states, variant, build.recipe.selinux, self.update.versions, number, cut, proof)
            )
        with ThreadPoolExecutor(variants_at_once([variant] * len(requests))) as pool:
            return tuple(pool.map(lambda request: boot_state(request, build.context), requests))

    def request(self, control: Control) -> StatesRequest:
        """What is to check of one upgrade; it is recorded first if it is not in the store."""
        build, versions = self.update.before, self.update.versions
        recording = RecordingRequest(build.variant, build.recipe.selinux, build.image, versions, control)
        recorded = record_upgrade(recording, build.context)
        checked = CommitVersions(
            (versions.before.commit, versions.after.commit), tuple(f"{_VAR}{path}" for path in _kept(build))
        )
        return StatesRequest(versions.name, build.image, recorded, checked, self.states, _REPAIRS)

    def package_request(self, update: PackageUpdate) -> StatesRequest:
        """The same of an update by dnf."""
        build, versions = update.before, update.versions
        recording = RecordingRequest(
            build.variant, build.recipe.selinux, build.image, versions, "dnf", update.repository.served
        )
        recorded = record_upgrade(recording, build.context)
        checked = PackageVersions(versions.identities, _kept(build))
        return StatesRequest(versions.name, build.image, recorded, checked, self.states, _REPAIRS)


def _kept(build: Build) -> tuple[str, ...]:
    return _KEPT_BY_RUNTIME.get(build.variant.runtime, (_KEPT,))


def open_power_cuts(variant: str, states: int, boots: int, packages: str = "", study: str = "") -> PowerCuts:
    """The power cuts of a variant of ``params/variants`` or, with ``study``, as that study has it.

    ``packages``: a traditional variant with dnf, for the comparison; empty: none.

    Raises WorkbookError for a number that is not possible, and as ``open_update`` does.
    """
    for name, value, least in (("states", states, 1), ("boots", boots, 0)):
        if value < least:
            raise WorkbookError(f"{name}: {value} is not accepted: must be a whole number of at least {least}")
    update = open_update(chosen_variant(variant, study), CHANGES)
    return PowerCuts(update, states, boots, _package_update(chosen_variant(packages, study)) if packages else None)


def _package_update(variant: Variant) -> PackageUpdate:
    build = open_build(variant)
    if variant.method != "traditional":
        raise WorkbookError(
            f"{variant.variant}: dnf updates a traditional variant only", hint="name one with dnf: cloud-docker"
        )
    return PackageUpdate(build, (), REBUILT)


def require_proof(cuts: PowerCuts) -> Paragraph:
    """The verdict as a sentence: how many states of the upgrade do not boot.

    That is a result. Raises WorkbookError where the instrument is not proven: a control that is no more damaged than
    the upgrade, a journal that e2fsck replays to other blocks, or a booted machine that did something else.
    """
    problems = list(_problems(cuts))
    name, upgrade = cuts.update.versions.name, cuts.upgrade
    if problems:
        raise WorkbookError(
            f"{name}: the check of power cuts is not proven: {problems[0]}",
            hint="check more states (--states), or run again to see whether it repeats",
            log="\n".join(problems),
        )
    lost, damaged = upgrade.outcomes["unbootable"], len(upgrade.not_whole)
    controls = " and ".join(f"{len(one.damaged):,} of {len(one.cuts):,} ({one.control})" for one in cuts.controls)
    return Paragraph(
        f"{name}: of {plural(len(upgrade.cuts), 'state')} that a power cut during the upgrade can leave, {lost:,} do "
        f"not boot, and {damaged:,} boot with something that is not whole. In the controls, {controls} are damaged."
    )


def _problems(cuts: PowerCuts) -> Iterator[str]:
    expected = len(cuts.upgrade.damaged) / len(cuts.upgrade.cuts)
    for one in cuts.controls:
        if len(one.damaged) / len(one.cuts) <= expected:
            yield f"{one.control}: no more states are damaged than without it"
    for one in cuts.all:
        if one.repairs and all(repair.other_blocks is None for repair in one.repairs):
            yield f"{one.control}: no replay could be compared with that of e2fsck"
        for repair in one.repairs:
            place = f"{one.control}: after write {repair.request}"
            if repair.other_blocks:
                yield f"{place}: e2fsck replays {plural(repair.other_blocks, 'block')} to another content"
            if not repair.repaired:
                yield f"{place}: e2fsck does not repair it: {repair.said}"
    for boot in cuts.booted:
        if not boot.as_expected:
            yield f"after write {boot.request}, {boot.kind}: {boot.found}, not {boot.expected}: {boot.said}"
