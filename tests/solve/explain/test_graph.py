"""The requirement graph: headers read, boolean requirements decided, links with their kinds."""

from atomic_lib.solve.explain.graph import Link, Package, make_graph, parse_packages

# What rpm answers in the format asked for.
LISTING = """\
package app
requires base-files
requires /bin/sh
requires (runtime >= 3.1 or other-runtime)
requires rpmlib(PayloadIsZstd)
provides app
recommends docs
files /usr/bin/app
files /usr/share/app/a name with spaces
package dash
provides dash
provides /bin/sh
files /usr/bin/dash
package base-files
provides base-files
package docs
provides docs
supplements app
"""


def package(name: str, requires: str = "", provides: str = "", **fields: str) -> Package:
    weak = {field: frozenset(words.split("|")) for field, words in fields.items()}
    return Package(name, frozenset(requires.split()), frozenset([name, *provides.split()]), **weak)


def test_the_listing_of_rpm_is_read() -> None:
    packages = {one.name: one for one in parse_packages(LISTING.splitlines())}
    assert list(packages) == ["app", "dash", "base-files", "docs"]
    assert "(runtime >= 3.1 or other-runtime)" in packages["app"].requires
    assert packages["app"].files == {"/usr/bin/app", "/usr/share/app/a name with spaces"}
    assert packages["app"].recommends == {"docs"}
    assert packages["docs"].supplements == {"app"}
    assert packages["base-files"].requires == frozenset()


def test_what_stands_before_the_first_package_is_no_package() -> None:
    assert parse_packages(["warning: odd", "requires a"]) == []


def test_each_link_has_its_kind_and_the_strong_ones_come_first() -> None:
    graph = make_graph(parse_packages(LISTING.splitlines()))
    assert graph.links["app"] == (
        Link("requires", "base-files", "base-files"),
        Link("file", "dash", "/bin/sh"),
        Link("recommends", "docs", "docs"),
    )


def test_nothing_is_here_by_recommendation_where_dnf_does_not_follow_it() -> None:
    graph = make_graph(parse_packages(LISTING.splitlines()), weak_dependencies=False)
    assert [link.package for link in graph.links["app"]] == ["base-files", "dash"]


def test_a_path_is_provided_by_the_package_that_has_the_file() -> None:
    owner = Package("owner", files=frozenset({"/usr/bin/tool"}))
    assert make_graph([package("app", "/usr/bin/tool"), owner]).links["app"] == (
        Link("file", "owner", "/usr/bin/tool"),
    )


def test_a_package_that_supplements_is_linked_from_what_it_supplements() -> None:
    graph = make_graph([package("app"), package("extra", supplements="(app and absent)")])
    assert graph.links["app"] == (Link("supplements", "extra", "(app and absent)"),)
    assert graph.links["extra"] == ()


def test_of_several_links_to_one_package_the_strongest_and_plainest_is_kept() -> None:
    graph = make_graph([package("app", "a-part lib", recommends="lib"), package("lib", provides="a-part")])
    assert graph.links["app"] == (Link("requires", "lib", "lib"),)


def test_neither_itself_nor_what_is_absent_is_linked() -> None:
    assert make_graph([package("app", "app self absent", provides="self")]).links["app"] == ()


def test_packages_of_one_name_are_together_one() -> None:
    both = [
        Package("libc", requires=frozenset({"filesystem"}), provides=frozenset({"libc.so.6"})),
        Package("libc", requires=frozenset({"/etc/nss"}), provides=frozenset({"libc.so.6()(64bit)"})),
        Package("filesystem"),
        Package("nss", files=frozenset({"/etc/nss"})),
        Package("own", requires=frozenset({"libc.so.6"})),
    ]
    graph = make_graph(both)
    assert {link.package for link in graph.links["libc"]} == {"filesystem", "nss"}
    assert [link.package for link in graph.links["own"]] == ["libc"]
