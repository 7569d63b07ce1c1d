"""Verdicts on the states of an upgrade, made by hand."""

from atomic_lib.guest.power_cuts.upgrade_recording import Control
from atomic_lib.measure.power_cuts.power_cut_states import PowerCutStates
from atomic_lib.measure.power_cuts.replay import CutVerdict
from atomic_lib.measure.power_cuts.verdict import Damage, StateVerdict

WHOLE_1 = StateVerdict(outcome="version 1", versions=1)
WHOLE_2 = StateVerdict(outcome="version 2", versions=2)
MIXED = StateVerdict(
    outcome="mixed", versions=1, damage=(Damage(part="packages", problem="of both versions: bash new, 4 old"),)
)
LOST = StateVerdict(outcome="unbootable", versions=0, damage=(Damage(part="boot", problem="no menu"),))
WORN = StateVerdict(outcome="version 1", versions=1, damage=(Damage(part="repository", problem="an object is empty"),))


def states_of(control: Control, *verdicts: StateVerdict) -> PowerCutStates:
    """The states with these verdicts: each second one is at a flush, and the next one between it and the next."""
    cuts = tuple(
        CutVerdict(
            step="download" if number < len(verdicts) // 2 else "deploy",
            kind="one missing" if number % 2 else "at a flush",
            request=number // 2 * 10,
            kept=3 * (number % 2),
            verdict=verdict,
        )
        for number, verdict in enumerate(verdicts)
    )
    return PowerCutStates(
        control=control,
        requests=50,
        flushes=7,
        objects=(100, 110),
        cuts=cuts,
        check_seconds=2.0,
        repairs=(),
    )
