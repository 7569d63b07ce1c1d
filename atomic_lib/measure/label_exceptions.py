"""Which paths of an image may have another SELinux label than its policy gives them, and why.

The exceptions are data: ``params/rules/labels.yaml``.
"""

import re
from collections import Counter
from functools import cached_property
from pathlib import Path

from pydantic import Field, model_validator

from atomic_lib.base.paths import RULES_DIRECTORY
from atomic_lib.params.schema import Expressions, Name, ParamsModel, read_yaml_mapping, validated

EXCEPTIONS_FILE = RULES_DIRECTORY / "labels.yaml"


class LabelException(ParamsModel):
    """Paths that may have ``label``, whatever the policy says of them; an empty one: no label at all.

    ``paths`` are regular expressions for the whole path on the disk, as file_contexts has them.
    """

    exception: Name
    reason: str = Field(min_length=20)
    paths: Expressions
    label: str = Field(pattern=r"^([^:\s]+:[^:\s]+:[^:\s]+:\S+)?$")

    @cached_property
    def _patterns(self) -> tuple[re.Pattern[str], ...]:
        return tuple(re.compile(path, re.DOTALL) for path in self.paths)

    def explains(self, path: str, label: str) -> bool:
        """Whether the path may have this label."""
        return label == self.label and any(pattern.fullmatch(path) for pattern in self._patterns)


class LabelExceptions(ParamsModel):
    """All exceptions, in the order in which they are tried."""

    exceptions: tuple[LabelException, ...] = Field(strict=False)

    @model_validator(mode="after")
    def _has_each_name_once(self) -> "LabelExceptions":
        twice = [name for name, count in Counter(one.exception for one in self.exceptions).items() if count > 1]
        if twice:
            raise ValueError(f"exceptions: {twice[0]!r} is listed twice")
        return self


def load_exceptions(path: Path = EXCEPTIONS_FILE) -> tuple[LabelException, ...]:
    """The exceptions in a file; raises WorkbookError naming the file and what of it is not accepted."""
    return validated(LabelExceptions, read_yaml_mapping(path), str(path), {}).exceptions
