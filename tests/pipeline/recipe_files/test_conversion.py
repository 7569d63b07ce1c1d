"""Converted recipes, read again: what they say, and what they tell that they cannot say."""

from pathlib import Path

import pytest
import yaml

from atomic_lib.cli import main
from atomic_lib.pipeline.recipe_files.conversion import kickstart_of, left_out, treefile_of
from atomic_lib.pipeline.recipe_files.entry_differences import entry_differences
from atomic_lib.recipe.load import read_recipe
from atomic_lib.recipe.recipe import Recipe

TREEFILE = """\
ref: own/x86_64/host
repos: [fedora]
packages: [bash, "'podman >= 4.1'", tar]
exclude-packages: [nano]
documentation: false
recommends: false
install-langs: [en_US, de]
units: [sshd.service, podman.socket]
postprocess:
  - |
    #!/bin/bash
    set -e
    echo 'a  "b"' >/usr/share/own
  - "true\\n"
"""
KICKSTART = """\
services --enabled=sshd,chronyd --disabled=firewalld
selinux --permissive
lang en_US.UTF-8
keyboard us
timezone Europe/Berlin --utc
bootloader --append="quiet a=b"
part / --fstype=ext4 --size=3000
%packages --excludedocs
@core
@^cloud-server-environment
bash
-nano
%end
%post --interpreter=/bin/bash
echo one
%end
"""


def recipe_of(directory: Path, name: str, text: str) -> Recipe:
    (directory / name).write_text(text)
    return read_recipe(directory / name)


def test_a_kickstart_of_a_treefile_says_the_same_but_its_ref(tmp_path: Path) -> None:
    recipe = recipe_of(tmp_path, "host.yaml", TREEFILE)
    text = kickstart_of(recipe)
    again = recipe_of(tmp_path, "again.ks", text)
    assert again.packages == ("bash", "podman", "tar")
    assert [(one.interpreter, one.text) for one in again.post_scripts] == [
        ("/bin/bash", "#!/bin/bash\nset -e\necho 'a  \"b\"' >/usr/share/own\n"), ("/bin/sh", "true\n"),
    ]  # fmt: skip
    lost = [line for line in left_out(recipe, text, ".ks") if not line.startswith("+")]
    # a kickstart without url cannot say that there are no other repositories
    assert lost == [
        "- packages: podman >= 4.1",
        "- repositories: fedora",
        "- ref: own/x86_64/host",
    ]


@pytest.mark.parametrize("line", ["%end", "%include other", " %ksappend other", "%packages", "%post --log=a"])
def test_a_script_that_a_kickstart_would_read_otherwise_is_left_out(tmp_path: Path, line: str) -> None:
    script = f"postprocess:\n  - |\n    cat <<END\n    x\n    {line}\n    END\n  - |\n    printf '%post'\n"
    recipe = recipe_of(tmp_path, "host.yaml", f"ref: a\npackages: [bash]\n{script}")
    text = kickstart_of(recipe)
    assert [one.text for one in recipe_of(tmp_path, "again.ks", text).post_scripts] == ["printf '%post'\n"]
    assert left_out(recipe, text, ".ks") == ["- ref: a", f"- script: {tmp_path}/host.yaml:4"]


def test_a_unit_with_a_backslash_is_quoted_and_a_rich_requirement_left_out(tmp_path: Path) -> None:
    lines = "ref: a\npackages: [bash, \"'(a or b)'\"]\nunits: ['dev-disk\\x2dby.mount']\n"
    recipe = recipe_of(tmp_path, "host.yaml", lines)
    text = kickstart_of(recipe)
    again = recipe_of(tmp_path, "again.ks", text)
    assert (again.packages, again.enabled_units) == (("bash",), ("dev-disk\\x2dby.mount",))
    assert left_out(recipe, text, ".ks") == ["- packages: (a or b)", "- ref: a"]


@pytest.mark.parametrize(("name", "ref"), [("my host é (1).ks", "my-host-1"), ("-x.ks", "x"), ("é.ks", "recipe")])
def test_the_ref_of_a_converted_kickstart_is_one_whatever_its_name(tmp_path: Path, name: str, ref: str) -> None:
    recipe = recipe_of(tmp_path, name, "%packages --nocore\nbash\n%end\n")
    again = recipe_of(tmp_path, "again.yaml", treefile_of(recipe))
    assert again.ref == f"fedora-atomic/x86_64/{ref}"


def test_a_script_with_a_line_of_another_interpreter_is_the_same_after_conversion(tmp_path: Path) -> None:
    script = "%post --erroronfail\n#!/usr/bin/perl\necho\n%end\n"
    recipe = recipe_of(tmp_path, "host.ks", f"firewall --use-system-defaults\n%packages --nocore\nbash\n%end\n{script}")
    assert left_out(recipe, treefile_of(recipe), ".yaml") == ["+ ref: fedora-atomic/x86_64/host"]


def test_a_commit_that_is_deployed_becomes_a_comment_of_a_treefile(tmp_path: Path) -> None:
    line = "ostreesetup --nogpg --osname=own --url=https://own.example/repo --ref=a/b\n"
    text = treefile_of(recipe_of(tmp_path, "host.ks", line))
    assert "# A treefile deploys no commit. List the packages of the one that ostreesetup deploys.\nref: a/b\n" in text


def test_a_treefile_of_a_kickstart_tells_what_it_cannot_say(tmp_path: Path) -> None:
    recipe = recipe_of(tmp_path, "host.ks", KICKSTART)
    text = treefile_of(recipe)
    assert "# A treefile names no groups. List the packages of: ^cloud-server-environment core\n" in text
    again = recipe_of(tmp_path, "again.yaml", text)
    assert (again.packages, again.excludes, again.documentation) == (("bash",), ("nano",), False)
    assert again.post_scripts[0].text == "#!/bin/bash\necho one\n"
    lost = [line for line in left_out(recipe, text, ".yaml") if line.startswith("- ")]
    for words in ("groups: core", "groups: ^cloud-server", "disabled units: firewalld", "selinux: permissive", "locale",
                  "keyboard", "timezone", "kernel_arguments", "root_size_mib"):  # fmt: skip
        assert any(words in line for line in lost), words


def test_there_and_back_loses_nothing_more(tmp_path: Path) -> None:
    recipe = recipe_of(tmp_path, "host.yaml", TREEFILE)
    kickstart = recipe_of(tmp_path, "host.ks", kickstart_of(recipe))
    again = recipe_of(tmp_path, "again.yaml", treefile_of(kickstart))
    found = map(str, entry_differences(recipe, again))
    assert [line for line in found if "ref" not in line and "podman" not in line] == []


def test_a_script_that_would_end_its_section_is_told(tmp_path: Path) -> None:
    recipe = recipe_of(
        tmp_path, "host.yaml", "ref: own\npackages: [bash]\npostprocess:\n  - |\n    cat <<E\n    %end\n    E\n"
    )
    assert "- script: " in "\n".join(left_out(recipe, kickstart_of(recipe), ".ks"))


@pytest.mark.parametrize(("name", "text", "first"), [
    ("host.yaml", TREEFILE, "# Converted from host.yaml."), ("host.ks", KICKSTART, "# Converted from host.ks."),
])  # fmt: skip
def test_the_command_prints_the_recipe_and_tells_the_rest(
    tmp_path: Path, name: str, text: str, first: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_text(text)
    assert main(["convert", str(tmp_path / name)]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[0] == first
    assert "! not the same: - " in said.err
    assert str(tmp_path) not in said.out


def test_what_is_no_recipe_yet_is_printed_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "host.ks").write_text("%packages\n@core\n%end\n")
    assert main(["convert", str(tmp_path / "host.ks")]) == 1
    said = capsys.readouterr()
    assert "List the packages of: core" in said.out
    assert said.err == "! not a whole recipe yet: converted.yaml: packages: is required\n"


@pytest.mark.parametrize(
    ("line", "program"), [("#!/usr/bin/env bash", "/usr/bin/bash"), ("#!/usr/bin/python3", "/usr/bin/python3")]
)
def test_an_interpreter_is_a_path_and_scripts_are_the_same_there_and_back(
    tmp_path: Path, line: str, program: str
) -> None:
    text = f"ref: own\npackages: [bash]\ndefault-target: graphical.target\npostprocess:\n  - |\n    {line}\n    true\n"
    recipe = recipe_of(tmp_path, "host.yaml", text)
    kickstart = kickstart_of(recipe)
    assert f"%post --erroronfail --interpreter={program}\n{line}\ntrue\n%end\n" in kickstart
    again = treefile_of(recipe_of(tmp_path, "host.ks", kickstart))
    assert yaml.safe_load(again)["postprocess"] == [f"{line}\ntrue\n"]
    found = [str(one) for one in entry_differences(recipe, recipe_of(tmp_path, "again.yaml", again))]
    assert found == ["- ref: own", "+ ref: fedora-atomic/x86_64/host"]


def test_arguments_of_an_interpreter_are_told(tmp_path: Path) -> None:
    recipe = recipe_of(tmp_path, "host.yaml", "ref: own\npackages: [bash]\npostprocess: ['#!/bin/bash -e\n\n true']\n")
    lines = [line for line in left_out(recipe, kickstart_of(recipe), ".ks") if "script" in line]
    assert [line.partition(", in the tree")[0] for line in lines] == [  # the rest is cut off, with a long path
        f"- script: {tmp_path}/host.yaml:3 (/bin/bash -e",
        "+ script: converted.ks:9 (/bin/bash",
    ]


def test_only_what_is_lost_or_new_is_told_and_each_value_of_a_list(tmp_path: Path) -> None:
    recipe = recipe_of(tmp_path, "host.yaml", "ref: own\npackages: [bash]\ninitramfs-args: [--add=a, --add=b]\n")
    assert left_out(recipe, kickstart_of(recipe), ".ks") == [
        "- initramfs_arguments: --add=a", "- initramfs_arguments: --add=b", "- ref: own",
    ]  # fmt: skip


def test_a_script_whose_failure_was_ignored_is_told(tmp_path: Path) -> None:
    recipe = recipe_of(tmp_path, "host.ks", KICKSTART)
    lines = [line for line in left_out(recipe, treefile_of(recipe), ".yaml") if "script" in line]
    assert lines == [
        f"- script: {tmp_path}/host.ks:14 (/bin/bash, in the tree, a failure is ignored)",
        "+ script: converted.yaml:12 (/bin/bash, in the tree, a failure ends the build)",
    ]


def test_a_script_is_written_line_by_line(tmp_path: Path) -> None:
    assert "- |\n  #!/bin/bash\n  echo one\n" in treefile_of(recipe_of(tmp_path, "host.ks", KICKSTART))


def test_repositories_of_a_kickstart_are_said_again(tmp_path: Path) -> None:
    path = tmp_path / "a.ks"
    path.write_text(
        "url --metalink=https://a.example/?a=b&c --proxy=http://p.example\n"
        "repo --name=own --baseurl=https://b.example/ --cost=5 --includepkgs=a,b --excludepkgs=c --noverifyssl\n"
        "repo --name=updates\n%packages --nocore\nbash\n%end\n"
    )
    recipe = read_recipe(path)
    text = kickstart_of(recipe)
    assert "url '--metalink=https://a.example/?a=b&c' --proxy=http://p.example\n" in text
    (tmp_path / "b.ks").write_text(text)
    again = read_recipe(tmp_path / "b.ks")
    assert [one.options() for one in again.repositories] == [one.options() for one in recipe.repositories]
    assert again.repos == recipe.repos == ("anaconda", "own", "updates")
