"""The dependency graph of a package set: which package requires which other one, and by which capability.

Capabilities are compared by name only: dnf has chosen the set, so all versions in it fit.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from atomic_lib.formats.rpm_capabilities import wanted_capabilities
from atomic_lib.tools.sandbox import Bind, Tools

if TYPE_CHECKING:
    from atomic_lib.solve.rpm_set import RpmSet

Kind = Literal["recipe", "group", "requires", "file", "recommends", "supplements"]

_FIELDS = ("requires", "provides", "recommends", "supplements", "files")
_QUERY = (
    r"package %{NAME}\n[requires %{REQUIRENAME}\n][provides %{PROVIDENAME}\n][recommends %{RECOMMENDNAME}\n]"
    r"[supplements %{SUPPLEMENTNAME}\n][files %{FILENAMES}\n]"
)


@dataclass(frozen=True)
class Package:
    """A package's dependencies and files, from its header. Only rich ("boolean") dependencies have versions.

    Packages of one name (of two architectures, or several kernels) are together one.
    """

    name: str
    requires: frozenset[str] = frozenset()
    provides: frozenset[str] = frozenset()
    recommends: frozenset[str] = frozenset()
    supplements: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()

    def __or__(self, other: "Package") -> "Package":
        """Both together."""
        return Package(self.name, *(getattr(self, field) | getattr(other, field) for field in _FIELDS))


@dataclass(frozen=True)
class Link:
    """A link of a chain: ``package`` is in the set because the previous package needs ``capability``.

    ``kind``: "recipe" or "group" for a first link, whose capability is the entry or
    ``@group``; "file" for a required path; "recommends" and "supplements" for weak dependencies.
    """

    kind: Kind
    package: str
    capability: str


@dataclass(frozen=True)
class Graph:
    """Packages by name, the providers of each capability or path, and the links of each package, strong ones first."""

    packages: Mapping[str, Package]
    providers: Mapping[str, tuple[str, ...]]
    links: Mapping[str, tuple[Link, ...]]


def graph_of(rpm_set: "RpmSet", tools: Tools, *, weak_dependencies: bool) -> Graph:
    """The graph of the RPMs of a set; ``weak_dependencies``: whether dnf follows them."""
    files = sorted(rpm_set.directory.glob("*.rpm"))
    listing = tools.run(
        ["rpm", "-qp", "--nosignature", "--nodigest", "--qf", _QUERY, *(f"/mnt/rpms/{file.name}" for file in files)],
        binds=[Bind(rpm_set.directory, "/mnt/rpms")],
    ).stdout
    return make_graph(parse_packages(listing.split("\n")), weak_dependencies=weak_dependencies)


def parse_packages(lines: Iterable[str]) -> list[Package]:
    """Packages from lines ``FIELD VALUE``; the first line of each package is ``package NAME``."""
    found: list[tuple[str, dict[str, set[str]]]] = []
    for line in lines:
        field, _, value = line.partition(" ")
        if field == "package":
            found.append((value, {name: set() for name in _FIELDS}))
        elif found and field in _FIELDS:
            found[-1][1][field].add(value)
    return [Package(name, **{field: frozenset(values) for field, values in fields.items()}) for name, fields in found]


def make_graph(packages: Iterable[Package], *, weak_dependencies: bool = True) -> Graph:
    """The graph of these packages; ``weak_dependencies``: include links of the kinds "recommends" and "supplements"."""
    by_name: dict[str, Package] = {}
    for package in packages:
        by_name[package.name] = by_name[package.name] | package if package.name in by_name else package
    found: dict[str, list[str]] = {}
    for name, package in sorted(by_name.items()):
        for capability in package.provides | package.files | {name}:
            found.setdefault(capability, []).append(name)
    providers = {capability: tuple(names) for capability, names in found.items()}
    links = {name: list(_strong_links(package, providers)) for name, package in by_name.items()}
    if weak_dependencies:
        for name, package in sorted(by_name.items()):
            links[name] += _links(name, "recommends", package.recommends, providers)
            for link in _links(name, "supplements", package.supplements, providers):
                links[link.package].append(Link("supplements", name, link.capability))
    return Graph(by_name, providers, {name: _first_of_each(own) for name, own in links.items()})


def _strong_links(package: Package, providers: Mapping[str, tuple[str, ...]]) -> Iterator[Link]:
    paths = {capability for capability in package.requires if capability.startswith("/")}
    yield from _links(package.name, "requires", package.requires - paths, providers)
    yield from _links(package.name, "file", paths, providers)


def _links(
    name: str, kind: Kind, capabilities: Iterable[str], providers: Mapping[str, tuple[str, ...]]
) -> Iterator[Link]:
    for text in sorted(capabilities):
        for capability in wanted_capabilities(text, lambda one: one in providers):
            for other in providers.get(capability, ()):
                if other != name:
                    yield Link(kind, other, text)


def _first_of_each(links: Iterable[Link]) -> tuple[Link, ...]:
    """One link to each package: the strongest, and preferably one whose capability is the package's name."""
    best: dict[str, Link] = {}
    for link in links:
        kept = best.setdefault(link.package, link)
        if kept.kind == link.kind and link.capability == link.package:
            best[link.package] = link
    return tuple(best.values())
