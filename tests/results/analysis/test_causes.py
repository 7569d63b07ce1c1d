"""Why two trees differ: the parts of the difference by the recipe's entries, which add up to it."""

import pytest

from atomic_lib.results.analysis.package_changes import Cause, causes
from atomic_lib.results.build_result import ClassSize, PackageSize, WhyLink
from atomic_lib.results.variant_result import VariantResult
from tests.report import factory


def package(name: str, size_bytes: int, *chain: str) -> PackageSize:
    why = tuple(WhyLink(kind="requires" if place else "recipe", package=one) for place, one in enumerate(chain))
    return PackageSize(
        name=name, version="1", release="1", arch="x86_64", bytes=size_bytes, files=1, class_="libraries",
        why=why,
    )  # fmt: skip


def tree(packages: tuple[PackageSize, ...], **unowned: int) -> VariantResult:
    sizes = {"libraries": sum(one.bytes for one in packages), **unowned}
    classes = tuple(ClassSize(class_=name, bytes=size, files=0) for name, size in sizes.items())
    return VariantResult(
        variant="own", status="ok", method="ostree", content="standin", recipe="own", agent="cloud-init",
        tree_bytes=sum(sizes.values()), packages=packages, classes=classes,
        tree_files=0,
    )  # fmt: skip


CLOUD_INIT = (package("python3", 50, "cloud-init", "python3"), package("cloud-init", 7, "cloud-init"))
BASE = tree(
    (package("bash", 10, "bash"), *CLOUD_INIT, package("dnf", 20, "dnf"), package("lost", 3)), rpmdb=9, kernel=5
)
OTHER = tree((package("bash", 12, "bash"), package("ostree", 4, "ostree")), rpmdb=6, kernel=5)


def test_packages_count_for_the_entry_that_their_chain_begins_with() -> None:
    assert causes(BASE, OTHER) == (
        Cause("removed", "cloud-init", -57, 2), Cause("removed", "dnf", -20, 1), Cause("added", "ostree", 4, 1),
        Cause("removed", "lost", -3, 1), Cause("files", "rpmdb", -3), Cause("resized", "packages of another size", 2),
    )  # fmt: skip


@pytest.mark.parametrize("name", ["atomic-cloud-init", "atomic-min"])
def test_the_causes_add_up_to_the_difference_of_the_trees(name: str) -> None:
    base, result = factory.variant_result("cloud-docker"), factory.variant_result(name)
    assert sum(cause.bytes for cause in causes(base, result)) == (result.tree_bytes or 0) - (base.tree_bytes or 0) != 0


def test_a_tree_that_was_not_measured_has_no_causes() -> None:
    assert causes(BASE, factory.failed_result()) == ()
    assert causes(BASE, BASE) == ()
