"""Updates of a variant to a version 2 that does not come up, and what becomes of a guest then."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from atomic_lib.base.errors import WorkbookError
from atomic_lib.guest.update.guest_return import GuestReturnRequest, return_guest
from atomic_lib.guest.update.guest_update import GuestUpdateRequest
from atomic_lib.guest.update.return_faults import FAULTS, FaultOutcome, UpdateFault
from atomic_lib.params.variant import load_variant, variant_from
from atomic_lib.pipeline.failures import require_none
from atomic_lib.pipeline.update.variant_update import VariantUpdate, update_between
from atomic_lib.report.elements.blocks import Paragraph
from atomic_lib.report.elements.values import plural


@dataclass(frozen=True)
class VariantReturn:
    """The update to a version 2 with one fault. The first access to ``outcome`` builds what is missing, and boots."""

    name: str
    fault: UpdateFault
    update: VariantUpdate

    @cached_property
    def outcome(self) -> FaultOutcome:
        """What became of a guest."""
        build, versions = self.update.before, self.update.versions
        image, selinux = build.image, build.recipe.selinux
        own = GuestUpdateRequest(build.variant, selinux, image, versions, image.directory)
        guest = return_guest(GuestReturnRequest(own, versions, self.name, self.fault.kernel_arguments), build.context)
        return FaultOutcome(self.fault, versions.before.commit, versions.after.commit, selinux, guest)


def open_returns(variant: str, faults: str) -> tuple[VariantReturn, ...]:
    """The updates of a variant of ``params/variants`` to a version 2 with each of ``faults``, names in ``FAULTS``.

    Raises WorkbookError for an unknown fault, a variant without ``automatic_return``, and as ``update_between`` does.
    """
    named = faults.split()
    unknown = [name for name in named if name not in FAULTS]
    if unknown or not named:
        said = f"{unknown[0]}: no such fault for version 2" if unknown else "version 2 has no fault to return from"
        raise WorkbookError(said, hint=f"one or more of: {', '.join(FAULTS)}; or all")
    first = load_variant(variant)
    if not first.automatic_return:
        raise WorkbookError(
            f"{variant}: automatic_return is 0, so nothing takes it back to version 1",
            hint="name a variant that has it, such as atomic-min-return",
        )
    made = []
    for name in dict.fromkeys(named):
        fault = FAULTS[name]
        of_guest = variant_from({**first.model_dump(), "guest_cpus": fault.cpus or first.guest_cpus})
        made.append(VariantReturn(name, fault, update_between(of_guest, [fault.part])))
    return tuple(made)


def outcomes_of(returns: Sequence[VariantReturn]) -> tuple[FaultOutcome, ...]:
    """What became of each, one guest after the other."""
    return tuple(one.outcome for one in returns)


def require_returned(outcomes: Sequence[FaultOutcome]) -> Paragraph:
    """The verdict as a sentence. Raises WorkbookError naming what was not as expected."""
    problems = (f"{one.guest.fault}: {problem}" for one in outcomes for problem in one.problems)
    require_none(problems, "the automatic return did not do what it should")
    back = sum(one.fault.returns for one in outcomes)
    stayed = len(outcomes) - back
    words = [f"All guests with a fault in version 2 went back to version 1: {plural(back, 'guest')}."] if back else []
    words += [f"The good version 2 stayed: {plural(stayed, 'guest')}."] if stayed else []
    return Paragraph(" ".join(words))
