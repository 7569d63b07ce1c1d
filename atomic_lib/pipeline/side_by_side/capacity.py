"""How many variants are built and booted side by side, and what that makes of the time that is left."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence

from atomic_lib.params.variant import Variant
from atomic_lib.tools.machine import available_memory_bytes

_LEAST_MIB = 1024
"""What a compose keeps in memory: the tree, then the file system of the image."""
_BESIDE_MIB = 1024
"""What a notebook takes besides: its kernel, QEMU with the code that it translates, dnf, dracut."""


def variants_at_once(variants: Sequence[Variant], *, cpus: int | None = None, memory_bytes: int | None = None) -> int:
    """How many variants to build and boot at once: one more than there are processors, if the memory suffices.

    While one waits for its guest or its disk, another one keeps the processor busy. ``cpus``, ``memory_bytes``: of
    another machine than this one.
    """
    cpus = cpus or os.cpu_count() or 1
    memory_bytes = available_memory_bytes() if memory_bytes is None else memory_bytes
    guest_mib = max((variant.guest_memory_mib for variant in variants if variant.last_stage == "boot"), default=0)
    room = memory_bytes // ((max(guest_mib, _LEAST_MIB) + _BESIDE_MIB) << 20)
    return max(1, min(cpus + 1, room, len(variants)))


def seconds_side_by_side(parts: Mapping[str, float | None], at_once: int) -> dict[str, float | None]:
    """The seconds by which each part, named "VARIANT: PART", makes a run longer whose variants are made side by side.

    Their sum is the most that the run takes: the parts of a variant follow one another, and whoever is free takes the
    next variant (R. L. Graham, Bounds on Multiprocessing Timing Anomalies, 1969).
    """
    chains: Counter[str] = Counter()
    for name, seconds in parts.items():
        chains[name.partition(": ")[0]] += seconds or 0.0  # type: ignore[assignment]  # of numbers, not only whole ones
    whole, longest = sum(chains.values()), max(chains.values(), default=0)
    share = (whole / at_once + (1 - 1 / at_once) * longest) / whole if whole else 1.0
    return {name: None if seconds is None else seconds * share for name, seconds in parts.items()}
