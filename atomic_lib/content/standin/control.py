"""Converts Debian control data to RPM tags.

Sources: Debian Policy, chapters 5 and 7 (control fields, relationships, versions);
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
    """A package name with an optional version constraint, in rpm's syntax."""

    name: str
    constraint: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.constraint}".rstrip()


@dataclass(frozen=True)
class DebianPackage:
    """A Debian package, with its control data as RPM tags."""

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

    To dpkg, a missing revision is the same as revision 0, so the release is never empty;
    without it, ``2.41-12`` would not satisfy ``> 2.41`` in rpm. rpm does not allow a hyphen
    in the version, so hyphens in the upstream version become dots.
    """
    epoch, _, rest = version.rpartition(":")
    upstream, _, revision = rest.rpartition("-") if "-" in rest else (rest, "", "0")
    return int(epoch or 0), upstream.replace("-", "."), revision


def rpm_evr(version: str) -> str:
    """A Debian version as rpm's ``[epoch:]version-release``."""
    epoch, upstream, release = rpm_version(version)
    return f"{epoch}:{upstream}-{release}" if epoch else f"{upstream}-{release}"


def parse_relations(field: str) -> tuple[tuple[Relation, ...], ...]:
    """The groups of alternatives in a relationship field, without architecture qualifiers.

    Raises ValueError naming the text that is not a relation.
    """
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
    """The RPM tags of a ``control`` file; relations may still name packages that the repository does not have."""
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
    """The names of all packages, and all names that they provide."""
    return {name for package in packages for name in (package.name, *(entry.name for entry in package.provides))}


def requirement_tags(package: DebianPackage, available: Collection[str], dropped: Collection[str]) -> list[str]:
    """``Requires`` values: without groups that name a dropped package, and without alternatives that do not exist."""
    return _group_tags(package.requires, available, dropped, keep_unmet=True)


def recommendation_tags(package: DebianPackage, available: Collection[str], dropped: Collection[str]) -> list[str]:
    """``Recommends`` values, only for names in the repository."""
    return _group_tags(package.recommends, available, dropped, keep_unmet=False)


def conflict_tags(package: DebianPackage, real_names: Collection[str]) -> list[str]:
    """``Conflicts`` values, only with real packages: unlike dpkg, rpm also matches an unversioned Provides."""
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
