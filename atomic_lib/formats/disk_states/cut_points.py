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
from atomic_lib.formats.disk_states.write_log import Request

CutKind = Literal["at a flush", "in order", "torn", "one missing", "one alone", "at random"]
BETWEEN: tuple[CutKind, ...] = ("in order", "torn", "one missing", "one alone", "at random")
_RANDOM_MOST = 64


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
    kept: tuple[Request, ...] = ()


def epochs_of(requests: Sequence[Request], begin: int) -> list[Epoch]:
    """The epochs from request ``begin`` on. A request that flushes comes after the flush, as does what it writes."""
    found, start = [], begin
    for number in range(begin, len(requests)):
        if requests[number].flushes and number > start:
            found.append(Epoch(start, number))
            start = number
    return [*found, Epoch(start, len(requests))]


def cuts_of(requests: Sequence[Request], epochs: Sequence[Epoch], between: int) -> Iterator[Cut]:
    """The cuts in the order of the log: at each flush, and of each epoch at most ``between`` others.

    The others are spread evenly over the kinds, and within a kind over the epoch. The same arguments give the same
    cuts. A request that is durable by itself (FUA) is never missing from what came before it.
    """
    for epoch in epochs:
        yield Cut("at a flush", epoch)
        changing = [one for one in requests[epoch.start : epoch.end] if one.size_bytes]
        by_kind = [list(_between(kind, epoch, changing)) for kind in BETWEEN]
        yield from _shared_out(by_kind, between)


def _between(kind: CutKind, epoch: Epoch, changing: list[Request]) -> Iterator[Cut]:
    count = len(changing)
    if kind == "in order":
        chosen = [changing[:size] for size in range(1, count)]
    elif kind == "torn":
        chosen = [[*changing[:place], half] for place in range(count) if (half := _half(changing[place]))]
    elif kind == "one missing":
        chosen = [changing[:place] + changing[place + 1 :] for place in range(count - 1)]
    elif kind == "one alone":
        chosen = [[changing[place]] for place in range(1, count)]
    else:
        chance = random.Random(epoch.start)
        sizes = range(min(_RANDOM_MOST, 2**count) if count > 2 else 0)
        chosen = [[one for one in changing if chance.random() < 0.5] for _ in sizes]
    for kept in chosen:
        if _possible(changing, kept):
            yield Cut(kind, epoch, tuple(kept))


def _half(request: Request) -> Request | None:
    """The first half of a request, in whole blocks; None if it has one block."""
    size_bytes = request.size_bytes // 2 // BLOCK_BYTES * BLOCK_BYTES
    return replace(request, size_bytes=size_bytes) if size_bytes else None


def _possible(changing: Sequence[Request], kept: Sequence[Request]) -> bool:
    """Whether all durable requests are kept that are complete before the last one that is kept."""
    last = max((one.log_offset for one in kept), default=-1)
    whole = {one.log_offset for one in kept if one in changing}
    return all(one.log_offset in whole for one in changing if one.durable and one.log_offset < last)


def _shared_out(by_kind: list[list[Cut]], most: int) -> Iterator[Cut]:
    """At most so many cuts, evenly from each list; what a short list leaves over goes to the others."""
    left = most
    for place, cuts in enumerate(sorted(by_kind, key=len)):
        share = min(len(cuts), left // (len(by_kind) - place))
        left -= share
        yield from (cuts[number * len(cuts) // share] for number in range(share))
