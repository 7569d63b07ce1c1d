"""The agent of 2014, the first min-cloud-agent, as its source and README describe it; it was not run.

It is listed beside the agents of today, to show which of its faults they have overcome.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from atomic_lib.guest.faults.fault import Fault
from atomic_lib.guest.faults.outcome import Outcome

AGENT = "min-cloud-agent of 2014"
SOURCE = "from its source and README, not run"

# Its known behaviour, by a short name. Each verdict below follows from one of these.
BEHAVIOUR = {
    "first key": "it takes key 0 only",
    "if absent": "it writes authorized_keys only where there is none",
    "order": "user-data is run before keys are fetched",
    "five tries": "user-data that fails is tried five times before any key, then done.stamp is written and it exits 0",
    "404": "status 404 is queued again without end",
    "stamp": "its stamps are not tied to the instance-id",
    "no v2": "it knows no session tokens",
    "unchecked": "its README wants #! in front of user-data, its code does not look",
}


@dataclass(frozen=True)
class Documented:
    """One verdict and what it follows from."""

    agent: str
    outcome: Outcome
    why: str


_UNKNOWN = "its documentation does not say"

VERDICTS: dict[str, tuple[Outcome, str]] = {
    "nothing wrong": ("script before key", "order"),
    "404 everywhere": ("no end", "404"),
    "no v2": ("script before key", "order"),
    "OpenStack": ("script before key", "order"),
    "v2 required": ("lost login", "no v2"),
    "token: 503 twice": ("weakened the session", "no v2"),
    "token: always 500": ("weakened the session", "no v2"),
    "token expires": ("lost login", "no v2"),
    "one key: always 500": ("script before key", "order"),
    "no key": ("no end", "404"),
    "five keys": ("script before key", "order"),
    "key with options": ("script before key", "order"),
    "binary rubbish": ("lost login", "five tries"),
    "without #!": ("lost login", "five tries"),
    "#cloud-config": ("lost login", "five tries"),
    "MIME": ("lost login", "five tries"),
    "gzip": ("lost login", "five tries"),
    "gzip, damaged": ("lost login", "five tries"),
    "CRLF": ("lost login", "five tries"),
    "script fails": ("lost login", "five tries"),
    "script killed": ("lost login", "five tries"),
    "script reboots": ("script before key", "order"),
    "same instance": ("script before key", "order"),
    "cloned disk": ("script not run", "stamp"),
}
"""Faults where a documented behaviour settles the end state; in the others it is unknown."""


def documented_cells(faults: Iterable[Fault]) -> Iterator[tuple[Fault, Documented]]:
    """Its outcome under each of ``faults``."""
    for fault in faults:
        outcome, reason = VERDICTS.get(fault.name, ("unknown", ""))
        why = f"{BEHAVIOUR[reason]} ({SOURCE})" if reason else _UNKNOWN
        yield fault, Documented(AGENT, outcome, why)
