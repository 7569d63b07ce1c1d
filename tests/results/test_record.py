"""The record of a variant: valid after every stage, including a failed one."""

import json
from dataclasses import replace
from pathlib import Path

from atomic_lib.base import command
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import MANIFEST
from atomic_lib.compose.packaged_attributes import ChangedFile
from atomic_lib.compose.tree import Tree
from atomic_lib.guest.boot_record import Boot, StoredBoot
from atomic_lib.guest.counted.counted_boot import CountedBoot
from atomic_lib.guest.counted.probe import CountedUnit
from atomic_lib.guest.evidence.proof_of_life import Check
from atomic_lib.guest.evidence.running import Listener
from atomic_lib.guest.evidence.systemd import Phases
from atomic_lib.guest.evidence.unit_times import UnitTime
from atomic_lib.image.disk import Image
from atomic_lib.measure.guards.image_guards import Guard, GuardFinding
from atomic_lib.measure.labels import LabelCheck, LabelFinding
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.results.record import VariantRecord, failed_result, git_revision
from atomic_lib.results.result_files import read_variant_result
from atomic_lib.results.runs import RESUMED_FILE
from atomic_lib.results.variant_result import VariantResult
from atomic_lib.solve.rpm_set import RpmSet
from tests.results.conftest import VARIANT

RECIPE = Recipe(files=(Path("a"),), packages=("bash",), notes=("reboot has no effect here",))
BOOT = StoredBoot(
    boot=Boot(
        index=1, firmware="bios", accelerator="tcg", ssh_login_seconds=51.25, phases=Phases(kernel_seconds=6.5),
        units=(UnitTime(unit="a.service", seconds=1.5),),
        checks=(Check(name="system is running", passed=True, detail="running"),),
    ),
)  # fmt: skip


def written(directory: Path) -> VariantResult:
    return read_variant_result(directory / "result.json")


def test_the_packages_of_a_commit_have_no_download_size(
    tmp_path: Path, record: VariantRecord, rpm_set: RpmSet, tree: Tree
) -> None:
    of_commit = replace(rpm_set, lock=replace(rpm_set.lock, commit="c" * 64))
    record.add_packages(RECIPE, of_commit, "tools-key", {})
    record.add_tree(of_commit, tree)
    result = written(tmp_path)
    assert (result.download_bytes, {package.download_bytes for package in result.packages}) == (None, {None})


def test_no_parameter_of_a_commit_is_a_path_of_the_users(tmp_path: Path) -> None:
    for url, said in (("file:///home/user/repo", "file"), ("http://own.example/repo", "http://own.example/repo")):
        own = VARIANT.model_copy(update={"ostree_url": url, "ostree_key": "/home/user/key.asc"})
        parameters = VariantRecord(own, tmp_path, tmp_path).result.parameters
        assert (parameters["ostree_url"], parameters["ostree_key"]) == (said, "key.asc")


def test_the_record_grows_stage_by_stage(
    tmp_path: Path, record: VariantRecord, rpm_set: RpmSet, tree: Tree, image: Image
) -> None:
    record.add_packages(RECIPE, rpm_set, "tools-key", {"ostree": "2025.2"})
    result = written(tmp_path)
    assert (result.status, result.package_count, result.download_bytes) == ("incomplete", 2, 6000)
    assert result.lock_sha256 == rpm_set.lock.sha256
    assert result.tree_bytes is None
    assert (result.provenance["tools"], result.provenance["ostree"]) == ("tools-key", "2025.2")
    record.add_tree(rpm_set, tree)
    result = written(tmp_path)
    assert (result.commit, result.tree_bytes, result.tree_files) == ("c" * 64, 30200, 3)
    assert result.image_virtual_bytes is None
    record.add_image(image)
    result = written(tmp_path)
    assert (result.image_virtual_bytes, result.image_compressed_bytes) == (4096, 1024)
    assert result.forbidden_paths == {"Python": 1, "the package manager": 0}
    record.add_boots([BOOT], [], [], missing=0)
    result = written(tmp_path)
    assert result.status == "ok"
    assert [boot.ssh_login_seconds for boot in result.boots] == [51.25]
    assert [(stage.stage, stage.reused) for stage in result.stages] == [
        ("resolve", True), ("compose", False), ("image", False),
    ]  # fmt: skip
    assert record.result == result


def test_the_labels_of_the_image_are_kept(record: VariantRecord, tmp_path: Path) -> None:
    assert record.result.labels is None
    finding = LabelFinding("/etc/motd", "", "system_u:object_r:etc_t:s0")
    record.add_labels(LabelCheck("default", 20_000, (finding,), {}).summary())
    kept = written(tmp_path).labels
    assert kept is not None
    assert (kept.checked, kept.right, kept.unlabelled, [one.path for one in kept.wrong]) == (
        20_000, 19_999, 1, ["/etc/motd"],
    )  # fmt: skip


def test_the_guards_of_the_image_are_kept_and_its_boots_add_that_of_the_ports(
    record: VariantRecord, tmp_path: Path
) -> None:
    finding = GuardFinding(found="/usr/bin/odd", detail="4755 root:root")
    record.add_guards((Guard(guard="set-uid", found=1, unexplained=1, findings=(finding,)),))
    record.add_boots([BOOT], [], [], missing=1)
    assert [guard.guard for guard in written(tmp_path).guards or ()] == ["set-uid"]
    listeners = (
        Listener(protocol="tcp", address="0.0.0.0:22", program="sshd"),
        Listener(protocol="tcp", address="0.0.0.0:4444", program="odd"),
    )
    told = StoredBoot(boot=BOOT.boot.model_copy(update={"listeners": listeners}))
    for _ in range(2):
        record.add_boots([told, BOOT], [], [], missing=1)
    kept = written(tmp_path).guards or ()
    assert [(guard.guard, guard.found, guard.unexplained) for guard in kept] == [
        ("set-uid", 1, 1),
        ("open-ports", 2, 1),
    ]
    assert kept[1].findings[0].found == "tcp 0.0.0.0:4444 odd"


def test_what_has_no_effect_and_what_was_dropped_is_noted(
    tmp_path: Path, record: VariantRecord, rpm_set: RpmSet, tree: Tree
) -> None:
    record.add_packages(RECIPE, rpm_set, "tools-key", {"ostree": "2025.2"})
    record.add_tree(rpm_set, tree)
    notes = written(tmp_path).notes
    assert notes[0] == "reboot has no effect here"
    assert notes[1].startswith("/var/lib/app/state: ")


def test_a_file_that_a_scriptlet_changed_is_noted_unless_an_exception_explains_it(
    tmp_path: Path, record: VariantRecord, rpm_set: RpmSet, tree: Tree
) -> None:
    helper = "/usr/lib/dbus-1.0/dbus-daemon-launch-helper"
    changed = [
        (helper, ("group", "mode")),
        (helper, ("owner",)),
        ("/usr/bin/own", ("mode",)),
        (f"/x{helper}", ("mode",)),
    ]
    files = tuple(ChangedFile(path, what, f"own: {path}: {' and '.join(what)} differ") for path, what in changed)
    record.add_packages(RECIPE, rpm_set, "tools-key", {"ostree": "2025.2"})
    record.add_tree(rpm_set, replace(tree, changed_files=files))
    assert [note for note in written(tmp_path).notes if note.startswith("own: ")] == [file.text for file in files[1:]]


def test_a_boot_that_is_still_missing_leaves_the_variant_incomplete(tmp_path: Path, record: VariantRecord) -> None:
    record.add_boots([BOOT], [], [], missing=1)
    assert (written(tmp_path).status, len(written(tmp_path).boots)) == ("incomplete", 1)


def test_the_units_of_boots_get_the_package_of_their_file(
    tmp_path: Path, record: VariantRecord, rpm_set: RpmSet, tree: Tree
) -> None:
    (tmp_path / "owners.json").write_text(json.dumps({"/usr/lib/systemd/system/a.service": ["bash"]}))
    record.add_packages(RECIPE, rpm_set, "tools-key", {"ostree": "2025.2"})
    record.add_tree(rpm_set, tree)
    units = (
        UnitTime(unit="a.service", seconds=1.5, critical=True),
        UnitTime(unit="var.mount", seconds=0.5),
        UnitTime(unit="init.scope", seconds=0.0),
    )
    files = {"a.service": "/usr/lib/systemd/system/a.service", "var.mount": "/run/systemd/generator/var.mount"}
    timed = StoredBoot(boot=BOOT.boot.model_copy(update={"units": units}), unit_files=files)
    costs = tuple(CountedUnit(unit=name, cpu_seconds=1.0) for name in ("a.service", "b.service"))
    counted = CountedBoot(busy_seconds=3.0, outside_units_seconds=1.0, units=costs, shift=0)
    record.add_boots([timed], [counted], [], missing=1)
    (boot,), (counted_boot,) = written(tmp_path).boots, written(tmp_path).counted_boots
    # a counted boot names no files: a unit's is where a package has it
    assert [(unit.unit, unit.package) for unit in counted_boot.units] == [("a.service", "bash"), ("b.service", None)]
    assert [(unit.unit, unit.package, unit.critical) for unit in boot.units] == [
        ("a.service", "bash", True), ("var.mount", None, False), ("init.scope", None, False),
    ]  # fmt: skip


def test_a_failure_keeps_the_figures_of_earlier_stages(tmp_path: Path, record: VariantRecord, rpm_set: RpmSet) -> None:
    record.add_packages(RECIPE, rpm_set, "tools-key", {"ostree": "2025.2"})
    record.fail("compose", WorkbookError("no room", hint="make some", log="disk full"))
    result = written(tmp_path)
    assert (result.status, result.package_count) == ("failed", 2)
    assert result.error is not None
    assert (result.error.stage, result.error.message, result.error.hint) == ("compose", "no room", "make some")
    assert result.error.log == "disk full"


def test_a_cell_run_again_takes_the_place_of_the_one_before(
    tmp_path: Path, record: VariantRecord, rpm_set: RpmSet, tree: Tree
) -> None:
    record.add_packages(RECIPE, rpm_set, "tools-key", {"ostree": "2025.2"})
    for _ in range(2):
        record.add_tree(rpm_set, tree)
    assert [stage.stage for stage in written(tmp_path).stages] == ["resolve", "compose"]
    assert len(written(tmp_path).notes) == 2
    record.fail("boot", WorkbookError("no login"))
    record.fail("boot", WorkbookError("no login either"))
    record.fail("outer", WorkbookError("what the inner stage raised"))
    error = written(tmp_path).error
    assert error is not None
    assert (error.stage, error.message) == ("boot", "no login either")
    record.add_boots([BOOT], [], [], missing=0)
    assert (written(tmp_path).status, written(tmp_path).error) == ("ok", None)


def test_a_boot_that_failed_its_proof_stays_in_the_record(tmp_path: Path, record: VariantRecord) -> None:
    record.fail("boot", WorkbookError("proof of life failed"))
    record.add_boots([BOOT], [], [], None)
    assert (written(tmp_path).status, len(written(tmp_path).boots)) == ("failed", 1)


def test_a_stage_that_an_interrupted_run_made_is_not_called_reused_by_the_run_that_resumes_it(
    tmp_path: Path, record: VariantRecord, rpm_set: RpmSet, tree: Tree
) -> None:
    def reused(resumed_since: float) -> bool:
        (own.parent / RESUMED_FILE).write_text(str(resumed_since))
        later = VariantRecord(VARIANT, own, tmp_path)
        later.add_tree(rpm_set, replace(tree, reused=True))
        (own / "result.json").unlink()
        return later.result.stages[0].reused

    own = tmp_path / "run/own"
    own.mkdir(parents=True)
    (tree.directory / MANIFEST).touch()
    made = (tree.directory / MANIFEST).stat().st_mtime
    assert (reused(made - 1), reused(made + 1)) == (False, True)


def test_a_stage_made_in_an_earlier_round_of_a_run_is_not_called_reused(
    tmp_path: Path, record: VariantRecord, rpm_set: RpmSet, tree: Tree
) -> None:
    record.add_tree(rpm_set, tree)
    later = VariantRecord(VARIANT, tmp_path, tmp_path)
    later.add_packages(RECIPE, rpm_set, "tools-key", {})
    later.add_tree(rpm_set, replace(tree, reused=True))
    assert {stage.stage: stage.reused for stage in written(tmp_path).stages} == {"resolve": True, "compose": False}


def test_a_failed_notebook_has_the_cause_that_the_stage_recorded(tmp_path: Path, record: VariantRecord) -> None:
    record.fail("resolve", WorkbookError("no package x"))
    result = failed_result(tmp_path, VARIANT, tmp_path, WorkbookError("WorkbookError: no package x"))
    assert result.error is not None
    assert (result.error.stage, result.error.message) == ("resolve", "no package x")


def test_a_notebook_that_failed_outside_every_stage_has_its_own_cause(tmp_path: Path) -> None:
    result = failed_result(tmp_path, VARIANT, tmp_path, WorkbookError("DeadKernelError: the kernel died"))
    assert result.error is not None
    assert (result.error.stage, result.error.message) == ("notebook", "DeadKernelError: the kernel died")
    assert written(tmp_path) == result


def test_the_revision_says_whether_files_differ(tmp_path: Path) -> None:
    assert git_revision(tmp_path) is None
    git = ["git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=e@example.com"]
    (tmp_path / "file").write_text("1")
    for words in (["init", "-q"], ["add", "file"], ["commit", "-q", "-m", "m"]):
        command.run([*git, *words])
    clean = command.run([*git, "rev-parse", "HEAD"]).stdout.strip()
    assert git_revision(tmp_path) == clean
    (tmp_path / "file").write_text("2")
    assert git_revision(tmp_path) == f"{clean}-dirty"


def test_the_record_says_what_the_content_is(record: VariantRecord, tmp_path: Path) -> None:
    found = record.result.content_summary
    assert found is not None
    assert (found.title, found.releasever, found.standin) == (
        "stand-in content (Debian 13 packages as RPMs)",
        "13",
        True,
    )
    unknown = VARIANT.model_copy(update={"content": "nowhere"})
    assert VariantRecord(unknown, tmp_path, tmp_path).result.content_summary is None
