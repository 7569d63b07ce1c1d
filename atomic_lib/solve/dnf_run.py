"""Runs dnf in the tools tree with the repositories of one content."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from atomic_lib.base.command import CommandError
from atomic_lib.content.dnf import DNF_CACHE, DNF_DIRECTORY, dnf_configuration, repository_error
from atomic_lib.content.local_rpms import LOCAL
from atomic_lib.content.repositories import Content
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.words import EXCLUDED, require_words
from atomic_lib.tools.sandbox import Bind, Tools

INSTALLROOT = "/mnt/root"


@dataclass(frozen=True)
class Dnf:
    """dnf with the repositories of one content; ``directory`` holds its configuration and caches."""

    tools: Tools
    content: Content
    recipe: Recipe
    directory: Path
    hidden: Sequence[str] = ()
    """NEVRAs that dnf does not see in any repository."""
    locked: Sequence[str] | None = None
    """The only NEVRAs that come from the recipe's ``lockfile_repos``, which are not used at all if this is None."""

    def run(
        self, words: Sequence[str], *, binds: Sequence[Bind] = (), pinned: Sequence[tuple[str, Sequence[str]]] = ()
    ) -> str:
        """Run dnf with the arguments ``words``; returns its standard output.

        ``pinned``: more packages that one repository only may provide, as in the recipe's ``repo_packages``.

        Raises WorkbookError naming a local repository that was changed, and CommandError for all other errors.
        """
        line, own = self.prepared(words, pinned=pinned)
        try:
            return self.tools.run(line, binds=[*own, *binds], rights="root", network=self.content.remote).stdout
        except CommandError as error:
            raise repository_error(error, self.content.local) from None

    def prepared(
        self, words: Sequence[str], *, pinned: Sequence[tuple[str, Sequence[str]]] = ()
    ) -> tuple[list[str], list[Bind]]:
        """dnf's command line with the arguments ``words``, and what it sees; its configuration is written first."""
        (self.directory / "config").mkdir(exist_ok=True)
        (self.directory / "root").mkdir(exist_ok=True)
        configuration = dnf_configuration(
            weak_dependencies=self.recipe.weak_dependencies, documentation=self.recipe.documentation
        )
        # in the file, because the list can be longer than a command line
        hidden = f"excludepkgs={','.join(self.hidden)}\n" if self.hidden else ""
        (self.directory / "config/dnf.conf").write_text(configuration + hidden)
        (self.directory / "config/all.repo").write_text(self.content.repo_text)
        cache = self.content.dnf_cache or self.directory / "cache"
        cache.mkdir(exist_ok=True)
        binds = [
            Bind(self.directory / "config", DNF_DIRECTORY),
            Bind(self.directory / "root", INSTALLROOT, writable=True),
            Bind(cache, f"{INSTALLROOT}{DNF_CACHE}", writable=True),
            *self.content.binds,
        ]
        line = ["dnf", "-y", "-c", f"{DNF_DIRECTORY}/dnf.conf", f"--installroot={INSTALLROOT}",
                f"--releasever={self.content.releasever}", *self._known_indexes(), *self._repository_options(),
                *pinned_packages(self.recipe, self.content.repo_ids, pinned), *words]  # fmt: skip
        return line, binds

    def _known_indexes(self) -> list[str]:
        """dnf's options to use the indexes that the content's key was made of, and to fetch no newer ones."""
        remote = (name for name in self.content.repo_ids if name not in self.content.local)
        return [f"--setopt={name}.metadata_expire=never" for name in remote]

    def _repository_options(self) -> list[str]:
        if self.locked is None or not self.recipe.lockfile_repos:
            return enabled_repos(self.recipe, self.content.repo_ids)
        only = ",".join(self.locked) or "-"  # an empty list would include all packages
        limits = [f"--setopt={name}.includepkgs={only}" for name in self.recipe.lockfile_repos]
        return [*enabled_repos(self.recipe, self.content.repo_ids, locked=True), *limits]


def install_words(recipe: Recipe, group_packages: Iterable[str]) -> list[str]:
    """dnf's arguments that install the recipe's packages and ``group_packages``, without excluded packages.

    dnf keeps these words in the tree's history, so there is no ``--`` before them.

    Raises WorkbookError for a word that dnf would take for anything other than a name, a pattern or a requirement.
    """
    group_packages = tuple(group_packages)
    source = str(recipe.files[0]) if recipe.files else "recipe"
    require_words([*recipe.packages, *group_packages], source)
    require_words(recipe.excludes, source, accepted=EXCLUDED)
    from_groups = [
        name for name in group_packages if not any(fnmatchcase(name, pattern) for pattern in recipe.excludes)
    ]
    excludes = [f"--exclude={','.join(recipe.excludes)}"] if recipe.excludes else []
    return [*excludes, "install", *sorted({*recipe.packages, *from_groups})]


def pinned_packages(
    recipe: Recipe, repo_ids: Iterable[str], more: Sequence[tuple[str, Sequence[str]]] = ()
) -> list[str]:
    """dnf's options that hide the packages of the recipe's ``repo_packages``, and ``more``, in all other repositories.

    Raises WorkbookError for a word that is not the name of a package.
    """
    source = str(recipe.files[0]) if recipe.files else "recipe"
    known, options = tuple(repo_ids), []
    pinned = [*recipe.repo_packages, *more]
    for repo in known if pinned else ():
        hidden = [name for other, names in pinned if other != repo for name in names]
        require_words(hidden, f"{source}: repo-packages", accepted=EXCLUDED)
        options += [f"--setopt={repo}.excludepkgs={','.join(hidden)}"] if hidden else []
    return options


def enabled_repos(recipe: Recipe, repo_ids: Iterable[str], *, locked: bool = False) -> list[str]:
    """dnf's options that enable the repositories that the recipe names: only these, or those besides the others.

    Those of its ``lockfile_repos`` are enabled only for a set that is ``locked``; RPMs of the user's own, always.
    """
    known = tuple(repo_ids)
    names = [*recipe.repos, *(name for name in known if name == LOCAL)] if recipe.repos else []
    of_lockfile = [name for name in recipe.lockfile_repos if name not in names]
    if names or of_lockfile:
        names = names or [name for name in known if name not in of_lockfile]
        return ["--disablerepo=*", f"--enablerepo={','.join([*names, *(of_lockfile * locked)])}"]
    return [f"--enablerepo={','.join(recipe.extra_repos)}"] if recipe.extra_repos else []
