"""Results with every optional field: invented figures over those of a variant, with sums that are right."""

import hashlib
from itertools import product

from atomic_lib.guest.boot_record import Boot
from atomic_lib.guest.counted.counted_boot import CountedBoot
from atomic_lib.guest.counted.probe import CountedUnit
from atomic_lib.guest.evidence.denials import Denial
from atomic_lib.guest.evidence.milestones import Milestone
from atomic_lib.guest.evidence.running import Listener
from atomic_lib.guest.evidence.unit_times import UnitTime
from atomic_lib.measure.container.container_figures import ContainerFigures, FileDifference, PlacedPackage
from atomic_lib.measure.guards.image_guards import Guard, GuardFinding
from atomic_lib.measure.labels import ExplainedLabels, Labels, WrongLabel
from atomic_lib.params.study_file import Step
from atomic_lib.results.build_result import ClassSize, DepartureSize, DirectorySize, ImagePart, PackageSize, WhyLink
from atomic_lib.results.study_result import Factor, FactorCell, StudyResult
from atomic_lib.results.variant_result import VariantResult

BLOCK_BYTES = 4096
LABELS = Labels(
    policy="default", checked=12_345, right=12_340, unlabelled=1, unknown=0, wrong_paths=2,
    explained=(
        ExplainedLabels(exception="kernel", reason="It is a link into the repository.", paths=3, example="/boot/k"),
    ),
    wrong=(
        WrongLabel(path="/etc/motd", label="", wanted="system_u:object_r:etc_t:s0"),
        WrongLabel(path="/usr/bin/su", label="system_u:object_r:bin_t:s0", wanted="system_u:object_r:su_exec_t:s0"),
    ),
)  # fmt: skip
GUARDS = (
    Guard(guard="private-keys", found=0, unexplained=0),
    Guard(guard="set-uid", found=2, unexplained=1, findings=(
        GuardFinding(found="/usr/bin/odd", detail="4755 root:root"),
        GuardFinding(found="/usr/bin/su", detail="4755 root:root", reason="It becomes another user."),
    )),
    Guard(guard="open-ports", found=1, unexplained=0, findings=(
        GuardFinding(found="tcp 0.0.0.0:22 sshd", reason="Whoever uses the guest reaches it by ssh."),
    )),
)  # fmt: skip
CONTAINER = ContainerFigures(
    name="container-base", key="f" * 64, digest="ab" * 32, archive_sha256="cd" * 32, archive_bytes=31_000_000,
    layer_bytes=30_500_000,
    packages=(
        PlacedPackage(name="bash", epoch=0, version="5.2", release="1", arch="x86_64", place="shared",
                      bytes=1_300_000, files=5, shared_bytes=1_299_000),
        PlacedPackage(name="own", epoch=1, version="3", release="1", arch="noarch", place="container",
                      bytes=40_000, files=2, shared_bytes=0),
        PlacedPackage(name="systemd", epoch=0, version="257", release="9", arch="x86_64", place="host",
                      bytes=9_000_000, files=700, shared_bytes=0),
    ),
    unowned_bytes=900_000, unowned_files=3, unowned_shared_bytes=200_000, same_files=4,
    differences=(FileDifference(path="/etc/bash.bashrc", package="bash", reason="changed on the host"),),
    deviations=("S.5....T.  c /etc/passwd",),
)  # fmt: skip
_OVERHEAD = {
    "partition-table": (34_816, 700), "boot-sectors": (61_440, 40_000), "esp": (1_200_128, 402_000),
    "file-system": (20_480_000, 90_000), "directories": (5_120_000, 310_000), "journal": (67_108_864, 71_000),
    "free": (1_048_576, 1_100), "qcow2-metadata": (0, 327_680),
}  # fmt: skip


def enriched(result: VariantResult) -> VariantResult:
    """The variant with all that can be measured of its tree, image and boots."""
    packages = tuple(_package(package) for package in result.packages)
    classes = tuple(
        size.model_copy(update={"allocated_bytes": _whole_blocks(size.bytes, size.files)}) for size in result.classes
    )
    parts = _image_parts(classes, result.method)
    return VariantResult.model_validate(
        {
            **dict(result),
            "packages": packages,
            "classes": classes,
            "tree_allocated_bytes": sum(size.allocated_bytes or 0 for size in classes),
            "image_parts": parts,
            "image_allocated_bytes": sum(part.image_bytes for part in parts),
            "image_compressed_bytes": sum(part.qcow2_bytes for part in parts),
            "directories": _directories(result),
            "departures": _departures(result),
            "labels": LABELS,
            "guards": GUARDS,
            "container": CONTAINER,
            "boots": tuple(_boot(boot, packages) for boot in result.boots),
            "counted_boots": tuple(_counted(boot) for boot in result.boots[:1]),
        }
    )


def enriched_study(study: StudyResult, *steps: str) -> StudyResult:
    """The study with enriched variants and a step to each one named."""
    return study.model_copy(
        update={
            "variants": tuple(enriched(result) if result.boots else result for result in study.variants),
            "steps": tuple(Step(decision=f"take {name}", variant=name) for name in steps),
        }
    )


def factor_study(
    study: StudyResult, python_bytes: tuple[int, int, int, int] = (0, 40_000_000, 55_000_000, 60_000_000)
) -> StudyResult:
    """The study with six cells: manager and agent crossed, and docs changed alone.

    ``python_bytes``: of the base cell, with dnf, with cloud-init, with both.
    """
    factors = (
        Factor(name="manager", levels=("none", "dnf")),
        Factor(name="agent", levels=("min-cloud-agent", "cloud-init")),
        Factor(name="docs", levels=("without", "with")),
    )
    crossed = [(manager, agent, "without") for agent, manager in product(factors[1].levels, factors[0].levels)]
    levels = [*crossed, ("none", "min-cloud-agent", "with")]
    made, cells = [], []
    for number, (place, python) in enumerate(zip(levels, (*python_bytes, python_bytes[0]), strict=True)):
        size = 400_000_000 + python + 30_000_000 * (place[0] == "dnf") + 20_000_000 * (place[2] == "with")
        made.append(_cell_result(f"cell-{number}", python, size, 180 + 20 * number))
        cells.append(
            FactorCell(variant=f"cell-{number}", levels=dict(zip((f.name for f in factors), place, strict=True)))
        )
    return study.model_copy(update={"variants": (*study.variants, *made), "factors": factors, "cells": tuple(cells)})


def _cell_result(name: str, python_bytes: int, tree_bytes: int, packages: int) -> VariantResult:
    sizes = {"libraries": tree_bytes - python_bytes, "python": python_bytes}
    classes = tuple(ClassSize(class_=name, bytes=size, files=3) for name, size in sizes.items() if size)
    return VariantResult(
        variant=name, status="ok", method="ostree", content="standin", recipe="atomic", agent="cloud-init",
        tree_bytes=tree_bytes, tree_files=sum(size.files for size in classes), package_count=packages, classes=classes,
    )  # fmt: skip


def _package(package: PackageSize) -> PackageSize:
    allocated = _whole_blocks(package.bytes, package.files)
    chain = [WhyLink(kind="recipe", package="docker.io", capability="docker.io")]
    if package.name != "docker.io":
        chain.append(WhyLink(kind="requires", package="iptables", capability="iptables"))
        chain.append(WhyLink(kind="recommends", package=package.name, capability=f"{package.name}(x86-64)"))
    return package.model_copy(
        update={
            "allocated_bytes": allocated,
            "image_bytes": allocated + 4096,
            "qcow2_bytes": int(allocated * 0.37),
            "why": tuple(chain),
        }
    )


def _image_parts(classes: tuple[ClassSize, ...], method: str) -> tuple[ImagePart, ...]:
    parts = [
        ImagePart(part=size.class_, image_bytes=size.allocated_bytes or 0, qcow2_bytes=int(size.bytes * 0.36))
        for size in classes
    ]
    own = {**_OVERHEAD, **({"ostree-metadata": (9_437_184, 2_100_000)} if method == "ostree" else {})}
    return (*parts, *(ImagePart(part=name, image_bytes=a, qcow2_bytes=b) for name, (a, b) in own.items()))


def _directories(result: VariantResult) -> tuple[DirectorySize, ...]:
    whole, files = result.tree_bytes or 0, result.tree_files or 0
    shares = {"/usr": 0.97, "/usr/lib": 0.55, "/usr/bin": 0.3, "/usr/share": 0.05, "/usr/lib/modules": 0.2}
    return tuple(
        DirectorySize(path=path, bytes=int(whole * part), files=int(files * part), allocated_bytes=int(whole * part))
        for path, part in shares.items()
    )


def _departures(result: VariantResult) -> tuple[DepartureSize, ...]:
    python = [package for package in result.packages if package.class_ == "python"]
    runtime = [package for package in result.packages if package.class_ == "container-runtime"]
    return tuple(
        DepartureSize(
            removed=name,
            title=title,
            packages=tuple(package.name for package in gone),
            entries=(name,),
            bytes=sum(package.bytes for package in gone),
            files=sum(package.files for package in gone),
        )
        for name, title, gone in (("python3", "Python", python), ("docker.io", "Docker", runtime))
        if gone
    )


def _boot(boot: Boot, packages: tuple[PackageSize, ...]) -> Boot:
    phases = boot.phases
    kernel = phases.firmware_loader_seconds or 0.0
    initrd = kernel + (phases.kernel_seconds or 0.0)
    userspace = initrd + (phases.initrd_seconds or 0.0)
    ends = {"ssh-login": boot.ssh_login_seconds, "docker-ready": boot.docker_ready_seconds}
    marks = {"kernel": kernel, "initrd": initrd, "userspace": userspace, **ends}
    if boot.ssh_login_seconds and boot.docker_ready_seconds:
        marks |= {"ssh-banner": boot.ssh_login_seconds - 1.1, "container-exited": boot.docker_ready_seconds + 1.4}
    known = sorted(((name, at) for name, at in marks.items() if at is not None), key=lambda mark: mark[1])
    names = {package.name for package in packages}
    length = phases.userspace_seconds or 1.0
    return boot.model_copy(
        update={
            "milestones": tuple(
                Milestone.model_validate({"name": name, "seconds": round(at, 3)}) for name, at in known
            ),
            "units": tuple(_unit(unit, place, userspace, length, names) for place, unit in enumerate(boot.units)),
            "service_count": 17,
            "setuid_files": ("/usr/bin/su", "/usr/bin/mount"),
            "selinux_mode": "enforcing",
            "denials_lost": 0,
            "denials": (
                Denial(
                    permissions=("search",),
                    source="kmod_t",
                    target="var_lib_t",
                    target_class="dir",
                    comm="modprobe",
                    name="lib",
                    count=2,
                ),
            ),
            "listeners": (
                Listener(protocol="tcp", address="0.0.0.0:22", program="sshd"),
                Listener(protocol="udp", address="127.0.0.54:53", program="systemd-resolved"),
            ),
        }
    )


def _unit(unit: UnitTime, place: int, start: float, length: float, packages: set[str]) -> UnitTime:
    stem = unit.unit.removesuffix(".service").removesuffix(".socket")
    owner = next((name for name in (stem, stem.removesuffix("d"), "systemd", "docker.io") if name in packages), None)
    return unit.model_copy(
        update={
            "started_seconds": round(start + _spread(unit.unit) * max(length - unit.seconds, 0.0), 3),
            "critical": place % 4 == 0,
            "package": owner,
            "cpu_seconds": round(unit.seconds * 0.4, 4),
            "memory_bytes": int(3_000_000 + unit.seconds * 4_000_000) if unit.unit.endswith(".service") else None,
        }
    )


def _counted(boot: Boot) -> CountedBoot:
    units = tuple(
        CountedUnit(unit=unit.unit, cpu_seconds=round(unit.seconds * 0.21, 6), package="systemd") for unit in boot.units
    )
    busy = sum(unit.cpu_seconds for unit in units)
    return CountedBoot(
        busy_seconds=round(busy + 4.123456, 6), outside_units_seconds=4.123456,
        milestones={"multi-user": round(busy + 5, 6)},
        units=units, masked_units=("docker.service",), shift=0, qemu_version="10.0.2",
    )  # fmt: skip


def _whole_blocks(size_bytes: int, files: int) -> int:
    return -(-size_bytes // BLOCK_BYTES) * BLOCK_BYTES + files * BLOCK_BYTES // 2


def _spread(text: str) -> float:
    """A number from 0 to 1 that a name always gives."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
