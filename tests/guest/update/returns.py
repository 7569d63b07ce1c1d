"""Outcomes of the automatic return as they should be."""

from atomic_lib.guest.update.guest_return import GuestReturn
from atomic_lib.guest.update.return_faults import FAULTS, FaultOutcome
from atomic_lib.guest.update.update_evidence import UpdateBoot
from tests.guest.update.updates import AFTER, ALIVE, BEFORE, state


def outcome(name: str, **changed: object) -> FaultOutcome:
    """What should become of a guest with this fault; ``changed``: fields of GuestReturn."""
    fault = FAULTS[name]
    good = GuestReturn(
        fault=name,
        trial_boots=2,
        entries=(0, 0, 1) if fault.returns else (0,),
        seconds=300.0,
        limit_seconds=2400.0,
        said=("automatic-return: this deployment stays: all checks passed",),
        state=state(BEFORE if fault.returns else AFTER),
        boot=UpdateBoot(checks=(ALIVE,), failed_units=(), denials=()),
    )
    return FaultOutcome(fault, BEFORE, AFTER, "enforcing", good.model_copy(update=changed))
