"""Repository files of other people: what is read, what dnf gets of it, and what is refused."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.content.repository_files import (
    Repository,
    read_repositories,
    repositories_text,
    repository_notes,
    require_usable,
)

KEY = "gpgkey=https://a.example/key"


def read(text: str, **variables: str) -> tuple[Repository, ...]:
    return read_repositories(text, Path("own.repo"), variables)


def refusal(*lines: str) -> list[str]:
    with pytest.raises(WorkbookError) as caught:
        require_usable(read("\n".join(("[own]", *lines))), ["workbook"])
    return caught.value.message.splitlines()


def test_sections_have_their_lines_continued_values_and_variables() -> None:
    text = "# a\n\n[one]\nname = One\nbaseurl=https://a/$releasever/${stream}\n  https://b/$stream/\nenabled=0\n[two]\n"
    one, two = read(text, stream="next")
    assert (one.id, one.source, one.enabled) == ("one", "own.repo:3", False)
    assert one.words("baseurl") == ["https://a/$releasever/next", "https://b/next/"]
    assert (two.id, two.source, two.enabled) == ("two", "own.repo:8", True)


def test_all_lines_that_are_none_of_a_repository_file_are_named_at_once() -> None:
    with pytest.raises(WorkbookError) as caught:
        read("name=before\n[one]\nname=One\n<html>\n")
    assert [line.partition(" ")[0] for line in caught.value.message.splitlines()] == ["own.repo:1:", "own.repo:4:"]


def test_dnf_gets_only_what_was_checked_and_checks_all_signatures() -> None:
    text = f"[a]\nbaseurl=http://a/\n{KEY}\ngpgcheck=0\nsslverify=0\nproxy_x=1\nexclude=b c\n[b]\nmetalink=https://b\n"
    assert repositories_text(read(text)) == (
        "[a]\nname=a\nbaseurl=http://a/\nexcludepkgs=b c\nenabled=1\ngpgcheck=1\ngpgkey=https://a.example/key\n\n"
        "[b]\nname=b\nmetalink=https://b\nenabled=1\ngpgcheck=1\ngpgkey=https://a.example/key\n\n"
    )
    notes = repository_notes(read(text))
    assert [note.split(" has no effect")[0] for note in notes] == [
        "own.repo:1: [a]: gpgcheck=0", "own.repo:1: [a]: sslverify=0"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("baseurl=file:///etc", "baseurl=file:///etc: only http and https are accepted"),
        ("baseurl=https://a, /srv/repo", "baseurl=/srv/repo: only http and https are accepted"),
        ("baseurl=https://user:secret@a/", "baseurl=https://user:secret@a/: only http and https are accepted"),
        ("metalink=https://a/$stream", "metalink: $stream has no value; give it one in the treefile's repovars"),
        ("gpgkey=http://a/key", "gpgkey=http://a/key: only https and file are accepted"),
        ("gpgcheck=maybe", "gpgcheck='maybe': accepted: 1, yes, true, on, 0, no, false, off"),
        ("priority=high", "priority='high' is not a number"),
        ("sslclientkey=/etc/key", "sslclientkey is not accepted: dnf sees no files and no passwords of the host"),
        ("name=a\x1b[31m", "name='a\\x1b[31m' has a control character"),
    ],
)
def test_a_hostile_or_unusable_option_is_refused_with_its_place(line: str, problem: str) -> None:
    assert refusal("baseurl=https://a/", KEY, line) == [f"own.repo:1: [own]: {problem}"]


def test_a_repository_without_an_address_and_without_any_key_is_refused() -> None:
    assert refusal("gpgcheck=0") == [
        "own.repo:1: [own]: has no address",
        "own.repo:1: [own]: no gpgkey: signatures of packages are always checked",
    ]


@pytest.mark.parametrize("name", ["workbook", "main", "", "a b", "--setopt=x"])
def test_the_id_is_one_that_dnf_accepts_and_that_nothing_else_has(name: str) -> None:
    with pytest.raises(WorkbookError, match="the id is not accepted"):
        require_usable(read(f"[{name}]\nbaseurl=https://a/\n{KEY}\n"), ["workbook"])
