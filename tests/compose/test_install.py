"""What a layer is, and what dnf is told; installing itself is an integration test."""

from dataclasses import replace
from pathlib import Path

import pytest

from atomic_lib.compose.install import Installation, repository
from atomic_lib.content.repositories import Content
from atomic_lib.formats.rpm_headers import Header
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.lock import Lock, LockedPackage
from atomic_lib.solve.resolve import RpmSet

REQUIRES = {"bash": "libc", "libc": "", "docker": "bash", "agent": "libc"}
KEYS = {"bash": "aa", "libc": "aa", "docker": "bb", "agent": "cc"}
LAYER = ("bash", "not-in-the-lock")
RECIPE = Recipe(files=(Path("a.yaml"),), packages=("bash", "docker"), layer=LAYER, weak_dependencies=False)


@pytest.fixture
def wanted(tmp_path: Path) -> Installation:
    """Four packages, of which bash and what it requires are the layer; two of three keys are there."""
    headers = {
        name: Header(name, KEYS[name], frozenset(requires.split()), frozenset({name}), {})
        for name, requires in REQUIRES.items()
    }
    packages = tuple(LockedPackage(name, 0, "1", "1", "noarch", name, 1, "r") for name in sorted(REQUIRES))
    (tmp_path / "keys").mkdir()
    for key in ("aa", "bb"):
        (tmp_path / "keys" / f"{key}.asc").touch()
    rpm_set = RpmSet("k", Lock("own", packages), tmp_path / "rpms", ("install", "bash", "docker"), 0.0, True)
    content = Content("own", "Own content", "k", "1", "", "default", "", {}, False, None)
    return Installation(RECIPE, content, rpm_set, headers)


def names(packages: list[LockedPackage]) -> list[str]:
    return [package.name for package in packages]


def lines(wanted: Installation, *only: str) -> dict[str, str]:
    packages = [package for package in wanted.rpm_set.lock.packages if not only or package.name in only]
    text = repository(wanted, packages, packages if only else [])
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def test_a_layer_is_what_is_named_with_what_it_requires(wanted: Installation) -> None:
    assert names(wanted.layer_packages()) == ["bash", "libc"]


def test_a_layer_does_not_depend_on_what_else_is_installed(wanted: Installation) -> None:
    packages = tuple(package for package in wanted.rpm_set.lock.packages if package.name != "docker")
    other = replace(wanted, rpm_set=replace(wanted.rpm_set, lock=Lock("own", packages)))
    assert other.layer_packages() == wanted.layer_packages()


def test_there_is_none_unless_asked_for_nor_with_weak_dependencies(wanted: Installation) -> None:
    assert replace(wanted, recipe=replace(RECIPE, layer=())).layer_packages() == []
    assert replace(wanted, recipe=replace(RECIPE, weak_dependencies=True)).layer_packages() == []


def test_only_keys_that_signed_what_is_installed_are_named(wanted: Installation) -> None:
    assert lines(wanted)["gpgkey"] == "file:///mnt/keys/aa.asc file:///mnt/keys/bb.asc"
    assert lines(wanted, "bash", "libc")["gpgkey"] == "file:///mnt/keys/aa.asc"


def test_dnf_sees_only_the_layers_packages_when_it_installs_it(wanted: Installation) -> None:
    assert lines(wanted, "bash", "libc")["includepkgs"] == "bash-0:1-1.noarch,libc-0:1-1.noarch"
    assert "includepkgs" not in lines(wanted)
    assert lines(wanted)["gpgcheck"] == "1"
