"""What a machine showed when it was offered an update with a fault, and what of it is not as it must be."""

import re
from collections.abc import Iterator

from atomic_lib.base.model import Count, Model, WallSeconds
from atomic_lib.guest.refusals.update_cases import CASES, UpdateCase, Way
from atomic_lib.guest.refusals.update_client import ClientState
from atomic_lib.guest.update.update_evidence import DownloadFigures


class Attempt(Model):
    """A command of the administrator: its exit status, what they saw, and what the server sent.

    ``objects``: how many objects of version 2 were asked for; the commit and its signature are not among them.
    """

    status: int
    said: str
    seconds: WallSeconds
    download: DownloadFigures
    objects: Count


class CaseResult(Model):
    """A case, taken one way. ``state``: before the attempt, after it without the fault, and in the end, once version 2
    is forgotten again.

    ``repeat``: the second attempt, without the fault; None: there was none. ``objects``: how many objects of version 2
    the machine lacked.
    """

    case: str
    way: Way
    first: Attempt
    repeat: Attempt | None
    objects: Count
    before: ClientState
    after: ClientState
    end: ClientState

    @property
    def of(self) -> UpdateCase:
        """What the case is."""
        return CASES[self.case]

    @property
    def kept_objects(self) -> int | None:
        """How many objects the repeated attempt did not have to download; None: there was none."""
        return None if self.repeat is None else self.objects - self.repeat.objects

    @property
    def changed(self) -> tuple[str, ...]:
        """The names of the facts that the attempt changed, apart from what waits to be completed."""
        return self.after.differs_from(self.before, but="staged")

    @property
    def problems(self) -> tuple[str, ...]:
        """What is not as it must be."""
        return tuple(self._problems())

    def _problems(self) -> Iterator[str]:
        case = self.of
        if case.expected == "accepted":
            if self.first.status:
                yield f"was not accepted: {self.first.said}"
        else:
            if not self.first.status:
                yield "was accepted"
            if not re.search(case.said, self.first.said):
                yield f"failed for another reason: {self.first.said}"
            yield from (f"the failure changed: {name}" for name in self.changed if name not in case.may_change)
        if case.expected == "resumed" and (self.repeat is None or self.repeat.status):
            yield f"did not go on: {self.repeat.said if self.repeat else 'was not tried'}"
        if self.way in case.keeps and not self.kept_objects:
            yield "downloaded everything again"
        yield from (f"not as before in the end: {name}" for name in self.end.differs_from(self.before))
