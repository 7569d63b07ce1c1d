"""The packages of a recipe's groups that are installed.

As in dnf: a package that no repository has is skipped, and a conditional one is installed if the package that it
belongs to is.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from atomic_lib.base.progress import say
from atomic_lib.content.comps import Comps, conditional_packages, expand_groups
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.dnf_run import Dnf, install_words
from atomic_lib.solve.solver import solve


@dataclass(frozen=True)
class GroupMembers:
    """What the groups of a recipe name: packages, and conditional ones, each with the package that it belongs to."""

    packages: tuple[str, ...]
    conditional: tuple[tuple[str, str], ...] = ()

    @property
    def conditions(self) -> list[str]:
        """What conditional packages belong to: names of packages, or what packages provide."""
        return sorted({condition for _, condition in self.conditional})

    def among(self, names: Collection[str], provided: Collection[str]) -> list[str]:
        """The members that are installed if the packages ``names`` are, which provide ``provided``."""
        met = [name for name, condition in self.conditional if condition in provided]
        return sorted({name for name in (*self.packages, *met) if name in names})


def group_members(comps: Iterable[Comps], recipe: Recipe) -> GroupMembers:
    """What the recipe's groups name; raises WorkbookError for a group that ``comps`` does not have."""
    known, source = list(comps), str(recipe.files[0]) if recipe.files else "recipe"
    packages = expand_groups(known, recipe.groups, source)
    conditional = conditional_packages(known, recipe.groups, source)
    return GroupMembers(tuple(packages), tuple(pair for pair in conditional if pair[0] not in packages))


def members_to_install(dnf: Dnf, members: GroupMembers) -> list[str]:
    """The members that dnf installs with the recipe's packages.

    Raises CommandError if dnf finds no solution.
    """
    if not members.packages and not members.conditional:
        return []
    available = set(dnf.run(["-q", "repoquery", "--qf", "%{name}"]).split())
    if missing := [name for name in members.packages if name not in available]:
        say(f"! {dnf.recipe.files[0]}: skipped, because content {dnf.content.name!r} does not have it although a group "
            f"names it: {', '.join(missing)}")  # fmt: skip
    packages = [name for name in members.packages if name in available]
    return [*packages, *_conditional(dnf, packages, [pair for pair in members.conditional if pair[0] in available])]


def _conditional(dnf: Dnf, packages: Sequence[str], conditional: Sequence[tuple[str, str]]) -> list[str]:
    """The conditional packages whose condition the solution with them meets, found by solving until no more are met."""
    chosen: list[str] = []
    while waiting := [pair for pair in conditional if pair[0] not in chosen]:
        words = install_words(dnf.recipe, [*packages, *chosen])
        met = solve(dnf, words, conditions=sorted({condition for _, condition in waiting})).met
        found = sorted({name for name, condition in waiting if condition in met})
        if not found:
            break
        chosen += found
    return chosen
