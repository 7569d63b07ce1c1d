"""Package groups: reads comps files, and expands groups and environments to package names.

A group stands for its mandatory and default packages, with ``--nodefaults`` for the mandatory ones
alone, with ``--optional`` for the optional ones too. An environment stands for the groups of its
``grouplist`` (not for its options). What a file names for other architectures is left out.
Conditional packages, which belong to languages and desktops, are ignored, and so is
``biarchonly``, as by dnf. Sources: createrepo_c's comps.dtd, comps.rng; dnf's "group install".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from xml.etree import ElementTree

from atomic_lib.base.errors import WorkbookError

ARCHITECTURE = "x86_64"
_USUAL_TYPES = ("mandatory", "default")


@dataclass(frozen=True)
class Comps:
    """Package names by group id, and group ids by environment id.

    ``groups``: the mandatory and default packages. ``mandatory`` and ``optional``: only those of that type.
    ``names``: the ids by the name that people read, environments with a leading ``^``.
    """

    groups: dict[str, tuple[str, ...]]
    environments: dict[str, tuple[str, ...]]
    mandatory: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    optional: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)


def read_comps(text: str, source: str, architecture: str = ARCHITECTURE) -> Comps:
    """The groups in the text of a comps file; raises WorkbookError naming ``source`` if it is not XML."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise WorkbookError(f"{source}: not a comps file: {error}") from None

    def packages(*types: str) -> dict[str, tuple[str, ...]]:
        return {
            group.findtext("id", ""): tuple(
                entry.text or ""
                for entry in _of_architecture(group.iterfind("packagelist/packagereq"), architecture)
                if entry.get("type", "mandatory") in types
            )
            for group in root.iterfind("group")
        }

    environments = {
        environment.findtext("id", ""): tuple(
            entry.text or "" for entry in _of_architecture(environment.iterfind("grouplist/groupid"), architecture)
        )
        for environment in root.iterfind("environment")
    }
    names = {
        prefix + name: prefix + element.findtext("id", "")
        for prefix, tag in (("", "group"), ("^", "environment"))
        for element in root.iterfind(tag)
        if (name := element.findtext("name") or element.findtext("_name"))
    }
    return Comps(packages(*_USUAL_TYPES), environments, packages("mandatory"), packages("optional"), names)


def _of_architecture(entries: Iterable[ElementTree.Element], architecture: str) -> list[ElementTree.Element]:
    """The entries without ``arch``, which names several separated by commas, and those that name this architecture."""
    return [
        entry
        for entry in entries
        if not (arch := entry.get("arch")) or architecture in [word.strip() for word in arch.split(",")]
    ]


def expand_groups(comps: Iterable[Comps], names: Iterable[str], source: str) -> list[str]:
    """The packages of groups and (with a leading ``^``) environments, sorted.

    A name may be an id, or the name that people read. A group with a leading ``-`` is one that no environment
    installs. If several repositories define a group, their packages add up. Raises WorkbookError naming ``source``
    if no repository has a group of that name.
    """
    all_comps = list(comps)
    groups = _merged(one.groups for one in all_comps)
    of_option = {
        "": groups,
        " --nodefaults": _merged(one.mandatory for one in all_comps),
        " --optional": _merged(kind for one in all_comps for kind in (one.groups, one.optional)),
    }
    environments = {f"^{name}": members for name, members in _merged(one.environments for one in all_comps).items()}
    ids = {name: known for one in all_comps for name, known in one.names.items()}
    entries = list(names)
    unwanted = {entry[1:] for entry in entries if entry.startswith("-")}
    unwanted |= {ids.get(name, name) for name in unwanted}
    found: set[str] = set()
    for entry in (entry for entry in entries if not entry.startswith("-")):
        option = next((option for option in of_option if option and entry.endswith(option)), "")
        name = entry.removesuffix(option)
        known = environments if name.startswith("^") else groups
        name = name if name in known else ids.get(name, name)
        if name not in known:
            raise _unknown(name, known, source)
        members = environments[name] - unwanted if name.startswith("^") else {name}
        found.update(*(of_option[option].get(member, set()) for member in members))
    return sorted(found)


def _merged(tables: Iterable[Mapping[str, tuple[str, ...]]]) -> dict[str, set[str]]:
    """The tables of several repositories as one."""
    merged: dict[str, set[str]] = {}
    for table in tables:
        for name, members in table.items():
            merged.setdefault(name, set()).update(members)
    return merged


def _unknown(name: str, known: Iterable[str], source: str) -> WorkbookError:
    close = get_close_matches(name, sorted(known), n=3) or sorted(known)[:20]
    names = ", ".join(f"@{entry}" for entry in close)
    hint = f"use one of its groups: {names}" if close else "the content has no groups"
    return WorkbookError(f"{source}: no group @{name} in the content", hint=hint)
