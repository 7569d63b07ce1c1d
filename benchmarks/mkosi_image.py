"""A disk image by mkosi, which a user would choose instead: of the same RPM files, and with the same dracut.

mkosi's only repository is the RPM set. It checks the signatures, installs with dnf, runs dracut in a script, and writes
a disk with ext4 that UEFI starts through systemd-boot and a unified kernel image. Like the least, it works in a
directory in memory. It does not make what a tree of ours has besides: an ostree commit, labels, a boot loader for BIOS,
the owner of every file; and equal inputs do not give equal bits. Its options: mkosi(1), repart.d(5).
"""

import json
import shlex
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base import command
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import write_text
from atomic_lib.compose.install import Installation, macros
from atomic_lib.image.disk import compress
from atomic_lib.image.sysroot import kernel_arguments
from atomic_lib.pipeline.build import Build
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.lock import Lock, LockedPackage
from atomic_lib.tools.memory import in_memory
from atomic_lib.tools.sandbox import MOUNTS, Bind
from benchmarks.builds import OUTPUT, SCRATCH, BuildRequest, record_request
from benchmarks.cost import Cost, costed
from benchmarks.mkosi_tree import command_line, open_mkosi_tree, version_of

LOG = OUTPUT / "mkosi.log"
_CONFIG, _RPMS, _WORK, _OUT = (f"{MOUNTS}/{name}" for name in ("config", "rpms", "work", "out"))
_LOADERS = "/usr/lib/systemd/boot/efi"
"""systemd-boot and systemd-stub: mkosi takes them from the image, whose packages have none."""
_ESP_MIB = 512
"""mkosi's own choice."""
_TIMEOUT_SECONDS = 1800.0


@dataclass(frozen=True)
class MadeByMkosi:
    """The costs of mkosi's raw disk image, and of a compressed one that is converted from it; mkosi's version."""

    version: str
    image: Cost
    compressed: Cost


def make_with_mkosi(request: BuildRequest, store: Path) -> MadeByMkosi:
    """The cost of mkosi, in a directory beside the store, which has the RPM set.

    Raises WorkbookError if mkosi fails, or installs other packages than those of the lock.
    """
    build = record_request(request, store).build
    root, rpm_set = open_mkosi_tree(build.context.cache), build.rpm_set
    with tempfile.TemporaryDirectory(dir=SCRATCH) as scratch, in_memory(Path(scratch, "memory")) as memory:
        directory = Path(scratch)
        config, out = directory / "config", directory / "out"
        out.mkdir()
        for name, text in configuration(build).items():
            write_text(config / name, text, 0o755 if text.startswith("#!") else 0o644)
        binds = [Bind(config, _CONFIG), Bind(rpm_set.directory, _RPMS), Bind(memory, _WORK, writable=True),
                 Bind(out, _OUT, writable=True)]  # fmt: skip
        line = command_line(root, ["mkosi", f"--directory={_CONFIG}", "build"], binds)
        LOG.unlink(missing_ok=True)
        image = costed(command.run, line, timeout_seconds=_TIMEOUT_SECONDS, log=LOG, hint=f"read {LOG}")[1]
        require_packages((out / "disk.manifest").read_text(), rpm_set.lock)
        return MadeByMkosi(version_of(root), image, costed(compress, build.context.tools, out)[1])


def configuration(build: Build) -> Mapping[str, str]:
    """The files of mkosi's configuration, by name: it installs the packages of the lock with the recipe's options."""
    recipe, content, rpm_set = build.recipe, build.content, build.rpm_set
    release, root_mib = content.releasever, recipe.root_size_mib or build.variant.root_size_mib
    keys = [path.read_text() for path in sorted(rpm_set.keys.glob("*.asc"))]
    return {
        "mkosi.conf": _main_file(build, ["root=PARTUUID", *kernel_arguments(build.variant, recipe, content)[1:]]),
        "mkosi.postinst.chroot": dracut_script(recipe),
        "mkosi.repart/00-esp.conf": _partition("esp", "vfat", ["/boot:/", "/efi:/"], _ESP_MIB),
        "mkosi.repart/10-root.conf": _partition("root", "ext4", ["/"], root_mib),
        f"mkosi.sandbox/etc/pki/rpm-gpg/RPM-GPG-KEY-fedora-{release}-primary": "".join(keys),
        "mkosi.sandbox/etc/rpm/macros.workbook": macros(Installation(recipe, content, rpm_set, {})),
    }


def dracut_script(recipe: Recipe) -> str:
    """The script that runs in the image and leaves the initramfs where mkosi looks for one."""
    arguments = shlex.join(["--force", "--reproducible", "--no-hostonly", *recipe.initramfs_arguments])
    return f"""\
#!/bin/sh
set -e
mkdir "$ARTIFACTDIR/io.mkosi.initrd"
dracut {arguments} --kver "$(ls /usr/lib/modules)" "$ARTIFACTDIR/io.mkosi.initrd/initramfs.img"
"""


def require_packages(manifest: str, lock: Lock) -> None:
    """Raise WorkbookError unless the packages in mkosi's manifest are those of the lock: it compares the same work."""
    rows = json.loads(manifest)["packages"]
    installed = {(row["name"], row["version"], row["architecture"]) for row in rows if row["name"] != "gpg-pubkey"}
    locked = {(package.name, _version(package), package.arch) for package in lock.packages}
    if installed != locked:
        names = ", ".join(sorted({name for name, *_ in installed ^ locked}))
        raise WorkbookError(
            f"what mkosi installed is not what the lock says: {names}",
            hint=f"the figures would not be of the same work: read {LOG}",
        )


def _version(package: LockedPackage) -> str:
    epoch = f"{package.epoch}:" if package.epoch else ""
    return f"{epoch}{package.version}-{package.release}"


def _main_file(build: Build, arguments: Sequence[str]) -> str:
    recipe = build.recipe
    packages = "".join(f"\n    {package.name}" for package in build.rpm_set.lock.packages)
    return f"""\
[Distribution]
Distribution=fedora
Release={build.content.releasever}
LocalMirror=file://{_RPMS}

[Output]
Format=disk
ManifestFormat=json
Output=disk
OutputDirectory={_OUT}

[Content]
Packages={packages}
WithDocs={_yes_no(recipe.documentation)}
WithRecommends={_yes_no(recipe.weak_dependencies)}
ExtraTrees={_LOADERS}:{_LOADERS}
Bootable=yes
Bootloader=systemd-boot
KernelModulesInitrd=no
KernelCommandLine={" ".join(arguments)}
SELinuxRelabel=no
CleanPackageMetadata=no
SourceDateEpoch={build.variant.source_date_epoch}

[Build]
WorkspaceDirectory={_WORK}
PackageCacheDirectory={_WORK}/packages
WithNetwork=no
"""


def _partition(kind: str, file_system: str, copied: Sequence[str], size_mib: int) -> str:
    lines = [f"Type={kind}", f"Format={file_system}", *(f"CopyFiles={path}" for path in copied),
             f"SizeMinBytes={size_mib}M", f"SizeMaxBytes={size_mib}M"]  # fmt: skip
    return "\n".join(["[Partition]", *lines]) + "\n"


def _yes_no(value: bool) -> str:
    return "yes" if value else "no"
