"""What is found in reading treefiles: problems, notes, and where keys are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.recipe import AddedFile
from atomic_lib.recipe.treefile_rules.variables import BASEARCH, Variable

_T = TypeVar("_T")
_PLACES_MOST = 6


@dataclass(frozen=True)
class Place:
    """A file that includes another one, and ``FILE:LINE`` of the include."""

    path: Path
    location: str


@dataclass
class Findings:
    """What was found in reading: files, problems, notes, the variables that are defined so far, and where keys are."""

    files: list[Path] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    """The hint of each, empty if it has none."""
    notes: list[str] = field(default_factory=list)
    programs: dict[str, AddedFile] = field(default_factory=dict)
    """Those of ``finalize.d``, by name."""
    variables: dict[str, Variable] = field(default_factory=lambda: {"basearch": BASEARCH})
    origins: dict[str, str] = field(default_factory=dict)
    """``FILE:LINE`` of each key; of several files, that of the first one that was read."""

    def refuse(self, message: str, hint: str = "") -> None:
        """Add a problem."""
        self.problems.setdefault(message, hint)

    def attempt(self, prefix: str, read: Callable[[], _T], suffix: str = "") -> _T | None:
        """What ``read`` returns; None, and a problem with ``prefix`` and ``suffix``, if it raises WorkbookError."""
        try:
            return read()
        except WorkbookError as error:
            self.refuse(f"{prefix}{error.message}{suffix}", error.hint)
            return None

    def place(self, key: str, path: Path) -> str:
        """``FILE:LINE`` of a key; ``path`` if it is not known."""
        return self.origins.get(key, str(path))

    def raise_problems(self) -> None:
        """Raise WorkbookError with a line for each problem, if there are any."""
        if self.problems:
            hints = dict.fromkeys(hint for hint in self.problems.values() if hint)
            raise WorkbookError("\n".join(self.problems), hint="; ".join(hints) or "correct the treefile and run again")


def chain_text(chain: Sequence[Place]) -> str:
    """The files that include the one with a problem, the innermost first, for the end of a message.

    Of a long chain the middle is left out.
    """
    places = [place.location for place in reversed(chain)]
    if len(places) > _PLACES_MOST:
        places = [*places[: _PLACES_MOST - 2], f"{len(places) - _PLACES_MOST + 1} more", places[-1]]
    return "".join(f", included by {place}" for place in places)
