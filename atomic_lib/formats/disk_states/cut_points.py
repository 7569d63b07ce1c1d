"""The states in which a power cut can leave a disk, as far as they are looked at: cut points.

What was complete before a flush is on the medium. Of the requests since then any part may be there. All cuts at a
flush are taken. Between two flushes the number of parts is 2 to the power of the requests, so they are bounded:

* in order: the first requests of those since the flush, and the others not;
* torn: the same, and of the next request only its first half, to a whole block;
* one missing: all but one of them, so that a later one has overtaken it;
* one alone: one of them, before all others;
* at random: each with a chance of one half.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from atomic_lib.formats.disk_states.disk_state import BLOCK_BYTES
from atomic_lib.formats.disk_states.write_log import LoggedRequest

CutKind = Literal["at a flush", "in order", "torn", "one missing", "one alone", "at random"]
BETWEEN: tuple[CutKind, ...] = ("in order", "torn", "one missing", "one alone", "at random")
_RANDOM_MOST = 256
_TRIES = 4
"""For each state at random: those of a short epoch are often there already."""


@dataclass(frozen=True)
class Epoch:
    """The requests between two flushes: from ``start`` to before ``end``, by their number in the log."""

    start: int
    end: int


@dataclass(frozen=True)
class Cut:
    """A state: all requests before ``epoch``, and of the epoch itself those that are ``kept``, in their order."""

    kind: CutKind
    epoch: Epoch
    kept: tuple[LoggedRequest, ...] = ()


def epochs_of(requests: Sequence[LoggedRequest], begin: int) -> list[Epoch]:
    """The epochs from request ``begin`` on. A request that flushes comes after the flush, as does what it writes."""
    found, start = [], begin
    for number in range(begin, len(requests)):
        if requests[number].flushes and number > start:
            found.append(Epoch(start, number))
            start = number
    return [*found, Epoch(start, len(requests))]


def share_of(requests: Sequence[LoggedRequest], epochs: Sequence[Epoch], count: int) -> int:
    """At most how many cuts between flushes each epoch can have, so that there are about ``count`` cuts in all."""
    writes = (sum(one.size_bytes > 0 for one in requests[epoch.start : epoch.end]) for epoch in epochs)
    capacities = sorted(min(max(0, 2**number - 2), 4 * number + _RANDOM_MOST) for number in writes)
    left, share = max(0, count - len(epochs)), 0
    for place, capacity in enumerate(capacities):
        share = max(share, min(capacity, left // (len(capacities) - place)))
        left -= min(capacity, left // (len(capacities) - place))
    return share


def cuts_of(requests: Sequence[LoggedRequest], epochs: Sequence[Epoch], between: int) -> Iterator[Cut]:
    """The cuts in the order of the log: at each flush, and of each epoch at most ``between`` others.

    No two cuts of an epoch leave the same requests. The others are spread over the kinds, and within a kind over the
    epoch. The same arguments give the same cuts. A request that is durable by itself (FUA) is never missing from what
    came before it.
    """
    for epoch in epochs:
        yield Cut("at a flush", epoch)
        changing = [one for one in requests[epoch.start : epoch.end] if one.size_bytes]
        known = {(), tuple(changing)}
        found = 0
        for place, kind in enumerate(BETWEEN):
            share = (between - found) // (len(BETWEEN) - place)
            for kept in _between(kind, epoch, changing, share):
                if found < between and kept not in known and _possible(changing, kept):
                    known.add(kept)
                    found += 1
                    yield Cut(kind, epoch, kept)


def _between(
    kind: CutKind, epoch: Epoch, changing: list[LoggedRequest], most: int
) -> Iterator[tuple[LoggedRequest, ...]]:
    """What is kept of the writes of an epoch, in one of the ways; at most so many, spread evenly over the epoch."""
    count = len(changing)
    if kind == "at random":
        chance = random.Random(epoch.start)
        for _ in range(min(_TRIES * most, _RANDOM_MOST)):
            yield tuple(one for one in changing if chance.random() < 0.5)
        return
    # none of the writes, and all of them, are cuts at a flush; the first one alone is in order
    first, end = (1 if kind in ("in order", "one alone") else 0), (count - 1 if kind == "one missing" else count)
    for place in (first + number for number in _spread(max(0, end - first), most)):
        before, after = changing[:place], changing[place + 1 :]
        if kind == "in order":
            yield tuple(before)
        elif kind == "one missing":
            yield (*before, *after)
        elif kind == "one alone":
            yield (changing[place],)
        elif half := _half(changing[place]):
            yield (*before, half)


def _spread(count: int, most: int) -> list[int]:
    """At most so many of the numbers below ``count``, evenly spread."""
    chosen = min(count, most)
    return [number * count // chosen for number in range(chosen)]


def _half(request: LoggedRequest) -> LoggedRequest | None:
    """The first half of a request, in whole blocks; None if it has one block."""
    size_bytes = request.size_bytes // 2 // BLOCK_BYTES * BLOCK_BYTES
    return replace(request, size_bytes=size_bytes) if size_bytes else None


def _possible(changing: Sequence[LoggedRequest], kept: Sequence[LoggedRequest]) -> bool:
    """Whether all durable requests are kept that are complete before the last one that is kept."""
    last = max((one.log_offset for one in kept), default=-1)
    whole = {*kept}
    return all(one in whole for one in changing if one.durable and one.log_offset < last)
