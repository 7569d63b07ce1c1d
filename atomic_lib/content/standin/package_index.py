"""apt's index of a suite: which packages there are, and what each paragraph of ``Packages`` says.

Format: deb822, Debian Policy, section 5.1 (paragraphs of fields); a paragraph has the package's control data and the
name, size and sha256 of its file.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from atomic_lib.content.standin.control import DebianPackage, parse_control, parse_relations

_PARAGRAPHS = re.compile(r"\n\n+")


@dataclass(frozen=True)
class PackageIndex:
    """The paragraphs of a suite's packages, by the name that apt gives each file."""

    paragraphs: Mapping[str, str]

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of all packages."""
        return frozenset(file.partition("_")[0] for file in self.paragraphs)

    @cached_property
    def _provides(self) -> Mapping[str, frozenset[str]]:
        fields = ((file.partition("_")[0], _field("Provides", text)) for file, text in self.paragraphs.items())
        return {name: frozenset(group[0].name for group in parse_relations(field)) for name, field in fields if field}

    @cached_property
    def provided(self) -> frozenset[str]:
        """The names that packages provide."""
        return frozenset().union(*self._provides.values())

    def provides(self, package: str) -> frozenset[str]:
        """The names that a package provides."""
        return self._provides.get(package, frozenset())

    @cached_property
    def essential(self) -> tuple[str, ...]:
        """The names of the packages that every Debian system has."""
        marked = (file for file, text in self.paragraphs.items() if "\nEssential: yes" in text)
        return tuple(sorted({file.partition("_")[0] for file in marked}))

    def sha256(self, file: str) -> str | None:
        """The sha256 of a package's file in hex; None if the index does not have this file."""
        found = _field("SHA256", self.paragraphs.get(file, ""))
        return found or None

    def package(self, file: str) -> DebianPackage:
        """The package in this file."""
        return parse_control(self.paragraphs[file])


def read_index(lists: Path) -> PackageIndex:
    """The index in apt's directory of lists."""
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in sorted(lists.glob("*_Packages"))]
    paragraphs = (paragraph for text in texts for paragraph in _PARAGRAPHS.split(text) if paragraph.strip())
    return PackageIndex({_file_of(paragraph): paragraph for paragraph in paragraphs})


def file_name(package: str, version: str, architecture: str) -> str:
    """The name that apt gives the file of a package."""
    return f"{package}_{version.replace(':', '%3a')}_{architecture}.deb"


def _file_of(paragraph: str) -> str:
    return file_name(*(_field(name, paragraph) for name in ("Package", "Version", "Architecture")))


def _field(name: str, paragraph: str) -> str:
    """The value of a field, in one line; empty if the paragraph does not have it."""
    head = f"\n{name}: "
    if paragraph.startswith(head[1:]):
        start = len(head) - 1
    else:
        start = paragraph.find(head) + len(head)
        if start < len(head):
            return ""
    end = paragraph.find("\n", start)
    while 0 < end < len(paragraph) - 1 and paragraph[end + 1] in " \t":
        end = paragraph.find("\n", end + 1)
    return " ".join((paragraph[start:] if end < 0 else paragraph[start:end]).split())
