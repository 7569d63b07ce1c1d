"""Which files may differ from their package in owner, group, mode or capabilities, and why.

The exceptions are data: ``params/rules/attributes.yaml``.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from atomic_lib.base.paths import RULES_DIRECTORY
from atomic_lib.params.schema import Expressions, Name, ParamsModel, read_yaml_mapping, validated

EXCEPTIONS_FILE = RULES_DIRECTORY / "attributes.yaml"
Attribute = Literal["owner", "group", "mode", "capabilities"]


class AttributeException(ParamsModel):
    """Files that may differ in ``differs``; ``paths`` are regular expressions for the whole path."""

    exception: Name
    reason: str = Field(min_length=20)
    paths: Expressions
    differs: tuple[Attribute, ...] = Field(min_length=1)

    _tuple = field_validator("differs", mode="before")(lambda value: tuple(value) if isinstance(value, list) else value)

    def explains(self, path: str, what: Iterable[str]) -> bool:
        """Whether the file may differ in ``what``."""
        fits = any(re.fullmatch(expression, path, re.DOTALL) for expression in self.paths)
        return fits and set(what) <= set(self.differs)


class _AttributeExceptions(ParamsModel):
    exceptions: tuple[AttributeException, ...]

    _tuple = field_validator("exceptions", mode="before")(
        lambda value: tuple(value) if isinstance(value, list) else value
    )


def load_attribute_exceptions(path: Path = EXCEPTIONS_FILE) -> tuple[AttributeException, ...]:
    """The exceptions in a file; raises WorkbookError naming the file and what of it is not accepted."""
    return validated(_AttributeExceptions, read_yaml_mapping(path), str(path), {}).exceptions
