"""Questions about one variant, answered without building an image: why is it here, what would leave?"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import BUILD, CHECKOUT, cache_directory
from atomic_lib.base.store import Store
from atomic_lib.compose.tree import Tree, compose_tree
from atomic_lib.content.repositories import Content, open_content
from atomic_lib.image.disk import Image, build_image
from atomic_lib.measure.classes import ClassRules, default_class_rules
from atomic_lib.measure.footprint import Footprint, measure_footprint
from atomic_lib.params.variant import Variant, load_variant
from atomic_lib.recipe.load import load_recipe
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.report.elements.table import Table
from atomic_lib.report.tables.contents.why_tables import NOT_PREDICTED, consequences_table, departure_table, why_table
from atomic_lib.solve.graph import Graph, Link, graph_of
from atomic_lib.solve.resolve import RpmSet, resolve_rpm_set
from atomic_lib.solve.why import Chain, entries_of, why
from atomic_lib.solve.without import Departure, what_leaves
from atomic_lib.tools.tools_tree import Tools, open_tools

CLASS_PREFIX = "class:"


@dataclass(frozen=True)
class OpenVariant:
    """One variant with its packages resolved; its tree is composed, and its image built, where a question needs it."""

    variant: Variant
    recipe: Recipe
    content: Content
    rpm_set: RpmSet
    tools: Tools
    store: Store

    @cached_property
    def graph(self) -> Graph:
        """Which package brings which other in."""
        return graph_of(self.rpm_set, self.tools, weak_dependencies=self.recipe.weak_dependencies)

    @cached_property
    def entries(self) -> tuple[Link, ...]:
        """What the recipe itself names."""
        return entries_of(self.graph, self.recipe, self.content.comps(self.tools))

    @cached_property
    def tree(self) -> Tree:
        """The composed tree."""
        return compose_tree(self.variant, self.recipe, self.content, self.rpm_set, self.tools, self.store)

    @cached_property
    def image(self) -> Image:
        """The disk image."""
        return build_image(self.variant, self.recipe, self.content, self.tree, self.tools, self.store)

    @cached_property
    def footprint(self) -> Footprint:
        """The composed tree, by package."""
        return measure_footprint(self.tree.entries(), self.tree.owners(), self._names)

    @property
    def sizes(self) -> Mapping[str, tuple[int, int]]:
        """Bytes and files of each package in the composed tree, by name."""
        return {name: (owned.bytes, owned.files) for name, owned in self.footprint.packages.items()}

    @property
    def generated(self) -> tuple[int, int]:
        """Bytes and files of the composed tree that no package owns."""
        return sum(entry.size_bytes for entry in self.footprint.unowned), len(self.footprint.unowned)

    def why(self, name: str, *, limit: int = 5) -> tuple[Chain, ...]:
        """The chains to a package, the shortest first; raises WorkbookError for one that is not in the set."""
        return why(self.graph, self.entries, name, limit=limit)

    def without(self, words: Sequence[str]) -> Departure:
        """What leaves when names, shell patterns, ``@group`` or ``class:NAME`` are not installed.

        Raises WorkbookError: see ``what_leaves``, and for a class that is unknown or empty.
        """
        names = [name for word in words for name in classes_expanded(word, self._names, default_class_rules())]
        return what_leaves(names, self.recipe, self.content, self.rpm_set, self.tools, self.store)

    @property
    def _names(self) -> list[str]:
        return [package.name for package in self.rpm_set.lock.packages]


def open_variant(name: str) -> OpenVariant:
    """The variant ``params/variants/NAME.yaml``, ready to be asked; what is in the store already is taken from there.

    Raises WorkbookError: unknown variant, bad recipe, content not reached, a user who is not root.
    """
    return open_loaded(load_variant(name))


def open_loaded(variant: Variant) -> OpenVariant:
    """``open_variant`` for a variant that is loaded already, with its own parameters."""
    recipe = load_recipe(variant)
    if os.geteuid() != 0:
        raise WorkbookError("resolving and composing needs root", hint="run it with sudo")
    cache, store = cache_directory(), Store(BUILD / "store")
    tools = open_tools(cache)
    content = open_content(variant.content, tools, cache)
    lock = CHECKOUT / variant.lock if variant.lock else None
    rpm_set = resolve_rpm_set(recipe, content, tools, cache, store, name=variant.variant, lock_file=lock)
    return OpenVariant(variant, recipe, content, rpm_set, tools, store)


def answer_why(package: str, variant: str) -> int:
    """Print why ``package`` is in ``variant``; the exit status: 0, or 1 where nothing asks for it."""
    table = why_table(package, open_variant(variant).why(package))
    print(f"{variant}: {plain_text(table)}")
    return 0 if table.rows else 1


def answer_without(packages: Sequence[str], variant: str) -> int:
    """Print what leaves ``variant`` without ``packages``; the exit status."""
    opened = open_variant(variant)
    departure = opened.without(packages)
    print(f"{variant}: {plain_text(departure_table(departure, opened.sizes))}\n")
    print(f"{plain_text(consequences_table(departure, opened.generated))}\n")
    print(NOT_PREDICTED)
    return 0


def classes_expanded(word: str, names: Sequence[str], rules: ClassRules) -> list[str]:
    """The word itself, or for ``class:NAME`` the packages among ``names`` that are of this class of the footprint."""
    if not word.startswith(CLASS_PREFIX):
        return [word]
    wanted = word.removeprefix(CLASS_PREFIX)
    known = [rule.name for rule in rules.rules]
    if wanted not in known:
        raise WorkbookError(f"no class {wanted!r}", hint=f"classes: {', '.join(known)}")
    found = [name for name in names if rules.class_of_package(name) == wanted]
    if not found:
        raise WorkbookError(f"no package of the set is of class {wanted!r}", hint="choose another class")
    return found


def plain_text(table: Table) -> str:
    """A table as aligned text: its caption, then a line for each row."""
    if not table.rows:
        return f"{table.caption}\n{table.empty}"
    texts = [list(table.header), *([cell.text for cell in row] for row in table.rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    figures = [any(cell.kind == "number" for cell in column) for column in zip(*table.rows, strict=True)]
    lines = [
        "  ".join(
            text.rjust(width) if figure else text.ljust(width)
            for text, width, figure in zip(row, widths, figures, strict=True)
        ).rstrip()
        for row in texts
    ]
    return "\n".join([table.caption, *lines])
