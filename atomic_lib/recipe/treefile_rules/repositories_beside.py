"""The repositories of a treefile: those in the ``.repo`` files of its directory, as in rpm-ostree."""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from atomic_lib.content.repository_files import RepositorySection, read_repositories
from atomic_lib.content.yum_repository import YumRepository
from atomic_lib.recipe.source import read_text, require_within
from atomic_lib.recipe.treefile_keys import Values
from atomic_lib.recipe.treefile_rules.findings import Findings


def repositories_beside(path: Path, values: Values, roots: Sequence[Path], findings: Findings) -> list[YumRepository]:
    """The repositories in ``*.repo`` beside the treefile ``path`` that it uses; problems are added to the findings.

    It uses those that it names. If it has no ``repos``, it uses all that are enabled, too.
    """
    named = set(_names(values))
    used: dict[str, YumRepository] = {}
    for file in sorted(path.parent.glob("*.repo")):
        found = findings.attempt("", partial(_read, file, values.get("repovars", {}), roots)) or ()
        before = len(used)
        for one in found:
            if one.id in named or (not values.get("repos") and findings.attempt("", lambda one=one: one.enabled)):  # type: ignore[misc]
                _use(one, used, findings)
        if len(used) > before:
            findings.files.append(file)
    return list(used.values())


def _use(section: RepositorySection, used: dict[str, YumRepository], findings: Findings) -> None:
    if section.id in used:
        findings.refuse(f"{section.source}: [{section.id}]: {used[section.id].source} has a repository of this id, too",
                        "remove one of the two")  # fmt: skip
        return
    repository = findings.attempt("", section.repository)
    if repository:
        used[section.id] = repository
        findings.notes += findings.attempt("", section.notes) or []


def _read(file: Path, variables: dict[str, str], roots: Sequence[Path]) -> tuple[RepositorySection, ...]:
    require_within(file, roots, "")
    return read_repositories(read_text(file), file, variables)


def _names(values: Values) -> Iterable[str]:
    yield from values.get("repos", ())
    yield from values.get("lockfile-repos", ())
    for repo, _ in values.get("repo-packages", ()):
        yield repo
