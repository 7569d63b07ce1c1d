"""A pair of variants: compared, judged, and published as a page."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.guest.vm.qemu import Disk
from atomic_lib.measure import booted
from atomic_lib.params.variant import variant_from
from atomic_lib.pipeline import equality
from atomic_lib.pipeline.build import Build
from atomic_lib.results.equality_record import EqualityRecord, equality_file
from atomic_lib.solve.lock import Lock, LockedPackage
from atomic_lib.solve.rpm_set import RpmSet
from atomic_lib.tools import user_namespace
from tests.contexts import own_context, put_empty_tools
from tests.formats.disk.disk_image import make_raw
from tests.image.raw_disks import with_raw_disk
from tests.pipeline.small_notebooks import notebook

BASH = LockedPackage("bash", 0, "5.2", "1", "x86_64", "a" * 64, 10, "standin")


def opened(directory: Path, name: str, text: str, *packages: LockedPackage) -> Build:
    """A build whose packages and image are made: a small image in which /etc/file holds ``text``."""
    content = directory / name
    (content / "etc").mkdir(parents=True)
    (content / "etc/file").write_text(text)
    (content / "usr").mkdir()
    raw = directory / f"{name}.raw"
    make_raw(raw, content)
    values = {"variant": name, "method": "ostree", "recipe": "own", "agent": "min-cloud-agent", "accelerator": "tcg"}
    build = Build(variant_from(values), own_context(directory))
    (directory / f"image-{name}").mkdir()
    shutil.copyfile(raw, directory / f"image-{name}/disk.qcow2")
    vars(build)["image"] = with_raw_disk(raw, directory / f"image-{name}", build.context, name)
    vars(build)["rpm_set"] = RpmSet("k", Lock("standin", packages), directory / "rpms", (), 0.0, True)
    return build


def test_a_difference_without_a_reason_is_named(tmp_path: Path) -> None:
    left, right = opened(tmp_path, "one", "a", BASH), opened(tmp_path, "two", "b", BASH)
    comparison = equality.compare_images(left, right)
    with pytest.raises(WorkbookError) as caught:
        equality.require_explained(left, right, comparison, None)
    assert caught.value.message == "one and two: 1 difference without a reason"
    assert caught.value.log.startswith("/etc/file: content: ")
    assert "params/rules/equality.yaml" in caught.value.hint


def test_where_every_difference_has_a_reason_the_verdict_says_how_many(tmp_path: Path) -> None:
    left, right = opened(tmp_path, "one", "a", BASH), opened(tmp_path, "two", "a", BASH)
    comparison = equality.compare_images(left, right)
    paths = comparison.paths[0]
    verdict = equality.require_explained(left, right, comparison, comparison)
    assert verdict.text == f"one and two: {2 * paths} paths on both sides, 0 differences, each with its reason."
    assert paths >= 4


def test_of_other_packages_nothing_is_concluded(tmp_path: Path) -> None:
    left, right = opened(tmp_path, "one", "a", BASH), opened(tmp_path, "two", "a")
    with pytest.raises(WorkbookError, match="one and two: 1 package not the same, the first is bash"):
        equality.require_explained(left, right, equality.compare_images(left, right))


def test_what_a_boot_made_is_kept_and_only_that_is_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left, right = opened(tmp_path, "one", "a", BASH), opened(tmp_path, "two", "b", BASH)
    boots = []

    def boot(_: object, disk: Disk, request: Any, directory: Path) -> None:
        boots.append(
            (disk.path.parent.name, disk.format, request.firmware, request.accelerator, request.cpus, request.agent)
        )
        shutil.copyfile(disk.path, directory / "after.raw")

    monkeypatch.setattr(booted, "disk_after_boot", boot)
    for _ in range(2):
        comparison = equality.compare_booted(left, right)
        assert set(comparison.left.entries) == {"/etc", "/etc/file"}
        assert [(one.path, one.kind) for one in comparison.unexplained] == [("/etc/file", "content")]
    assert boots == [(name, "qcow2", "bios", "tcg", 1, "min-cloud-agent") for name in ("image-one", "image-two")]


VERDICT = """
from atomic_lib.base.errors import WorkbookError
if boot:
    raise WorkbookError("one and two: 1 difference without a reason", hint="look", log="/etc/file: content")
print("each with its reason")
"""


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A build directory, a small notebook in place of the real one, and a tools tree that has no tools."""
    path = tmp_path / "equality.ipynb"
    path.write_text(json.dumps(notebook(["boot: bool = False\n", VERDICT])))
    put_empty_tools(tmp_path / "cache")
    monkeypatch.setenv("WORKBOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(equality, "NOTEBOOK", path)
    monkeypatch.setattr(equality, "BUILD", tmp_path / "build")
    monkeypatch.setattr(user_namespace, "is_inside", lambda: True)
    return tmp_path / "build"


def test_the_page_is_published_and_the_status_says_what_it_found(
    build: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert equality.run_equality(boot=False) == 0
    page = Path(capsys.readouterr().out.strip())
    assert page.parent == (build / "runs/latest-equality").resolve()
    assert page.parent.name.endswith("Z-equality")
    text = page.read_text()
    assert "each with its reason" in text
    assert 'role="alert"' not in text
    assert 'href="equality.ipynb"' in text
    assert not (build / "runs/latest").exists()


def test_what_is_unexplained_is_on_the_page_and_in_the_status(build: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert equality.run_equality(boot=True) == 1
    printed = capsys.readouterr()
    assert "error: one and two: 1 difference without a reason\n/etc/file: content\nNext step: look" in printed.err
    text = Path(printed.out.strip()).read_text()
    assert 'role="alert"' in text
    assert "1 difference without a reason" in text


def test_what_was_found_is_kept_for_release_notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(equality, "BUILD", tmp_path / "build")
    left, right = opened(tmp_path, "one", "a", BASH), opened(tmp_path, "two", "b", BASH)
    vars(left)["image"] = replace(left.image, sha256="a" * 64)
    vars(right)["image"] = replace(right.image, sha256="b" * 64)
    comparison = equality.compare_images(left, right)
    equality.record_equality(left, right, comparison, comparison)
    record = EqualityRecord.model_validate_json(equality_file(tmp_path / "build", "two").read_text())
    assert (record.traditional, record.images, record.booted) == ("one", ("a" * 64, "b" * 64), True)
    assert (record.paths, record.differences, record.unexplained) == (comparison.paths[0], 2, 2)


def test_of_images_of_other_packages_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(equality, "BUILD", tmp_path / "build")
    left, right = opened(tmp_path, "one", "a", BASH), opened(tmp_path, "two", "a")
    equality.record_equality(left, right, equality.compare_images(left, right), None)
    assert not (tmp_path / "build").exists()
