"""The same packages as an ordinary root and as an ostree deployment: read from real disk images and compared."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from atomic_lib.formats.disk.file_system import FileSystem, read_file_system
from atomic_lib.measure.build_changes import changed_packages
from atomic_lib.measure.file_system_comparison import Comparison
from atomic_lib.params.variant import variant_from
from atomic_lib.pipeline.build import Build, open_build
from atomic_lib.pipeline.equality import compare_booted, compare_images, require_explained
from atomic_lib.pipeline.why_and_without import plain_text
from atomic_lib.report.tables.equality_tables import counts_table
from tests.integration.small import small_variant
from tests.integration.test_build_and_boot import papermill

pytestmark = pytest.mark.integration

TRADITIONAL, OSTREE = "traditional-min", "atomic-min"


@dataclass(frozen=True)
class Pair:
    """Both variants, built, and what the comparison of their images found."""

    left: Build
    right: Build
    disk: FileSystem
    comparison: Comparison


@pytest.fixture(scope="module")
def pair() -> Pair:
    left, right = open_build(TRADITIONAL), open_build(OSTREE)
    return Pair(left, right, read_file_system(right.image.raw_disk(right.context)), compare_images(left, right))


def test_the_packages_are_the_same(pair: Pair) -> None:
    assert changed_packages(pair.left.rpm_set.lock, pair.right.rpm_set.lock) == ()


def test_every_difference_has_its_reason(pair: Pair) -> None:
    print(plain_text(counts_table(pair.comparison, TRADITIONAL, OSTREE)))
    print({rule.rule: len(pair.comparison.explained_by(rule)) for rule in pair.comparison.rules})
    assert "\n".join(map(str, pair.comparison.unexplained)) == ""
    assert [rule.rule for rule in pair.comparison.unused_rules] == []


def test_it_is_most_of_the_file_system_that_is_equal(pair: Pair) -> None:
    both, left_paths, _ = pair.comparison.paths
    assert left_paths > 5000
    assert pair.comparison.equal_paths > 0.95 * both
    apart = {one.path for one in pair.comparison.differences if one.kind == "missing"}
    assert [path for path in sorted(apart) if not path.startswith(("/var/", "/boot/", "/root/", "/usr/local/"))] == [
        path for path in ("/etc/fstab", "/lost+found") if path in apart
    ]


def test_what_ostree_keeps_outside_the_deployment_is_counted(pair: Pair) -> None:
    assert pair.comparison.right.outside == len(pair.disk.entries) - len(pair.comparison.right.entries) > 1000
    assert pair.comparison.left.outside == 0


def test_the_notebook_shows_it(pair: Pair, tmp_path: Path) -> None:
    papermill("equality.ipynb", tmp_path / "equality.ipynb")
    outputs = [cell.get("outputs", []) for cell in json.loads((tmp_path / "equality.ipynb").read_text())["cells"]]
    shown = "".join("".join(output.get("data", {}).get("text/html", "")) for group in outputs for output in group)
    assert "The packages are the same." in shown
    assert "each with its reason" in shown
    assert "etc-defaults" in shown


def test_what_the_first_boot_makes_is_the_same() -> None:
    ostree = small_variant()
    traditional = variant_from({**ostree.model_dump(), "variant": "atomic-traditional", "method": "traditional"})
    left, right = open_build(traditional), open_build(ostree)
    comparison = compare_booted(left, right)
    print(plain_text(counts_table(comparison, traditional.variant, ostree.variant)))
    assert {"/var/lib/min-cloud-agent", "/etc/ssh/ssh_host_ed25519_key", "/var/log"} <= set(comparison.left.entries)
    assert "\n".join(map(str, comparison.unexplained)) == ""
    assert "each with its reason" in require_explained(left, right, comparison).text
