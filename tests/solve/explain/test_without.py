"""What would leave: the two solutions that dnf is asked for, and what is made of them.

The dnf here is a few lines over a handful of packages; the real one is held against real
recompositions in tests/integration.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base.command import CommandError, Completed
from atomic_lib.base.errors import WorkbookError
from atomic_lib.content.comps import Comps
from atomic_lib.content.repositories import Content
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.dnf_run import Dnf
from atomic_lib.solve.explain import without
from atomic_lib.solve.explain.graph import Package, make_graph
from atomic_lib.solve.explain.without import Departure, recipe_without, size_of_departure, units_of, what_leaves
from atomic_lib.solve.lock import Lock, LockedPackage
from atomic_lib.solve.rpm_set import RpmSet
from atomic_lib.solve.solver import Solved
from atomic_lib.tools.sandbox import Bind, Tools
from tests.contexts import own_context

REQUIRES = {"app": ["agent"], "agent": ["python"], "python": [], "python-next": [], "tool": [], "shell": ["tool"]}
PROVIDES = {"python": "python", "python-next": "python"}
UNIT = "/usr/lib/systemd/system/app.service"
RECIPE = Recipe(
    files=(Path("r.yaml"),),
    packages=("app", "agent", "tool"),
    groups=("core",),
    enabled_units=("app.service", "other.service"),
)


@dataclass(frozen=True)
class OwnContent(Content):
    """Content with one group."""

    def comps(self, tools: Tools) -> list[Comps]:
        return [Comps({"core": ("shell",), "none": ("absent",)}, {})]


@dataclass(frozen=True)
class OwnTools(Tools):
    """A dnf that solves REQUIRES and fails where a package that is not optional cannot be had."""

    asked: list[list[str]]

    def run(self, words: Sequence[Any], *, binds: Sequence[Bind] = (), **_: Any) -> Completed:
        if words[0] == "rpm":
            return Completed(f"package app\nfiles {UNIT}\n", "")
        if "repoquery" in words:
            return Completed("\n".join(REQUIRES), "")
        self.asked.append([*words[words.index("--setopt=pluginpath=/mnt/plugin") + 1 :]])
        (answer,) = (bind.source for bind in binds if bind.target == "/mnt/solution")
        (answer / "solution.json").write_text(json.dumps(own_solution(self.asked[-1])))
        return Completed("", "")


def own_solution(words: list[str]) -> dict[str, Any]:
    excluded = next((word[10:].split(",") for word in words if word.startswith("--exclude=")), [])
    entries = words[words.index("install") + 1 :]
    chosen: set[str] = set()
    unmet = [entry for entry in entries if not choose(entry, excluded, chosen)]
    if "broken" in excluded or (unmet and "--setopt=strict=0" not in words):
        error = CommandError("dnf failed", log="nothing provides it")
        error.status = 1
        raise error
    return {"packages": [[name, f"{name}-0:1-1.noarch", 10, 100] for name in sorted(chosen)], "unmet": unmet, "met": []}


def choose(name: str, excluded: list[str], chosen: set[str]) -> bool:
    """Add a package with all it requires, or nothing."""
    able = [one for one in REQUIRES if name in (one, PROVIDES.get(one))]
    for one in able:
        trial = chosen | {one}
        free = not any(fnmatchcase(one, pattern) for pattern in excluded)
        if free and all(choose(other, excluded, trial) for other in REQUIRES[one]):
            chosen |= trial
            return True
    return False


def locked(name: str, version: str = "1") -> LockedPackage:
    return LockedPackage(name, 0, version, "1", "noarch", name, 10, "own")


@dataclass(frozen=True)
class Ask:
    """Asks ``what_leaves``; ``asked`` is what dnf was asked."""

    directory: Path
    asked: list[list[str]]

    def __call__(self, *packages: str, recipe: Recipe = RECIPE, **versions: str) -> Departure:
        names = ("agent", "app", "python", "shell", "tool")
        lock = Lock("own", tuple(locked(name, versions.get(name, "1")) for name in names))
        rpm_set = RpmSet("k", lock, self.directory / "rpms", (), 0.0, True)
        tools = OwnTools(self.directory, "key", self.asked)
        content = OwnContent("own", "Own", "c", "1", "", "", "", {}, False, None)
        return what_leaves(
            packages, own_context(self.directory, tools), recipe=recipe, content=content, rpm_set=rpm_set
        )


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    (tmp_path / "rpms").mkdir()
    (tmp_path / "dnf").mkdir()

    @contextmanager
    def running(tools: Tools, content: Content, recipe: Recipe) -> Iterator[Dnf]:
        yield Dnf(tools, content, recipe, tmp_path / "dnf")

    monkeypatch.setattr(without, "running_dnf", running)
    return Ask(tmp_path, [])


def left(departure: Departure) -> list[str]:
    return [package.name for package in departure.leaves]


def test_entries_that_need_it_go_with_it_and_their_units_too(ask: Ask) -> None:
    departure = ask("python*")
    assert left(departure) == ["agent", "app", "python"]
    assert departure.entries == ("app", "agent")
    assert departure.units == ("app.service",)
    assert departure.comes == ()
    assert departure.download_bytes == 30
    assert ask.asked == [
        ["--setopt=strict=0", "--exclude=python*", "install", "agent", "app", "shell", "tool"],
        ["--exclude=python*", "install", "shell", "tool"],
    ]


def test_what_comes_in_instead_is_told(ask: Ask) -> None:
    departure = ask("python")
    assert left(departure) == ["python"]
    assert departure.comes == (Solved("python-next", "python-next-0:1-1.noarch", 10, 100),)
    assert (departure.entries, departure.units, departure.download_bytes) == ((), (), 0)


def test_a_group_s_packages_go_as_members(ask: Ask) -> None:
    departure = ask("tool")
    assert left(departure) == ["shell", "tool"]
    assert (departure.entries, departure.members) == (("tool",), ("shell",))


def test_a_group_is_asked_for_by_its_packages(ask: Ask) -> None:
    assert ask("@core").asked == ("shell",)
    with pytest.raises(WorkbookError, match="nothing of it is in the set"):
        ask("@none")
    with pytest.raises(WorkbookError, match="no group @cor in the content"):
        ask("@cor")


def test_everything_may_leave(ask: Ask) -> None:
    assert len(ask("*").leaves) == 5
    assert len(ask.asked) == 1


def test_what_stays_as_another_build_neither_leaves_nor_comes(ask: Ask) -> None:
    departure = ask("app", tool="2")
    assert left(departure) == ["app"]
    assert departure.changed == (("tool-0:2-1.noarch", "tool-0:1-1.noarch"),)


def test_the_answer_is_kept_and_depends_on_the_recipe(ask: Ask) -> None:
    assert ask("app", "tool") == ask("tool", "app", "tool")
    assert len(ask.asked) == 2
    assert ask("app", "tool", recipe=replace(RECIPE, packages=("app",))).entries == ("app",)
    assert len(ask.asked) == 3


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("pythn", "no package 'pythn' in the set"),
        ("x*", "no package 'x*' in the set"),
        ("python-next", "'python-next' fits no package of the set: the content has it, but it is not installed"),
        ("-x", "'-x' is not a package name"),
        ("a b", "'a b' is not a package name"),
        ("a,b", "'a,b' is not a package name"),
        ("", "'' is not a package name"),
    ],
)
def test_a_word_that_fits_nothing_is_refused(ask: Ask, word: str, message: str) -> None:
    with pytest.raises(WorkbookError) as caught:
        ask(word)
    assert caught.value.message == message
    assert ask.asked == []


def test_dnf_s_reason_is_shown_where_it_finds_no_solution(ask: Ask) -> None:
    with pytest.raises(
        WorkbookError, match="no solution for content 'own' without tool: nothing provides it"
    ) as caught:
        ask("tool", recipe=replace(RECIPE, excludes=("broken",)))
    assert caught.value.log == "nothing provides it"


def departure(**changed: Any) -> Departure:
    nothing: dict[str, Any] = dict.fromkeys(("comes", "changed", "entries", "members", "units"), ())
    return Departure(**{"asked": ("app",), "leaves": (locked("app"), locked("lib")), **nothing, **changed})


def test_the_recipe_without_it_excludes_it_and_names_neither_entries_nor_units() -> None:
    gone = departure(entries=("app",), members=("shell",), units=("app.service",))
    recipe = recipe_without(replace(RECIPE, excludes=("x", "app"), disabled_units=("app.service", "b.service")), gone)
    assert recipe.packages == ("agent", "tool")
    assert recipe.excludes == ("x", "app", "shell")
    assert recipe.enabled_units == ("other.service",)
    assert recipe.disabled_units == ("b.service",)
    assert recipe.groups == RECIPE.groups


def test_the_size_is_the_sum_or_unknown() -> None:
    assert size_of_departure(departure(), {"app": (1000, 2), "lib": (0, 0), "other": (7, 7)}) == (1000, 2)
    assert size_of_departure(departure(), {"app": (1000, 2)}) is None


def test_a_unit_goes_when_all_that_have_it_go() -> None:
    files = {"a": "/usr/lib/systemd/system/one.service", "b": "/usr/lib/systemd/system/many@.service"}
    both = [Package(name, files=frozenset({path})) for name, path in files.items()]
    graph = make_graph([*both, Package("c", files=frozenset({files["a"]}))])
    units = ("one.service", "many@x.service", "unknown.service")
    assert units_of(units, graph, ["a", "b"]) == ("many@x.service",)
    assert units_of(units, graph, ["a", "c"]) == ("one.service",)
