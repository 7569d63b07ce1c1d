"""The end state of a run under a fault, and the outcome that it amounts to."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from atomic_lib.guest.faults.fault import Fault

_SHOWN_LETTERS = 24
_HARMLESS = re.compile(r"[a-z0-9-]{1,63}")
"""What an agent may call a machine for which the service has no usable name."""

Outcome = Literal[
    "survived", "lost login", "ran twice", "script before key", "ran what it should not", "wrote through a link",
    "weakened the session", "no end", "script not run", "wrong host name", "wrong keys", "unknown",
]  # fmt: skip
"""From ``lost login`` on in the order in which they are tested; ``unknown``: the documentation does not say."""


@dataclass(frozen=True)
class AgentRequest:
    """One request to the metadata service."""

    method: str
    path: str
    status: int
    with_token: bool


@dataclass(frozen=True)
class BootSeen:
    """One boot: its duration, the exit status of each of the agent's commands, its output, its requests.

    No statuses: the power was cut, or the agent was ended at its time limit (``ended`` is false).
    """

    seconds: float
    ended: bool
    statuses: tuple[int, ...]
    said: str
    requests: tuple[AgentRequest, ...]


@dataclass(frozen=True)
class State:
    """The end state, after the last boot.

    ``runs``: one number for each run of the script: how many lines authorized_keys had then. ``outside``: what
    changed where links point to, or beside it. ``modes``: of .ssh and authorized_keys.
    """

    keys: tuple[str, ...]
    hostname: str | None
    runs: tuple[int, ...]
    outside: tuple[str, ...]
    modes: tuple[str, ...]
    boots: tuple[BootSeen, ...]
    cut: str = ""
    """After which step the power was cut, as text for readers."""

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    @staticmethod
    def from_json(data: dict[str, Any]) -> "State":
        """What ``to_json`` made."""
        boots = tuple(
            BootSeen(boot["seconds"], boot["ended"], tuple(boot["statuses"]), boot["said"],
                     tuple(AgentRequest(**request) for request in boot["requests"]))
            for boot in data["boots"]
        )  # fmt: skip
        lists = {name: tuple(data[name]) for name in ("keys", "runs", "outside", "modes")}
        return State(hostname=data["hostname"], boots=boots, cut=data["cut"], **lists)


def judge(fault: Fault, state: State) -> tuple[Outcome, str]:
    """The worst outcome that a run shows, and the reason."""
    wanted = fault.expected
    lost = [key for key in wanted.keys if key not in state.keys]
    if lost and not {_blob(key) for key in wanted.keys} & {_blob(key) for key in state.keys}:
        return "lost login", "no key was installed" + (
            "" if all(boot.ended for boot in state.boots) else ", and no end"
        )
    if len(state.runs) > wanted.runs > 0:
        return "ran twice", f"the script ran {len(state.runs)} times, wanted {wanted.runs}"
    if wanted.keys and 0 in state.runs:
        return "script before key", "the script ran before a key was there"
    if len(state.runs) > max(wanted.runs, wanted.may_run) or any("pwned" in path for path in state.outside):
        return "ran what it should not", f"the script ran {len(state.runs)} times, wanted {wanted.runs}"
    if state.outside:
        return "wrote through a link", ", ".join(state.outside)
    weak = _without_token(fault, state)
    if weak:
        return "weakened the session", weak
    slow = [boot for boot in state.boots if not boot.ended]
    if slow:
        return "no end", f"still running after {slow[0].seconds:.0f} s"
    if len(state.runs) < wanted.runs and not _lost_in_a_cut(state):
        return "script not run", f"the script ran {len(state.runs)} times, wanted {wanted.runs}"
    if not _name_is_good(state.hostname, wanted.hostname):
        return "wrong host name", f"the host name is {_short(state.hostname)}, wanted {_short(wanted.hostname)}"
    strange = set(state.keys) - set(wanted.keys) - set(wanted.more_keys)
    if lost or strange:
        return (
            "wrong keys",
            f"{len(set(state.keys) & set(wanted.keys))} of {len(wanted.keys)} keys as they were served, "
            f"{len(strange)} other lines",
        )
    return "survived", ""


def judge_all(fault: Fault, states: Sequence[State]) -> tuple[Outcome, str]:
    """The first bad outcome of several runs of one fault, with the power cut that it belongs to."""
    for state in states:
        outcome, why = judge(fault, state)
        if outcome != "survived":
            return outcome, f"cut {state.cut}: {why}" if state.cut else why
    lost = [state.cut for state in states if len(state.runs) < fault.expected.runs]
    return (
        "survived",
        f"cut {lost[0]}: the script was recorded as started, but did not run; the next boot says so" if lost else "",
    )


def _without_token(fault: Fault, state: State) -> str:
    if fault.sessions == "v1":
        return ""
    data = [request for boot in state.boots for request in boot.requests if request.method == "GET"]
    got = [request for request in data if request.status == 200 and not request.with_token]
    return f"took {got[0].path} without a token" if got else ""


def _name_is_good(name: str | None, wanted: str | None) -> bool:
    """Whether a machine has the name that was served, with or without its domain, or a harmless one if none was."""
    if wanted is None:
        return name is None or bool(_HARMLESS.fullmatch(name))
    return name in (wanted, wanted.partition(".")[0])


def _lost_in_a_cut(state: State) -> bool:
    """Whether the power was cut as the script started, and the next boot says so."""
    return bool(state.cut) and "started in an earlier boot" in state.boots[-1].said


def _blob(key: str) -> str:
    """What sshd compares: the key without options, type and comment."""
    return next((word for word in key.split() if word.startswith("AAAA")), "")


def _short(text: str | None) -> str:
    if text is None:
        return "not set"
    return repr(text if len(text) <= _SHOWN_LETTERS else f"{text[:_SHOWN_LETTERS]}…")
