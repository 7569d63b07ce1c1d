"""Package groups: reads comps files, and expands groups and environments to package names.

A group stands for its mandatory and default packages, an environment for the groups of its
``grouplist`` (not for its options). Conditional packages, which belong to languages and
desktops, are ignored. Sources: createrepo_c's comps.dtd; dnf's "group install".
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from xml.etree import ElementTree

from atomic_lib.base.errors import WorkbookError

_INSTALLED_TYPES = ("mandatory", "default")


@dataclass(frozen=True)
class Comps:
    """Package names by group id, and group ids by environment id."""

    groups: dict[str, tuple[str, ...]]
    environments: dict[str, tuple[str, ...]]


def read_comps(text: str, source: str) -> Comps:
    """The groups in the text of a comps file; raises WorkbookError naming ``source`` if it is not XML."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise WorkbookError(f"{source}: not a comps file: {error}") from None
    groups = {
        group.findtext("id", ""): tuple(
            entry.text or ""
            for entry in group.iterfind("packagelist/packagereq")
            if entry.get("type", "mandatory") in _INSTALLED_TYPES
        )
        for group in root.iterfind("group")
    }
    environments = {
        environment.findtext("id", ""): tuple(entry.text or "" for entry in environment.iterfind("grouplist/groupid"))
        for environment in root.iterfind("environment")
    }
    return Comps(groups, environments)


def expand_groups(comps: Iterable[Comps], names: Iterable[str], source: str) -> list[str]:
    """The packages of groups and (with a leading ``^``) environments, sorted.

    If several repositories define a group, their packages add up. Raises WorkbookError
    naming ``source`` if no repository has a group of that name.
    """
    groups: dict[str, set[str]] = {}
    environments: dict[str, set[str]] = {}
    for one in comps:
        for name, packages in one.groups.items():
            groups.setdefault(name, set()).update(packages)
        for name, own_groups in one.environments.items():
            environments.setdefault(f"^{name}", set()).update(own_groups)
    found: set[str] = set()
    for name in names:
        known = environments if name.startswith("^") else groups
        if name not in known:
            raise _unknown(name, known, source)
        members = environments[name] if name.startswith("^") else {name}
        found.update(*(groups.get(member, set()) for member in members))
    return sorted(found)


def _unknown(name: str, known: Iterable[str], source: str) -> WorkbookError:
    close = get_close_matches(name, sorted(known), n=3) or sorted(known)[:20]
    names = ", ".join(f"@{entry}" for entry in close)
    hint = f"use one of its groups: {names}" if close else "the content has no groups"
    return WorkbookError(f"{source}: no group @{name} in the content", hint=hint)
