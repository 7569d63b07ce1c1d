"""Repository files of other people: what is read, what dnf gets of it, and what is refused."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.content.repository_files import RepositorySection, read_repositories
from atomic_lib.content.yum_repository import YumRepository


def read(text: str, **variables: str) -> tuple[RepositorySection, ...]:
    return read_repositories(text, Path("own.repo"), variables)


def test_sections_have_their_lines_continued_values_and_variables() -> None:
    text = "\ufeff# a\n\n[one]\nname = One\nbaseurl=https://a/$releasever/${stream}\n  https://b/$stream/\nenabled=0\n[two]\n"
    one, two = read(text, stream="next")
    assert (one.id, one.source, one.enabled) == ("one", "own.repo:3", False)
    assert one.repository().baseurl == ("https://a/$releasever/next", "https://b/next/")
    assert (two.id, two.source, two.enabled) == ("two", "own.repo:8", True)


def test_lines_are_read_as_libdnf_reads_them() -> None:
    lines = ["[one] # first", "name='One'", 'baseurl="https://a"', "exclude=b", "excludepkgs=c", " \t", " d",
             " [two];", "name=\"Two'", "include=e"]  # fmt: skip
    one, two = read("\n".join(lines))
    assert (one.id, one.options["name"], one.repository().baseurl) == ("one", "One", ("https://a",))
    assert one.repository().excludepkgs == ("b", "c", "d")
    assert (two.id, two.options["name"], two.repository().includepkgs) == ("two", "\"Two'", ())


def test_a_section_with_options_of_dnf_itself_is_no_repository() -> None:
    assert [one.id for one in read("[main]\ngpgcheck=1\n[one]\nbaseurl=https://a\n")] == ["one"]


@pytest.mark.parametrize("line", ["", "# comment"])
def test_no_value_goes_on_after_an_empty_line_or_a_comment(line: str) -> None:
    with pytest.raises(WorkbookError, match=r"^own.repo:4: 'https://b/\?a=b' is neither a \[section\] nor NAME=VALUE"):
        read(f"[one]\nbaseurl=https://a\n{line}\n  https://b/?a=b\n")


@pytest.mark.parametrize("line", ["=value", "[]", "[one] two=", "[one="])
def test_what_is_neither_a_section_nor_an_option_is_refused(line: str) -> None:
    with pytest.raises(WorkbookError, match=r"^own.repo:2: "):
        read(f"[one]\n{line}\n")


def test_all_lines_that_are_none_of_a_repository_file_are_named_at_once() -> None:
    with pytest.raises(WorkbookError) as caught:
        read("name=before\n[one]\nname=One\n<html>\n[a\x1b[2J]\n")
    lines = caught.value.message.splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["own.repo:1:", "own.repo:4:", "own.repo:5:"]
    assert "\x1b" not in caught.value.message


def test_the_options_that_decide_about_packages_are_taken_over_and_others_noted() -> None:
    lines = ["[a]", "metalink=https://m", "gpgkey=https://k/1 https://k/2", "gpgcheck=0", "sslverify=False",
             "priority=3",
             "cost=9", "exclude=b c", "includepkgs=d,e", "repo_gpgcheck=yes", "proxy=_none_", "username=me",
             "sslclientkey=/etc/key", "skip_if_unavailable=1", "metadata_expire=6h"]  # fmt: skip
    (section,) = read("\n".join(lines))
    assert section.repository() == YumRepository(
        "a", "own.repo:1", metalink="https://m", gpgkey=("https://k/1", "https://k/2"), repo_gpgcheck=True, cost=9,
        priority=3, includepkgs=("d", "e"), excludepkgs=("b", "c"), sslverify=False,
    )  # fmt: skip
    assert [note.removeprefix("own.repo:1: [a]: ") for note in section.notes()] == [
        "gpgcheck=0 has no effect: signatures are always checked",
        "skip_if_unavailable has no effect: each repository must be there",
        "sslclientkey has no effect: dnf sees no files of the host",
        "username has no effect: dnf gets no passwords",
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("repo_gpgcheck=maybe", "repo_gpgcheck='maybe': accepted: 1, yes, true, on, 0, no, false, off"),
        ("priority=high", "priority='high': accepted: a whole number"),
    ],
)
def test_a_value_of_another_form_is_refused_with_its_place(line: str, problem: str) -> None:
    (section,) = read(f"[own]\n{line}\n")
    with pytest.raises(WorkbookError) as caught:
        section.repository()
    assert caught.value.message == f"own.repo:1: [own]: {problem}"


def test_keys_that_a_host_of_the_distribution_has_are_those_of_the_build_tools() -> None:
    names = ["RPM-GPG-KEY-fedora-$releasever-$basearch", "RPM-GPG-KEY-fedora-41-x86_64", "RPM-GPG-KEY-centosofficial",
             "RPM-GPG-KEY-own", "../../shadow"]  # fmt: skip
    (section,) = read("[a]\ngpgkey=" + " ".join(f"file:///etc/pki/rpm-gpg/{name}" for name in names))
    assert section.repository().gpgkey == (
        "file:///usr/share/distribution-gpg-keys/fedora/RPM-GPG-KEY-fedora-$releasever-primary",
        "file:///usr/share/distribution-gpg-keys/fedora/RPM-GPG-KEY-fedora-41-primary",
        "file:///usr/share/distribution-gpg-keys/centos/RPM-GPG-KEY-CentOS-Official",
        "file:///etc/pki/rpm-gpg/RPM-GPG-KEY-own",
        "file:///etc/pki/rpm-gpg/../../shadow",
    )
