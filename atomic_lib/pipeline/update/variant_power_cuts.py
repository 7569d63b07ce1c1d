"""Power cuts during the upgrade of a variant: recorded, replayed, and what they leave."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from atomic_lib.base.errors import WorkbookError
from atomic_lib.guest.power_cuts.upgrade_recording import CONTROLS, Control, RecordingRequest, record_upgrade
from atomic_lib.image.sysroot import STATEROOT
from atomic_lib.measure.power_cuts.booted_states import BootedState, BootedStateRequest, boot_state, chosen_to_boot
from atomic_lib.measure.power_cuts.power_cut_states import PowerCutStates, StatesRequest, power_cut_states
from atomic_lib.pipeline.update.variant_update import VariantUpdate, open_update
from atomic_lib.report.elements.blocks import Paragraph
from atomic_lib.report.elements.values import plural

CHANGES = "package config initramfs"
"""What version 2 changes: with another initramfs, so that a kernel and an initramfs are written to /boot."""
_VAR = f"/ostree/deploy/{STATEROOT}/var"
_KEPT = f"{_VAR}/lib/kept"
_KEPT_BY_RUNTIME = {"docker": (_KEPT, f"{_VAR}/lib/docker/volumes/kept/_data/proof")}
"""What the administrator made in /var (``guest/update/programs/administer``), by the runtime of containers."""
_REPAIRS = 10
"""How many states of each recording e2fsck repairs."""


@dataclass(frozen=True)
class PowerCuts:
    """The power cuts of an update.

    ``states``: about how many are checked of each recording; ``boots``: how many of the upgrade itself are booted.
    """

    update: VariantUpdate
    states: int
    boots: int

    @cached_property
    def upgrade(self) -> PowerCutStates:
        """The upgrade as it is."""
        return power_cut_states(self.request("none"), self.update.before.context)

    @cached_property
    def controls(self) -> tuple[PowerCutStates, ...]:
        """The upgrades in which something is broken on purpose."""
        context = self.update.before.context
        return tuple(power_cut_states(self.request(control), context) for control in CONTROLS if control != "none")

    @property
    def all(self) -> tuple[PowerCutStates, ...]:
        """The upgrade, and the controls."""
        return (self.upgrade, *self.controls)

    @cached_property
    def booted(self) -> tuple[BootedState, ...]:
        """States of the upgrade that were booted."""
        build, states = self.update.before, self.request("none")
        requests = (
            BootedStateRequest(
                states, build.variant, build.recipe.selinux, self.update.versions, number, self.upgrade.cuts[number]
            )
            for number in chosen_to_boot(self.upgrade, self.boots)
        )
        return tuple(boot_state(request, build.context) for request in requests)

    def request(self, control: Control) -> StatesRequest:
        """What is to check of one upgrade; it is recorded first if it is not in the store."""
        build, versions = self.update.before, self.update.versions
        recording = RecordingRequest(build.variant, build.recipe.selinux, build.image, versions, control)
        recorded = record_upgrade(recording, build.context)
        commits = (versions.before.commit, versions.after.commit)
        kept = _KEPT_BY_RUNTIME.get(build.variant.runtime, (_KEPT,))
        return StatesRequest(versions.name, build.image, recorded, commits, kept, self.states, _REPAIRS)


def open_power_cuts(variant: str, states: int, boots: int) -> PowerCuts:
    """The power cuts of a variant of ``params/variants``.

    Raises WorkbookError for a number that is not possible, and as ``open_update`` does.
    """
    for name, value, least in (("states", states, 1), ("boots", boots, 0)):
        if value < least:
            raise WorkbookError(f"{name}: {value} is not accepted: must be a whole number of at least {least}")
    return PowerCuts(open_update(variant, CHANGES), states, boots)


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
    lost = upgrade.outcomes["unbootable"]
    damaged = len(upgrade.damaged) - lost
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
