"""The critical chain: which units the end of a boot waited for."""

from collections.abc import Iterable, Sequence

from atomic_lib.guest.evidence.systemd import Activation, Properties, activations

_ENDS = ("multi-user.target", "basic.target", "sysinit.target")
"""The targets that end a boot; the first one that it reached counts."""


def critical_chain(units: Sequence[Properties], begin_seconds: float = 0.0) -> tuple[str, ...]:
    """The units that the boot's end waited for, in order of time; empty if none of them was reached.

    As ``systemd-analyze critical-chain``: of the units that one is ordered after, the one that
    was done last, and so on. Units that were done only after the one had started did not
    hold it up and are left out, and so is what was done before ``begin_seconds``, the start
    of userspace on the guest's clock.
    """
    times = activations(units)
    earlier = {unit.get("Id", ""): unit.get("After", "").split() for unit in units}
    end = next((name for name in _ENDS if name in times), None)
    chain: list[str] = []
    while end is not None and end not in chain:
        chain.append(end)
        end = _last_done(times, earlier.get(end, ()), begin_seconds, times[end].started_seconds)
    return tuple(reversed(chain))


def _last_done(
    times: dict[str, Activation], names: Iterable[str], begin_seconds: float, end_seconds: float
) -> str | None:
    """The unit that was done last between two times; of several the one that took longest."""
    done = [name for name in names if name in times and begin_seconds <= times[name].done_seconds <= end_seconds]
    return max(done, key=lambda name: (times[name].done_seconds, times[name].seconds, name), default=None)
