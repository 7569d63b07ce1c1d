"""The kernel of a tree; installing itself is an integration test."""

from pathlib import Path

import pytest

from atomic_lib.compose.installroot import kernel_version
from atomic_lib.errors import WorkbookError


def add_kernel(root: Path, kver: str, name: str = "vmlinuz") -> None:
    modules = root / "usr/lib/modules" / kver
    modules.mkdir(parents=True)
    (modules / name).touch()


def test_the_kernel_is_the_one_with_modules(tmp_path: Path) -> None:
    add_kernel(tmp_path, "6.12.1-1")
    add_kernel(tmp_path, "6.11.0-9", "modules.dep")
    assert kernel_version(tmp_path) == "6.12.1-1"


@pytest.mark.parametrize(("kernels", "said"), [((), "0 kernels (none)"), (("1", "2"), "2 kernels (1, 2)")])
def test_none_or_several_are_an_error(tmp_path: Path, kernels: tuple[str, ...], said: str) -> None:
    for kver in kernels:
        add_kernel(tmp_path, kver)
    with pytest.raises(WorkbookError) as caught:
        kernel_version(tmp_path)
    assert said in caught.value.message
    assert "exactly one kernel package" in caught.value.hint
