"""What would leave if a package were not installed: solved by the dnf that composes, with nothing downloaded.

dnf solves twice. First with the packages excluded and the entries of the recipe made
optional, which tells the entries that cannot stay. Then without those entries and
strictly, as a compose of such a recipe would: the difference to the set is the answer.
"""

import json
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.stage import Stage
from atomic_lib.content.comps import expand_groups
from atomic_lib.content.repositories import Content
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.dnf_run import Dnf, install_words
from atomic_lib.solve.graph import Graph, graph_of
from atomic_lib.solve.lock import LockedPackage
from atomic_lib.solve.resolve import RpmSet
from atomic_lib.solve.solver import Solution, Solved, solve
from atomic_lib.solve.why import not_in_set
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Tools

_LISTED_MOST = 5
_UNIT_DIRECTORIES = ("/usr/lib/systemd/system/", "/lib/systemd/system/", "/etc/systemd/system/")


@dataclass(frozen=True)
class Departure:
    """What changes in a set when ``asked`` is not installed.

    ``comes``: what is installed in place of it. ``changed``: NEVRA now and then of what
    stays as another build, because only one build was excluded, or the content has moved
    on since the lock. ``entries``: what the recipe names that goes with it, and ``members``
    what its groups name. ``units``: what the recipe enables or disables that goes.
    """

    asked: tuple[str, ...]
    leaves: tuple[LockedPackage, ...]
    comes: tuple[Solved, ...]
    changed: tuple[tuple[str, str], ...]
    entries: tuple[str, ...]
    members: tuple[str, ...]
    units: tuple[str, ...]

    @property
    def title(self) -> str:
        """What was asked, in a few words."""
        return _listed(self.asked)

    @property
    def download_bytes(self) -> int:
        """The size of the RPM files that are not fetched any more, less that of those that are instead."""
        less = sum(package.size_bytes for package in self.leaves)
        return less - sum(package.download_bytes for package in self.comes)


@dataclass(frozen=True)
class WithoutRequest:
    """What is asked: a package set, and the names and patterns not to install."""

    asked: tuple[str, ...]
    recipe: Recipe
    content: Content
    rpm_set: RpmSet


def what_leaves(
    packages: Sequence[str], recipe: Recipe, content: Content, rpm_set: RpmSet, context: Context
) -> Departure:
    """What leaves ``rpm_set`` when ``packages`` (names, shell patterns, ``@group``) are not installed.

    Raises WorkbookError: a name or pattern that fits nothing in the set, an unknown group,
    content that is not reached.
    """
    asked = tuple(sorted(_groups_expanded(packages, content, rpm_set, context.tools)))
    _require_known(asked, recipe, content, rpm_set, context.tools)
    stored = WHAT_LEAVES.get(WithoutRequest(asked, recipe, content, rpm_set), context)
    return _read((stored.path / "departure.json").read_text())


def _inputs(request: WithoutRequest, _: Context) -> dict[str, object]:
    recipe = request.recipe
    return {
        "asked": request.asked,
        "lock": request.rpm_set.lock.sha256,
        "content": request.content.key,
        "releasever": request.content.releasever,
        "packages": recipe.packages,
        "groups": recipe.groups,
        "excludes": recipe.excludes,
        "repos": recipe.repos,
        "weak_dependencies": recipe.weak_dependencies,
        "units": [recipe.enabled_units, recipe.disabled_units],
    }


def _make(request: WithoutRequest, context: Context, directory: Path) -> None:
    departure = _solve(request.asked, request.recipe, request.content, request.rpm_set, context.tools)
    (directory / "departure.json").write_text(json.dumps(asdict(departure), indent=1))


WHAT_LEAVES = Stage("what-leaves", _make, _inputs, title=lambda request: f"solve without {_listed(request.asked)}")


def recipe_without(recipe: Recipe, departure: Departure) -> Recipe:
    """The recipe whose compose has what the departure leaves: entries and units taken out, the packages excluded.

    Its scripts are the same: one that needs what has left will fail.
    """
    reduced = _without(recipe, departure.asked, departure.entries, departure.members)
    return replace(
        reduced,
        enabled_units=tuple(unit for unit in recipe.enabled_units if unit not in departure.units),
        disabled_units=tuple(unit for unit in recipe.disabled_units if unit not in departure.units),
    )


def size_of_departure(departure: Departure, sizes: Mapping[str, tuple[int, int]]) -> tuple[int, int] | None:
    """Bytes and files that leave the tree with the packages; None where ``sizes`` does not know one of them.

    ``sizes``: bytes and files of each package in the composed tree, by name. What the
    compose itself generates (initramfs, RPM database, caches) changes too, and is not in it.
    """
    names = [package.name for package in departure.leaves]
    if any(name not in sizes for name in names):
        return None
    return sum(sizes[name][0] for name in names), sum(sizes[name][1] for name in names)


def matching(patterns: Iterable[str], names: Iterable[str]) -> list[str]:
    """The names that any of the shell patterns fits, sorted."""
    wanted = list(patterns)
    return sorted(name for name in names if any(fnmatchcase(name, pattern) for pattern in wanted))


def units_of(units: Iterable[str], graph: Graph, gone: Iterable[str]) -> tuple[str, ...]:
    """The units that only packages in ``gone`` have."""
    leaving = set(gone)
    return tuple(unit for unit in units if (owners := _unit_owners(unit, graph)) and owners <= leaving)


def _solve(asked: tuple[str, ...], recipe: Recipe, content: Content, rpm_set: RpmSet, tools: Tools) -> Departure:
    grouped = expand_groups(content.comps(tools), recipe.groups, str(recipe.files[0]))
    with tempfile.TemporaryDirectory() as scratch:
        dnf = Dnf(tools, content, recipe, Path(scratch))
        optional = install_words(_without(recipe, asked, (), ()), grouped)
        unmet = _solved_without(dnf, ["--setopt=strict=0", *optional], asked).unmet
        entries = tuple(word for word in recipe.packages if word in unmet)
        reduced = _without(recipe, asked, entries, [name for name in grouped if name in unmet])
        solved = _solved_without(dnf, install_words(reduced, grouped), asked).packages
    locked = {package.name: package for package in rpm_set.lock.packages}
    gone = sorted(locked.keys() - solved.keys())
    graph = graph_of(rpm_set, tools, weak_dependencies=recipe.weak_dependencies)
    stays = [(locked[name].nevra, solved[name].nevra) for name in sorted(locked.keys() & solved.keys())]
    return Departure(
        asked=asked,
        leaves=tuple(locked[name] for name in gone),
        comes=tuple(solved[name] for name in sorted(solved.keys() - locked.keys())),
        changed=tuple((now, then) for now, then in stays if now != then),
        entries=entries,
        members=tuple(name for name in grouped if name in gone),
        units=units_of((*recipe.enabled_units, *recipe.disabled_units), graph, gone),
    )


def _without(recipe: Recipe, asked: Iterable[str], entries: Iterable[str], members: Iterable[str]) -> Recipe:
    taken_out = set(entries)
    return replace(
        recipe,
        packages=tuple(word for word in recipe.packages if word not in taken_out),
        excludes=tuple(dict.fromkeys((*recipe.excludes, *asked, *members))),
    )


def _solved_without(dnf: Dnf, words: Sequence[str], asked: Sequence[str]) -> Solution:
    try:
        return solve(dnf, words)
    except CommandError as error:
        if error.status != 1:  # anything else is not dnf's own verdict
            raise
        raise WorkbookError(
            f"dnf found no solution for content {dnf.content.name!r} without {_listed(asked)}",
            log=error.log,
            hint="read dnf's reason above; if a mirror was not reached, run again",
        ) from None


def _groups_expanded(packages: Iterable[str], content: Content, rpm_set: RpmSet, tools: Tools) -> set[str]:
    """The words, each group replaced by what the set has of it."""
    words = set(packages)
    groups = [word.removeprefix("@") for word in words if word.startswith("@")]
    members = expand_groups(content.comps(tools), groups, "what would leave") if groups else []
    in_set = {package.name for package in rpm_set.lock.packages}
    asked = {word for word in words if not word.startswith("@")} | (set(members) & in_set)
    if not asked:
        raise WorkbookError(
            f"{' '.join(sorted(words)) or 'no name'}: nothing of it is in the set", hint="name a package of the set"
        )
    return asked


def _require_known(asked: Iterable[str], recipe: Recipe, content: Content, rpm_set: RpmSet, tools: Tools) -> None:
    """Each name and pattern fits a package of the set; raises WorkbookError for the first that does not."""
    in_set = [package.name for package in rpm_set.lock.packages]
    for pattern in asked:
        if not re.fullmatch(r"[^-\s,][^\s,]*", pattern):
            raise WorkbookError(f"{pattern!r} is no package name", hint="give names or shell patterns, one a word")
        if matching([pattern], in_set):
            continue
        with tempfile.TemporaryDirectory() as scratch:
            names = Dnf(tools, content, recipe, Path(scratch)).run(["-q", "repoquery", "--qf", "%{name}"]).split()
        if matching([pattern], names):
            raise WorkbookError(
                f"{pattern!r} fits no package of the set: the content has it, but it is not installed",
                hint=not_in_set(pattern, in_set).hint,
            )
        raise not_in_set(pattern, in_set)


def _read(text: str) -> Departure:
    data: dict[str, Any] = json.loads(text)
    plain = {name: tuple(data[name]) for name in ("asked", "entries", "members", "units")}
    return Departure(
        leaves=tuple(LockedPackage(**entry) for entry in data["leaves"]),
        comes=tuple(Solved(**entry) for entry in data["comes"]),
        changed=tuple((now, then) for now, then in data["changed"]),
        **plain,
    )


def _unit_owners(unit: str, graph: Graph) -> set[str]:
    """The packages that have a unit's file, or that of its template."""
    template = re.sub(r"@.*\.", "@.", unit)
    paths = [f"{directory}{name}" for directory in _UNIT_DIRECTORIES for name in {unit, template}]
    return {owner for path in paths for owner in graph.providers.get(path, ())}


def _listed(names: Sequence[str]) -> str:
    """The names; of many the first ones and their number."""
    if len(names) <= _LISTED_MOST:
        return " ".join(names)
    return f"{' '.join(names[:_LISTED_MOST])} and {len(names) - _LISTED_MOST} more"
