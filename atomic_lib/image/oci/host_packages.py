"""The packages of a container image: those of the host's lock, as the same files, before any other.

If the host's RPM set has all that the recipe needs, the packages come from it alone. Otherwise what it lacks comes from
the host's content, and what it has still comes from nowhere else.
"""

import json
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.stage import Stage
from atomic_lib.base.store import key_of
from atomic_lib.content.repositories import REPOSITORIES, Content
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.dnf_run import Dnf, install_words
from atomic_lib.solve.lock import Lock, LockedPackage
from atomic_lib.solve.resolve import resolve_rpm_set
from atomic_lib.solve.rpm_set import RpmSet
from atomic_lib.solve.solver import solve
from atomic_lib.tools.context import Context

HOST = "workbook-host"
"""The name of the repository that the host's RPM set is."""
_ANSWER = "answer.json"


@dataclass(frozen=True)
class ContainerPackages:
    """The packages of a container image, with the recipe and the content that they were resolved for."""

    recipe: Recipe
    content: Content
    rpm_set: RpmSet


def resolve_beside_host(
    recipe: Recipe,
    content: Content,
    host: RpmSet,
    context: Context,
    *,
    name: str,
    adapted: Callable[[], tuple[Recipe, Content]],
) -> ContainerPackages:
    """The packages of a container's recipe. ``content`` is the host's; ``name``: of the container, for progress lines.

    ``adapted``: the recipe and the content for packages that the host does not have; called only if they are needed.

    Raises WorkbookError as ``resolve_rpm_set`` does, and if the host deploys a commit, which has no RPM files.
    """
    if host.lock.commit:
        raise WorkbookError(
            f"{recipe.files[0]}: the host deploys a commit, so there are no RPM files to make a container of",
            hint="leave `container` empty, or name the variant that composes the commit",
        )
    of_host, packages_of_host = without_repositories(recipe), only_host(content, host)
    if _suffices(_Question(name, of_host, packages_of_host, host.key), context):
        made = resolve_rpm_set(of_host, packages_of_host, context, name=name, lock_file=None)
    else:
        recipe, content = adapted()
        names = tuple(sorted({package.name for package in host.lock.packages}))
        repos = (*recipe.repos, HOST) if recipe.repos else ()
        beside = replace(recipe, repo_packages=(*recipe.repo_packages, (HOST, names)), repos=repos)
        made = resolve_rpm_set(beside, with_host(content, host), context, name=name, lock_file=None)
    require_files_of_host(made.lock, host.lock)
    return ContainerPackages(recipe, content, made)


def with_host(content: Content, host: RpmSet) -> Content:
    """The content with one more repository: the RPM set of the host."""
    return replace(
        content,
        key=key_of({"content": content.key, HOST: host.key}),
        repo_text=f"{content.repo_text.rstrip()}\n\n{_section(content, host)}",
        local={**content.local, HOST: host.directory.parent},
    )


def only_host(content: Content, host: RpmSet) -> Content:
    """The content with only one repository: the RPM set of the host."""
    return replace(
        content,
        key=key_of({HOST: host.key}),
        repo_text=_section(content, host),
        local={HOST: host.directory.parent},
        remote=False,
        dnf_cache=None,
    )


def without_repositories(recipe: Recipe) -> Recipe:
    """The recipe without repositories that it names or brings along."""
    return replace(recipe, repos=(), extra_repos=(), repositories=(), repo_packages=(), lockfile_repos=())


def _section(content: Content, host: RpmSet) -> str:
    """The yum configuration of the host's RPM set. dnf checks its packages with the keys that signed them."""
    keys = [f"file://{REPOSITORIES}/{HOST}/keys/{key.name}" for key in sorted(host.keys.glob("*.asc"))]
    lines = (
        f"[{HOST}]",
        f"name={HOST}",
        f"baseurl=file://{REPOSITORIES}/{HOST}/{host.directory.name}",
        "enabled=1",
        "gpgcheck=1",
        f"gpgkey={' '.join([*content.key_urls, *keys])}",
    )
    return "\n".join(lines) + "\n\n"


@dataclass(frozen=True)
class _Question:
    """Whether ``content``, which is only the RPM set with the key ``host``, has all that a recipe needs."""

    name: str
    recipe: Recipe
    content: Content
    host: str


def _suffices(question: _Question, context: Context) -> bool:
    stored = SUFFICIENCY.get(question, context)
    return bool(json.loads((stored.path / _ANSWER).read_text()))


def _inputs(question: _Question, _: Context) -> dict[str, object]:
    recipe = question.recipe
    return {
        "host": question.host,  # by this key, pruning removes the answer with the RPM set
        "words": install_words(recipe, ()),
        "weak_dependencies": recipe.weak_dependencies,
        "releasever": question.content.releasever,
    }


def _make(question: _Question, context: Context, directory: Path) -> None:
    with tempfile.TemporaryDirectory(dir=directory) as scratch:
        dnf = Dnf(context.tools, question.content, question.recipe, Path(scratch))
        try:
            solve(dnf, install_words(question.recipe, ()))
            answer = True
        except CommandError as error:
            if error.status != 1:  # dnf's status for errors of its own: all else is no answer, and must not be stored
                raise
            answer = False  # the content of the host may have what is missing; if not, that is the error
    (directory / _ANSWER).write_text(json.dumps(answer))


SUFFICIENCY = Stage(
    "host-suffices", _make, _inputs, title=lambda question: f"{question.name}: look for packages of the host"
)


def require_files_of_host(container: Lock, host: Lock) -> None:
    """Raise WorkbookError with a line for each package that the host has only as another file."""
    of_host: dict[str, list[str]] = defaultdict(list)
    for package in host.packages:
        of_host[package.name].append(_file_of(package))
    others = [
        f"{_file_of(package)}: the host's lock has {', '.join(of_host[package.name])}"
        for package in container.packages
        if package.name in of_host and _file_of(package) not in of_host[package.name]
    ]
    if others:
        raise WorkbookError("\n".join(others), hint="leave the package out of the container's treefile")


def _file_of(package: LockedPackage) -> str:
    return f"{package.nevra} (sha256 {package.sha256})"
