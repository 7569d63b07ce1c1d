"""Two file systems compared: every path, and everything about it except times."""

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol, get_args

from atomic_lib.formats.disk.attributes import CAPABILITY, LABEL
from atomic_lib.formats.disk.file_system import FileEntry, FileSystem

Kind = Literal[
    "missing", "added", "type", "mode", "user", "group", "size", "content", "target", "device", "hard links", "label",
    "capabilities", "attribute",
]  # fmt: skip
"""What differs. ``missing``: the path is only on the left; ``added``: only on the right."""
KINDS: tuple[Kind, ...] = get_args(Kind)
_OF_EVERY_TYPE: tuple[Kind, ...] = ("user", "group", "label", "capabilities")


@dataclass(frozen=True)
class Difference:
    """One difference of one path, with what each side has, as text; nothing if it has none."""

    path: str
    kind: Kind
    left: str
    right: str

    def __str__(self) -> str:
        return shown(f"{self.path}: {self.kind}: {self.left or 'none'} ≠ {self.right or 'none'}")


class DifferenceRule(Protocol):
    """A rule, as far as a comparison knows it; see ``equality_rules``."""

    @property
    def rule(self) -> str:
        """Its name."""

    @property
    def reason(self) -> str:
        """Why the difference has to be."""

    def explains(self, difference: Difference, left: FileSystem, right: FileSystem) -> bool:
        """Whether the difference is the one that the rule expects."""


@dataclass(frozen=True)
class Comparison:
    """What differs between two file systems, and which rule explains it; no rule: unexplained."""

    left: FileSystem
    right: FileSystem
    rules: tuple[DifferenceRule, ...]
    found: tuple[tuple[Difference, DifferenceRule | None], ...]

    @cached_property
    def paths(self) -> tuple[int, int, int]:
        """How many paths were compared: those of both sides, those of the left, those of the right."""
        left, right = self.left.entries.keys(), self.right.entries.keys()
        return len(left & right), len(left), len(right)

    @property
    def equal_paths(self) -> int:
        """How many paths are on both sides and do not differ."""
        differing = {difference.path for difference in self.differences if difference.kind not in ("missing", "added")}
        return self.paths[0] - len(differing)

    @property
    def differences(self) -> tuple[Difference, ...]:
        """All differences, by path."""
        return tuple(difference for difference, _ in self.found)

    @property
    def unexplained(self) -> tuple[Difference, ...]:
        """The differences that no rule expects."""
        return tuple(difference for difference, rule in self.found if rule is None)

    def explained_by(self, rule: DifferenceRule) -> tuple[Difference, ...]:
        """The differences that this rule explains."""
        return tuple(difference for difference, found in self.found if found is rule)

    @property
    def unused_rules(self) -> tuple[DifferenceRule, ...]:
        """The rules that explain nothing: the images, or the rules, have changed."""
        used = {id(rule) for _, rule in self.found}
        return tuple(rule for rule in self.rules if id(rule) not in used)


def compare(left: FileSystem, right: FileSystem, rules: Iterable[DifferenceRule] = ()) -> Comparison:
    """Compare two file systems; the first rule that fits explains a difference.

    Compared are type, mode, owner and group by number and name, size, content, link
    target, hard-link groups, device numbers, label, capabilities and other attributes.
    Times are not compared, nor what a directory takes on the disk.
    """
    known = tuple(rules)
    found = [
        (one, next((rule for rule in known if rule.explains(one, left, right)), None))
        for one in _differences(left, right)
    ]
    return Comparison(left, right, known, tuple(found))


def described(entry: FileEntry | None) -> str:
    """A path's type and what makes it: "link to var/home", "file of 12 bytes", "character device 1:3"."""
    if entry is None:
        return ""
    if entry.type == "link":
        return f"link to {entry.target}"
    if entry.type == "file":
        return f"file of {entry.size_bytes} bytes"
    return f"{entry.type} {entry.device}".rstrip()


def facts_of(entry: FileEntry, side: FileSystem, path: str = "") -> dict[str, str]:
    """Everything that is compared of an entry, as texts; for a hard link also its names other than ``path``.

    A fact whose name is not a kind is an attribute.
    """
    names = side.names.get(entry.inode, ())
    facts = {
        "type": entry.type,
        "mode": f"{entry.mode:04o}",
        "user": f"{entry.uid} ({side.users.get(entry.uid, 'unknown')})",
        "group": f"{entry.gid} ({side.groups.get(entry.gid, 'unknown')})",
        "size": f"{entry.size_bytes} bytes" if entry.type == "file" else "",
        "content": entry.sha256,
        "target": entry.target,
        "device": entry.device,
        "hard links": shlex.join(name for name in names if name != path) if path else "",
        "label": entry.attributes.get(LABEL, ""),
        "capabilities": entry.attributes.get(CAPABILITY, ""),
    }
    others = {name: value for name, value in entry.attributes.items() if name not in (LABEL, CAPABILITY)}
    return {**facts, **others}


def label_types(side: FileSystem) -> Counter[str]:
    """How many paths of a file system have each SELinux type; the type of a path without a label is empty."""
    labels = [entry.attributes.get(LABEL, "") for entry in side.entries.values()]
    return Counter(label.split(":")[2] if label.count(":") > 2 else label for label in labels)


def shown(text: str) -> str:
    """A path or a value as it can be printed: control characters and bytes that are not text as escapes."""
    return text if text.isprintable() else "".join(one if one.isprintable() else _escape(one) for one in text)


def _escape(letter: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in letter.encode(errors="surrogateescape"))


def _differences(left: FileSystem, right: FileSystem) -> Iterator[Difference]:
    for path in sorted({*left.entries, *right.entries}):
        one, other = left.entries.get(path), right.entries.get(path)
        if one is None or other is None:
            yield Difference(path, "added" if one is None else "missing", described(one), described(other))
        elif one.type != other.type:
            yield Difference(path, "type", described(one), described(other))
            yield from _differing(path, facts_of(one, left, path), facts_of(other, right, path), _OF_EVERY_TYPE)
        else:
            yield from _differing(path, facts_of(one, left, path), facts_of(other, right, path), KINDS)


def _differing(
    path: str, left: Mapping[str, str], right: Mapping[str, str], kinds: Iterable[Kind]
) -> Iterator[Difference]:
    for kind in kinds:
        if left.get(kind, "") != right.get(kind, ""):
            yield Difference(path, kind, left.get(kind, ""), right.get(kind, ""))
    for name in sorted({*left, *right} - set(KINDS)):
        if left.get(name) != right.get(name):
            one, other = (f"{name}={facts[name]}" if name in facts else "" for facts in (left, right))
            yield Difference(path, "attribute", one, other)
