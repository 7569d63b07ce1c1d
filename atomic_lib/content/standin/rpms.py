"""Builds the stand-in RPM repository: adapts Debian packages, builds RPMs of them, signs and indexes these."""

import os
import shutil
import stat
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.progress import step
from atomic_lib.content.definition import DebianContent
from atomic_lib.content.signing import sign_and_index
from atomic_lib.content.standin.control import DebianPackage, parse_control
from atomic_lib.content.standin.debs import unpack_debs
from atomic_lib.content.standin.overlay import (
    Overlay,
    account_names,
    apply_overlay,
    make_account_files,
    move_kernel,
    read_overlay,
)
from atomic_lib.content.standin.spec import LISTS, file_list, write_spec
from atomic_lib.tools.sandbox import Bind, Tools

_SETUP = Path(__file__).parent


def build_repository(
    tools: Tools, definition: DebianContent, debs: list[Path], directory: Path, *, comps: Path
) -> None:
    """Write signed RPMs of the packages ``debs`` to ``directory``, with their index and their public key.

    ``comps`` is the file with their package groups.

    The result does not depend on the order of ``debs`` or the name of the directory. Raises
    WorkbookError if two packages own the same file, and CommandError if a tool fails.
    """
    work = directory / "work"
    (work / "packages").mkdir(parents=True)
    own = (_SETUP / "setup.spec").read_text()
    with step("stand-in content: unpack"):
        unpacked = unpack_debs(tools, sorted(debs), work / "packages")
        roots = [root for root in unpacked if root.name not in definition.dropped]
        newest_seconds = max(map(_newest_seconds, roots))
        overlays = read_overlay()
        packages = [_adapt(root, overlays.get(root.name, {})) for root in roots]
        _compile_python(tools, work / "packages")
        if any(root.name == f"selinux-policy-{definition.selinux_policy}" for root in roots):
            roots.append(_compile_policy(tools, work / "packages", definition.selinux_policy))
            own += (_SETUP / "selinux.spec").read_text()
    with step("stand-in content: build RPMs"):
        _merge(roots, work)
        _add_setup(work)
        spec = write_spec(packages, definition.dropped, own)
        (work / "lists" / "standin.spec").write_text(spec)
        _rpmbuild(tools, work, directory, newest_seconds)
    shutil.rmtree(work)
    with step("stand-in content: sign and index"):
        sign_and_index(tools, directory, "standin", comps=comps)


def _newest_seconds(root: Path) -> int:
    """The time of the newest regular file in an unpacked package; directories have the time of unpacking."""
    found = (path.lstat() for path in root.rglob("*"))
    return max((int(status.st_mtime) for status in found if stat.S_ISREG(status.st_mode)), default=0)


def _adapt(root: Path, overlay: Overlay) -> DebianPackage:
    package = parse_control((root / "DEBIAN/control").read_text())
    apply_overlay(root, overlay)
    if package.name == "base-passwd":
        make_account_files(root)
    if package.name.startswith("linux-image-"):
        move_kernel(root)
    return package


def _compile_python(tools: Tools, packages: Path) -> None:
    """Byte-compile Python modules as Fedora's packages do. Hash-based, because ostree sets all file times to zero."""
    env = {"PYTHONHASHSEED": "0"}  # otherwise the order of sets of constants would be random
    for root in sorted(path for path in packages.iterdir() if any((path / "usr/lib").glob("python3*"))):
        target = f"/mnt/packages/{root.name}"
        folders = [f"{target}/usr/lib/{path.name}" for path in sorted((root / "usr/lib").glob("python3*"))]
        words = ["python3", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "-s", target, "-p", "/"]
        tools.run([*words, *folders], binds=[Bind(packages, "/mnt/packages", writable=True)], rights="root", env=env)


def _compile_policy(tools: Tools, packages: Path, name: str) -> Path:
    """Build the binary policy into the policy's package, as Fedora's policy package does.

    It includes our local module and booleans. Their entries in the module store belong to a
    package of their own, together with their source; returns the root of that package.
    """
    root, own = packages / f"selinux-policy-{name}", packages / "standin-selinux"
    store = root / f"var/lib/selinux/{name}/active"
    modules = (root / f"usr/share/selinux/{name}/.modules").read_text().split()
    paths = [f"/mnt/root/usr/share/selinux/{name}/{module}.pp.bz2" for module in modules]
    source = own / "usr/share/selinux/packages/standin.cil"
    source.parent.mkdir(parents=True)
    shutil.copyfile(_SETUP / "selinux/standin.cil", source)
    store.mkdir(parents=True)
    shutil.copyfile(_SETUP / "selinux/booleans.local", store / "booleans.local")
    tools.run(
        ["semodule", "--path=/mnt/root", f"--store={name}", "--noreload", "--priority=100",
         *(word for path in paths for word in ("--install", path)),
         "--priority=400", "--install", f"/mnt/own/{source.relative_to(own)}"],
        binds=[Bind(root, "/mnt/root", writable=True), Bind(own, "/mnt/own")],
        rights="root",
    )  # fmt: skip
    for unneeded in (*(root / f"etc/selinux/{name}").rglob("*.bin"), *(root / "var/lib/selinux").rglob("*.LOCK")):
        unneeded.unlink()
    for part in ("booleans.local", "modules/400"):
        target = own / (store / part).relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        (store / part).rename(target)
    _set_modes(own)
    return own


def _set_modes(root: Path) -> None:
    for path in (root, *root.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _merge(roots: list[Path], work: Path) -> None:
    """Move the files of all packages into one build root, and write a ``%files`` list for each package."""
    buildroot, lists = work / "buildroot", work / "lists"
    buildroot.mkdir()
    lists.mkdir()
    owner: dict[str, str] = {}
    users, groups = account_names(work / "packages/base-passwd")
    for root in roots:
        conffiles = root / "DEBIAN/conffiles"
        configuration = set(conffiles.read_text().split()) if conffiles.exists() else set()
        shutil.rmtree(root / "DEBIAN", ignore_errors=True)
        (lists / f"{root.name}.files").write_text("\n".join(file_list(root, configuration, users, groups)) + "\n")
        _move_into(root, buildroot, root.name, owner)


def _move_into(root: Path, buildroot: Path, name: str, owner: dict[str, str]) -> None:
    for directory, names, files in os.walk(root):
        relative = os.path.relpath(directory, root)
        target = buildroot / relative
        if not target.exists():
            target.mkdir()
            shutil.copystat(directory, target)
            status = os.stat(directory)
            os.chown(target, status.st_uid, status.st_gid)
        links = [entry for entry in names if os.path.islink(os.path.join(directory, entry))]
        names[:] = [entry for entry in names if entry not in links]
        for entry in (*files, *links):
            path = os.path.normpath(f"/{relative}/{entry}")
            if path in owner:
                raise WorkbookError(
                    f"{path} is in two packages: {owner[path]} and {name}",
                    hint="remove one of them from packages in params/content/standin.yaml, or correct overlay.yaml",
                )
            owner[path] = name
            os.rename(os.path.join(directory, entry), target / entry)


def _add_setup(work: Path) -> None:
    setup = work / "setup"
    shutil.copytree(_SETUP / "setup", setup)
    _set_modes(setup)
    (work / "lists" / "standin-setup.files").write_text("\n".join(file_list(setup, (), {}, {})) + "\n")
    _move_into(setup, work / "buildroot", "standin-setup", {})


def _rpmbuild(tools: Tools, work: Path, directory: Path, newest_seconds: int) -> None:
    """Build all RPMs. Files newer than ``newest_seconds``, which this module created, get that time."""
    (work / "top").mkdir()
    (work / "rpms").mkdir()
    tools.run(
        ["rpmbuild", "-bb", "--quiet", "--nocheck", "--noprep", "--noclean",
         "--define", "_topdir /mnt/work/top", "--define", "_rpmdir /mnt/work/rpms",
         "--define", "_rpmfilename %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm",
         "--define", "_dbpath /tmp/rpmdb", "--buildroot", "/mnt/work/buildroot", f"{LISTS}/standin.spec"],
        binds=[Bind(work, "/mnt/work", writable=True)],
        rights="root",
        log=directory / "rpmbuild.log",
        env={"SOURCE_DATE_EPOCH": str(newest_seconds)},
    )  # fmt: skip
    for path in (work / "rpms").glob("*.rpm"):
        path.rename(directory / path.name)
