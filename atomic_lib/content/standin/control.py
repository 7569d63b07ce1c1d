"""Converts Debian control data to RPM tags.

What a tag says follows from the control data alone, not from the other packages at hand, so that a package is
always converted to the same RPM:

- Alternatives become a rich dependency; rpm passes over those that no package provides.
- A relation with an architecture is met by packages of this architecture only, so ``:any`` and ``:amd64`` say
  nothing, and a package of another architecture has a name of its own that nothing provides (``deb(wine32:i386)``).
- A relation with a version is to the capability ``deb(NAME)``, whose versions rpm orders as dpkg does (see
  ``versions``), and which only versions have: to rpm, a Provides without a version would meet a relation with any.
- Breaks and Conflicts are Conflicts; neither dpkg nor rpm has a package conflict with itself. Replaces lets a package
  take over files; where they come from an older version of another package, there is a Breaks beside it, and rpm
  upgrades both packages in one transaction.

Sources: Debian Policy, chapters 5 and 7 (control fields, relationships); rpm's manual on dependencies and rich
("boolean") dependencies.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from email.parser import HeaderParser

from atomic_lib.content.standin.versions import ordered_evr, rpm_evr, rpm_version

_RELATION = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9+.-]*)(?::(?P<arch>[a-z0-9-]+))?\s*"
    r"(?:\((?P<op><<|<=|=|>=|>>)\s*(?P<version>[A-Za-z0-9.+~:-]+)\s*\))?\s*(?:\[.*\])?"
)
_OPERATORS = {"<<": "<", "<=": "<=", "=": "=", ">=": ">=", ">>": ">"}
_ARCHITECTURES = {"amd64": "x86_64", "all": "noarch"}
_OWN_ARCHITECTURES = ("any", "all", "amd64")


@dataclass(frozen=True)
class Relation:
    """A Debian package name with an optional version constraint, as in ``foo (>= 1.0)``.

    ``architecture``: the other architecture that it is limited to; empty for those that are here.
    """

    name: str
    operator: str = ""
    version: str = ""
    architecture: str = ""

    @property
    def capability(self) -> str:
        """The relation in rpm's syntax."""
        if self.architecture:
            return f"deb({self.name}:{self.architecture})"
        if not self.operator:
            return self.name
        return f"deb({self.name}) {_OPERATORS[self.operator]} {ordered_evr(self.version)}"


Group = tuple[Relation, ...]
"""Alternatives."""


@dataclass(frozen=True)
class DebianPackage:
    """A Debian package: its name, version and texts as RPM tags, its relations as Debian's.

    ``debian_version`` is the version as Debian writes it.
    """

    name: str
    debian_version: str
    epoch: int
    version: str
    release: str
    arch: str
    summary: str
    homepage: str
    requires: tuple[Group, ...]
    recommends: tuple[Group, ...]
    conflicts: tuple[Relation, ...]
    provides: tuple[Relation, ...]

    @property
    def names(self) -> set[str]:
        """The package's name, and all names in its relations."""
        groups = (*self.requires, *self.recommends, self.conflicts, self.provides)
        return {self.name, *(relation.name for group in groups for relation in group)}


def parse_relations(field: str) -> tuple[Group, ...]:
    """The groups of alternatives in a relationship field.

    Raises ValueError naming the text that is not a relation.
    """
    groups = (tuple(_relation(text) for text in group.split("|")) for group in field.split(",") if group.strip())
    return tuple(groups)


def _relation(text: str) -> Relation:
    match = _RELATION.fullmatch(text.strip())
    if not match:
        raise ValueError(f"not a package relation: {text.strip()!r}")
    other = match["arch"] if match["arch"] not in (None, *_OWN_ARCHITECTURES) else ""
    return Relation(match["name"], match["op"] or "", match["version"] or "", other)


def parse_control(text: str) -> DebianPackage:
    """The package that a ``control`` file or a paragraph of a package index describes."""
    fields = dict(HeaderParser().parsestr(text).items())
    epoch, version, release = rpm_version(fields["Version"])

    def relations(*names: str) -> tuple[Group, ...]:
        return tuple(group for name in names for group in parse_relations(fields.get(name) or ""))

    return DebianPackage(
        name=fields["Package"],
        debian_version=fields["Version"],
        epoch=epoch,
        version=version,
        release=release,
        arch=_ARCHITECTURES[fields["Architecture"]],
        summary=fields["Description"].splitlines()[0].strip(),
        homepage=fields.get("Homepage") or "",
        requires=relations("Pre-Depends", "Depends"),
        recommends=relations("Recommends"),
        conflicts=tuple(relation for group in relations("Breaks", "Conflicts") for relation in group),
        provides=tuple(relation for group in relations("Provides") for relation in group),
    )


def requirement_tags(package: DebianPackage, dropped: Collection[str]) -> list[str]:
    """``Requires`` values, without groups that name a dropped package.

    The name stands beside each capability of a version, for people who ask why a package is installed.
    """
    tags = []
    for group in _kept(package.requires, dropped):
        if len(group) == 1 and group[0].operator and not group[0].architecture:
            tags.append(group[0].name)
        tags.append(_group_tag(group))
    return list(dict.fromkeys(tags))


def companion_tags(relations: Iterable[str]) -> list[str]:
    """``Requires`` values of relations in Debian's syntax."""
    return [_group_tag(group) for text in relations for group in parse_relations(text)]


def recommendation_tags(package: DebianPackage, dropped: Collection[str]) -> list[str]:
    """``Recommends`` values, without groups that name a dropped package."""
    return list(dict.fromkeys(_group_tag(group) for group in _kept(package.recommends, dropped)))


def conflict_tags(package: DebianPackage) -> list[str]:
    """``Conflicts`` values."""
    return sorted({relation.capability for relation in package.conflicts})


def provide_tags(package: DebianPackage) -> list[str]:
    """``Provides`` values: the names that the package provides, and the versions for relations to them."""
    tags = [f"deb({package.name}) = {ordered_evr(package.debian_version)}"]
    for relation in package.provides:
        tags.append(f"{relation.name} = {rpm_evr(relation.version)}" if relation.operator else relation.name)
        tags += [relation.capability] if relation.operator else []
    return list(dict.fromkeys(tags))


def _kept(groups: Iterable[Group], dropped: Collection[str]) -> list[Group]:
    return [group for group in groups if not any(relation.name in dropped for relation in group)]


def _group_tag(group: Group) -> str:
    capabilities = [relation.capability for relation in group]
    return capabilities[0] if len(capabilities) == 1 else f"({' or '.join(capabilities)})"
