"""Fedora's names for stand-in packages: which Debian packages a name stands for, and what its RPM is called."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from atomic_lib.base.errors import WorkbookError
from atomic_lib.content.comps import read_comps
from atomic_lib.content.demand import Demand
from atomic_lib.content.standin.fedora_names import Naming, StandinNames, read_names
from atomic_lib.content.standin.named_packages import NamedPackages, named_packages
from atomic_lib.content.standin.package_index import PackageIndex
from atomic_lib.content.standin.standin_repository import renamed_comps

PACKAGES = ("bash", "exim4", "libc6", "libc-bin", "login", "passwd", "screen", "vim-tiny",
            "linux-image-6.9.1-cloud", "linux-image-6.12.5-cloud", "linux-image-cloud")  # fmt: skip
NAMES: Mapping[str, object] = {
    "glibc": "libc6",
    "glibc-minimal-langpack": {"provided_by": "libc-bin", "reason": "it has the locale"},
    "shadow-utils": {"package": "passwd", "with": ["login", "standin-setup"], "reason": "Debian splits it"},
    "kernel-core": {"package": "linux-image-[0-9]*-cloud", "reason": "the newest one"},
    "gone": "not-in-this-suite-*",
    "screen": "bash",
}


def paragraph(name: str) -> str:
    provides = "\nProvides: mail-transport-agent" if name == "exim4" else ""
    return f"Package: {name}\nVersion: 1\nArchitecture: all{provides}\nDescription: text\n"


def names_of(tmp_path: Path, **file: object) -> StandinNames:
    path = tmp_path / "own-names.yaml"
    path.write_text(yaml.safe_dump({"names": NAMES, "not_the_same": {"linux-image-cloud": "another program"}, **file}))
    return StandinNames(read_names(path), PackageIndex({f"{name}_1_all.deb": paragraph(name) for name in PACKAGES}))


@pytest.fixture
def names(tmp_path: Path) -> StandinNames:
    return names_of(tmp_path)


def named(names: StandinNames, *words: str) -> NamedPackages:
    return named_packages(words, Demand("own.yaml", words, place_of=lambda word: f"own.yaml:{len(word)}"), names, "own")


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("vim-tiny", ["vim-tiny"]),
        ("vim-tiny.x86_64", ["vim-tiny"]),
        ("vim-tiny >= 5", ["vim-tiny"]),
        ("mail-transport-agent", ["mail-transport-agent"]),
        ("glibc", ["libc6"]),
        ("libc6", ["libc6"]),
        ("glibc-minimal-langpack", ["libc-bin"]),
        ("kernel-core", ["linux-image-6.12.5-cloud"]),
        ("/usr/bin/bash", []),
        ("standin-setup", []),
    ],
)
def test_a_word_names_packages_by_fedoras_names_or_debians(names: StandinNames, word: str, expected: list[str]) -> None:
    assert named(names, word) == NamedPackages(tuple(expected), ())


def test_a_pattern_matches_names_of_rpms_and_names_that_they_provide(names: StandinNames) -> None:
    assert named(names, "libc*").packages == ("libc-bin",), "libc6 is called glibc"
    assert named(names, "glibc*").packages == ("libc-bin", "libc6")
    assert named(names, "s*").packages == ("bash", "passwd"), "Debian's screen is another program"


def test_what_has_no_counterpart_is_listed_with_similar_names(names: StandinNames) -> None:
    found = named(names, "exim", "exim4", "linux-image-cloud", "gone", "x*")
    similar = {"exim": ("exim4",), "linux-image-cloud": ("linux-image-6.9.1-cloud",), "gone": (), "x*": ()}
    assert found == NamedPackages(("exim4",), tuple(similar.items()))


def test_a_pattern_that_matches_too_many_is_refused_with_its_place(
    names: StandinNames, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atomic_lib.content.standin.named_packages._MOST_MATCHES", 2)
    with pytest.raises(WorkbookError, match=r"^own\.yaml:1: '\*' matches 9 packages of content 'own'\n"):
        named(names, "*")


def test_an_rpm_has_one_name_provides_others_and_requires_companions(names: StandinNames) -> None:
    assert names.naming("libc6") == Naming("glibc")
    assert names.naming("libc-bin") == Naming("libc-bin", provides=("glibc-minimal-langpack",))
    assert names.naming("passwd") == Naming("shadow-utils", requires=("login", "standin-setup"))
    assert names.naming("vim-tiny") == Naming("vim-tiny")
    assert names.naming("linux-image-6.9.1-cloud") == Naming("linux-image-6.9.1-cloud"), "only the newest is renamed"
    assert names.naming("bash") == Naming("screen")
    assert names.naming("screen") == Naming("debian-screen"), "in Fedora it is the name of another package"


def test_excludes_are_debians_names_where_the_rpm_has_that_name(names: StandinNames) -> None:
    assert names.excluded(["glibc", "vim-tiny"]) == ["libc6", "vim-tiny"]
    assert names.excluded(["glibc-minimal-langpack", "passwd", "libc6"]) == [], "no RPM has these names"
    assert names.excluded(["shadow*"]) == ["passwd", "shadow*"]


def test_groups_name_rpms_and_lose_what_has_no_counterpart(names: StandinNames) -> None:
    text = """<comps><group><id>core</id><packagelist>
      <packagereq type="mandatory">glibc-minimal-langpack</packagereq>
      <packagereq type="default">shadow-utils</packagereq>
      <packagereq type="default">absent</packagereq>
      <packagereq type="conditional" requires="libc6">kernel-core</packagereq>
      <packagereq type="conditional" requires="absent">vim-tiny</packagereq>
    </packagelist></group></comps>"""
    comps = read_comps(renamed_comps(text, names), "own")
    assert comps.groups == {"core": ("libc-bin", "shadow-utils")}
    assert comps.conditional == {"core": (("kernel-core", "glibc"),)}


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"a": {"reason": "x"}}, "names.a: needs either package or provided_by"),
        ({"a": {"package": "b", "provided_by": "b"}}, "names.a: needs either package or provided_by"),
        ({"a": {"package": "b", "with": ["c"]}}, "names.a: needs a reason, because it is not one to one"),
        ({"a": {"provided_by": "b"}}, "names.a: needs a reason, because it is not one to one"),
        ({"a": {"pakage": "b"}}, "names.a.pakage"),
        ({"a": "b", "c": "b"}, "names: b is the package of a and c"),
    ],
)
def test_an_entry_that_is_not_accepted_is_named(tmp_path: Path, entries: dict[str, object], message: str) -> None:
    with pytest.raises(WorkbookError) as caught:
        names_of(tmp_path, names=entries)
    assert caught.value.message.startswith(str(tmp_path))
    assert message in caught.value.message
