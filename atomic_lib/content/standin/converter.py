"""Converts Debian packages to signed RPMs: unpacks and adapts each one, and has rpmbuild build it.

The RPM of a package follows from its .deb file, the code and data of this folder, and the options of the ``Source``
alone. So it is the same whatever other packages are converted at the same time.
"""

import shutil
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.progress import step
from atomic_lib.content.signing import sign_rpms
from atomic_lib.content.standin.control import parse_control
from atomic_lib.content.standin.debs import unpack_debs
from atomic_lib.content.standin.fedora_names import Naming
from atomic_lib.content.standin.overlay import (
    Overlay,
    account_names,
    apply_overlay,
    make_account_files,
    move_kernel,
    read_overlay,
    rename_units,
)
from atomic_lib.content.standin.spec import file_list, write_own_spec, write_spec
from atomic_lib.formats.openpgp import KEY_CREATED_SECONDS
from atomic_lib.tools.sandbox import Bind, Tools

SETUP = "standin-setup"
"""The package that does what Fedora's own packages do in scriptlets; it has no .deb file."""
# rpm unpacks these files before there is a group file in which it could look up the group that they belong to.
# Files that the recipe has brought instead have other modes.
_ACCOUNT_FILES_POST = """\
%post -p <lua>
for _, path in ipairs({"/etc/shadow", "/etc/gshadow"}) do
  if posix.stat(path, "mode") == "rw-r-----" then
    for line in io.lines("/etc/group") do
      local id = line:match("^shadow:[^:]*:(%%d+):")
      if id then posix.chown(path, 0, tonumber(id)) end
    end
  end
end
"""
OWN_PACKAGES = (SETUP, "standin-selinux")
"""The packages that are not Debian's. The second one comes with the policy."""
POLICY = "selinux-policy-"
_FILES = Path(__file__).parent
_LISTS = "/mnt/work/lists"


@dataclass(frozen=True)
class Source:
    """A package to convert; ``name`` is Debian's.

    ``deb``: its .deb file; None for ``standin-setup``. ``naming``: Fedora's names for it; ``units``: pairs of the
    names of a unit in Fedora and in Debian. ``dropped``: packages that
    are removed from its dependencies. ``policy``: whether its SELinux policy is compiled, with our local module.
    """

    name: str
    deb: Path | None
    naming: Naming
    units: tuple[tuple[str, str], ...] = ()
    dropped: tuple[str, ...] = ()
    policy: bool = False


@dataclass(frozen=True)
class _Build:
    """A package that rpmbuild is to build: its root, the text of its spec, and the time of its newest file."""

    name: str
    root: Path
    spec: str
    newest_seconds: int


def convert(tools: Tools, sources: Sequence[Source], work: Path) -> dict[str, list[Path]]:
    """Convert the packages, in the new directory ``work``; returns the signed RPMs of each, by its name.

    Raises CommandError if a tool fails.
    """
    packages, rpms = work / "packages", work / "rpms"
    for directory in (packages, rpms, work / "lists", work / "specs"):
        directory.mkdir(parents=True)
    with step(f"stand-in content: convert {len(sources)} package{'s' if len(sources) != 1 else ''}"):
        unpack_debs(tools, {source.name: source.deb for source in sources if source.deb}, packages)
        overlays = read_overlay()
        builds = {
            source.name: _adapted(tools, source, overlays.get(source.name, {}), packages, work / "lists")
            for source in sources
        }
        for name, parts in builds.items():
            (rpms / name).mkdir()
            for part in parts:
                (work / "specs" / f"{part.name}.spec").write_text(part.spec)
        _rpmbuild(tools, work, [(name, part) for name, parts in builds.items() for part in parts])
        sign_rpms(tools, rpms, sorted(rpms.glob("*/*.rpm")), "standin")
    return {name: sorted((rpms / name).glob("*.rpm")) for name in builds}


def _adapted(tools: Tools, source: Source, overlay: Overlay, packages: Path, lists: Path) -> list[_Build]:
    """The packages to build of one source, their files as the RPMs have them."""
    root = packages / source.name
    if not source.deb:
        shutil.copytree(_FILES / "setup", root)
        _set_modes(root)
        _write_list(tools, root, lists, ())
        return [_Build(source.name, root, _own_spec("setup", source.naming), KEY_CREATED_SECONDS)]
    newest_seconds = _newest_seconds(root)
    package = parse_control((root / "DEBIAN/control").read_text())
    conffiles = root / "DEBIAN/conffiles"
    configuration = conffiles.read_text().split() if conffiles.exists() else []
    shutil.rmtree(root / "DEBIAN")
    apply_overlay(root, overlay)
    rename_units(root, source.units)
    scriptlets = ""
    if source.name == "base-passwd":
        make_account_files(root)
        scriptlets = _ACCOUNT_FILES_POST
    if source.name.startswith("linux-image-"):
        move_kernel(root)
    _compile_python(tools, root)
    builds = []
    if source.policy:
        own = _compile_policy(tools, root, packages, source.name.removeprefix(POLICY))
        _write_list(tools, own, lists, ())
        builds.append(_Build(own.name, own, _own_spec("selinux", Naming(own.name)), newest_seconds))
    listed = _write_list(tools, root, lists, configuration)
    files = f"{_LISTS}/{listed.name}" if listed else ""
    spec = write_spec(package, source.naming, source.dropped, files, scriptlets=scriptlets)
    return [_Build(source.name, root, spec, newest_seconds), *builds]


def _own_spec(name: str, naming: Naming) -> str:
    return write_own_spec((_FILES / f"{name}.spec").read_text(), naming)


def _newest_seconds(root: Path) -> int:
    """The time of the newest regular file in an unpacked package; directories have the time of unpacking."""
    found = (path.lstat() for path in root.rglob("*"))
    return max((int(status.st_mtime) for status in found if stat.S_ISREG(status.st_mode)), default=0)


def _write_list(tools: Tools, root: Path, lists: Path, configuration: Iterable[str]) -> Path | None:
    """The file with the ``%files`` lines of a package; None if it has no files."""
    users, groups = account_names(tools.root / "usr/share/base-passwd")
    lines = file_list(root, set(configuration), users, groups)
    if not lines:
        return None
    path = lists / f"{root.name}.files"
    path.write_text("\n".join(lines) + "\n")
    return path


def _compile_python(tools: Tools, root: Path) -> None:
    """Byte-compile Python modules as Fedora's packages do. Hash-based, because ostree sets all file times to zero."""
    folders = [f"/mnt/root/usr/lib/{path.name}" for path in sorted((root / "usr/lib").glob("python3*"))]
    if folders:
        env = {"PYTHONHASHSEED": "0"}  # otherwise the order of sets of constants would be random
        words = ["python3", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "-s", "/mnt/root",
                 "-p", "/"]  # fmt: skip
        tools.run([*words, *folders], binds=[Bind(root, "/mnt/root", writable=True)], rights="root", env=env)


def _compile_policy(tools: Tools, root: Path, packages: Path, name: str) -> Path:
    """Build the binary policy into the policy's package, as Fedora's policy package does.

    It includes our local module and booleans. Their entries in the module store belong to a
    package of their own, together with their source; returns the root of that package.
    """
    own = packages / "standin-selinux"
    store = root / f"var/lib/selinux/{name}/active"
    modules = (root / f"usr/share/selinux/{name}/.modules").read_text().split()
    paths = [f"/mnt/root/usr/share/selinux/{name}/{module}.pp.bz2" for module in modules]
    source = own / "usr/share/selinux/packages/standin.cil"
    source.parent.mkdir(parents=True)
    shutil.copyfile(_FILES / "selinux/standin.cil", source)
    store.mkdir(parents=True)
    shutil.copyfile(_FILES / "selinux/booleans.local", store / "booleans.local")
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
    for shared in (path for path in own.rglob("*") if path.is_dir() and (root / path.relative_to(own)).is_dir()):
        shutil.copymode(root / shared.relative_to(own), shared)  # rpm refuses two modes of one directory
    return own


def _set_modes(root: Path) -> None:
    for path in (root, *root.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _rpmbuild(tools: Tools, work: Path, builds: Sequence[tuple[str, _Build]]) -> None:
    """Build the RPMs into ``work/rpms/NAME``, two at a time; ``builds``: the packages, each after its source's name.

    Files newer than a package's newest one, which this module created, get that one's time.
    """
    lines = [
        [f"SOURCE_DATE_EPOCH={part.newest_seconds}", "rpmbuild", "-bb", "--quiet", "--nocheck", "--noprep",
         "--noclean", "--define", f"_topdir /tmp/top/{part.name}", "--define", f"_rpmdir /mnt/work/rpms/{name}",
         "--define", "_rpmfilename %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm",
         "--define", f"_dbpath /tmp/rpmdb/{part.name}", "--buildroot", f"/mnt/work/packages/{part.name}",
         f"/mnt/work/specs/{part.name}.spec"]
        for name, part in builds
    ]  # fmt: skip
    if lines:
        tools.run(
            ["xargs", "-0", "-n", str(len(lines[0])), "-P", "2", "env"],
            binds=[Bind(work, "/mnt/work", writable=True)],
            rights="root",
            input="".join(f"{word}\0" for line in lines for word in line),
        )
