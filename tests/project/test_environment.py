"""pyproject.toml, environment.yml and the locks say the same."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCKS = ("requirements.lock", "requirements-lab.lock", "requirements-cluster.lock", "requirements-build.lock")


@pytest.fixture
def project(checkout: Path) -> dict[str, Any]:
    return tomllib.loads((checkout / "pyproject.toml").read_text())


def declared(project: dict[str, Any], *extras: str) -> dict[str, Requirement]:
    """The requirements of the project with these extras, by canonical name."""
    table = project["project"]
    lines = [*table["dependencies"], *(line for extra in extras for line in table["optional-dependencies"][extra])]
    return {canonicalize_name(requirement.name): requirement for requirement in map(Requirement, lines)}


def locked(path: Path) -> list[Requirement]:
    """The pins of a lock file, with their markers."""
    return [Requirement(line.rstrip("\\ ")) for line in path.read_text().splitlines() if re.match(r"[A-Za-z]", line)]


def version_of(pin: Requirement) -> str:
    (specifier,) = pin.specifier
    assert specifier.operator == "=="
    return specifier.version


@pytest.mark.parametrize(
    ("name", "extras"),
    [
        ("requirements.lock", ["test"]),
        ("requirements-lab.lock", ["test", "lab"]),
        ("requirements-cluster.lock", ["test", "cluster"]),
    ],
)
def test_lock_has_every_dependency_in_its_range(
    checkout: Path, project: dict[str, Any], name: str, extras: list[str]
) -> None:
    pins = locked(checkout / name)
    for dependency, requirement in declared(project, *extras).items():
        versions = [version_of(pin) for pin in pins if canonicalize_name(pin.name) == dependency]
        assert versions, f"{dependency} is not in {name}"
        assert all(version in requirement.specifier for version in versions), (dependency, versions)


def test_build_lock_is_the_build_group(checkout: Path, project: dict[str, Any]) -> None:
    (requirement,) = map(Requirement, project["dependency-groups"]["build"])
    (pin,) = locked(checkout / "requirements-build.lock")
    assert pin.name == requirement.name
    assert version_of(pin) in requirement.specifier


@pytest.mark.parametrize(
    ("name", "added"), [("requirements-lab.lock", "jupyterlab"), ("requirements-cluster.lock", "distributed")]
)
def test_a_lock_of_an_extra_is_the_lock_and_more(checkout: Path, name: str, added: str) -> None:
    plain, more = (
        {(pin.name, version_of(pin)) for pin in locked(checkout / file)} for file in ("requirements.lock", name)
    )
    # The markers may differ, and so may what only another Python implementation needs.
    assert {one for one, _ in plain - more} == set()
    assert added in {one for one, _ in more - plain}


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_hashes_and_no_line_an_address(checkout: Path, name: str) -> None:
    text = (checkout / name).read_text()
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text
    blocks = re.split(r"\n(?=[A-Za-z])", text.strip())
    assert len(blocks) == len(locked(checkout / name))
    for block in blocks:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block.splitlines()[0]


def test_conda_environment_names_the_same_ranges(checkout: Path, project: dict[str, Any]) -> None:
    environment = yaml.safe_load((checkout / "environment.yml").read_text())
    (from_pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    words = [entry for entry in environment["dependencies"] if isinstance(entry, str)] + from_pip
    conda: dict[str, Requirement] = {
        canonicalize_name(requirement.name): requirement for requirement in map(Requirement, words)
    }
    assert environment["channels"] == ["conda-forge"]
    assert str(conda.pop("python").specifier) == str(Requirement(f"x{project['project']['requires-python']}").specifier)
    assert conda.pop("pip")
    wanted = declared(project, *project["project"]["optional-dependencies"])
    assert {name: str(one.specifier) for name, one in conda.items()} == {
        name: str(one.specifier) for name, one in wanted.items()
    }


def test_licence_is_stated_and_whole(checkout: Path, project: dict[str, Any]) -> None:
    assert project["project"]["license"] == "GPL-2.0-or-later"
    text = (checkout / "LICENSE").read_text()
    assert "GNU GENERAL PUBLIC LICENSE" in text
    assert "Version 2, June 1991" in text
    assert "END OF TERMS AND CONDITIONS" in text
