"""url and repo of a kickstart: which repositories packages come from."""

from pathlib import Path

from atomic_lib.recipe.kickstart.kickstart_reader import read_kickstart
from atomic_lib.recipe.recipe import Recipe


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


def test_groups_of_a_repository_that_are_not_ignored_are_no_option(tmp_path: Path) -> None:
    plain, said = (
        read(tmp_path, f"#version=F21\nrepo --name=own --baseurl=https://a/{option}")
        for option in ("", " --ignoregroups=false")
    )
    assert said == plain


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


def test_repositories_on_the_medium_of_an_installer_have_no_effect(tmp_path: Path) -> None:
    recipe = read(
        tmp_path,
        "url --url=file:///run/install/repo\nrepo --name=a --baseurl=file:///run/install/repo/a --cost=3 --install",
    )
    assert (recipe.repositories, recipe.repos, recipe.extra_repos, recipe.added_files) == ((), (), (), ())
    why = "has no effect: it is on the medium of an installer, but packages come from the variant's content"
    assert recipe.notes == (f"a.ks:1: url {why}", f"a.ks:2: repo a {why}")
