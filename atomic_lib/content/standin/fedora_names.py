"""Fedora's names of stand-in packages (``params/content/NAME/names.yaml``).

A Fedora name stands for a Debian package, whose RPM has that name (its main name) or provides it, and for companions:
what Fedora's package contains and Debian has in packages of its own. Each Debian package has one main name at most.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import filter as matching
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from atomic_lib.base.errors import WorkbookError
from atomic_lib.content.standin.control import parse_relations
from atomic_lib.content.standin.package_index import PackageIndex
from atomic_lib.params.schema import ParamsModel, read_yaml_mapping, validated


class Counterpart(ParamsModel):
    """The Debian package that stands in for a Fedora name.

    ``package``: its RPM has the Fedora name; ``provided_by``: it has another one, and provides the Fedora name; each is
    a name, or a pattern for the newest package that matches. ``companions``, in the file ``with``: what it requires
    besides, as Debian's relations. ``reason``: why, where it is not one to one.
    """

    package: str = ""
    provided_by: str = ""
    companions: tuple[str, ...] = Field(default=(), alias="with", strict=False)
    reason: str = ""

    @model_validator(mode="after")
    def _one_package(self) -> "Counterpart":
        if bool(self.package) == bool(self.provided_by):
            raise ValueError("needs either package or provided_by")
        if not self.reason and (self.provided_by or self.companions):
            raise ValueError("needs a reason, because it is not one to one")
        return self

    @property
    def main(self) -> str:
        """The Debian package, a name or a pattern."""
        return self.package or self.provided_by


def _of_text(value: Any) -> Any:
    return {"package": value} if isinstance(value, str) else value


class FedoraNames(ParamsModel):
    """The file: counterparts by Fedora name, and Debian names that mean something else in Fedora."""

    names: dict[str, Annotated[Counterpart, BeforeValidator(_of_text)]]
    not_the_same: dict[str, str] = Field(default_factory=dict)
    """Names that Fedora has, too, but for another program; each with what Debian's package is."""
    units: dict[str, str] = Field(default_factory=dict)
    """Debian's name of a unit by Fedora's."""


@dataclass(frozen=True)
class Naming:
    """What the RPM of a Debian package is called.

    ``name``: its name; ``provides``: Fedora names that it provides; ``requires``: companions, as Debian's relations.
    ``withheld``: names that it provides in Debian, and that stand for another package in Fedora.
    """

    name: str
    provides: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()


@dataclass(frozen=True)
class StandinNames:
    """Fedora's names for the packages of one index."""

    file: FedoraNames
    index: PackageIndex

    @cached_property
    def _packages(self) -> Mapping[str, str]:
        """The Debian package of each Fedora name that has one in the index."""
        found = {name: self._newest(counterpart.main) for name, counterpart in self.file.names.items()}
        return {name: package for name, package in found.items() if package}

    @cached_property
    def _names_of(self) -> Mapping[str, list[str]]:
        names: dict[str, list[str]] = {}
        for name, package in self._packages.items():
            names.setdefault(package, []).append(name)
        return names

    def _newest(self, package: str) -> str:
        if package in self.index.names or not re.search(r"[*?\[]", package):
            return package
        return max(matching(sorted(self.index.names), package), key=_by_numbers, default="")

    def naming(self, package: str) -> Naming:
        """What the RPM of a Debian package is called.

        One whose name is another package's in Fedora, and that has no Fedora name itself, is called ``debian-NAME``.
        """
        names = self._names_of.get(package, [])
        own = package if self._packages.get(package, package) == package else f"debian-{package}"
        main = next((name for name in names if self.file.names[name].package), own)
        provided = [name for name in names if name != main]
        companions = {name for fedora in names for name in self.file.names[fedora].companions}
        withheld = self.index.provides(package) & self._packages.keys() - {main, *provided}
        return Naming(main, tuple(sorted(provided)), tuple(sorted(companions - {package})), tuple(sorted(withheld)))

    def companions(self, packages: Iterable[str]) -> set[str]:
        """What the RPMs of Debian packages require besides, as Debian's relations, without packages of our own."""
        known = self.index.names | self.index.provided
        required = {relation for package in packages for relation in self.naming(package).requires}
        return {text for text in required if any(one.name in known for one in parse_relations(text)[0])}

    def packages_of(self, word: str) -> Iterator[str]:
        """The Debian packages that a name or pattern of a recipe stands for.

        A pattern stands for all main names and all names that are the same in Debian.
        """
        if re.search(r"[*?\[]", word):
            fedora = matching(sorted(self._packages), word)
            yield from sorted({self._packages[name] for name in fedora} | set(matching(self._plain, word)))
        elif word in self._packages:
            yield self._packages[word]
        elif (word in self.index.names and word not in self.file.not_the_same) or word in self.index.provided:
            yield word

    def rpm_name(self, word: str) -> str:
        """The name of the RPM that a Fedora name stands for; empty if there is none."""
        return next((self.naming(package).name for package in self.packages_of(word)), "")

    def excluded(self, words: Iterable[str]) -> list[str]:
        """The Debian packages whose RPMs have one of these names, or match one of these patterns; patterns as well.

        A name that an RPM only provides excludes nothing, as for dnf.
        """
        found = []
        for word in words:
            names = matching(sorted(self._packages), word)
            found += [self._packages[name] for name in names if self.naming(self._packages[name]).name == name]
            found += [word] if re.search(r"[*?\[]", word) or word in self._plain else []
        return sorted(set(found))

    @cached_property
    def _plain(self) -> list[str]:
        """The Debian packages whose RPMs keep their names."""
        other = {package for package in {*self._names_of, *self._packages} if self.naming(package).name != package}
        return sorted(self.index.names - other - set(self.file.not_the_same))

    @property
    def known(self) -> set[str]:
        """All names that a recipe may use."""
        return {*self._packages, *self._plain}


def _by_numbers(name: str) -> list[tuple[int, str]]:
    """A key that sorts names by the numbers in them."""
    return [(int(number or 0), text) for text, number in re.findall(r"(\D*)(\d*)", name)]


def read_names(path: Path) -> FedoraNames:
    """The names in a file; raises WorkbookError naming file and key for what is not accepted."""
    file = validated(FedoraNames, read_yaml_mapping(path), str(path), {})
    named: dict[str, str] = {}
    for name, counterpart in file.names.items():
        if counterpart.package and named.setdefault(counterpart.package, name) != name:
            raise WorkbookError(
                f"{path}: names: {counterpart.package} is the package of {named[counterpart.package]} and {name}",
                hint="write provided_by for one of them: an RPM has one name, and may provide others",
            )
    return file
