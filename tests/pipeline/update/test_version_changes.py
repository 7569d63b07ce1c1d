"""What version 2 changes, as it is named on the command line."""

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.pipeline.update.version_changes import VersionChanges, known_changes, named_changes


def test_the_changes_are_those_that_have_a_treefile() -> None:
    assert known_changes() == ["config", "initramfs", "package"]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ("package config", VersionChanges(("package", "config"))),
        ("lock:pyproject.toml", VersionChanges((), "pyproject.toml")),
        ("config lock:params/base.yaml", VersionChanges(("config",), "params/base.yaml")),
        ("from:params/base.yaml", VersionChanges((), first_lock="params/base.yaml")),
        ("lock:pyproject.toml from:README.md", VersionChanges((), "pyproject.toml", "README.md")),
        ("package kernel", VersionChanges(("package",), older_kernel=True)),
    ],
)
def test_names_are_parts_or_the_kernel_and_a_lock_is_a_file_of_the_checkout(
    changes: str, named: VersionChanges
) -> None:
    assert named_changes(changes) == named


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ("colour", "colour: no such change for version 2"),
        ("", "version 2 must differ from version 1"),
        ("lock:none.json", "lock:none.json: no such file"),
        ("lock:", "lock:: no such file"),
        ("lock:pyproject.toml lock:params/base.yaml", "pyproject.toml params/base.yaml: version 2 has the packages of"),
        ("from:none.json", "from:none.json: no such file"),
        ("from:README.md from:pyproject.toml", "README.md pyproject.toml: version 1 has the packages of one lock"),
        ("kernel from:README.md", "kernel: version 1 has the kernel of README.md"),
    ],
)
def test_what_is_no_change_is_said(changes: str, said: str) -> None:
    with pytest.raises(WorkbookError) as caught:
        named_changes(changes)
    assert caught.value.message.startswith(said)
    assert caught.value.hint
