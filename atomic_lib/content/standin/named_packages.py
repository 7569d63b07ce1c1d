"""Which Debian packages the words of a recipe name; unknown ones are one error."""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from fnmatch import filter as matching

from atomic_lib.base.errors import WorkbookError
from atomic_lib.content.demand import Demand
from atomic_lib.content.standin.converter import OWN_PACKAGES
from atomic_lib.content.standin.package_index import PackageIndex

_PATTERN = re.compile(r"[*?\[]")
_ARCHITECTURE = re.compile(r"\.(?:x86_64|noarch)$")
_MOST_MATCHES = 1000
"""How many packages one pattern may match: apt and dnf take all of them as arguments."""
_MOST_HINTS = 10
"""For how many unknown words similar names are looked for: half a second each."""
_LEFT_TO_DNF = ("/", "(", "system-release")
"""How the words begin that the index cannot tell: paths, rich dependencies, capabilities of our own."""


def named_packages(words: Iterable[str], demand: Demand, index: PackageIndex, content: str) -> list[str]:
    """The packages that ``words`` name, sorted: names, names that packages provide, and patterns.

    Words that the index cannot tell are left to dnf. Raises WorkbookError that names all unknown words, with the
    places and similar names, and for a pattern that matches too many packages.
    """
    found: set[str] = set()
    unknown = []
    for word in words:
        if word.startswith(_LEFT_TO_DNF) or word in OWN_PACKAGES:
            continue
        packages = list(_packages_of(word, index))
        if len(packages) > _MOST_MATCHES:
            raise WorkbookError(
                f"{demand.place_of(word) or demand.source}: {word!r} matches {len(packages)} packages of content "
                f"{content!r}",
                hint=f"name the packages, or use patterns that match at most {_MOST_MATCHES} each",
            )
        found.update(packages)
        if not packages:
            unknown.append(word)
    if unknown:
        raise _unknown_packages(unknown, demand, index, content)
    return sorted(found)


def _packages_of(word: str, index: PackageIndex) -> Iterator[str]:
    if _PATTERN.search(word):
        yield from matching(index.names, word)
        return
    name = re.split(r"\s|[<>=]", word)[0]
    for spelling in dict.fromkeys((name, _ARCHITECTURE.sub("", name))):
        if spelling in index.names or spelling in index.provided:
            yield spelling
            return


def _unknown_packages(words: list[str], demand: Demand, index: PackageIndex, content: str) -> WorkbookError:
    lines = [f"{demand.place_of(word) or demand.source}: content {content!r} has no package {word!r}" for word in words]
    similar = {word: get_close_matches(word, index.names, n=3, cutoff=0.75) for word in words[:_MOST_HINTS]}
    hints = "; ".join(f"{', '.join(names)} for {word}" for word, names in similar.items() if names)
    names = f"name{'s' if len(words) > 1 else ''}{f' ({hints})' if hints else ''}"
    return WorkbookError("\n".join(lines), hint=f"correct the {names}, or choose another content (--content NAME)")
