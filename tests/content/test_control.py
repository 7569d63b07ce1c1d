"""Conversion of Debian control data to RPM tags: what rpm takes for met is what dpkg takes for met."""

import re

import pytest

from atomic_lib.content.standin.control import (
    Relation,
    conflict_tags,
    parse_control,
    parse_relations,
    provide_tags,
    recommendation_tags,
    requirement_tags,
)

CONTROL = """\
Package: sample
Version: 1:2.0~rc1-3+deb13u1
Architecture: amd64
Homepage: https://sample.example/
Pre-Depends: libc6 (>= 2.41), init-system-helpers (>= 1.54~)
Depends: python3:any (>= 3.13~), default-logind | logind, debconf (>= 0.5) | debconf-2.0, gone | libc6
Recommends: real, absent
Breaks: other (<< 2), virtual, sample (<< 1)
Conflicts: other (<< 2), absent
Provides: logind (= 1:2.0), sample-abi-1
Description: a sample with 100 % of
 everything
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("libc6", "libc6"),
        ("libc6 (>> 2.41)", "deb(libc6) > 2.41-0"),
        ("libc6(<<2.41-3)", "deb(libc6) < 2.41-3"),
        ("python3:any (>= 3.13~)", "deb(python3) >= 3.13~^0-0"),
        ("gcc-14-base:amd64 (= 14.2.0-19)", "deb(gcc-14-base) = 14.2.0-19"),
        ("libstdc++6 (>= 1:13)", "deb(libstdc++6) >= 1:13-0"),
        ("git-man (<< 1:2.47.3-.)", "deb(git-man) < 1:2.47.3-99999999999999999999.zr0"),
        ("tool (<= 2) [linux-any]", "deb(tool) <= 2-0"),
        ("wine32:i386 (>= 2)", "deb(wine32:i386)"),
    ],
)
def test_a_relation_has_its_version_in_rpms_order_and_only_another_architecture(text: str, expected: str) -> None:
    assert [entry.capability for group in parse_relations(text) for entry in group] == [expected]


def test_a_field_is_groups_of_alternatives() -> None:
    assert parse_relations(" a | b (>= 1),c,\n d ,") == (
        (Relation("a"), Relation("b", ">=", "1")),
        (Relation("c"),),
        (Relation("d"),),
    )
    assert parse_relations("") == ()


@pytest.mark.parametrize("text", ["${misc:Depends}", "b (> 1)", "b (>= 1) c", "b (>= 1%{nil})"])
def test_what_is_no_relation_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(text))):
        parse_relations(f"a, {text}")


def test_a_control_file_gives_the_tags_of_an_rpm() -> None:
    package = parse_control(CONTROL)
    assert (package.name, package.epoch, package.version, package.release) == ("sample", 1, "2.0~rc1", "3+deb13u1")
    assert (package.arch, package.summary) == ("x86_64", "a sample with 100 % of")
    assert package.homepage == "https://sample.example/"
    assert package.names >= {"sample", "libc6", "debconf-2.0", "real", "virtual", "sample-abi-1"}


def test_a_control_file_with_little_in_it() -> None:
    text = "Package: few\nVersion: 1\nArchitecture: all\nDescription: few fields\n"
    package = parse_control(text)
    assert (package.arch, package.release, package.homepage) == ("noarch", "0", "")
    assert (package.requires, package.recommends, package.conflicts, package.provides) == ((), (), (), ())


def test_all_alternatives_are_left_to_the_solver_and_a_dropped_one_takes_the_group_away() -> None:
    assert requirement_tags(parse_control(CONTROL), dropped={"debconf", "init-system-helpers"}) == [
        "libc6",
        "deb(libc6) >= 2.41-0",
        "python3",
        "deb(python3) >= 3.13~^0-0",
        "(default-logind or logind)",
        "(gone or libc6)",
    ]


def test_what_is_recommended_follows_from_the_package_alone() -> None:
    package = parse_control(CONTROL)
    assert recommendation_tags(package, dropped=()) == ["real", "absent"]
    assert recommendation_tags(package, dropped={"real"}) == ["absent"]


def test_breaks_and_conflicts_are_conflicts() -> None:
    assert conflict_tags(parse_control(CONTROL)) == ["absent", "deb(other) < 2-0", "deb(sample) < 1-0", "virtual"]


def test_only_what_has_a_version_provides_one_to_relations() -> None:
    assert provide_tags(parse_control(CONTROL)) == [
        "deb(sample) = 1:2.0~rc1-3+deb13^u1", "logind = 1:2.0-0", "deb(logind) = 1:2.0-0", "sample-abi-1",
    ]  # fmt: skip
