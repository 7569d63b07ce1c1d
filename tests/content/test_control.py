"""Conversion of Debian control data to RPM tags: versions compare in the same order, and dnf can satisfy relations."""

import pytest

from atomic_lib.content.standin.control import (
    Relation,
    available_names,
    conflict_tags,
    parse_control,
    parse_relations,
    recommendation_tags,
    requirement_tags,
    rpm_evr,
    rpm_version,
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
    ("version", "expected"),
    [
        ("2.41-12", (0, "2.41", "12")),
        ("2.41", (0, "2.41", "0")),
        ("1:2.0~rc1-3+deb13u1", (1, "2.0~rc1", "3+deb13u1")),
        ("0.52.24-5.1", (0, "0.52.24", "5.1")),
        ("20240101-abc-2", (0, "20240101.abc", "2")),
        ("2:1.2-3-4", (2, "1.2.3", "4")),
    ],
)
def test_a_version_has_epoch_and_release_and_no_hyphen(version: str, expected: tuple[int, str, str]) -> None:
    assert rpm_version(version) == expected


def test_an_evr_names_the_epoch_only_where_there_is_one() -> None:
    assert (rpm_evr("1:2.0"), rpm_evr("2.0-1"), rpm_evr("0:2.0-1")) == ("1:2.0-0", "2.0-1", "2.0-1")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("libc6", "libc6"),
        ("libc6 (>> 2.41)", "libc6 > 2.41-0"),
        ("libc6(<<2.41-3)", "libc6 < 2.41-3"),
        ("python3:any (>= 3.13~)", "python3 >= 3.13~-0"),
        ("gcc-14-base:amd64 (= 14.2.0-19)", "gcc-14-base = 14.2.0-19"),
        ("libstdc++6 (>= 1:13)", "libstdc++6 >= 1:13-0"),
        ("tool (<= 2) [linux-any]", "tool <= 2-0"),
    ],
)
def test_a_relation_loses_its_architecture_and_keeps_its_version(text: str, expected: str) -> None:
    assert [str(entry) for group in parse_relations(text) for entry in group] == [expected]


def test_a_field_is_groups_of_alternatives() -> None:
    assert parse_relations(" a | b (>= 1),c,\n d ,") == (
        (Relation("a"), Relation("b", ">= 1-0")),
        (Relation("c"),),
        (Relation("d"),),
    )
    assert parse_relations("") == ()


def test_what_is_no_relation_is_named() -> None:
    with pytest.raises(ValueError, match=r"\$\{misc:Depends\}"):
        parse_relations("a, ${misc:Depends}")


def test_a_control_file_gives_the_tags_of_an_rpm() -> None:
    package = parse_control(CONTROL)
    assert (package.name, package.epoch, package.version, package.release) == ("sample", 1, "2.0~rc1", "3+deb13u1")
    assert (package.arch, package.summary) == ("x86_64", "a sample with 100 % of")
    assert package.homepage == "https://sample.example/"
    assert [str(entry) for entry in package.provides] == ["logind = 1:2.0-0", "sample-abi-1"]
    assert available_names([package]) == {"sample", "logind", "sample-abi-1"}


def test_a_control_file_with_little_in_it() -> None:
    text = "Package: few\nVersion: 1\nArchitecture: all\nDescription: few fields\n"
    package = parse_control(text)
    assert (package.arch, package.release, package.homepage) == ("noarch", "0", "")
    assert (package.requires, package.recommends, package.conflicts, package.provides) == ((), (), (), ())


def test_an_alternative_that_exists_is_enough_and_a_dropped_one_takes_the_group_away() -> None:
    package = parse_control(CONTROL)
    available = {"libc6", "python3", "logind", "default-logind", "real"}
    assert requirement_tags(package, available, dropped={"debconf", "init-system-helpers"}) == [
        "libc6 >= 2.41-0",
        "python3 >= 3.13~-0",
        "(default-logind or logind)",
        "libc6",
    ]


def test_a_requirement_that_nothing_meets_stays_so_that_the_solver_names_it() -> None:
    package = parse_control(CONTROL)
    tags = requirement_tags(package, {"libc6"}, dropped=())
    assert "(debconf >= 0.5-0 or debconf-2.0)" in tags
    assert "python3 >= 3.13~-0" in tags


def test_only_what_exists_is_recommended() -> None:
    assert recommendation_tags(parse_control(CONTROL), {"real"}, dropped=()) == ["real"]
    assert recommendation_tags(parse_control(CONTROL), {"real"}, dropped={"real"}) == []


def test_conflicts_are_only_with_real_packages_and_never_with_itself() -> None:
    assert conflict_tags(parse_control(CONTROL), {"sample", "other"}) == ["other < 2-0"]
