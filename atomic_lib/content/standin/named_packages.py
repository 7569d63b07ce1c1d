"""Which Debian packages the words of a recipe name, and which words have no counterpart.

Where a pattern matches packages of several versions, a name stands for the newest, or for the one before it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from atomic_lib.base.errors import WorkbookError
from atomic_lib.content.demand import Demand
from atomic_lib.content.standin.converter import OWN_PACKAGES
from atomic_lib.content.standin.fedora_names import Counterpart, FedoraNames, StandinNames
from atomic_lib.content.standin.package_index import PackageIndex

_PATTERN = re.compile(r"[*?\[]")
_ARCHITECTURE = re.compile(r"\.(?:x86_64|noarch)$")
_MOST_MATCHES = 1000
"""How many packages one pattern may match: apt and dnf take all of them as arguments."""
_MOST_HINTS = 10
"""For how many unknown words similar names are looked for: half a second each."""
_LEFT_TO_DNF = ("/", "(", "system-release")
"""How the words begin that the index cannot tell: paths, rich dependencies, capabilities of our own."""


@dataclass(frozen=True)
class NamedPackages:
    """The Debian packages that words stand for, sorted, and the words without any, each with similar names."""

    packages: tuple[str, ...]
    missing: tuple[tuple[str, tuple[str, ...]], ...]


def named_packages(words: Iterable[str], demand: Demand, names: StandinNames, content: str) -> NamedPackages:
    """The packages that ``words`` name: Fedora's names, Debian's, names that packages provide, and patterns.

    Words that the index cannot tell are left to dnf. Raises WorkbookError for a pattern that matches too many packages.
    """
    found: set[str] = set()
    missing = []
    for word in words:
        if word.startswith(_LEFT_TO_DNF) or word in OWN_PACKAGES:
            continue
        packages = list(_packages_of(word, names))
        if len(packages) > _MOST_MATCHES:
            raise WorkbookError(
                f"{demand.place_of(word) or demand.source}: {word!r} matches {len(packages)} packages of content "
                f"{content!r}",
                hint=f"name the packages, or use patterns that match at most {_MOST_MATCHES} each",
            )
        found.update(packages)
        if not packages:
            missing.append(word)
    known = sorted(names.known) if missing else []
    similar = {word: tuple(get_close_matches(word, known, n=3, cutoff=0.85)) for word in missing[:_MOST_HINTS]}
    return NamedPackages(
        tuple(sorted(found - set(OWN_PACKAGES))), tuple((word, similar.get(word, ())) for word in missing)
    )


def known_packages(words: Iterable[str], names: StandinNames) -> list[str]:
    """The packages of those ``words`` that the index has; what it cannot tell, or has not, is left out."""
    told = [word for word in words if not word.startswith(_LEFT_TO_DNF) and word not in OWN_PACKAGES]
    return sorted({package for word in told for package in names.packages_of(word)} - set(OWN_PACKAGES))


def _packages_of(word: str, names: StandinNames) -> Iterator[str]:
    if _PATTERN.search(word):
        yield from names.packages_of(word)
        return
    name = re.split(r"\s|[<>=]", word)[0]
    for spelling in dict.fromkeys((name, _ARCHITECTURE.sub("", name))):
        if found := list(names.packages_of(spelling)):
            yield from found
            return


def older_names(names: FedoraNames, index: PackageIndex, older: Iterable[str]) -> FedoraNames:
    """``names``, of which ``older`` stand for the package before the newest that matches their pattern.

    So does each name of that newest package. A name whose package requires it becomes one that the older package
    provides, since the suite has no earlier version of what requires it.

    Raises WorkbookError for a name of which the suite has one package only.
    """
    for name in older:
        names = _with_older(names, index, name)
    return names


def _with_older(names: FedoraNames, index: PackageIndex, name: str) -> FedoraNames:
    newest = _package_of(name, names, index)
    rest = PackageIndex({file: text for file, text in index.paragraphs.items() if file.partition("_")[0] != newest})
    older = _package_of(name, names, rest)
    if older in {"", newest}:  # a name without a pattern stands for one package
        raise WorkbookError(
            f"the suite has one package for {name} ({newest or 'none'}), so there is no older one",
            hint="take the packages of version 1 from a lock of an earlier run: --change from:FILE",
        )
    requiring = _requiring(newest, index)
    standin = StandinNames(names, index)
    changed = {
        one: _by_older(counterpart, older, itself=package == newest)
        for one, counterpart in names.names.items()
        for package in standin.packages_of(one)
        if package in {newest, *requiring}
    }
    return names.model_copy(update={"names": {**names.names, **changed}})


def _package_of(name: str, names: FedoraNames, index: PackageIndex) -> str:
    return next(StandinNames(names, index).packages_of(name), "")


def _requiring(package: str, index: PackageIndex) -> set[str]:
    """The packages that require this one, and no other in its place."""
    mentioned = (index.package(file) for file, text in index.paragraphs.items() if f" {package}" in text)
    return {one.name for one in mentioned if package in {group[0].name for group in one.requires if len(group) == 1}}


def _by_older(counterpart: Counterpart, older: str, *, itself: bool) -> Counterpart:
    """The counterpart, of which the older package has the name or, if it is not ``itself`` the newest, provides it."""
    key = "package" if counterpart.package and itself else "provided_by"
    return counterpart.model_copy(update={"package": "", "provided_by": "", key: older})
