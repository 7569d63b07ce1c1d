"""How a guest takes an update: the lines of shell that its administrator types, and what each version is known by.

Source of the ostree commands: ostree-admin-upgrade(1), ostree-admin-set-default(1).
"""

from dataclasses import dataclass
from typing import Protocol

from atomic_lib.guest.update.update_evidence import GuestState, StepName


@dataclass(frozen=True)
class UpdateCommands:
    """What is typed in a guest.

    ``source``: names the server of the updates, before all else. ``steps``: bring version 2, in order, up to the
    reboot. ``rollback``: brings version 1 back, up to the reboot.
    """

    source: str
    steps: tuple[tuple[StepName, str], ...]
    rollback: str


class GuestVersions(Protocol):
    """Two versions of a variant, as a guest goes from one to the other and back; ``name`` is for messages."""

    @property
    def name(self) -> str:
        """The name of the variant."""

    @property
    def identities(self) -> tuple[str, str]:
        """What version 1 and version 2 are known by."""

    @property
    def commands(self) -> UpdateCommands:
        """What is typed."""

    def identity(self, state: GuestState) -> str | None:
        """What the version is known by that a guest shows; None: it did not say."""
