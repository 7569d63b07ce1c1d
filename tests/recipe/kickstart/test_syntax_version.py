"""Which version of the kickstart syntax a file is read with."""

import re
from pathlib import Path

import pytest

from atomic_lib.recipe.kickstart.kickstart_reader import read_kickstart
from tests.recipe.kickstart.kickstart_files import PACKAGES, refusal, write


def test_an_unknown_syntax_version_names_some_that_are_known(tmp_path: Path) -> None:
    error = refusal(write(tmp_path / "a.ks", PACKAGES), "F999")
    assert error.message == "kickstart_version: 'F999' is not a kickstart syntax version"
    assert "F21" in error.hint


def test_the_syntax_version_decides_what_an_option_is(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ks", "#version=F21\n%packages --nocore --inst-langs=en\nbash\n%end\n")
    assert refusal(path).message == f"{path}:2: %packages: unrecognized arguments: --inst-langs=en"


@pytest.mark.parametrize("version", ["", "DEVEL"])
def test_without_a_version_the_newest_syntax_that_accepts_the_file_is_used(tmp_path: Path, version: str) -> None:
    path = write(tmp_path / "a.ks", f"#version={version}\n%packages --nocore --inst-langs=en\nbash\n%end\n")
    assert read_kickstart(path, "F41").notes == ()
    (note,) = read_kickstart(path, "F21").notes
    assert re.fullmatch(r"a\.ks:2: read with the kickstart syntax of F4\d, because that of F21 does not accept: "
                        r"%packages: unrecognized arguments: --inst-langs=en", note)  # fmt: skip


def test_a_command_that_was_removed_is_read_with_the_syntax_that_had_it(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ks", f"langsupport en\n{PACKAGES}")
    assert "command" in refusal(path).message
    path = write(tmp_path / "a.ks", f"install\nlang C\n{PACKAGES}")
    assert read_kickstart(path, "F21").notes == ("a.ks:1: install has no effect: it only controls the installer",)
    recipe = read_kickstart(path, "RHEL9")
    assert re.match(r"a\.ks:1: read with the kickstart syntax of F\d+, because that of RHEL9 ", recipe.notes[0])
    assert recipe.locale == "C"


def test_without_a_version_that_accepts_all_the_fewest_errors_are_told(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ks", f"install\nauth --useshadow\nselinux --bogus\n{PACKAGES}")
    assert refusal(path).message == f"{path}:3: selinux: unrecognized arguments: --bogus"
    path = write(tmp_path / "a.ks", f"selinux --bogus\ntimesource --ntp-server=a\n{PACKAGES}")
    assert refusal(path).message == f"{path}:1: selinux: unrecognized arguments: --bogus"


def test_a_command_that_once_had_no_options_is_read(tmp_path: Path) -> None:
    recipe = read_kickstart(
        write(tmp_path / "a.ks", f"#version=F8\nautopart\n{PACKAGES.replace(' --nocore', '')}"), "F41"
    )
    assert recipe.notes[0].startswith("a.ks:2: autopart: an image has one ext4 root file system")


@pytest.mark.parametrize("name", ["OL9", "CentOS7", "RHEL8.3", "Rocky Linux 9", "F999"])
def test_an_unknown_version_in_the_file_is_noted(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "a.ks", f"\n#version={name}\ninstall\n{PACKAGES}")
    notes = read_kickstart(path, "F41").notes
    assert notes[0] == f"a.ks:2: #version={name} has no effect: no version of the kickstart syntax has this name"
    assert notes[1].startswith("a.ks:3: read with the kickstart syntax of F33, because that of F41 does not accept: ")


OLD = """\
lang C
%packages
bash
%pre
-bash
%post
echo 1
%post --nochroot
echo 2
%end
keyboard us
%post
echo 3
"""


@pytest.mark.parametrize("version", ["RHEL5", "F7", "FC6"])
def test_sections_of_the_syntax_before_fedora_8_need_no_end(tmp_path: Path, version: str) -> None:
    recipe = read_kickstart(write(tmp_path / "a.ks", f"#version={version}\n{OLD}"), "F41")
    assert (recipe.packages, recipe.excludes, recipe.keyboard) == (("bash",), (), "us")
    assert [(script.text, script.in_tree) for script in recipe.post_scripts] == [
        ("echo 1\n", True), ("echo 2\n", False), ("echo 3\n", True)
    ]  # fmt: skip
    assert read_kickstart(write(tmp_path / "b.ks", OLD), version).packages == ("bash",)


@pytest.mark.parametrize("version", ["RHEL6", "F8", "DEVEL"])
def test_sections_of_a_newer_syntax_need_an_end(tmp_path: Path, version: str) -> None:
    path = write(tmp_path / "a.ks", f"#version={version}\n{OLD}")
    assert refusal(path).message == f"{path}:3: section %packages has no %end"
