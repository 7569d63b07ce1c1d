"""Repositories that a recipe brings along, as sections of dnf's configuration."""

from configparser import ConfigParser
from dataclasses import replace

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.content.repositories import with_brought
from atomic_lib.content.yum_repository import KEY_FILES, YumRepository

OWN = YumRepository("own", "a.ks:3", baseurl=("https://a.example/$releasever",))
CONTENT = """\
[fedora]
name=Fedora
metalink=https://b.example/
gpgkey=file:///keys/one

[updates]
name=Updates
metalink=https://c.example/
gpgkey=file:///keys/one
  file:///keys/two

"""


def parsed(text: str) -> ConfigParser:
    parser = ConfigParser(interpolation=None)
    parser.read_string(text)
    return parser


def test_options_are_those_of_dnf() -> None:
    full = replace(
        OWN, mirrorlist="https://m.example/?repo=a&arch=$basearch", gpgkey=(f"file://{KEY_FILES}a",),
        cost=0, priority=9,
        repo_gpgcheck=True, includepkgs=("a*", "b"), excludepkgs=("c",), proxy="http://p.example:3128", sslverify=False,
    )  # fmt: skip
    assert dict(parsed(full.section(()))["own"]) == {
        "name": "own",
        "baseurl": "https://a.example/$releasever",
        "mirrorlist": "https://m.example/?repo=a&arch=$basearch",
        "cost": "0",
        "priority": "9",
        "includepkgs": "a* b",
        "excludepkgs": "c",
        "proxy": "http://p.example:3128",
        "sslverify": "0",
        "enabled": "1",
        "gpgcheck": "1",
        "repo_gpgcheck": "1",
        "gpgkey": f"file://{KEY_FILES}a",
    }


def test_signatures_are_checked_with_the_keys_of_the_content_unless_the_repository_names_its_own() -> None:
    added = parsed(with_brought(CONTENT, [OWN, replace(OWN, name="keyed", gpgkey=("https://k.example/1",))]))
    assert added.sections() == ["fedora", "updates", "own", "keyed"]
    assert [added[name]["gpgkey"] for name in ("own", "keyed")] == [
        "file:///keys/one file:///keys/two",
        "https://k.example/1",
    ]
    assert added["own"]["gpgcheck"] == "1"


def test_a_path_may_name_a_group_as_those_of_copr_do() -> None:
    address = "https://a.example/results/@own/tool/fedora-$releasever-$basearch/"
    assert replace(OWN, baseurl=(address,), gpgkey=(f"{address}pubkey.gpg",)).problem() == ""


def test_a_list_of_mirrors_may_ask_for_several_protocols_as_that_of_centos_stream_does() -> None:
    address = "https://a.example/metalink?repo=baseos-9-stream&arch=$basearch&protocol=https,http"
    assert replace(OWN, baseurl=(), metalink=address).problem() == ""
    assert replace(OWN, baseurl=(), mirrorlist=address).problem() == ""


def test_a_repository_of_the_same_name_is_replaced() -> None:
    added = parsed(with_brought(CONTENT, [replace(OWN, name="fedora")]))
    assert added.sections() == ["updates", "fedora"]
    assert added["fedora"]["baseurl"] == "https://a.example/$releasever"
    assert "metalink" not in added["fedora"]
    assert with_brought(CONTENT, []) == CONTENT


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"name": "a b"}, r"'a b' is not a name of letters"),
        ({"name": "a]\n[b"}, r"is not a name of letters"),
        ({"baseurl": ()}, "has no address"),
        ({"baseurl": ("file:///srv",)}, "'file:///srv' is not an http, https or ftp address"),
        ({"baseurl": ("https://user:secret@a.example/",)}, "without password"),
        ({"baseurl": ("https://user:secret@a.example",)}, "without password"),
        ({"gpgkey": ("https://me@k.example/1",)}, "is not an https address of a key"),
        ({"baseurl": ("https://a.example/\ngpgcheck=0",)}, "is not an http"),
        ({"metalink": "nfs:server:/srv"}, "is not an http"),
        ({"baseurl": ("https://a.example/x,https://b.example/",)}, "is not an http"),
        ({"gpgkey": ("file:///etc/shadow",)}, "is not an https address of a key, or a file in"),
        ({"gpgkey": ("http://k.example/1",)}, "is not an https address of a key"),
        ({"gpgkey": ("file:///usr/share/distribution-gpg-keys/../x",)}, "is not an https address of a key"),
        ({"gpgkey": ("https://k.example/1",), "sslverify": False}, "name a key that is a file"),
        ({"baseurl": ("https://a.example/$stream",)}, r"\$stream has no value; repovars of a treefile"),
        ({"name": "DEFAULT"}, "is the name of something else"),
        ({"name": "workbook"}, "is the name of something else"),
        ({"proxy": "socks5://a.example"}, "is not an http"),
        ({"excludepkgs": ("a b",)}, "'a b' is not the name of a package"),
        ({"includepkgs": ("--x",)}, "'--x' is not the name of a package"),
    ],
)
def test_what_dnf_would_misunderstand_is_refused_with_its_place(change: dict[str, object], problem: str) -> None:
    with pytest.raises(WorkbookError, match=rf"^a\.ks:3: repository .*: .*{problem}"):
        replace(OWN, **change).section(())  # type: ignore[arg-type]
