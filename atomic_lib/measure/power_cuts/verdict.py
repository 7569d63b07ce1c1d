"""What a power cut leaves of a system, in one state of its disk, and who can say so."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from atomic_lib.base.model import Model
from atomic_lib.formats.disk.ext4_layout import Layout
from atomic_lib.formats.disk_states.disk_state import DiskState, Source
from atomic_lib.formats.disk_states.ext4_journal import Journal
from atomic_lib.formats.disk_states.file_view import FileView
from atomic_lib.tools.sandbox import Tools

Outcome = Literal["version 1", "version 2", "mixed", "unbootable"]
Part = Literal["boot", "deployment", "/etc", "/var", "boot entries", "repository", "packages", "RPM database"]
GRUB_CONFIGURATION = "/boot/grub/grub.cfg"


class Damage(Model):
    """One thing that is not whole: which part of the system it belongs to, and what is wrong."""

    part: Part
    problem: str


class StateVerdict(Model):
    """What a machine does with this disk: the version that the default entry starts, and what is not whole.

    ``mixed``: neither version as a whole, but parts of both. ``unbootable``: the default entry leads to nothing that
    starts. ``versions``: how many versions can be started from the menu.
    """

    outcome: Outcome
    versions: int
    damage: tuple[Damage, ...] = ()


@dataclass(frozen=True)
class Moment:
    """The files of the recorded disk at one moment, as the kernel mounts it, and its blocks that had been written."""

    view: FileView
    blocks: Mapping[int, Source]


@dataclass(frozen=True)
class RecordedEnds:
    """A recorded upgrade when it begins, and when the guest has powered off; ``name`` is for messages."""

    name: str
    layout: Layout
    journal: Journal
    first: Moment
    last: Moment


class Checker(Protocol):
    """Says what each state of one recorded upgrade leaves."""

    @property
    def whole_counts(self) -> tuple[int, int]:
        """How many objects, or files of packages, of version 1 and version 2 were checked at the ends."""

    def check(self, state: DiskState) -> StateVerdict:
        """What a machine does with a disk in this state."""


class CheckedVersions(Protocol):
    """The two versions of an upgrade."""

    @property
    def inputs(self) -> Mapping[str, object]:
        """What identifies them."""

    def checker(self, ends: RecordedEnds, tools: Tools) -> Checker:
        """The checker of states between the ends; raises WorkbookError if a version is not whole where it should be."""


def boot_damage(problem: str) -> Damage:
    """A machine does not start."""
    return Damage(part="boot", problem=problem)


def unbootable(problem: str) -> StateVerdict:
    """The verdict on a state from which no version starts."""
    return StateVerdict(outcome="unbootable", versions=0, damage=(boot_damage(problem),))
