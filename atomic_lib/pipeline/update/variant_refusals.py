"""Updates with a fault that a guest of a variant is offered, and the verdict on what it made of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from atomic_lib.base.errors import WorkbookError
from atomic_lib.guest.refusals.guest_refusals import GuestRefusals, GuestRefusalsRequest, refuse_in_guest
from atomic_lib.guest.refusals.update_cases import CASES
from atomic_lib.guest.update.guest_update import GuestUpdateRequest
from atomic_lib.pipeline.failures import require_none
from atomic_lib.pipeline.update.variant_update import VariantUpdate, open_update, state_problems
from atomic_lib.report.elements.blocks import Paragraph
from atomic_lib.report.elements.values import plural

CHANGES = "package config"
"""What version 2 changes."""


@dataclass(frozen=True)
class VariantRefusals:
    """The update of a variant, and the names of the cases. The first access to ``guest`` builds what is missing, and
    boots."""

    update: VariantUpdate
    cases: tuple[str, ...]

    @cached_property
    def guest(self) -> GuestRefusals:
        """What a guest made of them."""
        build, versions = self.update.before, self.update.versions
        own = GuestUpdateRequest(build.variant, build.recipe.selinux, build.image, versions, build.image.directory)
        return refuse_in_guest(GuestRefusalsRequest(own, versions, self.cases), build.context)


def open_refusals(variant: str, cases: str) -> VariantRefusals:
    """The cases of a variant of ``params/variants``; ``cases``: names in ``CASES``, taken in the order of those.

    Raises WorkbookError for an unknown case, and as ``open_update`` does.
    """
    named = cases.split()
    unknown = [name for name in named if name not in CASES]
    if unknown or not named:
        said = f"{unknown[0]}: no such case of an update with a fault" if unknown else "there is no case to try"
        raise WorkbookError(said, hint=f"one or more of: {', '.join(CASES)}; or all")
    return VariantRefusals(open_update(variant, CHANGES), tuple(name for name in CASES if name in named))


def require_refused(refusals: VariantRefusals) -> Paragraph:
    """The verdict as a sentence. Raises WorkbookError naming what was not as it must be."""
    name = refusals.update.versions.name
    require_none(problems_of(refusals), f"{name}: an update with a fault was not treated as it must be")
    tried = refusals.guest.results
    return Paragraph(
        f"{name}: version 1 was left as it was by {plural(len(tried), 'attempt')} in "
        f"{plural(len(refusals.cases), 'case')}, and took the good version 2 after them."
    )


def problems_of(refusals: VariantRefusals) -> Iterator[str]:
    """What is not as it must be, in words."""
    guest, versions = refusals.guest, refusals.update.versions
    for one in guest.results:
        yield from (f"{one.case}, by {one.way}: {problem}" for problem in one.problems)
    twice = guest.twice
    if twice.status or twice.fsck_status:
        yield f"two upgrades at once: {twice.said or twice.fsck}"
    if len(twice.deployments) != 2 or versions.after.commit not in twice.deployments[0]:
        yield f"two upgrades at once: the deployments are {', '.join(twice.deployments)}"
    moments = (
        ("before all cases", guest.states[0], versions.before),
        ("after all cases", guest.unhurt, versions.before),
        ("in version 2", guest.states[1], versions.after),
    )
    for moment, state, version in moments:
        yield from (f"{moment}: {problem}" for problem in state_problems(refusals.update, state, version))
