"""The updates of a study: which were made, what became of each, and their figures, as files of the run.

Each notebook writes its figures into its directory; ``updates.json`` names them, and says which notebooks failed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from atomic_lib.base.files import write_text
from atomic_lib.base.model import Model, read_model
from atomic_lib.guest.refusals.guest_refusals import GuestRefusals
from atomic_lib.guest.update.return_faults import FaultOutcome
from atomic_lib.guest.update.update_evidence import GuestUpdate
from atomic_lib.guest.update.update_ways import UpdateWay
from atomic_lib.measure.power_cuts.booted_states import BootedState
from atomic_lib.measure.power_cuts.power_cut_states import PowerCutStates

UPDATES_FILE = "updates.json"
_HINT = "run ./workbook run again: it writes the file anew"

RoundKind = Literal["update", "power-cuts", "automatic-return", "refused-updates"]
"""The notebook that is executed, without its suffix."""


class UpdateResult(Model):
    """The update of one variant: the ways to download it, and what a guest showed.

    ``expected``: what the guest must be known by in version 1, when version 2 is there, in version 2, and in version 1.
    """

    variant: str
    changes: str
    ways: tuple[UpdateWay, ...]
    guest: GuestUpdate
    expected: tuple[str, str, str, str]

    def way(self, name: str) -> UpdateWay | None:
        """One of the ways, if the variant has it."""
        return next((one for one in self.ways if one.name == name), None)


class PowerCutsResult(Model):
    """The states that power cuts leave of ``variant`` and of ``packages``, and those of the former that were booted.

    ``recordings``: the upgrade, and the controls.
    """

    variant: str
    packages: str
    recordings: tuple[PowerCutStates, ...]
    booted: tuple[BootedState, ...]

    @property
    def upgrade(self) -> PowerCutStates:
        """The upgrade as it is."""
        return self.recordings[0]

    @property
    def by_packages(self) -> PowerCutStates | None:
        """The update by dnf, if there is one."""
        return next((one for one in self.recordings if one.control == "dnf"), None)


class ReturnsResult(Model):
    """What became of guests of ``variant`` with each fault in version 2."""

    variant: str
    outcomes: tuple[FaultOutcome, ...]


class RefusalsResult(Model):
    """What a guest of ``variant`` made of updates with a fault."""

    variant: str
    guest: GuestRefusals


class UpdateRound(Model):
    """One notebook of a study's updates. ``directory``: where its files are, relative to the run; "": there.

    ``error``: why it failed, or why it was not executed, with the next step and the log. Its figures may be there all
    the same: those that are not as predicted.
    """

    kind: RoundKind
    variant: str
    directory: str = ""
    error: str = ""
    hint: str = ""
    log: str = ""

    @property
    def title(self) -> str:
        """Its name, for progress and pages."""
        return f"{self.variant}: {self.kind}"

    def file(self, suffix: str) -> str:
        """One of its files, relative to the run: the notebook, its page or its figures."""
        return str(Path(self.directory, f"{self.kind}{suffix}"))


class _Rounds(Model):
    rounds: tuple[UpdateRound, ...]


@dataclass(frozen=True)
class UpdateResults:
    """All rounds of a run, with the figures of those that have some."""

    rounds: tuple[UpdateRound, ...]
    updates: tuple[UpdateResult, ...] = ()
    power_cuts: PowerCutsResult | None = None
    returns: ReturnsResult | None = None
    refusals: RefusalsResult | None = None

    @property
    def failed(self) -> tuple[UpdateRound, ...]:
        """The rounds that failed."""
        return tuple(one for one in self.rounds if one.error)


_M = TypeVar("_M", bound=Model)


def write_rounds(run_directory: Path, rounds: Sequence[UpdateRound]) -> None:
    """Write ``updates.json``."""
    write_text(run_directory / UPDATES_FILE, _Rounds(rounds=tuple(rounds)).model_dump_json(indent=1) + "\n")


def read_updates(run_directory: Path) -> UpdateResults | None:
    """The updates of a run; None if its study makes none. Raises WorkbookError naming a damaged file."""
    path = run_directory / UPDATES_FILE
    if not path.exists():
        return None
    rounds = read_model(_Rounds, path, hint=_HINT).rounds
    return UpdateResults(
        rounds,
        tuple(_figures(run_directory, rounds, "update", UpdateResult)),
        next(_figures(run_directory, rounds, "power-cuts", PowerCutsResult), None),
        next(_figures(run_directory, rounds, "automatic-return", ReturnsResult), None),
        next(_figures(run_directory, rounds, "refused-updates", RefusalsResult), None),
    )


def _figures(run_directory: Path, rounds: tuple[UpdateRound, ...], kind: RoundKind, model: type[_M]) -> Iterator[_M]:
    """What the notebooks of a kind have written; one that failed early has written nothing."""
    files = (run_directory / one.file(".json") for one in rounds if one.kind == kind)
    yield from (read_model(model, path, hint=_HINT) for path in files if path.is_file())
