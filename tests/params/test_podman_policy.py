"""What Podman's part of a recipe adds to an SELinux policy, and to which."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from atomic_lib.base.paths import PARAMS_DIRECTORY

PARTS = PARAMS_DIRECTORY / "treefiles/parts"
MODULE_FILE = PARTS / "podman/podman-service.cil"
MODULE = "/usr/share/selinux/packages/podman-service.cil"


def run_script(root: Path) -> str:
    """Run the part's script with the directories of ``root``; what semodule was asked for."""
    (script,) = yaml.safe_load((PARTS / "podman.yaml").read_text())["postprocess"]
    for name in ("/etc/selinux", "/var/lib/selinux"):
        script = script.replace(name, f"{root}{name}")
    programs = root / "bin"
    programs.mkdir()
    asked = root / "asked"
    (programs / "semodule").write_text(f'#!/bin/sh\necho "$@" >>{asked}\n')
    (programs / "semodule").chmod(0o755)
    subprocess.run(["sh", "-c", script], check=True, env={"PATH": f"{programs}:/usr/bin:/bin"})
    return asked.read_text() if asked.exists() else ""


def policy(root: Path, *modules: str) -> Path:
    """A policy with these modules; its directory of file contexts."""
    for module in modules:
        (root / "var/lib/selinux/own/active/modules/100" / module).mkdir(parents=True)
    contexts = root / "etc/selinux/own/contexts/files"
    contexts.mkdir(parents=True)
    (root / "etc/selinux/config").write_text("SELINUX=enforcing\nSELINUXTYPE=own\n")
    return contexts


def test_a_policy_with_a_module_for_podman_gets_what_it_lacks(tmp_path: Path) -> None:
    contexts = policy(tmp_path, "base", "podman")
    (contexts / "file_contexts.bin").touch()
    (tmp_path / "var/lib/selinux/own/semanage.read.LOCK").touch()
    assert run_script(tmp_path) == f"--store=own --noreload --priority=400 --install {MODULE}\n"
    left = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"config", "asked", "semodule"}


@pytest.mark.parametrize("modules", [(), ("base", "container")])
def test_another_policy_stays_as_it_is(tmp_path: Path, modules: tuple[str, ...]) -> None:
    policy(tmp_path, *modules)
    assert run_script(tmp_path) == ""


def test_a_tree_without_a_policy_needs_none(tmp_path: Path) -> None:
    assert run_script(tmp_path) == ""


def test_the_module_is_where_the_script_looks_for_it() -> None:
    ((source, target),) = yaml.safe_load((PARTS / "podman.yaml").read_text())["add-files"]
    assert target == MODULE
    assert PARTS / source == MODULE_FILE


def test_each_rule_has_its_reason() -> None:
    blocks = MODULE_FILE.read_text().strip().split("\n\n")
    assert len(blocks) > 5
    for block in blocks[1:]:
        assert block.startswith("; ")
        assert re.search(r"^\(", block, re.MULTILINE)


def test_no_rule_gives_a_container_more_than_the_pipes_of_what_started_it() -> None:
    rules = [line for line in MODULE_FILE.read_text().splitlines() if line.startswith("(")]
    assert [rule for rule in rules if re.search(r"\bcontainer_(domain|t)\b", rule)] == [
        "(allow container_domain unconfined_t (fifo_file (append getattr ioctl read write)))"
    ]
