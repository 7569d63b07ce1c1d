"""The packages of a recipe as dnf resolves them now, with their sizes, chains and files. Nothing is downloaded."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property

from atomic_lib.base.command import CommandError
from atomic_lib.content.comps import Comps
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.dnf_run import install_words
from atomic_lib.solve.explain.graph import Graph, Link, make_graph
from atomic_lib.solve.explain.why import Chain, entries_of, shortest_chains, why
from atomic_lib.solve.explain.without import reduced_recipe
from atomic_lib.solve.group_members import GroupMembers, group_members, members_to_install
from atomic_lib.solve.resolve import require_fitting
from atomic_lib.solve.running_dnf.described import Described
from atomic_lib.solve.running_dnf.solver_process import RunningDnf
from atomic_lib.solve.solver import Solved, solve
from atomic_lib.solve.solver_errors import solver_error


@dataclass(frozen=True)
class Prediction:
    """What a compose of ``recipe`` would install.

    ``removed``: entries of the recipe that cannot stay, because they need what is excluded. ``lifted``: patterns of
    ``exclude-packages`` that do not hold, because the recipe requires what they exclude; they are no longer in
    ``recipe``. ``described`` and ``packages`` are by name.
    """

    recipe: Recipe
    packages: Mapping[str, Solved]
    described: Mapping[str, Described]
    comps: tuple[Comps, ...]
    removed: tuple[str, ...] = ()
    lifted: tuple[str, ...] = ()

    @property
    def download_bytes(self) -> int:
        """The size of the RPM files."""
        return sum(package.download_bytes for package in self.packages.values())

    def installed_bytes_of(self, name: str) -> int:
        """The size of a package's files by its RPM, without the documentation and languages that the recipe leaves out.

        Where the file of the RPM is not on this machine: by the index, with all of them.
        """
        content = self.described[name].content
        if content is None:
            return self.packages[name].installed_bytes
        chosen = self.recipe.documentation, self.recipe.languages
        return sum(one.size_bytes for one in content if one.is_installed(*chosen))

    @property
    def installed_bytes(self) -> int:
        """The size of all packages' files; what the compose itself makes is not in it."""
        return sum(map(self.installed_bytes_of, self.packages))

    @cached_property
    def graph(self) -> Graph:
        """Which package requires which."""
        return make_graph(
            (one.package for one in self.described.values()), weak_dependencies=self.recipe.weak_dependencies
        )

    @cached_property
    def entries(self) -> tuple[Link, ...]:
        """The packages that the recipe names, directly or through groups."""
        return entries_of(self.graph, self.recipe, self.comps)

    @cached_property
    def chains(self) -> Mapping[str, Chain]:
        """The shortest chain from the recipe to each package, by name."""
        return shortest_chains(self.graph, self.entries)

    def why(self, name: str, *, limit: int = 5) -> tuple[Chain, ...]:
        """The chains to a package, the shortest first; raises WorkbookError if it is not in the set."""
        return why(self.graph, self.entries, name, limit=limit)


def predict(
    dnf: RunningDnf,
    comps: Iterable[Comps],
    known: dict[str, Described],
    *,
    excluded: tuple[str, ...] = (),
    lift: bool = True,
) -> Prediction:
    """What a compose of dnf's recipe would install without the packages ``excluded`` (names and patterns).

    ``known``: descriptions by NEVRA, to which new ones are added. If there is no solution because of the recipe's own
    ``exclude-packages``, those that exclude what is required are lifted, or with ``lift=False`` that is the error that
    a compose gives.

    Raises WorkbookError for a package or group that the content does not have, and if dnf finds no solution.
    """
    groups = tuple(comps)
    members = _members(dnf, groups)
    try:
        found = _solution(dnf, members, excluded)
    except CommandError as error:
        if not lift:
            raise solver_error(dnf, error) from None
        found = _without_own_excludes(dnf, members, excluded, error)
    described = described_packages(dnf.describe, found.packages, known)
    lifted = tuple(pattern for pattern in dnf.recipe.excludes if pattern not in found.recipe.excludes)
    return Prediction(found.recipe, found.packages, described, groups, found.removed, lifted)


@dataclass(frozen=True)
class Resolved:
    """What dnf resolves ``recipe`` to: packages by name. ``removed``: entries that it lost, as in ``Prediction``."""

    recipe: Recipe
    packages: Mapping[str, Solved]
    removed: tuple[str, ...] = ()


def resolve(dnf: RunningDnf, comps: Iterable[Comps], *, excluded: tuple[str, ...] = ()) -> Resolved:
    """The packages of dnf's recipe without the packages ``excluded``, which nothing describes.

    Raises CommandError if dnf finds no solution, otherwise as ``predict``.
    """
    return _solution(dnf, _members(dnf, tuple(comps)), excluded)


def described_packages(
    describe: Callable[[Collection[str]], dict[str, Described]],
    packages: Mapping[str, Solved],
    known: dict[str, Described],
) -> Mapping[str, Described]:
    """The descriptions of packages, by name; ``known``: those by NEVRA, to which what is not known is added."""
    new = {package.nevra for package in packages.values()} - known.keys()
    known |= describe(new) if new else {}
    return {name: known[package.nevra] for name, package in packages.items()}


def _members(dnf: RunningDnf, comps: tuple[Comps, ...]) -> GroupMembers:
    require_fitting(dnf.recipe, dnf.content)
    return group_members(comps, dnf.recipe)


def _solution(dnf: RunningDnf, members: GroupMembers, excluded: tuple[str, ...]) -> Resolved:
    """dnf's solution without ``excluded``, as ``what_leaves`` finds it; raises CommandError if there is none."""
    recipe = dnf.recipe
    grouped = members_to_install(dnf, members)
    if not excluded:
        return Resolved(recipe, solve(dnf, install_words(recipe, grouped)).packages)
    if found := _without_named(dnf, grouped, excluded):
        return found
    optional = install_words(reduced_recipe(recipe, excluded, (), ()), grouped)
    unmet = solve(dnf, ["--setopt=strict=0", *optional]).unmet
    removed = tuple(word for word in recipe.packages if word in unmet)
    reduced = reduced_recipe(recipe, excluded, removed, [name for name in grouped if name in unmet])
    return Resolved(reduced, solve(dnf, install_words(reduced, grouped)).packages, removed)


def _without_named(dnf: RunningDnf, grouped: Sequence[str], excluded: tuple[str, ...]) -> Resolved | None:
    """The solution without ``excluded`` if only entries that name what is excluded have to go; None otherwise.

    It saves one of dnf's two solutions: if all other entries can be installed together, none of them would be left
    out if they were optional, as libsolv leaves out an optional one only where there is no solution with it.
    """
    recipe = dnf.recipe
    without = reduced_recipe(recipe, excluded, (), ())
    unmatched = dnf.unmatched(install_words(without, grouped))
    removed = tuple(word for word in recipe.packages if word in unmatched)
    if not removed or len(unmatched) > len(set(removed)):
        return None
    reduced = reduced_recipe(recipe, excluded, removed, ())
    try:
        solution = solve(dnf, install_words(reduced, grouped))
    except CommandError as error:
        if error.status != 1:  # dnf's status if it finds no solution
            raise
        return None
    return None if solution.unmet else Resolved(reduced, solution.packages, removed)


def _without_own_excludes(
    dnf: RunningDnf, members: GroupMembers, excluded: tuple[str, ...], error: CommandError
) -> Resolved:
    """The solution with only those of the recipe's excludes that can hold; raises the reason of ``error`` if none."""
    recipe = dnf.recipe
    try:
        if not recipe.excludes:
            raise error
        freed = _solution(replace(dnf, recipe=replace(recipe, excludes=())), members, excluded)
        names = freed.packages.keys()
        kept = tuple(one for one in recipe.excludes if not any(fnmatchcase(name, one) for name in names))
        return _solution(replace(dnf, recipe=replace(recipe, excludes=kept)), members, excluded)
    except CommandError:
        raise solver_error(dnf, error) from None


@dataclass(frozen=True)
class PredictedChanges:
    """How a prediction differs from another: packages ``left``, ``came``, and ``changed`` to another build, by name."""

    before: Prediction
    after: Prediction

    @property
    def removed(self) -> list[str]:
        """The packages that only the first has, the largest first."""
        return _largest_first(self.before, self.before.packages.keys() - self.after.packages.keys())

    @property
    def added(self) -> list[str]:
        """The packages that only the second has, the largest first."""
        return _largest_first(self.after, self.after.packages.keys() - self.before.packages.keys())

    @property
    def changed(self) -> list[str]:
        """The packages that both have, in different builds."""
        both = self.before.packages.keys() & self.after.packages.keys()
        return sorted(name for name in both if self.before.packages[name].nevra != self.after.packages[name].nevra)


def _largest_first(prediction: Prediction, names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: (-prediction.installed_bytes_of(name), name))
