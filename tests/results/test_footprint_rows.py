"""The rows of a result that footprints give: each adds up to the tree or the image."""

from pathlib import Path

from atomic_lib.compose.tree import Tree
from atomic_lib.image.disk import Image
from atomic_lib.measure.image_footprint import DiskUse, ImageFootprint
from atomic_lib.results.record import VariantRecord
from atomic_lib.results.result_files import read_variant_result
from atomic_lib.results.variant_result import VariantResult
from atomic_lib.solve.rpm_set import RpmSet


def written(directory: Path) -> VariantResult:
    return read_variant_result(directory / "result.json")


def test_packages_and_classes_add_up_to_the_tree(
    tmp_path: Path, record: VariantRecord, rpm_set: RpmSet, tree: Tree
) -> None:
    record.add_tree(rpm_set, tree)
    result = written(tmp_path)
    assert {package.name: package.bytes for package in result.packages} == {"bash": 1200, "linux-image-cloud": 9000}
    assert {part.class_: part.bytes for part in result.classes}["initramfs"] == 20000
    assert sum(part.bytes for part in result.classes) == result.tree_bytes
    assert result.tree_allocated_bytes == 4096 + 12288 + 20480
    assert sum(part.allocated_bytes or 0 for part in result.classes) == result.tree_allocated_bytes
    assert {package.name: package.allocated_bytes for package in result.packages}["bash"] == 4096
    assert [(entry.path, entry.bytes, entry.files) for entry in result.directories] == [
        ("/usr", 30200, 3), ("/usr/bin", 1200, 1), ("/usr/lib", 29000, 2), ("/usr/lib/modules", 29000, 2),
    ]  # fmt: skip


def test_the_image_is_broken_down_by_package_and_part(
    tmp_path: Path, record: VariantRecord, rpm_set: RpmSet, tree: Tree, image: Image
) -> None:
    record.add_tree(rpm_set, tree)
    footprint = ImageFootprint(
        packages={"linux-image-cloud": DiskUse(1000, 600)},
        unowned={"/usr/lib/modules/6.12/initramfs.img": DiskUse(500, 300), "/boot/vmlinuz-6.12": DiskUse(300, 50)},
        parts={"journal": DiskUse(248, 4), "qcow2-metadata": DiskUse(0, 70)},
        python_scripts=("/usr/bin/tool", "/usr/bin/python3-config"),
    )
    record.add_image(image, footprint)
    result = written(tmp_path)
    assert {package.name: (package.image_bytes, package.qcow2_bytes) for package in result.packages} == {
        "bash": (0, 0), "linux-image-cloud": (1000, 600),
    }  # fmt: skip
    assert [(part.part, part.image_bytes, part.qcow2_bytes) for part in result.image_parts] == [
        ("kernel", 1300, 650), ("initramfs", 500, 300), ("journal", 248, 4), ("qcow2-metadata", 0, 70),
    ]  # fmt: skip
    assert sum(part.image_bytes for part in result.image_parts) == result.image_allocated_bytes
    assert result.forbidden_paths["Python"] == 2  # a link by its name, a script by its first line
