"""Why a package is needed: the shortest chain of requirements from the recipe to it."""

import fnmatch
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from atomic_lib.recipe.model import Recipe

_FORM = "package %{name}\nrequires\n%{requires}\nprovides\n%{provides}\nend"
_RICH_WORDS = {"or", "and", "if", "else", "with", "without", "unless"}


@dataclass(frozen=True)
class Requirements:
    """What a package requires and provides, as bare capability names."""

    requires: frozenset[str]
    provides: frozenset[str]


def explain_excluded(recipe: Recipe, run_dnf: Callable[[Sequence[str]], str]) -> list[str]:
    """The names from an entry of the recipe to the first excluded package it requires; empty if none is."""
    if not recipe.excludes:
        return []
    packages = parse_requirements(run_dnf(["-q", "repoquery", "--qf", _FORM]).splitlines())
    return shortest_chain(packages, recipe.packages, recipe.excludes)


def parse_requirements(lines: Iterable[str]) -> dict[str, Requirements]:
    """Each package's requirements from the output of ``dnf repoquery`` in our format."""
    packages: dict[str, Requirements] = {}
    name, section = "", ""
    found: dict[str, set[str]] = {}
    for line in lines:
        if line.startswith("package ") and section in ("", "end"):
            name, section, found = line.removeprefix("package "), "package", {"requires": set(), "provides": set()}
        elif line in ("requires", "provides"):
            section = line
        elif line == "end":
            packages[name] = Requirements(frozenset(found["requires"]), frozenset(found["provides"]))
            section = "end"
        elif section in found:
            found[section].update(capability_names(line))
    return packages


def capability_names(text: str) -> list[str]:
    """The names in a capability, rich ones included, without versions: ``(a >= 1 or b)`` gives a and b."""
    if not text.startswith("("):
        return [text.split(" ")[0]] if text.strip() else []
    words = text.replace("(", " ").replace(")", " ").split()
    versions = {index + 1 for index, word in enumerate(words) if word in ("<", "<=", "=", ">=", ">")}
    return [word for index, word in enumerate(words)
            if index not in versions and word not in _RICH_WORDS and word[0] not in "<=>"]  # fmt: skip


def shortest_chain(packages: Mapping[str, Requirements], starts: Iterable[str], excluded: Iterable[str]) -> list[str]:
    """The shortest way by requirements from one of ``starts`` to a package that matches ``excluded``."""
    patterns = list(excluded)
    provider: dict[str, list[str]] = {}
    for name, entry in packages.items():
        for capability in entry.provides | {name}:
            provider.setdefault(capability, []).append(name)
    queue = deque([name] for name in starts if name in packages)
    seen = {chain[0] for chain in queue}
    while queue:
        chain = queue.popleft()
        if any(fnmatch.fnmatchcase(chain[-1], pattern) for pattern in patterns):
            return chain
        for capability in sorted(packages[chain[-1]].requires):
            for name in sorted(provider.get(capability, ())):
                if name not in seen:
                    seen.add(name)
                    queue.append([*chain, name])
    return []
