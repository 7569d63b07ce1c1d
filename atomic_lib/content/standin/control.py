"""Debian control data as RPM tags.

Sources: Debian Policy ch. 5 and 7 (control fields, relationships, versions);
rpm's manual on dependencies and rich ("boolean") dependencies.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from email.parser import HeaderParser

_RELATION = re.compile(
    r"^(?P<name>[a-z0-9][a-z0-9+.-]*)(?::[a-z0-9-]+)?\s*(?:\((?P<op><<|<=|=|>=|>>)\s*(?P<version>[^)\s]+)\s*\))?"
)
_OPERATORS = {"<<": "<", "<=": "<=", "=": "=", ">=": ">=", ">>": ">"}
_ARCHITECTURES = {"amd64": "x86_64", "all": "noarch"}


@dataclass(frozen=True)
class Relation:
    """One package name with an optional version constraint, in rpm's terms."""

    name: str
    constraint: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.constraint}".rstrip()


@dataclass(frozen=True)
class DebianPackage:
    """One Debian package as the tags of one RPM."""

    name: str
    epoch: int
    version: str
    release: str
    arch: str
    summary: str
    homepage: str
    requires: tuple[tuple[Relation, ...], ...]
    """Each entry is a group of alternatives."""
    recommends: tuple[tuple[Relation, ...], ...]
    conflicts: tuple[Relation, ...]
    provides: tuple[Relation, ...]


def rpm_version(version: str) -> tuple[int, str, str]:
    """Epoch, version and release of a Debian version.

    No revision is the same as revision 0 to dpkg, so the release is always there: else
    ``> 2.41`` would not be met by ``2.41-12`` in rpm. A hyphen inside the upstream
    version, which rpm does not allow, becomes a dot.
    """
    epoch, _, rest = version.rpartition(":")
    upstream, _, revision = rest.rpartition("-") if "-" in rest else (rest, "", "0")
    return int(epoch or 0), upstream.replace("-", "."), revision


def rpm_evr(version: str) -> str:
    """A Debian version as rpm's ``[epoch:]version-release``."""
    epoch, upstream, release = rpm_version(version)
    return f"{epoch}:{upstream}-{release}" if epoch else f"{upstream}-{release}"


def parse_relations(field: str) -> tuple[tuple[Relation, ...], ...]:
    """The groups of alternatives in a relationship field; architecture qualifiers are dropped."""
    groups = (tuple(_relation(text) for text in group.split("|")) for group in field.split(",") if group.strip())
    return tuple(groups)


def _relation(text: str) -> Relation:
    match = _RELATION.match(text.strip())
    if not match:
        raise ValueError(f"not a package relation: {text.strip()!r}")
    if not match["op"]:
        return Relation(match["name"])
    return Relation(match["name"], f"{_OPERATORS[match['op']]} {rpm_evr(match['version'])}")


def parse_control(text: str) -> DebianPackage:
    """The RPM tags for one ``control`` file, relations not yet adapted to what the repository has."""
    fields = dict(HeaderParser().parsestr(text).items())
    epoch, version, release = rpm_version(fields["Version"])
    return DebianPackage(
        name=fields["Package"],
        epoch=epoch,
        version=version,
        release=release,
        arch=_ARCHITECTURES[fields["Architecture"]],
        summary=fields["Description"].splitlines()[0].strip(),
        homepage=fields.get("Homepage") or "",
        requires=parse_relations(", ".join(filter(None, (fields.get("Pre-Depends"), fields.get("Depends"))))),
        recommends=parse_relations(fields.get("Recommends") or ""),
        conflicts=tuple(
            relation
            for field in ("Breaks", "Conflicts")
            for group in parse_relations(fields.get(field) or "")
            for relation in group
        ),
        provides=tuple(group[0] for group in parse_relations(fields.get("Provides") or "")),
    )


def available_names(packages: Iterable[DebianPackage]) -> set[str]:
    """Every name that a package of the repository has or provides."""
    return {name for package in packages for name in (package.name, *(entry.name for entry in package.provides))}


def requirement_tags(package: DebianPackage, available: Collection[str], dropped: Collection[str]) -> list[str]:
    """``Requires`` values: a group that names a dropped package goes; of alternatives, those that exist stay."""
    return _group_tags(package.requires, available, dropped, keep_unmet=True)


def recommendation_tags(package: DebianPackage, available: Collection[str], dropped: Collection[str]) -> list[str]:
    """``Recommends`` values, only of what the repository has."""
    return _group_tags(package.recommends, available, dropped, keep_unmet=False)


def conflict_tags(package: DebianPackage, real_names: Collection[str]) -> list[str]:
    """``Conflicts`` values, only with real packages: rpm would match an unversioned Provides where dpkg does not."""
    return sorted(
        {str(entry) for entry in package.conflicts if entry.name in real_names and entry.name != package.name}
    )


def _group_tags(
    groups: Iterable[tuple[Relation, ...]], available: Collection[str], dropped: Collection[str], *, keep_unmet: bool
) -> list[str]:
    tags = []
    for group in groups:
        if any(entry.name in dropped for entry in group):
            continue
        met = [entry for entry in group if entry.name in available] or (list(group) if keep_unmet else [])
        if met:
            tags.append(str(met[0]) if len(met) == 1 else "(" + " or ".join(map(str, met)) + ")")
    return list(dict.fromkeys(tags))
