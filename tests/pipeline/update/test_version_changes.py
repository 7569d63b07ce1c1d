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
    ],
)
def test_names_are_parts_and_a_lock_is_a_file_of_the_checkout(changes: str, named: VersionChanges) -> None:
    assert named_changes(changes) == named


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ("kernel", "kernel: no such change for version 2"),
        ("", "version 2 must differ from version 1"),
        ("lock:none.json", "lock:none.json: no such file"),
        ("lock:", "lock:: no such file"),
        ("lock:pyproject.toml lock:params/base.yaml", "pyproject.toml params/base.yaml: version 2 has the packages of"),
    ],
)
def test_what_is_no_change_is_said(changes: str, said: str) -> None:
    with pytest.raises(WorkbookError) as caught:
        named_changes(changes)
    assert caught.value.message.startswith(said)
    assert caught.value.hint
