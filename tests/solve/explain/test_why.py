"""Why a package is here: entries found, chains in order, the one to an excluded package."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.content.comps import Comps
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.explain.graph import Graph, Link, Package, make_graph
from atomic_lib.solve.explain.why import chain_text, entries_of, explain_excluded, parse_repoquery, shortest_chains, why

# What dnf repoquery answers in the format asked for.
LISTING = """\
package app
requires
base-files
(runtime >= 3.1 or other-runtime)
libc.so.6(GLIBC_2.34)(64bit)

provides
app = 1-1
end
package glue
requires
python3 >= 3
provides
runtime = 3.2
glue = 1-1
end
package python3-minimal
requires

provides
python3 = 3.13-1
python3-minimal = 3.13-1
end
package base-files
requires

provides
base-files = 13-0
end
"""
RECIPE = Recipe(files=(Path("a.yaml"),), packages=("base-files", "app"), excludes=("python3*",))


def graph_from(**packages: str) -> Graph:
    """Packages that require the names given and provide their own."""
    return make_graph(Package(name, frozenset(words.split()), frozenset({name})) for name, words in packages.items())


def entries(*names: str) -> list[Link]:
    return [Link("recipe", name, name) for name in names]


def names_of(chains: Sequence[Sequence[Link]]) -> list[str]:
    return [" ".join(link.package for link in chain) for chain in chains]


def excluded_chain(listing: str, *words: str, excludes: tuple[str, ...] = ("bad",)) -> list[str]:
    return explain_excluded(Recipe(files=(), packages=words, excludes=excludes), lambda _: listing)


def repoquery(**packages: str) -> str:
    """What dnf would answer for packages that require the names given."""
    return "".join(
        "\n".join([f"package {name}", "requires", *words.split(), "provides", f"{name} = 1", "end", ""])
        for name, words in packages.items()
    )


def test_the_recipe_s_words_are_read_as_dnf_reads_them() -> None:
    tool = Package("tool-real", provides=frozenset({"tool-real", "tool"}), files=frozenset({"/usr/bin/tool"}))
    graph = make_graph([tool, Package("docs-a"), Package("docs-b"), Package("base")])
    recipe = Recipe(files=(), packages=("base", "docs-*", "tool", "/usr/bin/tool", "base.x86_64", "absent"))
    assert entries_of(graph, recipe) == (
        Link("recipe", "base", "base"),
        Link("recipe", "docs-a", "docs-*"),
        Link("recipe", "docs-b", "docs-*"),
        Link("recipe", "tool-real", "tool"),
        Link("recipe", "tool-real", "/usr/bin/tool"),
        Link("recipe", "base", "base.x86_64"),
    )


def test_groups_and_environments_are_entries_of_their_own_kind() -> None:
    comps = [Comps({"core": ("bash", "absent")}, {"server": ("core",)})]
    recipe = Recipe(files=(Path("a.ks"),), packages=(), groups=("core", "^server"))
    assert entries_of(graph_from(bash=""), recipe, comps) == (
        Link("group", "bash", "@core"),
        Link("group", "bash", "@^server"),
    )


def test_a_group_with_a_minus_is_no_entry_and_belongs_to_no_environment() -> None:
    comps = [Comps({"core": ("bash",), "extra": ("vim",)}, {"server": ("core", "extra")})]
    recipe = Recipe(files=(Path("a.ks"),), packages=(), groups=("^server", "-extra"))
    assert entries_of(graph_from(bash="", vim=""), recipe, comps) == (Link("group", "bash", "@^server"),)


def test_every_package_has_its_shortest_chain_and_a_circle_ends() -> None:
    chains = shortest_chains(graph_from(a="b c", b="a d", c="d", d="a", alone=""), entries("a"))
    assert names_of(list(chains.values())) == ["a", "a b", "a c", "a b d"]


def test_the_chains_to_a_package_are_one_for_each_that_asks_for_it() -> None:
    graph = graph_from(a="b lib", b="lib", c="d", d="b", lib="a")
    assert names_of(why(graph, entries("a", "c", "lib"), "lib")) == ["lib", "a lib", "a b lib"]
    assert names_of(why(graph, entries("a", "c"), "lib", limit=1)) == ["a lib"]


def test_no_chain_to_a_package_leads_through_it() -> None:
    graph = graph_from(a="lib", lib="b", b="lib")
    assert names_of(why(graph, entries("a"), "lib")) == ["a lib"]


def test_a_package_that_nothing_asks_for_has_no_chain() -> None:
    assert why(graph_from(a="", b=""), entries("a"), "b") == ()


def test_a_package_that_is_not_in_the_set_is_refused_with_close_names() -> None:
    with pytest.raises(WorkbookError, match="no package 'pyton3' in the set") as caught:
        why(graph_from(python3="", bash=""), [], "pyton3")
    assert caught.value.hint == "close to it: python3"


def test_a_chain_tells_the_reason_for_each_step() -> None:
    chain = (Link("group", "app", "@core"), Link("requires", "lib", "lib"), Link("file", "dash", "/bin/sh"))
    assert chain_text(chain) == "app (group @core) → lib (requires) → dash (file /bin/sh)"


def test_the_listing_of_dnf_is_read() -> None:
    packages = {package.name: package for package in parse_repoquery(LISTING.splitlines())}
    assert list(packages) == ["app", "glue", "python3-minimal", "base-files"]
    assert packages["app"].requires == {
        "base-files", "(runtime >= 3.1 or other-runtime)", "libc.so.6(GLIBC_2.34)(64bit)",
    }  # fmt: skip
    assert packages["glue"].requires == {"python3"}
    assert packages["glue"].provides == {"runtime", "glue"}
    assert packages["base-files"].requires == frozenset()


def test_a_listing_cut_off_has_only_whole_packages() -> None:
    lines = LISTING.splitlines()
    cut = lines[: lines.index("package python3-minimal") + 2]
    assert [package.name for package in parse_repoquery(cut)] == ["app", "glue"]


def test_the_shortest_chain_to_an_excluded_package_wins() -> None:
    listing = repoquery(a="b c", b="a d", c="bad", d="bad", bad="a")
    assert excluded_chain(listing, "a") == ["a", "c", "bad"]
    assert excluded_chain(listing, "b", "a") == ["b", "d", "bad"]


def test_an_entry_that_is_itself_excluded_is_the_chain() -> None:
    assert excluded_chain(repoquery(dnf=""), "dnf", excludes=("dnf*",)) == ["dnf"]


@pytest.mark.parametrize(("word", "excludes"), [("a", ("x",)), ("unknown", ("bad",)), ("a", ())])
def test_no_chain(word: str, excludes: tuple[str, ...]) -> None:
    assert excluded_chain(repoquery(a="b missing", b="", bad=""), word, excludes=excludes) == []


def test_dnf_is_asked_only_where_something_is_excluded() -> None:
    asked: list[Sequence[str]] = []

    def answer(words: Sequence[str]) -> str:
        asked.append(words)
        return LISTING

    assert explain_excluded(Recipe(files=(), packages=("app",)), answer) == []
    assert asked == []
    assert explain_excluded(RECIPE, answer) == ["app", "glue", "python3-minimal"]
    assert [words[:2] for words in asked] == [["-q", "repoquery"]]
