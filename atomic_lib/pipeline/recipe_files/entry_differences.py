"""How the entries and settings of two recipes differ."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from atomic_lib.pipeline.recipe_files.recipe_words import LISTS, settings_of
from atomic_lib.recipe.recipe import PostScript, Recipe


@dataclass(frozen=True)
class EntryDifference:
    """An entry, or the value of a setting, of only one of two recipes."""

    side: Literal["-", "+"]
    """``-``: only in the first; ``+``: only in the second."""
    what: str
    value: object

    def __str__(self) -> str:
        """The difference as a line."""
        return f"{self.side} {self.what}: {self.value}"


def entry_differences(first: Recipe, second: Recipe) -> list[EntryDifference]:
    """The differences of two recipes; the order of entries does not count, that of scripts does."""
    found: list[EntryDifference] = []
    for name, title in LISTS.items():
        one, other = getattr(first, name), getattr(second, name)
        found += [EntryDifference("-", title, entry) for entry in one if entry not in other]
        found += [EntryDifference("+", title, entry) for entry in other if entry not in one]
    mine, theirs = settings_of(first), settings_of(second)
    for name in sorted({*mine, *theirs}):
        if mine.get(name) != theirs.get(name):
            default = getattr(Recipe(files=(), packages=()), name)
            found.append(EntryDifference("-", name, mine.get(name, default)))
            found.append(EntryDifference("+", name, theirs.get(name, default)))
    return [*found, *_script_differences(first, second)]


def _script_differences(first: Recipe, second: Recipe) -> Iterator[EntryDifference]:
    ours, others = ([_said_by(script) for script in recipe.post_scripts] for recipe in (first, second))
    for side, recipe, elsewhere in (("-", first, others), ("+", second, ours)):
        for script in recipe.post_scripts:
            if _said_by(script) not in elsewhere:
                yield EntryDifference("-" if side == "-" else "+", "script", script.source)
    if ours != others and set(ours) == set(others):
        yield EntryDifference("-", "order of scripts", ", ".join(script.source for script in first.post_scripts))
        yield EntryDifference("+", "order of scripts", ", ".join(script.source for script in second.post_scripts))


def _said_by(script: PostScript) -> tuple[object, ...]:
    return script.interpreter, script.text, script.in_tree, script.stop_on_error
