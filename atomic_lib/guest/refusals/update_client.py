"""A machine with ostree that takes updates, and the state that an update which fails must leave alone."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.model import Count, Model
from atomic_lib.guest.programs import program_text

_STATUS = "exit status "
_FACTS = ("deployments", "refs", "objects", "staged", "entries", "etc", "var")
_LINES = ("deployment", "ref", "objects", "staged", "entries", "etc", "var")
_LONGEST_WORDS = 2000
_ESCAPES = re.compile(r"\x1b[78]|\x1b\[[0-9;]*[A-Za-z]")


class ClientState(Model):
    """What a machine has at one moment.

    ``deployments``: in their order, the booted one with ``*``. ``refs``: each with its commit. ``objects``: how many
    the repository has; ``staged``: how many wait there to be completed. ``entries`` and ``etc``: the digests of the
    boot entries and of the files in /etc. ``var``: what is in the administrator's file in /var.
    """

    deployments: tuple[str, ...]
    refs: tuple[str, ...]
    objects: Count
    staged: Count
    entries: str
    etc: str
    var: str

    def differs_from(self, other: "ClientState", *, but: str = "") -> tuple[str, ...]:
        """The names of the facts that are not the same; ``but``: one that need not be."""
        return tuple(name for name in _FACTS if name != but and getattr(self, name) != getattr(other, name))


@dataclass(frozen=True)
class Spoken:
    """What a command of the administrator ended with: its exit status, its words, and how long it took."""

    status: int
    words: str
    seconds: float


@dataclass(frozen=True)
class UpdateClient:
    """A machine. ``run`` runs lines of shell as its root, and returns what they print; it raises CommandError.

    ``sysroot``: the physical root, "" for that of a running machine; ``etc`` and ``var``: the directories of the
    deployment; ``key``: the file of the key that commits must be signed with. ``as_writer``: words before a command
    that has to write to the sysroot, which may be mounted read-only.
    """

    run: Callable[[str], str]
    stateroot: str
    key: str
    sysroot: str = ""
    etc: str = "/etc"
    var: str = "/var"
    as_writer: str = ""

    def state(self) -> ClientState:
        """What it has now."""
        program = program_text(__file__, "programs/state", SYSROOT=self.sysroot, ETC=self.etc, VAR=self.var)
        return read_client_state(self.run(program))

    def attempt(self, command: str) -> Spoken:
        """Have the administrator type a command, which may fail. Raises CommandError if it cannot be typed."""
        began = time.monotonic()
        text = self.run(program_text(__file__, "programs/attempt", COMMAND=command))
        words, _, status = text.rstrip().rpartition(_STATUS)
        return Spoken(_number(status, text), _shown(words), time.monotonic() - began)


def read_client_state(text: str) -> ClientState:
    """Read the output of ``programs/state``. Raises WorkbookError if a fact is missing or is not what it should be."""
    facts: dict[str, list[str]] = {name: [] for name in _LINES}
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if name in facts:
            facts[name].append(" ".join(value.split()))
    missing = [name for name, found in facts.items() if not found]
    if missing:
        raise _unreadable(f"nothing about: {missing[0]}", text)
    return ClientState(
        deployments=tuple(facts["deployment"]),
        refs=tuple(facts["ref"]),
        objects=_number(facts["objects"][0], text),
        staged=_number(facts["staged"][0], text),
        entries=facts["entries"][0],
        etc=facts["etc"][0],
        var=facts["var"][0],
    )


def _number(words: str, text: str) -> int:
    if not words.isdecimal():
        raise _unreadable(f"no number: {words}", text)
    return int(words)


def _unreadable(reason: str, text: str) -> WorkbookError:
    return WorkbookError(
        f"the machine did not say what it has: {reason}", hint="run again to see whether it repeats", log=text
    )


def _shown(words: str) -> str:
    """The words without the lines of progress, each of which a carriage return or an escape sequence replaces."""
    lines = (_ESCAPES.sub("", line.rpartition("\r")[2]).strip() for line in words.split("\n"))
    return "\n".join(line for line in lines if line)[-_LONGEST_WORDS:]
