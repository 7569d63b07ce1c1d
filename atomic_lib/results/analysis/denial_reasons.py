"""The reasons of SELinux denials at boot. They are data: ``params/rules/denials.yaml``."""

import functools
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

from pydantic import Field

from atomic_lib.base.paths import RULES_DIRECTORY
from atomic_lib.guest.evidence.denials import Denial
from atomic_lib.params.schema import ParamsModel, read_yaml_mapping, validated

REASONS_FILE = RULES_DIRECTORY / "denials.yaml"
UNEXPLAINED = "unexplained"
_Pattern = Annotated[str, Field(min_length=1)]


class Reason(ParamsModel):
    """The reason of some denials; all keys but ``reason`` are shell patterns that select them."""

    source: _Pattern
    target: _Pattern
    target_class: _Pattern
    permission: _Pattern
    name: _Pattern = "*"
    reason: _Pattern

    def fits(self, denial: Denial) -> bool:
        """Whether the patterns match the denial, with every permission in it."""
        return (
            fnmatchcase(denial.source, self.source)
            and fnmatchcase(denial.target, self.target)
            and fnmatchcase(denial.target_class, self.target_class)
            and fnmatchcase(denial.name, self.name)
            and all(fnmatchcase(permission, self.permission) for permission in denial.permissions)
        )


class Reasons(ParamsModel):
    """All reasons in the order of their file; the first that fits applies."""

    denials: tuple[Reason, ...] = Field(strict=False)

    def reason_of(self, denial: Denial) -> str:
        """The reason of a denial; empty if none fits."""
        return next((rule.reason for rule in self.denials if rule.fits(denial)), "")


def load_reasons(path: Path = REASONS_FILE) -> Reasons:
    """The reasons in ``path``; raises WorkbookError naming the file and what is wrong in it."""
    return validated(Reasons, read_yaml_mapping(path), str(path), {})


@functools.cache
def default_reasons() -> Reasons:
    """The reasons of ``params/rules/denials.yaml``, read once."""
    return load_reasons()


def unexplained(denials: Iterable[Denial]) -> tuple[Denial, ...]:
    """The denials that no reason fits."""
    return tuple(denial for denial in denials if not default_reasons().reason_of(denial))
