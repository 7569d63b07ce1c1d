"""Which Debian packages the words of a recipe name, and which words have no counterpart."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from atomic_lib.base.errors import WorkbookError
from atomic_lib.content.demand import Demand
from atomic_lib.content.standin.converter import OWN_PACKAGES
from atomic_lib.content.standin.fedora_names import StandinNames

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
