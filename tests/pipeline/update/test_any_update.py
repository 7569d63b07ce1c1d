"""A variant is updated by ostree or by dnf, and the same page shows both."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.params.variant import Variant, load_variant
from atomic_lib.pipeline.build import Build
from atomic_lib.pipeline.update import any_update, variant_update
from atomic_lib.pipeline.update.any_update import open_any_update, whole_image
from atomic_lib.pipeline.update.first_version import OlderKernelBuild
from atomic_lib.pipeline.update.package_update import PackageUpdate
from atomic_lib.pipeline.update.variant_update import VariantUpdate
from tests.contexts import own_context


@pytest.fixture(autouse=True)
def own_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Builds in a directory of the test."""

    def opened(variant: str | Variant) -> Build:
        return Build(load_variant(variant) if isinstance(variant, str) else variant, own_context(tmp_path))

    for module in (any_update, variant_update):
        monkeypatch.setattr(module, "open_build", opened)


def test_the_method_of_a_variant_decides() -> None:
    assert isinstance(open_any_update("atomic-min", "package config"), VariantUpdate)
    update = open_any_update("cloud-docker", "package config")
    assert isinstance(update, PackageUpdate)
    assert update.rebuilt
    assert update.added == ("rsync", "lsof")


def test_a_study_overrides_the_parameters_of_its_variants() -> None:
    for name in ("atomic-min", "cloud-docker"):
        update = open_any_update(name, "package", "update")
        assert (update.before.variant.container, update.before.variant.last_stage) == ("", "image")
        assert open_any_update(name, "package").before.variant.last_stage == "boot"
    with pytest.raises(WorkbookError, match="study 'update' has no variant 'atomic'"):
        open_any_update("atomic", "package", "update")


@pytest.mark.parametrize("variant", ["atomic-min", "cloud-docker"])
def test_an_unknown_change_is_said_for_both(variant: str) -> None:
    with pytest.raises(WorkbookError, match="colour: no such change for version 2"):
        open_any_update(variant, "colour")


def test_a_kernel_is_for_ostree_only() -> None:
    assert isinstance(open_any_update("atomic-min", "kernel").before, OlderKernelBuild)
    with pytest.raises(WorkbookError, match="cloud-docker: version 2 has another kernel") as caught:
        open_any_update("cloud-docker", "kernel")
    assert "atomic-min" in caught.value.hint


def test_a_whole_image_is_predicted_from_the_locks_and_the_first_image() -> None:
    update = open_any_update("cloud-docker", "package")
    for build, rpm_bytes, image_bytes in ((update.before, 1_000, 5_000), (update.after, 1_300, 5_350)):
        vars(build)["rpm_set"] = SimpleNamespace(download_bytes=rpm_bytes)
        vars(build)["image"] = SimpleNamespace(compressed_bytes=image_bytes)
    way = whole_image(update)
    assert (way.predicted.requests, way.predicted.bytes, way.from_locks_bytes) == (1, 5_350, 5_300)
    assert way.exact is None
