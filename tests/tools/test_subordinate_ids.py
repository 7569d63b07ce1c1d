"""What a host lacks for the namespace of an ordinary user."""

import os
import pwd
import shutil
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.tools import subordinate_ids
from atomic_lib.tools.subordinate_ids import ID_COUNT, missing

ME = pwd.getpwuid(os.getuid()).pw_name


def test_a_host_with_all_of_it_lacks_nothing(host: Path) -> None:
    assert missing() == []


@pytest.mark.parametrize("owner", [ME, str(os.getuid())])
def test_a_user_is_named_or_numbered(host: Path, owner: str) -> None:
    for file in ("subuid", "subgid"):
        (host / "etc" / file).write_text(f"# comment\nbroken line\n{owner}:5:12\n{owner}:300000:{ID_COUNT}\n")
    assert missing() == []
    user, group = subordinate_ids.ordinary_maps()
    assert user == f"0 {os.getuid()} 1 1 300000 {ID_COUNT - 1}"
    assert group == f"0 {os.getgid()} 1 1 300000 {ID_COUNT - 1}"


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("", 100000),
        ("other:100000:65536\n", 165536),
        (f"{ME}:100000:65534\n", 165534),
        (f"{ME}:200000:x\nother:1:5\n", 100000),
    ],
)
def test_the_missing_line_and_the_command_that_adds_it_are_named(host: Path, text: str, start: int) -> None:
    for file in ("subuid", "subgid"):
        (host / "etc" / file).write_text(text)
    ((found, advice),) = missing()
    files = f"{host}/etc/subuid and {host}/etc/subgid"
    assert found == f"{files}: no 65536 subordinate ids for {ME}; wanted: the line {ME}:{start}:65536"
    ids = f"{start}-{start + 65535}"
    assert advice == f"sudo usermod --add-subuids {ids} --add-subgids {ids} {ME}"


def test_one_file_without_a_line_or_no_file_is_named_alone(host: Path) -> None:
    (host / "etc/subgid").unlink()
    ((found, advice),) = missing()
    assert found.startswith(f"{host}/etc/subgid: no 65536")
    assert advice == f"sudo usermod --add-subgids 231072-296607 {ME}"
    with pytest.raises(WorkbookError, match=r"subgid: no 65536 subordinate ids"):
        subordinate_ids.ordinary_maps()


@pytest.mark.parametrize(
    ("name", "refusing", "allowing"),
    [
        ("user.max_user_namespaces", "0", "15000"),
        ("kernel.unprivileged_userns_clone", "0", "1"),
        ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
    ],
)
def test_a_setting_that_refuses_is_named(host: Path, name: str, refusing: str, allowing: str) -> None:
    path = host / "proc/sys" / name.replace(".", "/")
    path.parent.mkdir(parents=True)
    path.write_text(f"{allowing}\n")
    assert missing() == []
    path.write_text(f"{refusing}\n")
    ((found, advice),) = missing()
    assert found == f"{name} is {refusing}: this host refuses user namespaces"
    assert f"sysctl {name}={allowing}" in advice
    assert "/etc/sysctl.d/" in advice


@pytest.mark.parametrize(("manager", "package"), [("dnf", "shadow-utils"), ("apt-get", "uidmap")])
def test_the_package_of_newuidmap_is_named(
    host: Path, monkeypatch: pytest.MonkeyPatch, manager: str, package: str
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: name if name == manager else None)
    assert missing() == [("newuidmap: command not found", f"sudo {manager} install {package}")]
