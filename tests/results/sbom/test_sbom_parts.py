"""The parts of an SBOM add up to the tree and to the image, to the byte."""

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.results.sbom.sbom_parts import DISK_PARTS, parts_of
from atomic_lib.results.variant_result import VariantResult
from tests.report.factory import variant_result
from tests.results.sbom.recorded import recorded_build


def sums(result: VariantResult) -> tuple[int, int, int, int]:
    parts = parts_of(result)
    return (
        sum(part.tree_bytes for part in parts),
        sum(part.tree_files for part in parts),
        sum(part.image_bytes or 0 for part in parts),
        sum(part.qcow2_bytes or 0 for part in parts),
    )


def test_the_parts_of_a_real_build_are_the_whole_image() -> None:
    result, _ = recorded_build()
    assert sums(result) == (
        result.tree_bytes, result.tree_files, result.image_allocated_bytes, result.image_compressed_bytes,
    )  # fmt: skip
    kinds = {part.kind for part in parts_of(result)}
    assert kinds == {"package", "files", "disk"}
    assert {part.name for part in parts_of(result) if part.kind == "disk"} == set(DISK_PARTS)


def test_the_parts_of_a_build_without_an_image_are_its_tree() -> None:
    result = variant_result("atomic-min")
    assert sums(result) == (result.tree_bytes, result.tree_files, 0, 0)
    assert {part.image_bytes for part in parts_of(result)} == {None}


def test_files_of_no_package_are_what_their_class_has_beside_its_packages() -> None:
    result, _ = recorded_build()
    classes = {size.class_: size.bytes for size in result.classes}
    found = {part.name: part for part in parts_of(result) if part.kind == "files"}
    for name in ("initramfs", "kernel"):
        owned = sum(package.bytes for package in result.packages if package.class_ == name)
        assert 0 < owned == classes[name] - found[name].tree_bytes


@pytest.mark.parametrize("figure", ["bytes", "image_bytes", "qcow2_bytes"])
def test_a_package_larger_than_its_class_is_an_error(figure: str) -> None:
    result, _ = recorded_build()
    first, *others = result.packages
    forged = first.model_copy(update={figure: 10**12})
    with pytest.raises(WorkbookError, match="atomic-min: SBOM: "):
        parts_of(result.model_copy(update={"packages": (forged, *others)}))


@pytest.mark.parametrize("figure", ["tree_bytes", "tree_files", "image_allocated_bytes", "image_compressed_bytes"])
def test_a_byte_too_many_is_an_error(figure: str) -> None:
    result, _ = recorded_build()
    with pytest.raises(WorkbookError, match="were measured"):
        parts_of(result.model_copy(update={figure: getattr(result, figure) + 1}))
