"""Results as files: written whole, read strictly, refused with the file and the key."""

import csv
import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from atomic_lib.base.errors import WorkbookError
from atomic_lib.results.build_result import ClassSize, class_sizes
from atomic_lib.results.result_files import (
    read_study_result,
    read_variant_result,
    write_study_results,
    write_variant_result,
)
from atomic_lib.results.variant_result import VariantResult
from tests.report import factory

REQUIRED_OF_VARIANT = (
    "variant", "status", "method", "content", "lock_sha256", "commit", "package_count", "tree_bytes",
    "image_virtual_bytes", "image_allocated_bytes", "image_compressed_bytes", "download_bytes", "boots",
)  # fmt: skip
REQUIRED_OF_BOOT = ("accelerator", "firmware", "ssh_login_seconds", "docker_ready_seconds", "phases")


def test_a_variant_result_reads_back_as_it_was_written(tmp_path: Path) -> None:
    result = factory.variant_result("atomic-min", uefi=1)
    write_variant_result(tmp_path / "atomic-min/result.json", result)
    assert read_variant_result(tmp_path / "atomic-min/result.json") == result
    assert [path.name for path in (tmp_path / "atomic-min").iterdir()] == ["result.json"]


def test_results_json_holds_what_other_tools_read(tmp_path: Path) -> None:
    write_study_results(tmp_path, factory.STUDY, factory.all_results())
    value = json.loads((tmp_path / "results.json").read_text())
    assert (value["schema_version"], value["study"], value["baseline"]) == (3, "default", "cloud-docker")
    assert value["run"] == tmp_path.name
    for entry in value["variants"]:
        assert set(REQUIRED_OF_VARIANT) <= set(entry)
        for boot in entry["boots"]:
            assert set(REQUIRED_OF_BOOT) <= set(boot)
    failed = next(entry for entry in value["variants"] if entry["status"] == "failed")
    assert failed["tree_bytes"] is None
    assert value["variants"][0]["packages"][0]["class"] == "system"


def test_the_run_is_named_by_its_directory_not_by_a_link_to_it(tmp_path: Path) -> None:
    (tmp_path / "20260102-1").mkdir()
    (tmp_path / "latest").symlink_to("20260102-1")
    assert write_study_results(tmp_path / "latest", factory.STUDY, []).run == "20260102-1"
    assert read_study_result(tmp_path / "latest").run == "20260102-1"


def test_packages_csv_has_every_package_and_adds_up(tmp_path: Path) -> None:
    results = factory.all_results()
    write_study_results(tmp_path, factory.STUDY, results)
    lines = (tmp_path / "packages.csv").read_text().splitlines()
    assert lines[0].startswith("variant,name,epoch,version,release,arch,files,bytes,class,allocated_bytes")
    rows = [row for row in csv.DictReader(lines) if row["variant"] == "atomic-min"]
    result = results[2]
    assert len(rows) == result.package_count == 193
    unowned = (result.tree_bytes or 0) - sum(int(row["bytes"]) for row in rows)
    assert unowned == 23_812_345 + 14_221_312 + 9_812_111 + 1_712_345


def test_footprint_csv_adds_up_to_the_tree(tmp_path: Path) -> None:
    results = factory.all_results()
    write_study_results(tmp_path, factory.STUDY, results)
    rows = list(csv.DictReader((tmp_path / "footprint_by_class.csv").read_text().splitlines()))
    for result in results:
        parts = [int(row["bytes"]) for row in rows if row["variant"] == result.variant]
        assert sum(parts) == (result.tree_bytes or 0)


def test_missing_times_are_empty_fields_in_boots_csv(tmp_path: Path) -> None:
    result = factory.variant_result("atomic-min")
    boot = result.boots[0].model_copy(update={"docker_ready_seconds": None})
    write_study_results(tmp_path, factory.STUDY, [result.model_copy(update={"boots": (boot,)})])
    (row,) = csv.DictReader((tmp_path / "boots.csv").read_text().splitlines())
    assert (row["docker_ready_seconds"], row["ssh_login_seconds"], row["kernel_seconds"]) == ("", "48.2", "6.6")


def test_class_sizes_add_packages_and_unowned_files() -> None:
    packages = factory.packages_of("atomic-min")
    sizes = class_sizes(packages, [ClassSize(class_="provisioning", bytes=9, files=1)])
    provisioning = next(size for size in sizes if size.class_ == "provisioning")
    assert (provisioning.bytes, provisioning.files) == (41_009, 5)
    assert sum(size.bytes for size in sizes) == sum(package.bytes for package in packages) + 9


def test_a_file_that_is_cut_off_is_refused_by_name_and_line(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    write_variant_result(path, factory.variant_result("atomic-min"))
    path.write_text(path.read_text()[:900])
    with pytest.raises(WorkbookError, match=r"result\.json: line \d+: not valid JSON .* truncated") as caught:
        read_variant_result(path)
    assert "./workbook run" in caught.value.hint


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"variant": "../own"}, r"result\.json: variant: .*pattern"),
        ({"variant": "x" * 201}, r"result\.json: variant: .*200"),
        ({"tree_bytes": "12"}, r"result\.json: tree_bytes: .*integer"),
        ({"tree_bytes": -1}, r"result\.json: tree_bytes: .*greater"),
        ({"tree_byte": 1}, r"result\.json: tree_byte: Extra inputs"),
        ({"schema_version": 2}, r"result\.json: schema_version is 2; this workbook reads 3"),
        ({"status": "failed"}, r"a failed variant has an error"),
        ({"tree_files": 1}, r"the classes hold \d+ files, but tree_files is 1"),
    ],
)
def test_a_wrong_value_is_refused_by_file_and_key(tmp_path: Path, change: dict[str, object], message: str) -> None:
    path = tmp_path / "result.json"
    value = factory.variant_result("atomic-min").model_dump(mode="json")
    path.write_text(json.dumps({**value, **change}))
    with pytest.raises(WorkbookError, match=message):
        read_variant_result(path)


@pytest.mark.parametrize("text", ["[]", "null", "3"])
def test_json_that_is_no_result_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(WorkbookError, match=r"results\.json: schema_version is None"):
        read_study_result(tmp_path)


@pytest.mark.parametrize("text", ["[" * 100_000, "9" * 5_000])
def test_json_that_python_does_not_read_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(WorkbookError, match=r"results\.json: not valid JSON: ") as caught:
        read_study_result(tmp_path)
    assert "./workbook run" in caught.value.hint


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match=r"results\.json: no such file") as caught:
        read_study_result(tmp_path / "nowhere")
    assert "./workbook run" in caught.value.hint


def test_a_variant_cannot_be_given_twice(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="duplicate variant"):
        write_study_results(tmp_path, factory.STUDY, [factory.failed_result(), factory.failed_result()])
    assert list(tmp_path.iterdir()) == []


def test_results_do_not_change() -> None:
    result: VariantResult = factory.failed_result()
    with pytest.raises(ValidationError, match="frozen"):
        result.status = "ok"
