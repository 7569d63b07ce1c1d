"""The rules of the ostree model: which differences from a traditional root are necessary, and why.

The rules are data: ``params/rules/equality.yaml``. A rule explains a difference only if its
conditions hold: a copy has to be equal, a path made at boot has to be declared.
"""

import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from pydantic import Field, model_validator

from atomic_lib.base.paths import RULES_DIRECTORY
from atomic_lib.formats.disk.file_system import FileEntry, FileSystem
from atomic_lib.formats.tmpfiles import read_tmpfiles
from atomic_lib.measure.file_system_comparison import Difference, Kind, facts_of
from atomic_lib.params.schema import Name, ParamsModel, read_yaml_mapping, validated

RULES_FILE = RULES_DIRECTORY / "equality.yaml"
BOOTED_RULES_FILE = RULES_DIRECTORY / "equality-booted.yaml"
_TOKEN = re.compile(r"\{([a-z]+)\}|\*\*|\*")


class EqualityRule(ParamsModel):
    """One rule: it explains the differences of these ``kinds`` at these ``paths``, if all its conditions hold.

    In a pattern ``*`` stands for anything but ``/``, ``**`` for anything, and ``{name}`` for
    anything that is then put in for ``{name}`` in the rule's other texts.
    """

    rule: Name
    reason: str = Field(min_length=20)
    paths: tuple[str, ...] = Field(min_length=1, strict=False)
    kinds: tuple[Kind, ...] = Field(min_length=1, strict=False)
    left: str = "**"
    """A pattern for what the left has."""
    right: str = "**"
    """A pattern for what the right has."""
    same_as: str = ""
    """What is only on one side is the same as this path on the other one."""
    copy_of: str = ""
    """What is only on one side is the same as this path on the same one."""
    ignoring: tuple[Kind, ...] = Field(default=(), strict=False)
    """What may differ where ``same_as`` or ``copy_of`` are compared."""
    tmpfiles: str = ""
    """systemd-tmpfiles of the right makes at this path what the left has: type, mode, owner, link target."""
    lines: tuple[str, ...] = Field(default=(), strict=False)
    """All lines that differ: ``- text`` only on the left, ``+ text`` only on the right."""
    joined: bool = False
    """The right's hard links are the left's and others to files that are equal on the left."""

    @model_validator(mode="after")
    def _is_consistent(self) -> "EqualityRule":
        if (self.same_as or self.copy_of) and not {"missing", "added"} >= set(self.kinds):
            raise ValueError("same_as and copy_of say something of kinds missing and added only")
        known = set.intersection(*(set(_names(path)) for path in self.paths))
        texts = (self.left, self.right, self.same_as, self.copy_of, self.tmpfiles)
        unknown = sorted({name for text in texts for name in _names(text)} - known)
        if unknown:
            raise ValueError(f"{{{unknown[0]}}} is not in each of the paths")
        return self

    def explains(self, difference: Difference, left: FileSystem, right: FileSystem) -> bool:
        """Whether the difference is the one that the rule expects."""
        if difference.kind not in self.kinds:
            return False
        match = next((found for path in self.paths if (found := _pattern(path).fullmatch(difference.path))), None)
        if match is None or not self._fits_texts(difference, match.groupdict()):
            return False
        return self._fits_files(difference, match.groupdict(), left, right)

    def _fits_texts(self, difference: Difference, names: Mapping[str, str]) -> bool:
        pairs = ((self.left, difference.left), (self.right, difference.right))
        return all(_pattern(pattern, tuple(names.items())).fullmatch(text) for pattern, text in pairs)

    def _fits_files(
        self, difference: Difference, names: Mapping[str, str], left: FileSystem, right: FileSystem
    ) -> bool:
        path = difference.path
        here, there = (right, left) if difference.kind == "added" else (left, right)
        if self.same_as and not self._same(here, path, there, _filled(self.same_as, names)):
            return False
        if self.copy_of and not self._same(here, path, here, _filled(self.copy_of, names)):
            return False
        if self.tmpfiles:
            line = read_tmpfiles(right).get(_filled(self.tmpfiles, names))
            if line is None or not line.fits(left.entries[path], left, right):
                return False
        if self.lines and Counter(self.lines) != differing_lines(left.text(path), right.text(path)):
            return False
        return not self.joined or _is_joined(path, left, right)

    def _same(self, side: FileSystem, path: str, other: FileSystem, place: str) -> bool:
        entry = other.entries.get(place or "/")
        return entry is not None and _facts(side.entries[path], side, self.ignoring) == _facts(
            entry, other, self.ignoring
        )


class EqualityRules(ParamsModel):
    """All rules, in the order in which they are tried."""

    rules: tuple[EqualityRule, ...] = Field(strict=False)

    @model_validator(mode="after")
    def _has_each_name_once(self) -> "EqualityRules":
        twice = [name for name, count in Counter(rule.rule for rule in self.rules).items() if count > 1]
        if twice:
            raise ValueError(f"rules: {twice[0]!r} is listed twice")
        return self


def load_rules(path: Path = RULES_FILE) -> tuple[EqualityRule, ...]:
    """The rules in a file; raises WorkbookError naming the file and what of it is not accepted."""
    return validated(EqualityRules, read_yaml_mapping(path), str(path), {}).rules


def booted_rules() -> tuple[EqualityRule, ...]:
    """The rules for two machines after their first boot, when what is made at boot has to exist."""
    rules = [rule for rule in load_rules() if not (rule.tmpfiles and "missing" in rule.kinds)]
    return (*load_rules(BOOTED_RULES_FILE), *rules)


def differing_lines(left: str, right: str) -> Counter[str]:
    """The lines that only one of two texts has: ``- text`` of the left, ``+ text`` of the right."""
    one, other = Counter(left.splitlines()), Counter(right.splitlines())
    return Counter({**{f"- {line}": count for line, count in (one - other).items()},
                    **{f"+ {line}": count for line, count in (other - one).items()}})  # fmt: skip


def _facts(entry: FileEntry, side: FileSystem, ignoring: tuple[Kind, ...]) -> dict[str, str]:
    return {kind: fact for kind, fact in facts_of(entry, side).items() if kind not in ignoring}


def _is_joined(path: str, left: FileSystem, right: FileSystem) -> bool:
    """Whether the right has all hard links of the left, and others only to files that are the same on the left."""
    entry = left.entries[path]
    before, after = left.names.get(entry.inode, ()), right.names.get(right.entries[path].inode, ())
    joined = [left.entries[name] for name in after if name in left.entries]
    return set(before) <= set(after) and all(_facts(one, left, ()) == _facts(entry, left, ()) for one in joined)


@lru_cache(maxsize=4096)
def _pattern(text: str, known: tuple[tuple[str, str], ...] = ()) -> re.Pattern[str]:
    """A pattern as a regular expression. ``known``: the texts of names; others become groups."""
    values, parts, place = dict(known), [], 0
    for token in _TOKEN.finditer(text):
        parts.append(re.escape(text[place : token.start()]))
        name, place = token[1], token.end()
        if name in values:
            parts.append(re.escape(values[name]))
        elif name:
            parts.append(f"(?P={name})" if f"(?P<{name}>.*)" in parts else f"(?P<{name}>.*)")
        else:
            parts.append(".*" if token[0] == "**" else "[^/]*")
    return re.compile("".join(parts) + re.escape(text[place:]), re.DOTALL)


def _names(text: str) -> list[str]:
    return [token[1] for token in _TOKEN.finditer(text) if token[1]]


def _filled(text: str, names: Mapping[str, str]) -> str:
    return re.sub(r"\{([a-z]+)\}", lambda token: names[token[1]], text)
