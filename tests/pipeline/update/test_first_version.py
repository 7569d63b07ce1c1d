"""What version 1 of an update is, and that version 2 differs from it."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.params.variant import load_variant
from atomic_lib.pipeline.build import Build
from atomic_lib.pipeline.update.first_version import OlderKernelBuild, first_build, require_difference
from atomic_lib.pipeline.update.version_changes import VersionChanges
from atomic_lib.solve.lock import Lock
from tests.compose.update.test_rpm_prediction import lock, package
from tests.contexts import own_context

OLDER = VersionChanges((), older_kernel=True)
FIRST, SECOND = lock(package("bash", "1", 1)), lock(package("bash", "2", 1))


def build(directory: Path, **changed: object) -> Build:
    """The build of atomic-min with other values."""
    return Build(load_variant("atomic-min").model_copy(update=changed), own_context(directory))


def made(build: Build, packages: Lock, kernel: str) -> Build:
    """The build with its packages and its kernel."""
    vars(build)["rpm_set"] = SimpleNamespace(lock=packages)
    vars(build)["tree"] = SimpleNamespace(kver=kernel)
    return build


def test_version_1_is_the_variant_unless_something_else_is_said(tmp_path: Path) -> None:
    own = build(tmp_path)
    assert first_build(own, VersionChanges(("package",), "params/base.yaml")) is own


def test_version_1_has_an_older_kernel_or_the_packages_of_a_lock(tmp_path: Path) -> None:
    own = build(tmp_path)
    older = first_build(own, OLDER)
    assert (older.demand.older, older.demand.words) == (("kernel-core",), own.demand.words)
    assert older.variant == own.variant
    assert first_build(own, VersionChanges((), first_lock="README.md")).variant.lock == "README.md"


def test_a_lock_of_the_variant_decides_what_its_kernel_is(tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match=r"kernel: atomic-min has the kernel of lock\.json") as caught:
        first_build(build(tmp_path, lock="lock.json"), OLDER)
    assert "from:FILE lock:FILE" in caught.value.hint


def test_other_packages_or_other_parts_make_another_version(tmp_path: Path) -> None:
    own = made(build(tmp_path), FIRST, "6.12.1")
    require_difference(own, made(build(tmp_path), SECOND, "6.12.1"))
    require_difference(own, made(build(tmp_path, parts="update-config"), FIRST, "6.12.1"))
    with pytest.raises(WorkbookError, match="atomic-min: version 2 has the same packages as version 1"):
        require_difference(own, made(build(tmp_path), FIRST, "6.12.1"))


def test_the_kernel_must_be_another_one_if_that_was_asked_for(tmp_path: Path) -> None:
    own = build(tmp_path)
    older = made(OlderKernelBuild(own.variant, own.context), FIRST, "6.12.1")
    require_difference(older, made(own, SECOND, "6.12.2"))
    with pytest.raises(WorkbookError, match=r"atomic-min: version 2 has the same kernel as version 1, 6\.12\.1"):
        require_difference(older, made(own, SECOND, "6.12.1"))
