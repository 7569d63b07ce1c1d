"""Package groups: comps files read, groups and environments expanded to package names.

A group installs its mandatory and default packages, an environment the groups of its
``grouplist`` (not its options). Conditional packages, which belong to languages and
desktops, are left out. Source: createrepo_c's comps.dtd; dnf's "group install".
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
    """The groups in a comps file; raises WorkbookError naming ``source`` when it is not one."""
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


def expand_groups(comps: Iterable[Comps], wanted: Iterable[str], source: str) -> list[str]:
    """The packages of the groups and (with a leading ``^``) environments named, sorted.

    A group in several repositories has the packages of all of them. Raises WorkbookError
    naming ``source`` for one that no repository has.
    """
    groups: dict[str, set[str]] = {}
    environments: dict[str, set[str]] = {}
    for one in comps:
        for name, packages in one.groups.items():
            groups.setdefault(name, set()).update(packages)
        for name, own_groups in one.environments.items():
            environments.setdefault(f"^{name}", set()).update(own_groups)
    found: set[str] = set()
    for name in wanted:
        known = environments if name.startswith("^") else groups
        if name not in known:
            raise _unknown(name, known, source)
        members = environments[name] if name.startswith("^") else {name}
        found.update(*(groups.get(member, set()) for member in members))
    return sorted(found)


def _unknown(name: str, known: Iterable[str], source: str) -> WorkbookError:
    names = sorted(known)
    close = get_close_matches(name, names, n=3) or names[:20]
    offered = ", ".join(f"@{entry}" for entry in close) or "none: the content has no groups"
    return WorkbookError(f"{source}: no group @{name} in the content", hint=f"groups it has: {offered}")
