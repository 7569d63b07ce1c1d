"""How the entries and settings of two recipes differ."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from atomic_lib.pipeline.recipe_files.recipe_words import LISTS, settings_of
from atomic_lib.recipe.recipe import PostScript, Recipe

_LONGEST_LINE = 160
_WITHOUT_ORDER = ("extra_repos", "firewall", "languages", "lockfile_repos", "repositories")
"""Settings that are lists whose order means nothing."""


@dataclass(frozen=True)
class EntryDifference:
    """An entry, or the value of a setting, of only one of two recipes."""

    side: Literal["-", "+"]
    """``-``: only in the first; ``+``: only in the second."""
    what: str
    value: object

    def __str__(self) -> str:
        """The difference as a line, a long value abbreviated."""
        line = f"{self.side} {self.what}: {self.value if self.value != '' else 'none'}"
        return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…"


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
            found += _setting_differences(name, mine, theirs)
    return [*found, *_script_differences(first, second)]


def _setting_differences(
    name: str, mine: Mapping[str, object], theirs: Mapping[str, object]
) -> Iterator[EntryDifference]:
    """Both values, but none of a setting that is not set; of lists only the entries of one of them."""
    default = getattr(Recipe(files=(), packages=()), name)
    sides: tuple[tuple[Literal["-", "+"], object, object], ...] = (
        ("-", mine.get(name, default), theirs.get(name, default)),
        ("+", theirs.get(name, default), mine.get(name, default)),
    )
    for side, value, other in sides:
        if isinstance(value, list | tuple):
            others = other if isinstance(other, list | tuple) else ()
            yield from (EntryDifference(side, name, entry) for entry in value if entry not in others)
            if not value and other is None:
                yield EntryDifference(side, name, "an empty list")
        elif value is not None:
            yield EntryDifference(side, name, value)
    if name in _WITHOUT_ORDER:
        return
    one, another = sides[0][1], sides[0][2]
    if isinstance(one, list) and isinstance(another, list) and sorted(map(str, one)) == sorted(map(str, another)):
        yield EntryDifference("-", f"order of {name}", one)
        yield EntryDifference("+", f"order of {name}", another)


def _script_differences(first: Recipe, second: Recipe) -> Iterator[EntryDifference]:
    ours, others = ([_said_by(script) for script in recipe.post_scripts] for recipe in (first, second))
    sides: tuple[tuple[Literal["-", "+"], Recipe, list[_Said]], ...] = (("-", first, others), ("+", second, ours))
    for side, recipe, elsewhere in sides:
        texts = [said[0] for said in elsewhere]
        for script in recipe.post_scripts:
            if (said := _said_by(script)) not in elsewhere:
                how = f" ({_how_it_runs(script)})" if said[0] in texts else ""
                yield EntryDifference(side, "script", f"{script.source}{how}")
    if ours != others and set(ours) == set(others):
        yield EntryDifference("-", "order of scripts", ", ".join(script.source for script in first.post_scripts))
        yield EntryDifference("+", "order of scripts", ", ".join(script.source for script in second.post_scripts))


_Said = tuple[str, str, bool, bool]


def _said_by(script: PostScript) -> _Said:
    """What a script does: its text without ``#!`` lines at its beginning, and how it runs. /bin is /usr/bin."""
    text = re.sub(r"\A(#!.*(\n|\Z))+", "", script.text)
    return text.strip("\n"), program_of(script).removeprefix("/usr"), script.in_tree, script.stop_on_error


def program_of(script: PostScript) -> str:
    """The interpreter of a script; ``/usr/bin/env NAME`` as /usr/bin/NAME."""
    env, _, name = script.interpreter.partition(" ")
    return f"/usr/bin/{name}" if env in ("/usr/bin/env", "/bin/env") and name.isalnum() else script.interpreter


def _how_it_runs(script: PostScript) -> str:
    failure = "a failure ends the build" if script.stop_on_error else "a failure is ignored"
    return f"{script.interpreter}, {'in' if script.in_tree else 'outside of'} the tree, {failure}"
