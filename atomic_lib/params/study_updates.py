"""What a study updates: the key ``updates`` of a study file."""

from collections.abc import Iterator

from pydantic import Field

from atomic_lib.params.schema import Name, ParamsModel


class StudyPowerCuts(ParamsModel):
    """Power cuts during an upgrade of the ostree ``variant`` and, for comparison, an update by dnf of ``packages``.

    ``states``: about how many are checked of each recording; ``boots``: how many of the upgrade are booted.
    """

    variant: Name
    packages: Name
    states: int = Field(default=1000, ge=1)
    boots: int = Field(default=2, ge=0)


class StudyReturns(ParamsModel):
    """Versions 2 of ``variant`` that do not come up; ``faults``: their names, separated by spaces."""

    variant: Name
    faults: str


class StudyRefusals(ParamsModel):
    """Updates with a fault that ``variant`` is offered; ``cases``: their names, separated by spaces."""

    variant: Name
    cases: str


class StudyUpdates(ParamsModel):
    """Each variant of the study is updated to a version 2 with ``changes``, names that are separated by spaces.

    The others are made only if they are named; their keys are parameters of the notebooks that make them. Power cuts
    are those of variants of the study. Those that go back, and those that are offered faults, may be others, and are as
    their own files say.
    """

    changes: str
    power_cuts: StudyPowerCuts | None = None
    automatic_return: StudyReturns | None = None
    refusals: StudyRefusals | None = None

    def variants_elsewhere(self) -> Iterator[tuple[str, str]]:
        """The variants that need not be part of the study, each with its key."""
        if self.automatic_return:
            yield "updates: automatic_return: variant", self.automatic_return.variant
        if self.refusals:
            yield "updates: refusals: variant", self.refusals.variant
