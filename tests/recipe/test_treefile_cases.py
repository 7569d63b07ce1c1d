"""Small treefiles that were once read wrongly or refused wrongly, with the right result; each stands for a kind."""

from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.recipe.treefile import read_treefile

CASES = Path(__file__).parents[2].parent / "shared" / "data" / "cases" / "recipes"
pytestmark = pytest.mark.skipif(not CASES.exists(), reason="the cases are not beside the checkout")


def read(name: str) -> Recipe:
    (directory,) = CASES.glob(f"{name}-*")
    (path,) = directory.glob("host.*")
    return read_treefile(path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("T03", {"packages": ["bash"], "os_release_version": "41"}),
        ("T04", {"packages": ["bash"], "version_prefix": "41.<date:%Y%m%d>"}),
        ("T06", {"packages": ["bash", "strace", "vim-minimal"]}),
        ("T07", {"packages": ["bash", "grub2-pc"]}),
        ("T09", {"packages": ["bash"]}),
        ("T12", {"commit_metadata": [("probe.production", "false")]}),
        ("T13", {"packages": ["bash"], "notes": [], "tmp_is_link": False}),
        ("T15", {"packages": ["bash"]}),
        ("T16", {"packages": ["bash"]}),
        ("T18", {"packages": ["bash"]}),
        ("T19", {"packages": ["a >= 1", "b >= 2", "bash", "podman >= 4.1", "vim-minimal"]}),
        ("T21", {"removed_paths": ["etc/issue.net"]}),
        ("T22", {"machine_id": "absent"}),
        ("T24", {"packages": ["bash", "vim-minimal"], "excludes": ["nano"], "weak_dependencies": False}),
        ("T28", {"packages": ["bash", "min-cloud-agent"], "repo_packages": [("workbook", ("min-cloud-agent",))]}),
        ("T33", {"packages": ["bash"]}),
    ],
)
def test_a_case_is_read(name: str, expected: dict[str, Any]) -> None:
    recipe = read(name)
    found = {key: getattr(recipe, key) for key in expected}
    assert {key: sorted(value) if isinstance(value, tuple) else value for key, value in found.items()} == expected


def test_the_users_of_a_file_are_there_from_the_start() -> None:
    accounts = read("T01").account_rules
    assert accounts is not None
    assert accounts.passwd is not None
    assert ("svc-a", 912, 912) in accounts.users
    assert any(line.startswith("svc-a:x:912:912:") for line in accounts.passwd)
    assert accounts.removable_users == ("games",)


def test_a_file_is_added() -> None:
    (file,) = read("T27").added_files
    assert (file.path, file.content) == ("etc/motd", b"hello\n")


def test_a_program_of_finalize_d_is_run() -> None:
    last = read("T25").finalization
    assert last is not None
    assert [program.path for program in last.programs] == ["10-mark"]
    assert {file.path for file in last.files} == {"finalize.d", "finalize.d/10-mark", "host.yaml"}


def test_a_note_names_what_signs_a_commit() -> None:
    assert "signing_key" in "".join(read("T10").notes)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("T30", ["host.yaml:3: rojig: must be", "more.yaml:1: ima: only false is supported"]),
        ("T31", ["host.yaml:3: documentation: must be true or false, not 'no'",
                 "host.yaml:4: recommends: must be true or false, not 'off'"]),
    ],
)  # fmt: skip
def test_a_case_is_refused_with_all_its_reasons(name: str, parts: list[str]) -> None:
    with pytest.raises(WorkbookError) as caught:
        read(name)
    lines = caught.value.message.splitlines()
    assert len(lines) == len(parts)
    assert [part for part, line in zip(parts, lines, strict=True) if part not in line] == []
