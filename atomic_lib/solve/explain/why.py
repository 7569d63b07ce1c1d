"""Why a package is in a set: chains of requirements from an entry of the recipe to the package."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches
from fnmatch import fnmatchcase

from atomic_lib.base.errors import WorkbookError
from atomic_lib.content.comps import Comps
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.explain.graph import Graph, Link, Package, make_graph
from atomic_lib.solve.group_members import group_members

Chain = tuple[Link, ...]
"""The links from an entry of the recipe to a package."""

_FORM = "package %{name}\nrequires\n%{requires}\nprovides\n%{provides}\nend"


def entries_of(graph: Graph, recipe: Recipe, comps: Iterable[Comps] = ()) -> tuple[Link, ...]:
    """The packages that the recipe names, as dnf interprets its words, and the packages of its groups.

    Raises WorkbookError for a group that is not in ``comps``.
    """
    named = _named_entries(graph, recipe.packages)
    known = list(comps)
    unwanted = [group for group in recipe.groups if group.startswith("-")]
    grouped = [
        Link("group", name, f"@{group}")
        for group in recipe.groups
        for name in group_members(known, replace(recipe, groups=(group, *unwanted))).among(
            graph.packages, graph.providers
        )
    ]
    return (*named, *grouped)


def shortest_chains(graph: Graph, entries: Iterable[Link]) -> dict[str, Chain]:
    """The shortest chain to each package that the entries lead to, by name; short chains first."""
    return _chains(graph, entries, "")


def why(graph: Graph, entries: Iterable[Link], name: str, *, limit: int = 5) -> tuple[Chain, ...]:
    """The chains to a package, the shortest first: one for each entry and for each package that requires it.

    Raises WorkbookError for a package that is not in the set.
    """
    if name not in graph.packages:
        raise not_in_set(name, graph.packages)
    entries = list(entries)
    chains: list[Chain] = [(entry,) for entry in entries if entry.package == name]
    for before, chain in _chains(graph, entries, name).items():
        chains += [(*chain, link) for link in graph.links[before] if link.package == name]
    return tuple(sorted(chains, key=len)[:limit])


def chain_text(chain: Chain) -> str:
    """The chain as text, such as ``dnf (recipe) → python3-dnf (requires) → libc6 (requires libc.so.6)``."""
    return " → ".join(f"{link.package} ({_reason(link)})" for link in chain)


def not_in_set(name: str, known: Iterable[str]) -> WorkbookError:
    """The error for a package that is not in the set."""
    close = get_close_matches(name, sorted(known), n=3)
    hint = f"close to it: {', '.join(close)}" if close else "lock.json beside the variant's result names all packages"
    return WorkbookError(f"no package {name!r} in the set", hint=hint)


def explain_excluded(recipe: Recipe, run_dnf: Callable[[Sequence[str]], str]) -> list[str]:
    """The package names from an entry of the recipe to the nearest excluded package that it requires, if any."""
    if not recipe.excludes:
        return []
    graph = make_graph(parse_repoquery(run_dnf(["-q", "repoquery", "--qf", _FORM]).splitlines()))
    for name, chain in shortest_chains(graph, _named_entries(graph, recipe.packages)).items():
        if any(fnmatchcase(name, pattern) for pattern in recipe.excludes):
            return [link.package for link in chain]
    return []


def parse_repoquery(lines: Iterable[str]) -> Iterator[Package]:
    """The packages in the output of ``dnf repoquery`` with ``_FORM``, without a truncated last one."""
    name, section = "", "end"
    found: dict[str, set[str]] = {}
    for line in lines:
        if line.startswith("package ") and section == "end":
            name, section, found = line.removeprefix("package "), "package", {"requires": set(), "provides": set()}
        elif line in ("requires", "provides"):
            section = line
        elif line == "end":
            yield Package(name, frozenset(found["requires"]), frozenset(found["provides"]))
            section = "end"
        elif section in found and line.strip():
            # keep a rich ("boolean") dependency whole; its versions are inside the parentheses
            found[section].add(line if line.startswith("(") else line.split(" ")[0])


def _named_entries(graph: Graph, words: Iterable[str]) -> list[Link]:
    return [Link("recipe", name, word) for word in words for name in _packages_named(graph, word)]


def _packages_named(graph: Graph, word: str) -> list[str]:
    """The packages that a word selects in dnf: by name or by pattern, otherwise by what they provide."""
    if word in graph.packages:
        return [word]
    matching = [name for name in sorted(graph.packages) if fnmatchcase(name, word)] if set(word) & set("*?[") else []
    bare, _, arch = word.rpartition(".")
    named = [bare] if arch in ("x86_64", "noarch") and bare in graph.packages else []
    return matching or named or list(graph.providers.get(word, ()))


def _chains(graph: Graph, entries: Iterable[Link], avoided: str) -> dict[str, Chain]:
    """The shortest chains (breadth-first search) that do not go through the package ``avoided``."""
    chains: dict[str, Chain] = {avoided: ()}
    queue: deque[Chain] = deque()

    def reach(chain: Chain) -> None:
        if chain[-1].package not in chains:
            chains[chain[-1].package] = chain
            queue.append(chain)

    for entry in entries:
        reach((entry,))
    while queue:
        chain = queue.popleft()
        for link in graph.links[chain[-1].package]:
            reach((*chain, link))
    del chains[avoided]
    return chains


def _reason(link: Link) -> str:
    return link.kind if link.capability == link.package else f"{link.kind} {link.capability}"
