"""Kickstart commands for repositories: ``url`` is the base, ``repo`` adds to it.

As in Anaconda: with ``url``, packages come from no other repositories than those that the kickstart names; without it,
``repo`` adds to those that the content enables. Unlike Anaconda, signatures are always checked.
"""

from dataclasses import replace

from atomic_lib.content.yum_repository import YumRepository
from atomic_lib.recipe.kickstart.kickstart_accounts import Options, RefusedError, noted
from atomic_lib.recipe.recipe import AddedFile, Recipe

BASE = "anaconda"
"""Anaconda's name of the repository that ``url`` names."""


_ON_A_MEDIUM = "file:///run/install/"
"""Where Anaconda mounts the medium that it installs from."""


def url(recipe: Recipe, given: Options) -> Recipe:
    """Take packages from this repository, and from those of ``repo``."""
    if (given.get("url") or "").startswith(_ON_A_MEDIUM):
        return _of_the_medium(recipe, "url", given)
    return _with_repository(recipe, "url", _repository(BASE, given))


def repo(recipe: Recipe, given: Options) -> Recipe:
    """Add a repository with an address, or enable one of the content by its name."""
    name = given.pop("name", None)
    if not name:
        raise RefusedError("needs --name=REPOSITORY")
    install = given.pop("install", False)
    if given.get("ignoregroups") is False:  # as without the option
        del given["ignoregroups"]
    if not any(given.get(dest) for dest in ("baseurl", "mirrorlist", "metalink")):
        if given or install:
            recipe = noted(
                recipe, f"repo {name}: only enabled; as in Anaconda, options need an address in the same line"
            )
        given.clear()
        return replace(recipe, extra_repos=tuple(dict.fromkeys([*recipe.extra_repos, name])))
    if (given.get("baseurl") or "").startswith(_ON_A_MEDIUM):
        return _of_the_medium(recipe, f"repo {name}", given)
    repository = _repository(name, given)
    recipe = _with_repository(recipe, f"repo {name}", repository)
    return _with_repository_file(recipe, repository) if install else recipe


def _of_the_medium(recipe: Recipe, what: str, given: Options) -> Recipe:
    """The recipe as with ``cdrom``."""
    given.clear()
    return noted(recipe, f"{what} has no effect: it is on the medium of an installer, but packages come from the "
                         "variant's content")  # fmt: skip


def with_base(recipe: Recipe) -> Recipe:
    """The recipe after all lines: ``url`` leaves only the repositories that they name, and shares its proxy."""
    base = next((one for one in recipe.repositories if one.name == BASE), None)
    if base is None:
        return recipe
    repositories = tuple(replace(one, proxy=one.proxy or base.proxy) for one in recipe.repositories)
    names = dict.fromkeys([*(one.name for one in repositories), *recipe.extra_repos])
    return replace(recipe, repositories=repositories, repos=tuple(names), extra_repos=())


def _repository(name: str, given: Options) -> YumRepository:
    address = given.pop("baseurl", None) or given.pop("url", None)
    proxy = given.pop("proxy", None) or ""
    repository = YumRepository(
        name=name,
        source="",
        baseurl=(address,) if address else (),
        mirrorlist=given.pop("mirrorlist", None) or "",
        metalink=given.pop("metalink", None) or "",
        cost=given.pop("cost", None) or None,
        includepkgs=tuple(given.pop("includepkgs", None) or ()),
        excludepkgs=tuple(given.pop("excludepkgs", None) or ()),
        proxy=proxy if "://" in proxy or not proxy else f"http://{proxy}",
        sslverify=not given.pop("noverifyssl", False),
    )
    if problem := repository.problem():
        raise RefusedError(problem)
    return repository


def _with_repository(recipe: Recipe, what: str, repository: YumRepository) -> Recipe:
    others = tuple(one for one in recipe.repositories if one.name != repository.name)
    if len(others) < len(recipe.repositories):
        recipe = noted(recipe, f"{what} replaces that of an earlier line")
    if not repository.sslverify:
        recipe = noted(recipe, f"{what} --noverifyssl: the signatures of packages are checked all the same")
    return replace(recipe, repositories=(*others, repository))


def _with_repository_file(recipe: Recipe, repository: YumRepository) -> Recipe:
    """The recipe with the file of a repository in the tree; as in Anaconda, it names no key."""
    options = {"name": repository.name, "enabled": 1, **repository.options()}
    lines = [f"{option} = {_written(value)}" for option, value in options.items()]
    text = "\n".join([f"[{repository.name}]", *lines]) + "\n"
    file = AddedFile(f"etc/yum.repos.d/{repository.name}.repo", 0o100644, text.encode())
    others = tuple(one for one in recipe.added_files if one.path != file.path)
    return replace(recipe, added_files=(*others, file))


def _written(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(value)
    return str(int(value) if isinstance(value, bool) else value)
