"""The ways to have an update, each with what it costs to download: predicted, and measured where it was."""

from dataclasses import dataclass
from typing import Literal

from atomic_lib.guest.update.update_evidence import DownloadFigures

WayName = Literal[
    "check", "loose objects", "static delta", "casync chunks", "OCI layers", "least possible", "RPM files",
    "RPM files to undo it", "whole image",
]  # fmt: skip


@dataclass(frozen=True)
class UpdateWay:
    """One way. ``loopback`` and ``guest``: what the log of the server says; None: it was not taken.

    ``from_locks_bytes``: what the two locks alone predict; None: they do not say. ``same_files``: whether exactly the
    predicted files were downloaded over loopback, each with its size.
    """

    name: WayName
    predicted: DownloadFigures
    loopback: DownloadFigures | None = None
    guest: DownloadFigures | None = None
    from_locks_bytes: int | None = None
    same_files: bool = True

    @property
    def exact(self) -> bool | None:
        """Whether all that was measured is as predicted; None: nothing was measured."""
        measured = [one for one in (self.loopback, self.guest) if one]
        return self.same_files and all(one == self.predicted for one in measured) if measured else None
