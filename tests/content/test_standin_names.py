"""Fedora's names for stand-in content, and its groups: the form of the files, and that the suite has what they name."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import filter as matching
from typing import cast

import pytest

from atomic_lib.base.paths import PARAMS_DIRECTORY, cache_directory
from atomic_lib.content.comps import read_comps
from atomic_lib.content.standin.control import parse_relations
from atomic_lib.content.standin.converter import OWN_PACKAGES
from atomic_lib.content.standin.package_index import PackageIndex, read_index
from atomic_lib.params.schema import read_yaml_mapping

FILE = PARAMS_DIRECTORY / "content/standin/names.yaml"
COMPS = PARAMS_DIRECTORY / "content/standin/comps.xml"
LISTS = cache_directory() / "apt/lists"
SECTIONS = {name: cast(dict[str, object], section) for name, section in read_yaml_mapping(FILE).items()}
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]*")
DEBIAN_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+")
DEBIAN_PATTERN = re.compile(r"[a-z0-9*][a-z0-9+.*-]+")
UNIT = re.compile(r"[\w@.-]+\.(?:service|socket|target|timer|path|mount)")


@dataclass(frozen=True)
class Entry:
    """What the file says of a Fedora name. ``main``: whether the RPM of the Debian package has this name."""

    fedora: str
    debian: str
    main: bool
    requires: tuple[str, ...] = ()


def entries() -> Iterator[Entry]:
    for fedora, value in SECTIONS["names"].items():
        words = {"package": value} if isinstance(value, str) else cast(dict[str, object], value)
        debian = cast(str, words.get("package") or words.get("provided_by"))
        yield Entry(fedora, debian, "package" in words, tuple(cast(list[str], words.get("with", []))))


ENTRIES = list(entries())
MAIN = {entry.debian: entry.fedora for entry in ENTRIES if entry.main}


def matching_names(suite: PackageIndex, pattern: str) -> set[str]:
    """The packages that a pattern stands for; none for a name."""
    return set(matching(suite.names, pattern)) if "*" in pattern else set()


@pytest.fixture(scope="module")
def suite() -> PackageIndex:
    """The index of the suite, if an earlier run has fetched it."""
    if not any(LISTS.glob("*_Packages")):
        pytest.skip(f"the suite's index is not at {LISTS}: it comes with the first build of stand-in content")
    return read_index(LISTS)


def test_the_file_has_its_sections_and_no_others() -> None:
    assert list(SECTIONS) == ["names", "not_the_same", "units"]


def is_well_formed(value: object) -> bool:
    if isinstance(value, str):
        return bool(DEBIAN_PATTERN.fullmatch(value))
    words = cast(dict[str, object], value)
    relations = cast(list[str], words.get("with", [""]))
    required = [one.name for relation in relations for group in parse_relations(relation) for one in group]
    return (
        set(words) <= {"package", "provided_by", "with", "reason"}
        and len({"package", "provided_by"} & set(words)) == 1
        and bool(words.get("reason") and relations)
        and all(DEBIAN_NAME.fullmatch(name) for name in required)
    )


def test_an_entry_names_one_package_and_says_why_it_is_not_one_to_one() -> None:
    assert [name for name in SECTIONS["names"] if not NAME.fullmatch(name)] == []
    assert [name for name, value in SECTIONS["names"].items() if not is_well_formed(value)] == []


def test_each_debian_package_has_one_main_name() -> None:
    main = Counter(entry.debian for entry in ENTRIES if entry.main)
    assert [name for name, times in main.items() if times > 1] == []


def test_an_entry_that_says_nothing_is_left_out() -> None:
    assert [one.fedora for one in ENTRIES if one.main and one.fedora == one.debian and not one.requires] == []


def test_the_suite_has_every_debian_package(suite: PackageIndex) -> None:
    known = {*suite.names, *OWN_PACKAGES}
    missing = [one.debian for one in ENTRIES if one.debian not in known and not matching_names(suite, one.debian)]
    groups = [group for one in ENTRIES for relation in one.requires for group in parse_relations(relation)]
    missing += [group[0].name for group in groups if group[0].name not in known]
    alternatives = {relation.name for group in groups for relation in group}
    assert missing + sorted(alternatives - known - suite.provided) == []


def test_a_name_that_debian_uses_for_another_package_is_listed(suite: PackageIndex) -> None:
    listed = SECTIONS["not_the_same"]
    others = [one.fedora for one in ENTRIES if one.fedora in suite.names and one.fedora != one.debian]
    assert [fedora for fedora in others if fedora not in listed] == []
    assert [name for name in listed if name not in suite.names] == []


def test_no_two_rpms_have_one_name(suite: PackageIndex) -> None:
    unlike = [name for name in SECTIONS["not_the_same"] if name not in MAIN]
    names = {name: MAIN.get(name, f"debian-{name}" if name in unlike else name) for name in suite.names}
    several = Counter([*names.values(), *(fedora for debian, fedora in MAIN.items() if "*" in debian)])
    assert [name for name, times in several.items() if times > 1] == []


def test_a_pattern_matches_no_package_that_has_a_name_of_its_own(suite: PackageIndex) -> None:
    for debian in (name for name in MAIN if "*" in name):
        assert matching_names(suite, debian) & set(MAIN) == set()


def test_the_groups_have_packages_with_a_counterpart_only(suite: PackageIndex) -> None:
    comps = read_comps(COMPS.read_text(), COMPS.name)
    members = {name for table in (comps.groups, comps.optional) for names in table.values() for name in names}
    members |= {name for pairs in comps.conditional.values() for name, _ in pairs}
    known = {*SECTIONS["names"], *suite.names} - (SECTIONS["not_the_same"].keys() - SECTIONS["names"].keys())
    assert sorted(members - known) == []


def test_the_environments_have_groups_of_the_file_only() -> None:
    comps = read_comps(COMPS.read_text(), COMPS.name)
    assert {group for groups in comps.environments.values() for group in groups} <= comps.groups.keys()


def test_names_that_mean_something_else_say_what() -> None:
    assert all(isinstance(reason, str) and reason for reason in SECTIONS["not_the_same"].values())


def test_units_differ_in_their_names() -> None:
    pairs = [(fedora, cast(str, debian)) for fedora, debian in SECTIONS["units"].items()]
    assert [pair for pair in pairs if pair[0] == pair[1] or not all(map(UNIT.fullmatch, pair))] == []
