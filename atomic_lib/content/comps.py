"""Package groups: reads comps files, and expands groups and environments to package names.

A group stands for its mandatory and default packages, with ``--nodefaults`` for the mandatory ones
alone, with ``--optional`` for the optional ones too. Its conditional packages, each of which is installed if another
package is, belong to all three. An environment stands for the groups of its ``grouplist`` (not for its options). What a
file names for other architectures is left out; ``biarchonly`` is ignored, as by dnf.
Sources: createrepo_c's comps.dtd, comps.rng; dnf 4's ``comps.py`` and ``base.py``, libdnf5's ``goal.cpp``; libcomps's
``comps_elem.c``.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TypeVar
from xml.etree import ElementTree

from atomic_lib.base.errors import WorkbookError

ARCHITECTURE = "x86_64"
_USUAL_TYPES = ("mandatory", "default")
_OPTIONS = (" --nodefaults", " --optional")
_Member = TypeVar("_Member")


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
    conditional: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    """Packages, each with the one that must be installed for it to be."""


def read_comps(text: str, source: str, architecture: str = ARCHITECTURE) -> Comps:
    """The groups in the text of a comps file; raises WorkbookError naming ``source`` if it is not XML."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise WorkbookError(f"{source}: not a comps file: {error}") from None

    groups = _of_architecture(root.iterfind("group"), architecture)
    all_environments = _of_architecture(root.iterfind("environment"), architecture)

    def packages(*types: str) -> dict[str, tuple[str, ...]]:
        return _by_id(groups, lambda group: tuple(map(_text, _entries(group, architecture, types))))

    def conditional(group: ElementTree.Element) -> tuple[tuple[str, str], ...]:
        entries = _entries(group, architecture, ("conditional",))
        return tuple((_text(entry), entry.get("requires", "")) for entry in entries)

    environments = _by_id(
        all_environments,
        lambda one: tuple(map(_text, _of_architecture(one.iterfind("grouplist/groupid"), architecture))),
    )
    names = {
        prefix + name: prefix + _text(element.find("id"))
        for prefix, elements in (("", groups), ("^", all_environments))
        for element in elements
        if (name := _text(element.find("name")) or _text(element.find("_name")))
    }
    return Comps(packages(*_USUAL_TYPES), environments, packages("mandatory"), packages("optional"), names,
                 _by_id(groups, conditional))  # fmt: skip


def _by_id(
    elements: Iterable[ElementTree.Element], members: Callable[[ElementTree.Element], tuple[_Member, ...]]
) -> dict[str, tuple[_Member, ...]]:
    """The members of groups or environments by id; those of one id add up, as in libcomps."""
    table: dict[str, tuple[_Member, ...]] = {}
    for element in elements:
        name = _text(element.find("id"))
        table[name] = (*table.get(name, ()), *members(element))
    return table


def _text(element: ElementTree.Element | None) -> str:
    """The text of an element without line feeds and lines of white space, as libcomps reads it; empty for none."""
    text = element.text if element is not None else None
    return "".join(line for line in (text or "").split("\n") if not line.isspace())


def _entries(group: ElementTree.Element, architecture: str, types: Sequence[str]) -> list[ElementTree.Element]:
    entries = _of_architecture(group.iterfind("packagelist/packagereq"), architecture)
    return [entry for entry in entries if entry.get("type", "mandatory") in types]


def _of_architecture(entries: Iterable[ElementTree.Element], architecture: str) -> list[ElementTree.Element]:
    """The elements that name this architecture in ``arch``, separated by commas or spaces, and those without it."""
    return [entry for entry in entries if not (arch := entry.get("arch")) or architecture in re.split("[, ]+", arch)]


def expand_groups(comps: Iterable[Comps], names: Iterable[str], source: str) -> list[str]:
    """The packages of groups and (with a leading ``^``) environments, sorted, without conditional ones.

    A name may be an id, the name that people read, or a shell pattern, in upper or lower case, as for dnf. A group with
    a leading ``-`` is one that no environment installs. If several repositories define a group, their packages add up.
    Raises WorkbookError naming ``source`` if no repository has a group of that name.
    """
    known = list(comps)
    of_option = {
        "": _merged(one.groups for one in known),
        " --nodefaults": _merged(one.mandatory for one in known),
        " --optional": _merged(kind for one in known for kind in (one.groups, one.optional)),
    }
    members = [of_option[option].get(group, set()) for group, option in _selected(known, names, source)]
    return sorted(set().union(*members))


def conditional_packages(comps: Iterable[Comps], names: Iterable[str], source: str) -> list[tuple[str, str]]:
    """The conditional packages of groups and environments, each with the package that it belongs to, sorted.

    Names and errors are those of ``expand_groups``.
    """
    known = list(comps)
    members = _merged(one.conditional for one in known)
    return sorted(set().union(*(members.get(group, set()) for group, _ in _selected(known, names, source))))


def _selected(comps: Sequence[Comps], names: Iterable[str], source: str) -> list[tuple[str, str]]:
    """The groups that names of groups and environments stand for, each with its option."""
    groups = _merged(one.groups for one in comps)
    environments = {f"^{name}": members for name, members in _merged(one.environments for one in comps).items()}
    titles = {title: known for one in comps for title, known in one.names.items()}
    entries = list(names)
    unwanted = {found for entry in entries if entry.startswith("-") for found in _found(entry[1:], groups, titles)}
    selected = []
    for entry in (entry for entry in entries if not entry.startswith("-")):
        option = next((option for option in _OPTIONS if entry.endswith(option)), "")
        name = entry.removesuffix(option)
        known = environments if name.startswith("^") else groups
        matching = _found(name, known, titles)
        if not matching:
            raise _unknown(name, known, source)
        for found in matching:
            members = sorted(environments[found] - unwanted) if name.startswith("^") else [found]
            selected += [(member, option) for member in members]
    return selected


def _found(name: str, known: Collection[str], titles: Mapping[str, str]) -> list[str]:
    """The ids among ``known`` that a name, by id or title, stands for."""
    if name in known:
        return [name]
    if titles.get(name) in known:
        return [titles[name]]
    ids = [one for one in known if fnmatchcase(one.lower(), name.lower())]
    ids += [one for title, one in titles.items() if one in known and fnmatchcase(title.lower(), name.lower())]
    return sorted(set(ids))


def _merged(tables: Iterable[Mapping[str, tuple[_Member, ...]]]) -> dict[str, set[_Member]]:
    """The tables of several repositories as one."""
    merged: dict[str, set[_Member]] = {}
    for table in tables:
        for name, members in table.items():
            merged.setdefault(name, set()).update(members)
    return merged


def _unknown(name: str, known: Iterable[str], source: str) -> WorkbookError:
    close = get_close_matches(name, sorted(known), n=3) or sorted(known)[:20]
    names = ", ".join(f"@{entry}" for entry in close)
    hint = f"use one of its groups: {names}" if close else "the content has no groups"
    return WorkbookError(f"{source}: no group @{name} in the content", hint=hint)
