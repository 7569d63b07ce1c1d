"""Repositories that a recipe brings along, served on the loopback device, with the real dnf."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import cache_directory
from atomic_lib.base.store import Store, file_sha256, remove_tree
from atomic_lib.compose.chroot import Installroot
from atomic_lib.compose.install import Installation, install
from atomic_lib.content.repositories import Content, open_content
from atomic_lib.content.signing import KEY_FILE, sign_and_index
from atomic_lib.content.yum_repository import YumRepository
from atomic_lib.formats.rpm_headers import read_headers
from atomic_lib.recipe.kickstart.kickstart_reader import read_kickstart
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.recipe.recipe_demand import recipe_demand
from atomic_lib.solve.lock import Lock
from atomic_lib.solve.resolve import resolve_rpm_set
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Tools
from atomic_lib.tools.tools_tree import open_tools
from tests.integration.tiny import make_rpm

pytestmark = pytest.mark.integration

DEFINITION = """\
content: own
title: Own
kind: repositories
repo_file: own.repo
releasever: "7"
selinux_policy: none
"""


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without writing a log."""

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


class Lost(Quiet):
    """Serves one RPM file, and from then on only closes connections."""

    served: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        """Serve the file, or nothing."""
        if self.served:
            self.close_connection = True
            return
        if self.path.endswith(".rpm"):
            self.served.append(self.path)
        super().do_GET()


class Noted(Quiet):
    """Notes which RPM files are asked for."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        """Serve the file."""
        if self.path.endswith(".rpm"):
            self.asked.append(Path(self.path).name.partition("-")[0])
        super().do_GET()


@contextmanager
def served(directory: Path, handler: type[Quiet] = Quiet) -> Iterator[str]:
    """The address at which a directory is served."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=directory)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def tools() -> Tools:
    return open_tools(cache_directory())


@dataclass(frozen=True)
class Served:
    """Where the repositories are served, their directory, and the repository of each RPM file by its sha256."""

    address: str
    directory: Path
    repositories: dict[str, str]

    def __str__(self) -> str:
        return self.address


@pytest.fixture(scope="module")
def address(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Repositories: "base" with one and two, "7/own" with two and three, each signed with a key of its own."""
    top = tmp_path_factory.mktemp("served")
    for repository, names in (("base", ("one", "two")), ("7/own", ("two", "three"))):
        for name in names:
            make_rpm(tools, top / repository, name, scriptlets=f"# {repository}")
        (top / "comps.xml").write_text("<comps/>\n")
        sign_and_index(tools, top / repository, repository, comps=top / "comps.xml")
    with served(top) as at:
        yield Served(at, top, {file_sha256(file): file.parent.name for file in top.rglob("*.rpm")})


@pytest.fixture
def context(tools: Tools, tmp_path: Path) -> Context:
    return Context(tools, cache_directory(), Store(tmp_path / "store"))


def opened(context: Context, address: Served, recipe: Recipe, keys: str = "base 7/own") -> Content:
    """Content whose own repository is "base", and which lists the keys of the repositories ``keys``."""
    params = context.store.root.parent / "params"
    for directory in ("content", "repos"):
        (params / directory).mkdir(parents=True, exist_ok=True)
    (params / "content/own.yaml").write_text(DEFINITION)
    listed = " ".join(f"{address}/{name}/{KEY_FILE}" for name in keys.split())
    (params / "repos/own.repo").write_text(
        f"[base]\nname=base\nbaseurl={address}/base\nenabled=1\ngpgcheck=1\ngpgkey={listed}\n"
    )
    return open_content("own", context, recipe_demand(recipe), params)


def read(directory: Path, lines: str, packages: str) -> Recipe:
    (directory / "a.ks").write_text(f"{lines}\n%packages --nocore\n{packages}\n%end\n")
    return read_kickstart(directory / "a.ks", "F41")


def origins(context: Context, address: Served, recipe: Recipe, keys: str = "base 7/own") -> dict[str, str]:
    """The repository of each package that the recipe resolves to."""
    content = opened(context, address, recipe, keys)
    lock = resolve_rpm_set(recipe, content, context, name="test", lock_file=None).lock
    return {package.name: address.repositories[package.sha256] for package in lock.packages}


def test_a_repository_is_added_to_those_of_the_content(context: Context, address: Served, tmp_path: Path) -> None:
    recipe = read(tmp_path, f"repo --name=own --baseurl={address}/$releasever/own --cost=5", "one\ntwo\nthree")
    assert origins(context, address, recipe) == {"one": "base", "two": "own", "three": "own"}
    dear = read(tmp_path, f"repo --name=own --baseurl={address}/$releasever/own --cost=5000", "one\ntwo\nthree")
    assert origins(context, address, dear) == {"one": "base", "two": "base", "three": "own"}
    none = read(tmp_path, f"repo --name=own --baseurl={address}/7/own --cost=5 --excludepkgs=t*o", "two\nthree")
    assert origins(context, address, none) == {"two": "base", "three": "own"}
    only = read(tmp_path, f"repo --name=own --baseurl={address}/7/own --cost=5 --includepkgs=three", "two\nthree")
    assert origins(context, address, only) == {"two": "base", "three": "own"}


def test_what_an_address_has_the_key_of_is_installed_without_network(
    context: Context, address: Served, tmp_path: Path
) -> None:
    recipe = Recipe(files=(Path("a.ks"),), packages=("one",))
    own = replace(context, cache=tmp_path / "cache")  # without the keys of the other tests
    content = opened(own, address, recipe)
    rpm_set = resolve_rpm_set(recipe, content, own, name="test", lock_file=None)
    tree = Installroot(own.tools, tmp_path / "root", 0)
    installation = Installation(recipe, content, rpm_set, read_headers(own.tools, rpm_set.directory))
    install(tree, installation, own, name="test", log=tmp_path / "log")
    assert (tree.root / "usr/share/one").is_file()


def test_a_package_is_fetched_once_unless_it_is_damaged(tools: Tools, address: Served, tmp_path: Path) -> None:
    context = Context(tools, tmp_path / "cache", Store(tmp_path / "store"))
    with served(address.directory, Noted) as at:
        noted = replace(address, address=at)

        def fetched(packages: str) -> tuple[list[str], Lock]:
            Noted.asked.clear()
            recipe = read(tmp_path, "", packages)
            content = opened(context, noted, recipe)
            lock = resolve_rpm_set(recipe, content, context, name="test", lock_file=None).lock
            assert [package.name for package in lock.packages] == packages.split()
            return [*Noted.asked], lock

        names, lock = fetched("one")
        assert names == ["one"]
        names, whole = fetched("one\ntwo")
        assert (names, whole.packages[0]) == (["two"], lock.packages[0])
        (tmp_path / f"cache/rpms/{lock.packages[0].sha256}.rpm").write_bytes(b"damaged")
        remove_tree(tmp_path / "store")
        assert fetched("one\ntwo") == (["one"], whole)
    kept = [*(tmp_path / "cache").rglob("all.repo")]
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}, "they may have passwords"


def test_with_url_the_repositories_of_the_content_are_not_used(
    context: Context, address: Served, tmp_path: Path
) -> None:
    recipe = read(tmp_path, f"url --url={address}/7/own", "two\nthree")
    assert origins(context, address, recipe) == {"two": "own", "three": "own"}
    with pytest.raises(WorkbookError, match=r"a\.ks:3: content 'own' has no package 'one'"):
        origins(context, address, read(tmp_path, f"url --url={address}/7/own", "one"))
    named = read(tmp_path, f"url --url={address}/7/own\nrepo --name=base", "one\nthree")
    assert origins(context, address, named) == {"one": "base", "three": "own"}


def test_a_package_is_refused_whose_key_the_content_does_not_list(
    context: Context, address: Served, tmp_path: Path
) -> None:
    recipe = read(tmp_path, f"repo --name=own --baseurl={address}/7/own", "three")
    with pytest.raises(WorkbookError, match="a package's signature is missing, invalid, or made with a key that"):
        origins(context, address, recipe, keys="base")


def test_packages_of_one_repository_stay_excluded_where_the_recipe_excludes_others(
    context: Context, address: Served
) -> None:
    own = YumRepository("own", "a.yaml:1", baseurl=(f"{address}/7/own",), cost=5, excludepkgs=("two",))
    recipe = Recipe(
        files=(Path("a.yaml"),), packages=("one", "two", "three"), repositories=(own,),
        repo_packages=(("base", ("one",)),),
    )  # fmt: skip
    assert origins(context, address, recipe) == {"one": "base", "two": "base", "three": "own"}


def test_a_mirror_that_goes_away_half_way_is_named_and_nothing_is_stored(
    context: Context, address: Served, tmp_path: Path
) -> None:
    recipe = Recipe(files=(Path("a.ks"),), packages=("one", "two"))
    empty = replace(context, cache=tmp_path / "cache")  # without the files of the other tests
    with (
        served(address.directory, Lost) as lost,
        pytest.raises(
            WorkbookError, match=r"^a\.ks: content 'own': a download failed: [a-z]+-1-1\.noarch\.rpm: Curl"
        ) as caught,
    ):
        origins(empty, replace(address, address=lost), recipe)
    assert len(Lost.served) == 1
    assert "check the network and run again" in caught.value.hint
    assert [path for name in ("tmp", "rpm-set") for path in context.store.root.glob(f"{name}/*")] == []
    assert origins(empty, address, recipe) == {"one": "base", "two": "base"}


def test_options_of_a_repository_change_the_key(context: Context, address: Served) -> None:
    own = YumRepository("own", "a.ks:1", baseurl=(f"{address}/7/own",))
    keys = {
        opened(context, address, Recipe(files=(), packages=(), repositories=brought)).key
        for brought in ((), (own,), (YumRepository("own", "b.ks:2", baseurl=own.baseurl, cost=5),))
    }
    assert len(keys) == 3
