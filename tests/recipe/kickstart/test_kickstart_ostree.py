"""The command ostreesetup: what it says, and what it refuses."""

from pathlib import Path

import pytest

from atomic_lib.recipe.kickstart.kickstart_reader import read_kickstart
from atomic_lib.recipe.recipe import OstreeSource
from tests.recipe.kickstart.kickstart_files import refusal, write

WHOLE = "ostreesetup --osname=own --remote=far --url=https://own.example/repo --ref=own/${basearch}/host"


def source(tmp_path: Path, text: str) -> OstreeSource:
    found = read_kickstart(write(tmp_path / "own.ks", text), "F41").ostree_source
    assert found is not None
    return found


def test_all_options_are_read(tmp_path: Path) -> None:
    place = f"{tmp_path}/own.ks:1"
    own = OstreeSource("own", "far", "https://own.example/repo", "own/x86_64/host", True, place)
    assert source(tmp_path, f"{WHOLE}\n") == own
    assert not source(tmp_path, f"{WHOLE} --nogpg\n").verified


def test_a_remote_without_a_name_has_that_of_the_stateroot(tmp_path: Path) -> None:
    assert source(tmp_path, "ostreesetup --osname=own --url=file:///srv/repo --ref=a\n").remote == "own"


def test_the_last_line_counts_and_a_note_says_so(tmp_path: Path) -> None:
    text = f"{WHOLE}\n{WHOLE.replace('--ref=own', '--ref=two')}\n"
    recipe = read_kickstart(write(tmp_path / "own.ks", text), "F41")
    assert recipe.ref == "two/x86_64/host"
    assert recipe.notes == ("own.ks:2: ostreesetup replaces that of an earlier line",)


def test_packages_and_repositories_have_no_effect_beside_it_and_notes_say_so(tmp_path: Path) -> None:
    text = f"{WHOLE}\nrepo --name=a --baseurl=http://a.example/\n%packages\nbash\n-nano\n%end\n"
    recipe = read_kickstart(write(tmp_path / "own.ks", text), "F41")
    assert (recipe.packages, recipe.groups, recipe.excludes, recipe.repositories) == ((), (), (), ())
    assert recipe.notes == (
        "own.ks: %packages has no effect: the packages are those of the commit of ostreesetup",
        "own.ks: url and repo have no effect: the packages are those of the commit of ostreesetup",
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("--osname=own", "--osname=../own", "--osname='../own': must be such as fedora-atomic"),
        ("--osname=own", "--osname=.", "--osname='.': must be"),
        ("--remote=far", "--remote=-a", "--remote='-a': must be"),
        ("--remote=far", "--remote='far\"]'", "--remote='far\"]': must be"),
        ("host", "../..", "--ref='own/x86_64/../..': must be such as fedora/41/x86_64/iot"),
        ("--ref=own", "--ref=--repo=own", "--ref='--repo=own/x86_64/host': must be"),
        (
            "https://own.example/repo",
            '"https://own.example/\ta b"',
            "must be such as https://example.com/repo or file:",
        ),
        ("https://own.example/repo", "file:relative", "--url='file:relative': must be"),
        ("https://own.example/repo", "ftp://own.example", "must use file, HTTP or HTTPS protocol"),
        ("--url=https://own.example/repo", "", "--url"),
    ],
)
def test_what_is_no_name_or_address_is_refused_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = write(tmp_path / "own.ks", f"lang C\n{WHOLE.replace(old, new, 1)}\n")
    message = refusal(path).message
    assert message.startswith(f"{path}:2: ostreesetup")
    assert "no ostreesetup" not in message
    assert said in message
