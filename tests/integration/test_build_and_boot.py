"""atomic-min for real: composed, built and booted as a user would, and what is then on its disk."""

import os
import re
import socket
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from atomic_lib.base import command
from atomic_lib.base.files import find_damage
from atomic_lib.base.paths import BUILD, CHECKOUT, cache_directory
from atomic_lib.base.store import Store
from atomic_lib.compose.tree_access.walk import Entry
from atomic_lib.guest.timed_boot import BootRequest, boot_image
from atomic_lib.guest.vm.qemu import Disk
from atomic_lib.image.checksum import disk_sha256
from atomic_lib.image.disk import Image
from atomic_lib.image.identity import root_uuid
from atomic_lib.measure.image_footprint import measure_image
from atomic_lib.params.study_file import Study
from atomic_lib.params.variant import load_variant
from atomic_lib.pipeline.build import open_build
from atomic_lib.pipeline.recorded_build import RecordedBuild, record_build
from atomic_lib.report.page.export import write_pages
from atomic_lib.results.result_files import read_variant_result, write_study_results
from atomic_lib.results.variant_result import VariantResult
from atomic_lib.solve.lock import read_lock
from atomic_lib.tools.sandbox import Tools
from atomic_lib.tools.tools_tree import open_tools
from tests.integration.disk import DiskReader
from tests.integration.small import small_variant
from tests.integration.test_enforcing import require_enforcing

pytestmark = pytest.mark.integration

NAME = "atomic-min"
BUILD_SECONDS = 1500
FORBIDDEN = re.compile(r"python|\.pyc?$|^(lib)?dnf|^yum|^microdnf", re.IGNORECASE)
_USERS_VARIABLES = ("HOME", "XDG_CACHE_HOME", "WORKBOOK_CACHE", "WORKBOOK_MIRROR")


@dataclass(frozen=True)
class Built:
    """What the notebook left: the record, the image, and the image's file system to read."""

    run_directory: Path
    result: VariantResult
    disk: DiskReader
    again: RecordedBuild
    """The same build opened once more: every stage is in the store."""

    @property
    def image(self) -> Image:
        """The image."""
        return self.again.build.image

    @property
    def tools(self) -> Tools:
        """The tools tree."""
        return self.again.build.context.tools

    @property
    def deployment(self) -> str:
        """The one deployment on the disk."""
        pattern = re.compile(r"/ostree/deploy/[^/]+/deploy/[0-9a-f]{64}\.0")
        (path,) = (path for path in self.disk.listing if pattern.fullmatch(path))
        return path


def papermill(notebook: str, output: Path, *words: str) -> None:
    """Execute a notebook from the top of the checkout, as a user would by hand."""
    env = {name: os.environ[name] for name in _USERS_VARIABLES if name in os.environ}
    log = output.with_suffix(".log")
    program = Path(sys.executable).with_name("papermill")
    line: list[str | Path] = [program, f"notebooks/{notebook}", output, "--no-progress-bar", *words]
    command.run(line, cwd=CHECKOUT, env=env, network=True, timeout_seconds=BUILD_SECONDS, log=log)
    assert "unknown parameter" not in log.read_text()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The image of atomic-min, booted once through BIOS and once counted; what the store has is taken from there."""
    run_directory = tmp_path_factory.mktemp("run")
    own = run_directory / NAME
    own.mkdir()
    papermill(
        "variant.ipynb", own / "variant.ipynb", "-f", "params/base.yaml", "-f", f"params/variants/{NAME}.yaml",
        "-p", "boots_uefi", "0", "-p", "counted_boots", "1", "-p", "output_directory", os.path.relpath(own, CHECKOUT),
    )  # fmt: skip
    variant = load_variant(NAME, overrides={"boots_uefi": 0, "counted_boots": 1})
    again = record_build(variant, tmp_path_factory.mktemp("again"))
    again.resolve()
    again.compose()
    again.measure_image()
    result = read_variant_result(own / "result.json")
    context = again.build.context
    return Built(run_directory, result, DiskReader(context.tools, again.build.image.raw_disk(context)), again)


def test_the_variant_is_built_and_passed_its_proof_of_life(built: Built) -> None:
    result = built.result
    assert (result.status, result.error) == ("ok", None)
    (boot,) = result.boots
    assert boot.firmware == "bios"
    assert len(boot.checks) >= 6
    assert [check for check in boot.checks if not check.passed] == []
    assert boot.failed_units == ()
    assert None not in (boot.ssh_login_seconds, boot.docker_ready_seconds, boot.memory_used_bytes)
    assert (built.run_directory / str(boot.console_log)).stat().st_size > 1000


def test_it_ran_under_selinux_and_denied_nothing_that_matters(built: Built) -> None:
    (boot,) = built.result.boots
    require_enforcing(boot)
    assert "SELINUX=enforcing" in built.disk.text(f"{built.deployment}/etc/selinux/config").splitlines()


def test_the_record_is_whole(built: Built) -> None:
    result, lock = built.result, read_lock(built.run_directory / NAME / "lock.json")
    assert re.fullmatch("[0-9a-f]{64}", str(result.commit))
    assert (lock.sha256, len(lock.packages)) == (result.lock_sha256, result.package_count)
    assert {package.repo for package in lock.packages} == {"standin", "workbook"}
    assert result.tree_bytes == sum(part.bytes for part in result.classes)
    assert result.tree_bytes == sum(entry.size_bytes for entry in unlinked(built))
    assert set(result.forbidden_paths.values()) == {0}
    assert result.labels is not None
    assert (result.labels.wrong, result.labels.checked > 10_000) == ((), True)
    stages = ["resolve", "compose", "container-resolve", "container", "image"]
    assert [stage.stage for stage in result.stages] == stages


def test_every_byte_of_the_image_has_an_owner_and_every_package_a_reason(built: Built) -> None:
    result, image = built.result, built.image
    assert sum(part.image_bytes for part in result.image_parts) == image.allocated_bytes
    assert sum(part.qcow2_bytes for part in result.image_parts) == image.qcow2.stat().st_size
    assert [package.name for package in result.packages if not package.why] == []
    leaving = {departure.removed: departure for departure in result.departures}
    assert "min-cloud-agent" in leaving["provisioning"].entries
    assert leaving["container-runtime"].bytes > result.tree_bytes / 3 if result.tree_bytes else False


def test_the_raw_disk_is_made_again_bit_for_bit_and_has_the_same_figures(built: Built, tmp_path: Path) -> None:
    build, image = built.again.build, built.image
    raw = image.raw_disk(replace(build.context, store=Store(tmp_path)))
    assert not (image.directory / "disk.raw").exists()
    assert (raw.stat().st_size, disk_sha256(raw)) == (image.virtual_bytes, image.sha256)
    assert raw.stat().st_blocks * 512 < image.virtual_bytes / 2, "it is sparse"
    assert measure_image(image, raw, build.tree, build.package_names) == build.image_footprint
    assert [find_damage(path, all_content=True) for path in (raw.parent, build.rpm_set.directory.parent)] == [[], []]


def test_the_boot_has_its_milestones_in_order_and_its_critical_chain(built: Built) -> None:
    (boot,) = built.result.boots
    names = [milestone.name for milestone in boot.milestones]
    assert {"kernel", "initrd", "userspace", "ssh-banner", "ssh-login", "provisioned", "docker-ready"} <= set(names)
    assert names[-1] == "container-exited"
    assert [one.seconds for one in boot.milestones] == sorted(one.seconds for one in boot.milestones)
    units = {unit.unit: unit for unit in boot.units}
    assert units["docker.service"].package == "moby-engine"
    assert units["docker.service"].critical
    assert (units["docker.service"].memory_bytes or 0) > 10_000_000
    assert any(listener.address.endswith(":22") for listener in boot.listeners or ())


def test_the_counted_boot_belongs_to_units_and_kernel(built: Built) -> None:
    (counted,) = built.result.counted_boots
    total = sum(unit.cpu_seconds for unit in counted.units) + counted.outside_units_seconds
    assert total == pytest.approx(counted.busy_seconds, abs=1e-6)
    cost = {unit.unit: unit for unit in counted.units}
    assert 0.05 < cost["min-cloud-agent.service"].cpu_seconds < 2
    assert cost["docker.service"].package == "moby-engine"
    assert (counted.masked_units, counted.failed_units) == ((), ())


def unlinked(built: Built) -> list[Entry]:
    """The entries of the tree's files, hard links once."""
    entries = built.again.build.tree.entries()
    return list({entry.inode: entry for entry in entries if entry.type != "directory"}.values())


def test_the_same_parameters_build_nothing_again(built: Built) -> None:
    assert {stage.stage: stage.reused for stage in built.again.record.result.stages} == {
        "resolve": True, "compose": True, "image": True,
    }  # fmt: skip
    result = built.again.boot(0)
    assert (len(result.boots), len(result.counted_boots), result.failed_boots) == (1, 1, ())
    assert result.status == "ok"


def test_the_lock_builds_the_same_tree(built: Built) -> None:
    lock = os.path.relpath(built.run_directory / NAME / "lock.json", CHECKOUT)
    tree = open_build(load_variant(NAME, overrides={"lock": lock})).tree
    assert tree.reused
    assert tree.commit == built.result.commit


def test_the_disk_is_in_order(built: Built) -> None:
    assert "No errors detected" in built.disk.run(["sfdisk", "--verify", "/mnt/disk.raw"])
    built.disk.run(["e2fsck", "-f", "-n", built.disk.target])


def test_no_file_of_python_or_the_package_manager_is_on_the_disk(built: Built) -> None:
    paths = built.disk.listing
    assert f"{built.deployment}/usr/bin/bash" in paths
    assert f"{built.deployment}/usr/bin/dockerd" in paths or f"{built.deployment}/usr/sbin/dockerd" in paths
    assert [path for path in paths if FORBIDDEN.search(path.rpartition("/")[2])] == []


@pytest.mark.parametrize("etc", ["etc", "usr/etc"])
def test_no_account_has_a_password(built: Built, etc: str) -> None:
    top = f"{built.deployment}/{etc}"
    for name in ("shadow", "gshadow"):
        fields = [line.split(":")[1] for line in built.disk.text(f"{top}/{name}").splitlines()]
        assert fields
        assert set(fields) <= {"*", "!", "!*"}, name
    passwords = [line.split(":")[1] for line in built.disk.text(f"{top}/passwd").splitlines()]
    assert set(passwords) == {"x"}


@pytest.mark.parametrize(
    ("name", "mode"),
    [("passwd", 0o644), ("group", 0o644), ("shadow", 0o640), ("gshadow", 0o640), ("ssh/sshd_config", 0o644)],
)
def test_configuration_belongs_to_root(built: Built, name: str, mode: int) -> None:
    inode = built.disk.listing[f"{built.deployment}/etc/{name}"]
    assert (inode.uid, inode.mode & 0o7777) == (0, mode)


def test_only_the_group_shadow_reads_passwords_and_no_program_is_setgid_root(built: Built) -> None:
    groups = dict(line.split(":")[0:3:2] for line in built.disk.text(f"{built.deployment}/etc/group").splitlines())
    for name in ("shadow", "gshadow"):
        assert built.disk.listing[f"{built.deployment}/etc/{name}"].gid == int(groups["shadow"])
    setgid = {path: inode.gid for path, inode in built.disk.listing.items() if inode.mode & 0o102000 == 0o102000}
    assert any(path.endswith("/unix_chkpwd") for path in setgid)
    assert [path for path, gid in setgid.items() if gid == 0] == []


def test_every_file_belongs_to_an_account_of_the_tree(built: Built) -> None:
    for kind, file in (("uid", "passwd"), ("gid", "group")):
        lines = built.disk.text(f"{built.deployment}/etc/{file}").splitlines()
        known = {int(line.split(":")[2]) for line in lines}
        used = {getattr(inode, kind) for inode in built.disk.listing.values()}
        assert used <= known, kind


def test_a_guest_gets_its_identity_at_its_first_boot(built: Built) -> None:
    etc = f"{built.deployment}/etc"
    assert built.disk.text(f"{etc}/machine-id").strip() == "uninitialized"
    assert [path for path in built.disk.listing if "/ssh/ssh_host_" in path] == []


def test_nothing_on_the_disk_names_the_machine_that_built_it(built: Built) -> None:
    paths = [path for path, inode in built.disk.listing.items() if not inode.is_directory and is_configuration(path)]
    text = "\n".join(built.disk.text(path) for path in paths)
    assert "/boot/grub/grub.cfg" in paths
    assert any(path.startswith("/boot/loader.") and path.endswith(".conf") for path in paths)
    assert "/ostree/repo/config" in paths
    assert f"root=UUID={root_uuid(built.again.variant)}" in text
    places = {str(path) for path in (CHECKOUT, BUILD, cache_directory(), Path(sys.prefix)) if len(path.parts) > 2}
    for word in (*places, "/mnt/store", socket.gethostname()):
        assert not re.search(rf"(^|[\s=/]){re.escape(word)}($|[\s/])", text, re.MULTILINE), word


def test_the_guards_explain_all_that_they_find(built: Built) -> None:
    guards = built.result.guards or ()
    assert {guard.guard for guard in guards} == {"private-keys", "set-uid", "world-writable", "open-ports"}
    assert [one for guard in guards for one in guard.findings if not one.reason] == []


def is_configuration(path: str) -> bool:
    """Whether a path is of the boot loader's or of ostree's configuration."""
    return path == "/ostree/repo/config" or (path.startswith("/boot/") and path.endswith((".cfg", ".conf")))


def test_a_disk_that_boots_through_bios_boots_through_uefi_and_is_provisioned_from_a_disc(
    built: Built, tmp_path: Path
) -> None:
    image, accelerator = open_build(small_variant()).image, built.result.boots[0].accelerator
    request = BootRequest(
        "uefi", accelerator, 2, 2048, 600, "min-cloud-agent",
        runtime="none", selinux="enforcing", data_source="nocloud",
    )  # fmt: skip
    boot = boot_image(built.tools, Disk(image.qcow2, "qcow2"), request, tmp_path / "boot")
    assert [check for check in boot.checks if not check.passed] == []
    assert boot.failed_units == ()
    assert boot.kernel_release == built.result.boots[0].kernel_release


def test_the_result_becomes_pages(built: Built) -> None:
    study = Study(study="test", title="One variant", variants=(NAME,), baseline=NAME)
    write_study_results(built.run_directory, study, [built.result])
    relative = os.path.relpath(built.run_directory, CHECKOUT)
    papermill("compare.ipynb", built.run_directory / "compare.ipynb", "-p", "run_directory", relative)
    index = write_pages(built.run_directory)
    text = "\n".join(page.read_text() for page in sorted(built.run_directory.glob("*.html")))
    assert index == built.run_directory / "index.html"
    assert f'href="{NAME}/index.html"' in text
    assert "docker run prints" in text
    assert str(CHECKOUT) not in text
    own = (built.run_directory / NAME / "index.html").read_text()
    assert str(built.result.commit)[:12] in own


def test_the_tools_tree_is_the_one_in_the_cache(built: Built) -> None:
    assert open_tools(cache_directory()) == built.tools
