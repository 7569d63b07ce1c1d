"""Which packages share a layer of a host's image: few layers, of which an update has to change as little as possible.

A layer is downloaded again as a whole if one of its packages changes. So two groups are merged where that loses least
of what is expected to stay: the size of a group, times the probability that none of its packages changes. The rule is
that of chunkah's ``packing.rs``; as it knows nothing of the packages' history here, each changes as often as any other.

A later version keeps the groups of the one before, as ostree-ext's ``chunking.rs`` does: a package that is new goes
into the last group, which is reserved for such packages, and one that is gone leaves its group. So no layer changes
because of a package in another one.
"""

import heapq
from collections.abc import Mapping
from itertools import combinations

Packing = tuple[tuple[str, ...], ...]
"""The names in each group; the last group is that of the packages that were new later, and may be empty."""

UNCHANGED = 0.95
"""The probability that an update leaves a package as it is."""


_Group = tuple[float, float]
"""The bytes of a group, and the probability that an update leaves all of it as it is."""


def pack(sizes: Mapping[str, int], limit: int, previous: Packing = ()) -> Packing:
    """Groups of packages, at most ``limit`` with the reserved one; ``sizes``: the bytes of each package by its name.

    ``previous``: the groups of the version before; without them, the groups are made anew.
    """
    if not previous:
        return (*_merged(sizes, limit - 1), ())
    known = {name for group in previous for name in group}
    new = [name for name in sizes if name not in known]
    kept = [tuple(name for name in group if name in sizes) for group in previous]
    return (*kept[:-1], tuple(sorted([*kept[-1], *new])))


def _merged(sizes: Mapping[str, int], limit: int) -> list[tuple[str, ...]]:
    """At most ``limit`` groups, the largest first."""
    groups: dict[tuple[str, ...], _Group] = {(name,): (float(sizes[name]), UNCHANGED) for name in sorted(sizes)}
    merges = [(_loss(groups[one], groups[other]), one, other) for one, other in combinations(groups, 2)]
    heapq.heapify(merges)
    while len(groups) > limit:
        _, one, other = heapq.heappop(merges)
        if one not in groups or other not in groups:
            continue
        (size, unchanged), (more, also) = groups.pop(one), groups.pop(other)
        both, merged = tuple(sorted(one + other)), (size + more, unchanged * also)
        for rest, of_rest in groups.items():
            heapq.heappush(merges, (_loss(merged, of_rest), both, rest))
        groups[both] = merged
    return sorted(groups, key=lambda group: (-groups[group][0], group))


def _loss(one: _Group, other: _Group) -> float:
    """What a merge loses of the bytes that are expected to stay."""
    (size, unchanged), (more, also) = one, other
    return size * unchanged + more * also - (size + more) * unchanged * also
