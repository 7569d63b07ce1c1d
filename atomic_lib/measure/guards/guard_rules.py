"""What guards of an image allow, and why. The rules are data: ``params/rules/guards.yaml``."""

import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from atomic_lib.base.paths import RULES_DIRECTORY
from atomic_lib.params.schema import Expressions, ParamsModel, read_yaml_mapping, validated

GUARDS_FILE = RULES_DIRECTORY / "guards.yaml"

GuardName = Literal["private-keys", "set-uid", "world-writable", "open-ports"]


class GuardRule(ParamsModel):
    """Why a guard allows something.

    ``found``: regular expressions for the whole path as the booted system sees it, or for a socket.
    ``keys``: the fingerprints of the private keys that are allowed there, and no others.
    """

    guard: GuardName
    reason: str = Field(min_length=20)
    found: Expressions
    keys: Annotated[tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")], ...], Field(strict=False)] = ()

    @cached_property
    def _patterns(self) -> tuple[re.Pattern[str], ...]:
        return tuple(re.compile(one, re.DOTALL) for one in self.found)

    def allows(self, guard: GuardName, found: str, key: str) -> bool:
        """Whether the rule allows what the guard found; ``key``: the fingerprint of a private key, else empty."""
        if guard != self.guard or (guard == "private-keys" and key not in self.keys):
            return False
        return any(pattern.fullmatch(found) for pattern in self._patterns)


class GuardRules(ParamsModel):
    """All rules, in the order in which they are tried."""

    guards: tuple[GuardRule, ...] = Field(strict=False)

    def reason(self, guard: GuardName, found: str, key: str = "") -> str:
        """Why the guard allows what it found; empty if no rule does."""
        return next((rule.reason for rule in self.guards if rule.allows(guard, found, key)), "")


def load_guard_rules(path: Path = GUARDS_FILE) -> GuardRules:
    """The rules in a file; raises WorkbookError naming the file and what of it is not accepted."""
    return validated(GuardRules, read_yaml_mapping(path), str(path), {})
