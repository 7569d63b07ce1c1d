"""url and repo of a kickstart: which repositories packages come from."""

from pathlib import Path

import pytest

from atomic_lib.recipe.kickstart.kickstart_reader import read_kickstart
from atomic_lib.recipe.load import load_recipe
from atomic_lib.recipe.recipe import Recipe
from tests.recipe.test_load import variant


def read(directory: Path, lines: str) -> Recipe:
    (directory / "a.ks").write_text(f"{lines}\n%packages --nocore\nbash\n%end\n")
    return read_kickstart(directory / "a.ks", "F41")


def test_with_url_packages_come_only_from_what_the_kickstart_names(tmp_path: Path) -> None:
    recipe = read(
        tmp_path,
        "url --mirrorlist=https://m.example/?repo=fedora-$releasever&arch=$basearch --proxy=p.example:3128\n"
        "repo --name=extra --metalink=https://x.example/ --cost=10 --proxy=http://q.example\nrepo --name=updates\n"
        "repo --name=same --baseurl=http://s/",
    )
    base, extra, same = recipe.repositories
    assert same.proxy == base.proxy
    assert (base.name, base.mirrorlist) == ("anaconda", "https://m.example/?repo=fedora-$releasever&arch=$basearch")
    assert (base.proxy, extra.proxy) == ("http://p.example:3128", "http://q.example")
    assert (extra.metalink, extra.cost, extra.source) == ("https://x.example/", 10, f"{tmp_path}/a.ks:2")
    assert (recipe.repos, recipe.extra_repos) == (("anaconda", "extra", "same", "updates"), ())
    assert recipe.notes == ()


def test_without_url_repositories_are_added_to_those_of_the_content(tmp_path: Path) -> None:
    recipe = read(
        tmp_path,
        "repo --name=own --baseurl=https://a.example/ --includepkgs=a*,b --excludepkgs=c\nrepo --name=updates --cost=3",
    )
    (own,) = recipe.repositories
    assert (own.baseurl, own.includepkgs, own.excludepkgs) == (("https://a.example/",), ("a*", "b"), ("c",))
    assert (recipe.repos, recipe.extra_repos) == ((), ("updates",))
    assert recipe.notes == (
        "a.ks:2: repo updates: only enabled; as in Anaconda, options need an address in the same line",
    )


def test_a_later_line_for_a_repository_replaces_an_earlier_one(tmp_path: Path) -> None:
    recipe = read(tmp_path, "url --url=https://a.example/\nurl --url=https://b.example/")
    assert [one.baseurl for one in recipe.repositories] == [("https://b.example/",)]
    assert recipe.notes == ("a.ks:2: url replaces that of an earlier line",)


def test_a_repository_to_install_has_a_file_in_the_tree(tmp_path: Path) -> None:
    (file,) = read(
        tmp_path, "repo --name=own --baseurl=http://a/ --install --noverifyssl --cost=7 --excludepkgs=a,b"
    ).added_files
    assert (file.path, file.mode) == ("etc/yum.repos.d/own.repo", 0o100644)
    assert file.content.decode().splitlines() == [
        "[own]", "name = own", "enabled = 1", "baseurl = http://a/", "cost = 7", "excludepkgs = a, b", "sslverify = 0",
    ]  # fmt: skip


@pytest.mark.parametrize(("kind", "used"), [("kind: repositories\nrepo_file: own.repo", True), ("", False)])
def test_content_that_does_not_use_a_repository_says_so(tmp_path: Path, kind: str, used: bool) -> None:
    head = 'content: standin\ntitle: own\nreleasever: "1"\nselinux_policy: none\n'
    kind = kind or "kind: debian-packages\nsuite: trixie\nedition: 1\ndropped: []"
    (tmp_path / "content").mkdir()
    (tmp_path / "content/standin.yaml").write_text(f"{head}{kind}\n")
    (tmp_path / "kickstarts/standin").mkdir(parents=True)
    text = "repo --name=own --baseurl=http://a/\n%packages --nocore\nbash\n%end\n"
    (tmp_path / "kickstarts/standin/small.ks").write_text(text)
    note = "small.ks:1: repository 'own' is not used: content 'standin' has packages of its own"
    assert load_recipe(variant("traditional"), tmp_path).notes == (() if used else (note,))
