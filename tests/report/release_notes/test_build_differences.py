"""What changed between two builds of a variant."""

from dataclasses import replace

from atomic_lib.measure.guards.image_guards import Guard, GuardFinding
from atomic_lib.report.release_notes.build_differences import differences, listed, packages_table
from atomic_lib.report.release_notes.notes_markdown import markdown
from atomic_lib.results.build_result import PackageSize
from atomic_lib.results.variant_result import VariantResult
from atomic_lib.solve.lock import Lock
from tests.report.enriched import LABELS, enriched
from tests.report.factory import plain, variant_result
from tests.results.sbom.recorded import recorded_build

RESULT, LOCK = recorded_build()


def locked(*names: str) -> Lock:
    return replace(LOCK, packages=tuple(one for one in LOCK.packages if one.name in names))


def rows(before: Lock, after: Lock, result: VariantResult = RESULT) -> list[list[str]]:
    return [[plain(cell.text) for cell in row] for row in packages_table(RESULT, result, (before, after)).rows]


def test_packages_that_were_added_and_removed_are_named_for_what_they_really_are() -> None:
    (removed, added) = rows(locked("containerd"), locked("bash"))
    assert removed[:2] == ["containerd", "removed"]
    assert added[:3] == ["bash", "added", ""]
    assert added[3].startswith("Debian's bash ")


def test_an_added_package_has_the_reason_that_it_is_in_the_image() -> None:
    (row,) = rows(locked(), locked("containerd"))
    assert row[-1] == "moby-engine (recipe) → containerd (requires)"


def test_a_package_of_another_version_has_both_and_the_bytes_that_the_tree_grew() -> None:
    (bash,) = locked("bash").packages
    newer = replace(bash, vendor="Debian (bash 9.9-1)", version="9.9", release="1")
    larger = tuple(_grown(one, 5_000) if one.name == "bash" else one for one in RESULT.packages)
    (row,) = rows(locked("bash"), replace(LOCK, packages=(newer,)), RESULT.model_copy(update={"packages": larger}))
    assert row[1:5] == ["changed", f"Debian's {bash.vendor[8:-1]}", "Debian's bash 9.9-1", "+5.0 kB"]


def test_a_rebuild_of_the_same_version_is_a_change_by_its_digest() -> None:
    (bash,) = locked("bash").packages
    (row,) = rows(locked("bash"), replace(LOCK, packages=(replace(bash, sha256="f" * 64),)))
    assert row[1] == "changed"
    assert row[3].endswith("sha256 ffffffffffff…")
    assert row[2] != row[3]


def _grown(package: PackageSize, size_bytes: int) -> PackageSize:
    return package.model_copy(update={"bytes": package.bytes + size_bytes})


def text(before: VariantResult, after: VariantResult) -> str:
    return plain(markdown(differences(before, after, (LOCK, LOCK))))


def test_sizes_boot_labels_and_set_uid_files_are_compared() -> None:
    before = enriched(variant_result("atomic-min"))
    boot = before.counted_boots[0]
    files = {"/usr/bin/su": "755 root:root", "/usr/bin/new": "4755 a:a"}
    findings = tuple(GuardFinding(found=path, detail=what, reason="known") for path, what in files.items())
    guard = Guard(guard="set-uid", found=2, unexplained=0, findings=findings)
    after = before.model_copy(update={
        "image_compressed_bytes": (before.image_compressed_bytes or 0) + 2_000_000, "guards": (guard,),
        "labels": LABELS.model_copy(update={"wrong_paths": 1, "right": 12_341, "wrong": LABELS.wrong[:1]}),
        "counted_boots": (boot.model_copy(update={"busy_seconds": boot.busy_seconds + 3}),),
    })  # fmt: skip
    said = text(before, after)
    assert "The packages are the same, file by file." in said
    assert "| +2.0 MB (+" in said
    assert "3.00 counted s more" in said
    assert "2 wrong before, 1 after" in said
    assert "added: /usr/bin/new (4755 a:a); removed: /usr/bin/odd (4755 root:root); " in said
    assert "changed: /usr/bin/su (4755 root:root → 755 root:root)" in said


def test_a_new_wrong_label_is_named() -> None:
    before = enriched(variant_result("atomic-min"))
    assert before.labels
    fewer = before.labels.model_copy(update={"wrong": (), "wrong_paths": 0, "right": 12_342})
    assert "Wrong now: /etc/motd, /usr/bin/su." in text(before.model_copy(update={"labels": fewer}), before)


def test_what_one_of_the_builds_did_not_measure_is_not_compared() -> None:
    said = text(variant_result("atomic-min"), enriched(variant_result("atomic-min")))
    assert said.count("not measured in both builds.") == 2
    assert "no counted boot in both runs" in said


def test_a_long_list_is_cut() -> None:
    assert listed([str(number) for number in range(13)]) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 3 more"
