"""A container's packages: those of the host come from its RPM set alone, as the same files."""

import json
from configparser import ConfigParser
from dataclasses import replace
from pathlib import Path

import pytest

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.content.repositories import Content, local_repository
from atomic_lib.image.oci import host_packages
from atomic_lib.image.oci.host_packages import (
    HOST,
    only_host,
    require_files_of_host,
    resolve_beside_host,
    with_host,
    without_repositories,
)
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.lock import Lock, LockedPackage
from atomic_lib.solve.rpm_set import RpmSet
from tests.contexts import own_context

BASH = LockedPackage("bash", 0, "5.2", "1", "x86_64", "a" * 64, 1000, "standin")
OWN = LockedPackage("own", 0, "1", "1", "noarch", "b" * 64, 1000, "standin")
CONTENT = Content(
    name="standin", title="", key="k", releasever="1", kernel_arguments="", selinux_policy="none",
    repo_text=local_repository("standin"), local={"standin": Path("/repository")}, remote=False, dnf_cache=None,
)  # fmt: skip
RECIPE = Recipe(files=(Path("container.yaml"),), packages=("bash",), container=True)


@pytest.fixture
def host(tmp_path: Path) -> RpmSet:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/0123456789abcdef.asc").write_text("a key")
    return RpmSet("host-key", Lock("standin", (BASH,)), tmp_path / "rpms", (), 1.0, False)


def test_the_rpm_set_of_the_host_is_a_repository_whose_packages_are_checked(host: RpmSet) -> None:
    content = with_host(CONTENT, host)
    assert content.repo_ids == ["standin", HOST]
    parsed = ConfigParser()
    parsed.read_string(content.repo_text)
    assert dict(parsed[HOST]) == {
        "name": HOST,
        "baseurl": f"file:///mnt/repos/{HOST}/rpms",
        "enabled": "1",
        "gpgcheck": "1",
        "gpgkey": f"file:///mnt/repos/{HOST}/keys/0123456789abcdef.asc",
    }
    assert content.local[HOST] == host.directory.parent
    assert content.key != with_host(CONTENT, replace(host, key="another")).key != CONTENT.key


def test_where_the_host_has_everything_no_other_repository_is_there(host: RpmSet) -> None:
    content = only_host(replace(CONTENT, remote=True), host)
    assert (content.repo_ids, content.remote) == ([HOST], False)
    named = replace(RECIPE, repos=("fedora",), repo_packages=(("fedora", ("bash",)),))
    assert without_repositories(named) == RECIPE


def test_a_package_of_the_host_as_another_file_is_named(host: RpmSet) -> None:
    require_files_of_host(Lock("standin", (BASH, OWN)), host.lock)
    rebuilt = replace(BASH, sha256="c" * 64)
    with pytest.raises(WorkbookError) as caught:
        require_files_of_host(Lock("standin", (rebuilt, OWN)), host.lock)
    assert caught.value.message == (
        f"bash-0:5.2-1.x86_64 (sha256 {'c' * 64}): the host's lock has bash-0:5.2-1.x86_64 (sha256 {'a' * 64})"
    )


def test_a_package_that_the_host_has_in_several_builds_may_be_any_of_them(host: RpmSet) -> None:
    other = replace(BASH, arch="i686", sha256="d" * 64)
    for builds in ((BASH, other), (other, BASH)):
        of_host = Lock("standin", builds)
        require_files_of_host(Lock("standin", (BASH,)), of_host)
        require_files_of_host(Lock("standin", builds), of_host)
        with pytest.raises(WorkbookError) as caught:
            require_files_of_host(Lock("standin", (replace(BASH, sha256=other.sha256),)), of_host)
        assert "bash-0:5.2-1.x86_64 (sha256 aaa" in caught.value.message
        assert "bash-0:5.2-1.i686 (sha256 ddd" in caught.value.message


def test_no_container_is_made_of_a_commit_without_rpm_files(host: RpmSet, tmp_path: Path) -> None:
    of_commit = replace(host, lock=replace(host.lock, commit="d" * 64))
    with pytest.raises(WorkbookError, match=r"^container\.yaml: the host deploys a commit"):
        resolve_beside_host(
            RECIPE, CONTENT, of_commit, own_context(tmp_path), name="test", adapted=lambda: (RECIPE, CONTENT)
        )


def failing_dnf(monkeypatch: pytest.MonkeyPatch, status: int | None) -> None:
    """A dnf that ends without a solution; ``status``: as CommandError has it."""

    def solve(*_: object) -> None:
        error = CommandError("dnf failed")
        error.status = status
        raise error

    monkeypatch.setattr(host_packages, "solve", solve)


def not_adapted() -> tuple[Recipe, Content]:
    raise WorkbookError("the content of the host is asked for")


@pytest.mark.parametrize("status", [None, -9, 137])
def test_a_dnf_that_was_killed_says_nothing_of_the_host(
    host: RpmSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int | None
) -> None:
    failing_dnf(monkeypatch, status)
    context = own_context(tmp_path)
    with pytest.raises(CommandError, match="dnf failed"):
        resolve_beside_host(RECIPE, CONTENT, host, context, name="test", adapted=not_adapted)
    assert context.store.results() == []


def test_that_the_host_lacks_a_package_is_stored_under_the_key_of_its_rpm_set(
    host: RpmSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_dnf(monkeypatch, 1)
    context = own_context(tmp_path)
    with pytest.raises(WorkbookError, match="the content of the host is asked for"):
        resolve_beside_host(RECIPE, CONTENT, host, context, name="test", adapted=not_adapted)
    (stored,) = context.store.results("host-suffices")
    assert json.loads((stored / "answer.json").read_text()) is False
    assert json.loads((stored / "key.json").read_text())["inputs"]["host"] == host.key, "what pruning looks for"
