"""The result of a sweep: for each variant its choices, its packages and their bytes; one CSV file.

The file is tidy: a variant in a row, a factor or a figure in a column. The same variants give the same bytes.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from atomic_lib.results.analysis.factor_effects import Effect, Interaction, level_effects, level_interactions
from atomic_lib.results.study_result import Factor
from atomic_lib.results.variant_result import ContentSummary

SWEEP_FILE = "variants.csv"
FIGURES = ("package_count", "installed_bytes", "download_bytes")
"""The figures of a row, by their fields; None where the variant has no solution."""
BUILT = ("composed_bytes", "changed_by_scriptlets_bytes", "image_bytes", "boot_seconds")
"""The figures of a variant that was made, by their fields; None where it was not."""
_BESIDE = ("packages_sha256", "removed_entries", "solver_error", *BUILT, "build_error")


@dataclass(frozen=True)
class SolvedVariant:
    """What a variant resolves to. Bytes are those of its packages, as their RPMs and their index say.

    ``packages_sha256``: of the NEVRAs, sorted, one a line: equal for equal sets. ``removed``: entries of the recipe
    that cannot stay without what is excluded. ``error``: why there is no solution; empty if there is one.
    """

    package_count: int | None = None
    installed_bytes: int | None = None
    download_bytes: int | None = None
    packages_sha256: str = ""
    removed: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True)
class BuiltVariant:
    """What a variant is that was made.

    ``composed_bytes``: all files of its packages, installed. ``changed_bytes``: by how much scriptlets made files of
    packages larger, by path; negative where smaller. ``image_bytes``: what its disk takes, uncompressed.
    ``boot_seconds``: those of a counted boot, busy. ``error``: why it could not be made; empty if it was.
    """

    composed_bytes: int | None = None
    changed_bytes: Mapping[str, int] = field(default_factory=dict)
    image_bytes: int | None = None
    boot_seconds: float | None = None
    error: str = ""

    @property
    def changed_by_scriptlets_bytes(self) -> int | None:
        """By how much scriptlets made the files of all packages larger; None if they were not installed."""
        return None if self.composed_bytes is None else sum(self.changed_bytes.values())


@dataclass(frozen=True)
class SweepRow:
    """A variant with its ``levels`` by factor, what it resolves to, and what it is if it was made."""

    variant: str
    levels: Mapping[str, str]
    solved: SolvedVariant
    built: BuiltVariant | None = None

    @property
    def surplus_bytes(self) -> int | None:
        """How many bytes more its packages have than predicted and scriptlets changed; None: not installed."""
        if self.built is None or self.built.composed_bytes is None or self.solved.installed_bytes is None:
            return None
        return self.built.composed_bytes - sum(self.built.changed_bytes.values()) - self.solved.installed_bytes

    @property
    def cost(self) -> tuple[int, float]:
        """Bytes of the image and counted seconds of the boot; only of a variant that was booted."""
        assert self.built
        assert self.built.image_bytes is not None
        assert self.built.boot_seconds is not None
        return self.built.image_bytes, self.built.boot_seconds


@dataclass(frozen=True)
class SweepResult:
    """All variants of a sweep, the base first; its factors with their levels, the base level first; its contents."""

    name: str
    title: str
    factors: tuple[Factor, ...]
    rows: tuple[SweepRow, ...]
    contents: tuple[ContentSummary, ...] = ()

    @property
    def base(self) -> SweepRow:
        """The variant that has the first level of every factor."""
        return self.rows[0]

    @property
    def booted(self) -> tuple[SweepRow, ...]:
        """The variants that were booted, the smallest image first."""
        booted = (row for row in self.rows if row.built and row.built.boot_seconds is not None)
        return tuple(sorted(booted, key=lambda row: row.cost))

    @property
    def front(self) -> tuple[SweepRow, ...]:
        """Those of the booted variants of which no other one has a smaller image and a shorter boot (Pareto)."""
        front: list[SweepRow] = []
        for row in self.booted:
            if not front or row.cost[1] < front[-1].cost[1]:
                front.append(row)
        return tuple(front)

    def effects(self, figure: str) -> tuple[Effect, ...]:
        """What each level but the base ones changes of a figure, in every two rows that differ in this factor alone."""
        return level_effects(self.factors, self._figures(figure))

    def interactions(self, figure: str) -> tuple[Interaction, ...]:
        """What every two levels of two factors cost of a figure alone and together, all else as in the base."""
        return level_interactions(self.factors, self._figures(figure))

    def _figures(self, figure: str) -> list[tuple[Mapping[str, str], float | None]]:
        return [(row.levels, getattr(row.solved, figure)) for row in self.rows]


def sweep_csv(result: SweepResult) -> str:
    """The rows as CSV (RFC 4180, lines end with a line feed); an empty field: not known."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["variant", *(factor.name for factor in result.factors), *FIGURES, *_BESIDE])
    for row in result.rows:
        solved = row.solved
        levels = [row.levels[factor.name] for factor in result.factors]
        figures = ["" if (value := getattr(solved, name)) is None else value for name in FIGURES]
        built = row.built or BuiltVariant()
        made = ["" if (value := getattr(built, name)) is None else value for name in BUILT]
        beside = [solved.packages_sha256, " ".join(solved.removed), solved.error, *made, built.error]
        writer.writerow([row.variant, *levels, *figures, *beside])
    return text.getvalue()


def factors_of(levels: Sequence[Mapping[str, str]], names: Iterable[str]) -> tuple[Factor, ...]:
    """The factors ``names`` with the levels that cells have, in their order; the first cell is the base."""
    return tuple(Factor(name=name, levels=tuple(dict.fromkeys(cell[name] for cell in levels))) for name in names)
