"""Plausible results of a run that was never made: real package names and sizes, invented times."""

import csv
import hashlib
from functools import cache
from pathlib import Path

from atomic_lib.guest.boot_record import Boot
from atomic_lib.guest.evidence.proof_of_life import Check
from atomic_lib.guest.evidence.systemd import Phases
from atomic_lib.guest.evidence.unit_times import UnitTime
from atomic_lib.guest.vm.host_load import BootHost
from atomic_lib.measure.classes import class_of
from atomic_lib.params.study_file import Study
from atomic_lib.report.elements.blocks import Shown
from atomic_lib.report.elements.table import Table
from atomic_lib.results.build_result import ClassSize, PackageSize, class_sizes
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import Failure, StageTime, VariantResult

PACKAGES_FILE = Path(__file__).parent / "packages.tsv"
LETTERS = {"cloud-docker": "t", "atomic-cloud-init": "c", "atomic-min": "m"}
STUDY = Study(
    study="default",
    title="What does each choice of the Atomic Cloud Image cost?",
    variants=("cloud-docker", "atomic-cloud-init", "atomic-min", "atomic-broken", "atomic-unbooted"),
    baseline="cloud-docker",
)
_UNITS = ("docker.service", "containerd.service", "cloud-init.service", "systemd-udevd.service", "ssh.service",
          "dbus.service", "systemd-journald.service", "min-cloud-agent.service", "systemd-networkd.service",
          "cloud-config.service", "ldconfig.service", "systemd-tmpfiles-setup.service", "dev-vda3.device",
          "systemd-resolved.service")  # fmt: skip


@cache  # they are frozen, and most tests of the report begin with them
def packages_of(variant: str) -> tuple[PackageSize, ...]:
    """The packages of one of the three variants."""
    with open(PACKAGES_FILE, encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if LETTERS[variant] in row["variants"]]
    packages = [_package(row, 1000 if variant == "cloud-docker" else 900) for row in rows]
    if variant == "atomic-min":
        packages.append(
            PackageSize(
                name="min-cloud-agent", version="0.1", release="1", arch="x86_64", bytes=41_000, files=4,
                download_bytes=14_000, class_="provisioning",
            )
        )  # fmt: skip
    return tuple(packages)


_UNOWNED = (
    ClassSize(class_="rpmdb", bytes=14_221_312, files=3),
    ClassSize(class_="selinux", bytes=9_812_111, files=412),
    ClassSize(class_="generated", bytes=1_712_345, files=96),
)


def variant_result(variant: str, boots: int = 1, uefi: int = 0) -> VariantResult:
    """A variant that was built and booted."""
    ostree = variant != "cloud-docker"
    packages = packages_of(variant)
    initramfs = ClassSize(class_="initramfs", bytes=23_812_345 if ostree else 25_001_111, files=1)
    classes = class_sizes(packages, [initramfs, *_UNOWNED])
    tree_bytes = sum(part.bytes for part in classes)
    python = sum(package.files for package in packages if package.class_ == "python")
    manager = sum(package.files for package in packages if package.class_ == "package-manager")
    return VariantResult(
        variant=variant,
        description=f"{variant}, made up",
        status="ok",
        method="ostree" if ostree else "traditional",
        content="standin",
        recipe=variant,
        agent="min-cloud-agent" if variant == "atomic-min" else "cloud-init",
        parameters={"variant": variant, "image_size_mib": 4096, "boots_bios": boots, "boots_uefi": uefi},
        lock_sha256=_digest(f"lock {variant}"),
        commit=_digest(f"commit {variant}") if ostree else None,
        content_checksum=_digest(f"content {variant}"),
        version="1",
        package_count=len(packages),
        tree_bytes=tree_bytes,
        tree_files=sum(part.files for part in classes),
        image_virtual_bytes=4_294_967_296,
        image_allocated_bytes=int(tree_bytes * 1.12),
        image_compressed_bytes=int(tree_bytes * 0.38),
        download_bytes=sum(package.download_bytes or 0 for package in packages),
        packages=packages,
        classes=classes,
        forbidden_paths={"Python": python, "package manager": manager},
        boots=(
            *(boot(variant, index, "bios") for index in range(boots)),
            *(boot(variant, index, "uefi") for index in range(uefi)),
        ),
        stages=_stages(last="commit" if ostree else "root"),
        notes=("bootloader --timeout has no effect on an ostree variant",),
        provenance={"git_revision": "0" * 40, "tools_key": "f" * 16, "atomic_lib_version": "0.1"},
    )  # fmt: skip


def _stages(last: str) -> tuple[StageTime, ...]:
    """The stages of a build; ``last``: what the tree is made into."""
    seconds = {"content": 142.1, "lock": 2.2, "installroot": 61.4, last: 18.4, "image": 21.0, "boots": 96.3}
    return tuple(
        StageTime(stage=stage, seconds=took, reused=stage in ("content", "lock"), key=_digest(stage)[:32])
        for stage, took in seconds.items()
    )


def boot(variant: str, index: int, firmware: str) -> Boot:
    """One boot; later ones are a little slower, so that a median is not the first value."""
    base = {"cloud-docker": 74.0, "atomic-cloud-init": 71.5, "atomic-min": 48.2}[variant] + 3.0 * index
    names = [unit for unit in _UNITS if ("cloud-" not in unit[:6]) or variant != "atomic-min"]
    return Boot(
        index=index,
        firmware="uefi" if firmware == "uefi" else "bios",
        accelerator="tcg",
        cpus=2,
        memory_mib=2048,
        ssh_login_seconds=base,
        docker_ready_seconds=base + 9.4,
        script_done_seconds=base - 1.2,
        multi_user_seconds=base + 8.1,
        phases=Phases(
            firmware_loader_seconds=9.8 if firmware == "uefi" else 7.1,
            kernel_seconds=6.6,
            initrd_seconds=14.8,
            userspace_seconds=base - 20.5,
        ),
        units=tuple(UnitTime(unit=unit, seconds=round(base / (3 + place), 3)) for place, unit in enumerate(names)),
        memory_used_bytes=231_000_000 if variant == "atomic-min" else 262_000_000,
        memory_total_bytes=2_062_000_000,
        process_count=98 if variant == "atomic-min" else 104,
        checks=(
            Check(name="login with the key that the guest was given", passed=True, detail="uid 0"),
            Check(name="user-data script ran", passed=True, detail="/run/user-data-ran"),
            Check(name="system is running", passed=True, detail="running"),
            Check(name="docker version answers", passed=True, detail="26.1.5"),
            Check(name="docker run prints", passed=variant != "atomic-cloud-init", detail="hello <from> the guest"),
        ),
        failed_units=("motd-news.service",) if variant == "atomic-cloud-init" else (),
        host=BootHost(cpu_model="Example CPU", cpus=2, load_1m=1.4, qemu_version="10.0.2"),
        kernel_release="6.12.107+deb13-cloud-amd64",
        console_log=f"{variant}/console-{firmware}-{index}.log",
    )


def failed_result() -> VariantResult:
    """A variant whose compose failed: no figures at all."""
    return VariantResult(
        variant="atomic-broken",
        status="failed",
        error=Failure(
            stage="compose",
            message="python3 is excluded but required: cloud-init -> python3-yaml -> python3",
            hint="drop cloud-init, or take python3 out of exclude-packages",
            log="Error:\n Problem: conflicting requests\n  - nothing provides <python3> needed by cloud-init",
        ),
        method="ostree",
        content="standin",
        recipe="atomic-broken",
        agent="min-cloud-agent",
    )


def incomplete_result() -> VariantResult:
    """A variant that was composed but not booted yet, with some figures missing."""
    return VariantResult(
        variant="atomic-unbooted",
        status="incomplete",
        method="ostree",
        content="standin",
        recipe="atomic-min",
        agent="min-cloud-agent",
        tree_bytes=410_000_000,
        tree_files=11_000,
        classes=(
            ClassSize(class_="kernel", bytes=110_000_000, files=5_000),
            ClassSize(class_="container-runtime", bytes=300_000_000, files=6_000),
        ),
    )


def all_results() -> list[VariantResult]:
    """The results of STUDY."""
    built = [variant_result(name, uefi=1 if name == "atomic-min" else 0) for name in LETTERS]
    return [*built, failed_result(), incomplete_result()]


def study_of(*results: VariantResult) -> StudyResult:
    """A study with cloud-docker as its baseline."""
    return StudyResult(
        study="default", title="A title.", baseline="cloud-docker", run="r1", created="2026-01-02T03:04:05+00:00",
        variants=results,
    )  # fmt: skip


def plain(text: str) -> str:
    """The text with a hyphen for the minus sign and ordinary spaces."""
    return text.replace("\N{MINUS SIGN}", "-").replace("\N{NO-BREAK SPACE}", " ")


def texts(shown: Shown) -> list[list[str]]:
    """The texts of a table with an anchor and with data."""
    assert isinstance(shown, Table)
    assert f'id="{shown.anchor}"' in shown._repr_html_()
    assert shown.records
    return [[plain(cell.text) for cell in row] for row in shown.rows]


def _package(row: dict[str, str], permille: int) -> PackageSize:
    epoch, _, rest = row["version"].rpartition(":")
    version, _, release = rest.rpartition("-")
    size_bytes = int(row["installed_kib"]) * 1024 * permille // 1000
    return PackageSize(
        name=row["name"],
        epoch=int(epoch or 0),
        version=version or release,
        release=release if version else "0",
        arch="x86_64",
        bytes=size_bytes,
        files=1 + size_bytes // 40_000,
        download_bytes=int(row["download_bytes"]),
        class_=class_of(row["name"]),
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
