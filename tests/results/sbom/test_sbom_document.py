"""The SBOM: valid, the same for the same build, and whole."""

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from atomic_lib.results.sbom.sbom_document import PREFIX, sbom_file, sbom_text, write_sbom
from atomic_lib.results.variant_result import VariantResult
from atomic_lib.solve.lock import Lock
from tests.report.factory import variant_result
from tests.results.sbom.recorded import recorded_build

HOSTILE = 'x"\x1b]0;owned\x07\n\u202e</script>\\u0000\udc80 ☃'

PACKAGES = 10


def document(result: VariantResult, lock: Lock) -> dict[str, Any]:
    """The SBOM, which the library's own validator accepts, offline."""
    text = sbom_text(result, lock)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    found: dict[str, Any] = json.loads(text)
    return found


def properties(component: dict[str, Any]) -> dict[str, str]:
    return {one["name"].removeprefix(PREFIX): one["value"] for one in component.get("properties", [])}


@pytest.fixture(scope="module")
def real() -> dict[str, Any]:
    return document(*recorded_build())


def test_the_bytes_of_all_components_are_those_of_the_image(real: dict[str, Any]) -> None:
    result, _ = recorded_build()
    whole = properties(real["metadata"]["component"])
    for name, measured in (
        ("tree-bytes", result.tree_bytes),
        ("image-bytes", result.image_allocated_bytes),
        ("compressed-image-bytes", result.image_compressed_bytes),
    ):
        assert int(whole[name]) == measured
        assert sum(int(properties(one).get(name, 0)) for one in real["components"]) == measured


def test_every_package_of_the_lock_is_there_with_its_digest_and_reason(real: dict[str, Any]) -> None:
    _, lock = recorded_build()
    found = {one["bom-ref"]: one for one in real["components"] if one["type"] == "library"}
    assert set(found) == {package.nevra for package in lock.packages}
    for package in lock.packages:
        component = found[package.nevra]
        (rpm,) = component["externalReferences"]
        assert rpm["hashes"] == [{"alg": "SHA-256", "content": package.sha256}]
        assert properties(component)["vendor"] == package.vendor if package.vendor else True
        assert component["licenses"]
    (containerd,) = [one for one in found.values() if one["name"] == "containerd"]
    assert properties(containerd)["why"] == "moby-engine (recipe) → containerd (requires)"
    assert {one["purl"].partition("/")[0] for one in found.values()} == {"pkg:deb", "pkg:rpm"}
    assert not any("fedora" in one["purl"] for one in found.values())
    assert "not Fedora's" in real["metadata"]["component"]["description"]


def test_a_digest_is_a_components_own_only_where_its_purl_names_that_file(real: dict[str, Any]) -> None:
    for one in real["components"]:
        assert bool(one.get("hashes")) == one.get("purl", "").startswith("pkg:rpm/")


def test_the_boot_loader_is_named_with_its_version(real: dict[str, Any]) -> None:
    (found,) = [one for one in real["components"] if one["bom-ref"] == "disk:boot-sectors"]
    assert found["purl"].startswith("pkg:deb/debian/grub-pc-bin@2.12")


def test_the_same_build_has_the_same_sbom_and_another_one_another_serial_number(tmp_path: Path) -> None:
    result, lock = recorded_build()
    write_sbom(tmp_path, result, lock)
    text = (tmp_path / sbom_file("atomic-min")).read_text()
    assert text == sbom_text(result, lock)
    other = json.loads(sbom_text(result.model_copy(update={"image_sha256": "0" * 64}), lock))
    assert other["serialNumber"] != json.loads(text)["serialNumber"]


def test_the_time_is_that_of_the_commit(real: dict[str, Any]) -> None:
    result, lock = recorded_build()
    made = datetime.fromisoformat(real["metadata"]["timestamp"])
    assert made.timestamp() == result.parameters["source_date_epoch"]
    pulled = document(result, Lock(lock.content, lock.packages, commit="c" * 64))
    assert "timestamp" not in pulled["metadata"]


def test_a_tree_without_an_image_has_an_sbom_too() -> None:
    result = variant_result("atomic-min")
    found = document(result, Lock("standin", ()))
    assert found["metadata"]["component"]["bom-ref"] == "tree"
    assert sum(int(properties(one).get("tree-bytes", 0)) for one in found["components"]) == result.tree_bytes
    assert not any("image-bytes" in properties(one) for one in found["components"])


def small_build() -> tuple[VariantResult, Lock]:
    """The recorded build with ten of its packages: the library takes most of a second to write and check all."""
    result, lock = recorded_build()
    kept = lock.packages[:PACKAGES]
    names = {package.name for package in kept}
    packages = tuple(package for package in result.packages if package.name in names)
    assert len(packages) == PACKAGES
    assert packages[0].name == kept[0].name
    return result.model_copy(update={"packages": packages}), replace(lock, packages=kept)


def test_texts_of_hostile_packages_are_data() -> None:
    result, lock = small_build()
    first, *others = result.packages
    named = {"name": HOSTILE, "license": HOSTILE, "vendor": HOSTILE, "version": HOSTILE}
    forged = result.model_copy(update={"packages": (first.model_copy(update=named), *others)})
    text = sbom_text(forged, lock)
    assert text.isascii()
    found = document(forged, lock)
    assert all(one.isprintable() for one in strings(found))
    assert any("\\x1b]0;owned" in one for one in strings(found))


def strings(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for pair in value.items() for one in pair for text in strings(one)]
    if isinstance(value, list):
        return [text for one in value for text in strings(one)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize(
    ("stated", "wanted"),
    [
        ("MIT", {"license": {"id": "MIT", "acknowledgement": "declared"}}),
        ("MIT AND BSD-3-Clause", {"expression": "MIT AND BSD-3-Clause", "acknowledgement": "declared"}),
        ("GPLv2+ and others", {"license": {"name": "GPLv2+ and others", "acknowledgement": "declared"}}),
        ("", None),
    ],
)
def test_a_licence_is_an_spdx_id_an_expression_or_a_name(stated: str, wanted: object) -> None:
    result, lock = small_build()
    first, *others = result.packages
    changed = result.model_copy(update={"packages": (first.model_copy(update={"license": stated}), *others)})
    (found,) = [one for one in document(changed, lock)["components"] if one["bom-ref"] == lock.packages[0].nevra]
    assert found.get("licenses") == ([wanted] if wanted else None)
