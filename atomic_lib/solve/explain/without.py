"""How a package set changes if some packages are not installed, as solved by dnf. Nothing is downloaded.

dnf solves twice. First with the packages excluded and all entries of the recipe optional,
to find the entries that cannot be kept. Then without those entries and strictly, as when
such a recipe is composed. The result is the difference between this solution and the set.
One dnf, which loads the repositories once, answers both.
"""

import json
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.stage import Stage
from atomic_lib.content.repositories import Content
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.dnf_run import Dnf, install_words
from atomic_lib.solve.explain.graph import Graph, graph_of
from atomic_lib.solve.group_members import group_members
from atomic_lib.solve.lock import LockedPackage
from atomic_lib.solve.rpm_set import RpmSet
from atomic_lib.solve.running_dnf.solver_process import running_dnf
from atomic_lib.solve.selection import groups_expanded, require_in_set
from atomic_lib.solve.solver import Solution, Solved, solve
from atomic_lib.solve.solver_errors import reason_of
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Tools

_LISTED_MOST = 5
_UNIT_DIRECTORIES = ("/usr/lib/systemd/system/", "/lib/systemd/system/", "/etc/systemd/system/")


@dataclass(frozen=True)
class Departure:
    """How a set changes if the packages ``asked`` are not installed.

    ``leaves``: packages removed. ``comes``: packages installed instead. ``changed``: the
    NEVRAs, before and after, of packages that change to another build, because only one
    build was excluded or the content has changed since the lock. Also removed: ``entries``,
    which the recipe names; ``members``, which its groups name; and ``units``, which the
    recipe enables or disables.
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
        """The packages that are not installed, abbreviated if there are many."""
        return _listed(self.asked)

    @property
    def download_bytes(self) -> int:
        """The size of the RPM files that are no longer fetched, minus the size of those fetched instead."""
        removed_bytes = sum(package.size_bytes for package in self.leaves)
        return removed_bytes - sum(package.download_bytes for package in self.comes)


@dataclass(frozen=True)
class WithoutRequest:
    """A package set, and the names and patterns of packages not to install."""

    excluded: tuple[str, ...]
    recipe: Recipe
    content: Content
    rpm_set: RpmSet


def what_leaves(
    packages: Sequence[str], context: Context, *, recipe: Recipe, content: Content, rpm_set: RpmSet
) -> Departure:
    """How ``rpm_set`` changes if ``packages`` (names, shell patterns, ``@group``) are not installed.

    Raises WorkbookError for a name or pattern that matches nothing in the set, for an unknown group, if a mirror
    cannot be reached, and if dnf finds no solution.
    """
    in_set = [package.name for package in rpm_set.lock.packages]
    excluded = tuple(groups_expanded(packages, in_set, lambda: content.comps(context.tools)))
    require_in_set(excluded, in_set, lambda: _names_in(content, recipe, context.tools))
    stored = WHAT_LEAVES.get(WithoutRequest(excluded, recipe, content, rpm_set), context)
    return _read((stored.path / "departure.json").read_text())


def _inputs(request: WithoutRequest, _: Context) -> dict[str, object]:
    recipe = request.recipe
    return {
        "asked": request.excluded,
        "lock": request.rpm_set.lock.sha256,
        "units": [recipe.enabled_units, recipe.disabled_units],
        **solved_inputs(recipe, request.content),
    }


def solved_inputs(recipe: Recipe, content: Content) -> dict[str, object]:
    """All that dnf's solution of a recipe depends on, as inputs of a stage."""
    return {
        "content": content.key,
        "releasever": content.releasever,
        "packages": recipe.packages,
        "groups": recipe.groups,
        "excludes": recipe.excludes,
        "repos": recipe.repos,
        "extra_repos": recipe.extra_repos,
        "repo_packages": recipe.repo_packages,
        "lockfile_repos": recipe.lockfile_repos,
        "weak_dependencies": recipe.weak_dependencies,
    }


def _make(request: WithoutRequest, context: Context, directory: Path) -> None:
    departure = _solve(request, context.tools)
    (directory / "departure.json").write_text(json.dumps(asdict(departure), indent=1))


WHAT_LEAVES = Stage("what-leaves", _make, _inputs, title=lambda request: f"solve without {_listed(request.excluded)}")


def recipe_without(recipe: Recipe, departure: Departure) -> Recipe:
    """The recipe that composes the changed set: without the removed entries and units, the packages excluded.

    Its scripts do not change: a script that needs a removed package will fail.
    """
    reduced = reduced_recipe(recipe, departure.asked, departure.entries, departure.members)
    return replace(
        reduced,
        enabled_units=tuple(unit for unit in recipe.enabled_units if unit not in departure.units),
        disabled_units=tuple(unit for unit in recipe.disabled_units if unit not in departure.units),
    )


def size_of_departure(departure: Departure, sizes: Mapping[str, tuple[int, int]]) -> tuple[int, int] | None:
    """Bytes and files that the removed packages have in the tree; None if ``sizes`` lacks one of the packages.

    ``sizes``: bytes and files of each package in the composed tree, by name. Changes of generated
    files (initramfs, RPM database, caches) are not included.
    """
    names = [package.name for package in departure.leaves]
    if any(name not in sizes for name in names):
        return None
    return sum(sizes[name][0] for name in names), sum(sizes[name][1] for name in names)


def units_of(units: Iterable[str], graph: Graph, gone: Iterable[str]) -> tuple[str, ...]:
    """The units whose files belong only to packages in ``gone``."""
    removed = set(gone)
    return tuple(unit for unit in units if (owners := _unit_owners(unit, graph)) and owners <= removed)


def _solve(request: WithoutRequest, tools: Tools) -> Departure:
    excluded, recipe, content, rpm_set = request.excluded, request.recipe, request.content, request.rpm_set
    members = group_members(content.comps(tools), recipe)
    in_set = {package.name for package in rpm_set.lock.packages}
    chosen = {name for name, _ in members.conditional} & set(rpm_set.words)
    grouped = sorted({*members.among(in_set, ()), *chosen})
    with running_dnf(tools, content, recipe) as dnf:
        optional = install_words(reduced_recipe(recipe, excluded, (), ()), grouped)
        unmet = _solved_without(dnf, ["--setopt=strict=0", *optional], excluded).unmet
        entries = tuple(word for word in recipe.packages if word in unmet)
        reduced = reduced_recipe(recipe, excluded, entries, [name for name in grouped if name in unmet])
        solution = _solved_without(dnf, install_words(reduced, grouped), excluded, members.conditions)
        orphaned = chosen - {name for name, condition in members.conditional if condition in solution.met}
        if orphaned:
            words = install_words(reduced, [name for name in grouped if name not in orphaned])
            solution = _solved_without(dnf, words, excluded)
        solved = solution.packages
    locked = {package.name: package for package in rpm_set.lock.packages}
    gone = sorted(locked.keys() - solved.keys())
    graph = graph_of(rpm_set, tools, weak_dependencies=recipe.weak_dependencies)
    kept = [(locked[name].nevra, solved[name].nevra) for name in sorted(locked.keys() & solved.keys())]
    return Departure(
        asked=excluded,
        leaves=tuple(locked[name] for name in gone),
        comes=tuple(solved[name] for name in sorted(solved.keys() - locked.keys())),
        changed=tuple((before, after) for before, after in kept if before != after),
        entries=entries,
        members=tuple(name for name in grouped if name in gone),
        units=units_of((*recipe.enabled_units, *recipe.disabled_units), graph, gone),
    )


def reduced_recipe(recipe: Recipe, excluded: Iterable[str], entries: Iterable[str], members: Iterable[str]) -> Recipe:
    """The recipe without ``entries``, and with ``excluded`` and ``members`` of its groups excluded."""
    removed = set(entries)
    return replace(
        recipe,
        packages=tuple(word for word in recipe.packages if word not in removed),
        excludes=tuple(dict.fromkeys((*recipe.excludes, *excluded, *members))),
    )


def _solved_without(
    dnf: Dnf, words: Sequence[str], excluded: Sequence[str], conditions: Sequence[str] = ()
) -> Solution:
    try:
        return solve(dnf, words, conditions=conditions)
    except CommandError as error:
        if error.status != 1:  # dnf's status if it finds no solution
            raise
        raise WorkbookError(
            f"dnf found no solution for content {dnf.content.name!r} without {_listed(excluded)}{reason_of(error.log)}",
            log=error.log,
            hint="read dnf's reason above; if it could not reach a mirror, run again",
        ) from None


def _names_in(content: Content, recipe: Recipe, tools: Tools) -> list[str]:
    """The names of all packages in the repositories that the recipe uses."""
    with tempfile.TemporaryDirectory() as scratch:
        return Dnf(tools, content, recipe, Path(scratch)).run(["-q", "repoquery", "--qf", "%{name}"]).split()


def _read(text: str) -> Departure:
    data: dict[str, Any] = json.loads(text)
    plain = {name: tuple(data[name]) for name in ("asked", "entries", "members", "units")}
    return Departure(
        leaves=tuple(LockedPackage(**entry) for entry in data["leaves"]),
        comes=tuple(Solved(**entry) for entry in data["comes"]),
        changed=tuple((before, after) for before, after in data["changed"]),
        **plain,
    )


def _unit_owners(unit: str, graph: Graph) -> set[str]:
    """The packages that own the file of a unit or of its template."""
    template = re.sub(r"@.*\.", "@.", unit)
    paths = [f"{directory}{name}" for directory in _UNIT_DIRECTORIES for name in {unit, template}]
    return {owner for path in paths for owner in graph.providers.get(path, ())}


def _listed(names: Sequence[str]) -> str:
    """The names as text; if there are many, the first ones and the number of the others."""
    if len(names) <= _LISTED_MOST:
        return " ".join(names)
    return f"{' '.join(names[:_LISTED_MOST])} and {len(names) - _LISTED_MOST} more"
