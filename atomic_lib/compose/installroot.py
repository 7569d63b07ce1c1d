"""The installroot: packages installed by dnf, then shaped as the recipe says."""

import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from atomic_lib import command
from atomic_lib.compose.inside import entries_of, inside
from atomic_lib.compose.lock import Lock
from atomic_lib.compose.resolve import INSTALLROOT, RpmSet
from atomic_lib.content.dnf import DNF_DIRECTORY, dnf_configuration
from atomic_lib.content.repositories import Content
from atomic_lib.errors import WorkbookError
from atomic_lib.host import Bind, Tools
from atomic_lib.progress import say, step
from atomic_lib.recipe.model import PostScript, Recipe

_UTC = "Etc/UTC"
RPMDB = "usr/lib/sysimage/rpm"
_QUERY = r"%{NAME}\t%{EPOCHNUM}\t%{VERSION}\t%{RELEASE}\t%{ARCH}\n"


@dataclass(frozen=True)
class Installroot:
    """A tree under construction at ``root``; commands run in it see neither the host nor a network."""

    tools: Tools
    root: Path
    source_date_epoch: int

    def run(
        self,
        words: Sequence[str],
        *,
        binds: Sequence[Bind] = (),
        env: Mapping[str, str] | None = None,
        log: Path | None = None,
    ) -> command.Completed:
        """Run a command of the tools tree that has the installroot at /mnt/root."""
        return self.tools.run(
            words,
            binds=[Bind(self.root, INSTALLROOT, writable=True), *binds],
            rights="root",
            filesystems=[INSTALLROOT],
            env={"SOURCE_DATE_EPOCH": str(self.source_date_epoch), **(env or {})},
            log=log,
        )

    def chroot(self, words: Sequence[str], *, log: Path | None = None) -> command.Completed:
        """Run a command of the installroot inside it."""
        return self.run(["chroot", INSTALLROOT, *words], log=log)

    def write(self, path: str, text: str) -> None:
        """Write a file of the tree, in place of whatever has its name."""
        target = inside(self.root, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_symlink():
            target.unlink()
        target.write_text(text)

    def read(self, path: str) -> str | None:
        """The text of a file of the tree; None where there is no such file."""
        source = inside(self.root, path)
        return source.read_text() if source.is_file() and not source.is_symlink() else None


def make_installroot(
    tree: Installroot, recipe: Recipe, content: Content, rpm_set: RpmSet, *, name: str, log: Path
) -> None:
    """Fill ``tree``: install, configure, run the recipe's scripts, make the initramfs, clean up.

    Raises WorkbookError: dnf or a scriptlet failed, the result is not what the lock says,
    a recipe's script failed (with its file and line), a unit does not exist.
    """
    tree.root.mkdir()
    with step(f"{name}: install {len(rpm_set.lock.packages)} packages"):
        _install(tree, recipe, content, rpm_set, log)
        _require_locked(tree, rpm_set.lock)
    with step(f"{name}: configure the tree"):
        _configure(tree, recipe)
        _set_units(tree, recipe)
        for script in recipe.post_scripts:
            _run_script(tree, script, log)
        for path in recipe.removed_paths:
            _remove(tree.root, path)
    with step(f"{name}: initramfs"):
        _make_initramfs(tree, recipe, log)
    _clean(tree)


def kernel_version(root: Path) -> str:
    """The one kernel in ``root``; raises WorkbookError where there is none, or more than one."""
    found = sorted(path.parent.name for path in root.glob("usr/lib/modules/*/vmlinuz"))
    if len(found) != 1:
        raise WorkbookError(
            f"the tree has {len(found)} kernels ({', '.join(found) or 'none'}), it needs one",
            hint="name exactly one kernel package in the recipe",
        )
    return found[0]


def _install(tree: Installroot, recipe: Recipe, content: Content, rpm_set: RpmSet, log: Path) -> None:
    keys = " ".join(
        [*content.key_urls, *(f"file:///mnt/keys/{key.name}" for key in sorted(rpm_set.keys.glob("*.asc")))]
    )
    repo = f"[{content.name}]\nname={content.title}\nbaseurl=file:///mnt/rpms\nenabled=1\ngpgcheck=1\ngpgkey={keys}\n"
    languages = f"%_install_langs {':'.join(recipe.languages)}\n" if recipe.languages is not None else ""
    with tempfile.TemporaryDirectory() as scratch:
        config = Path(scratch)
        configuration = dnf_configuration(
            weak_dependencies=recipe.weak_dependencies, documentation=recipe.documentation
        )
        (config / "dnf.conf").write_text(configuration)
        (config / "locked.repo").write_text(repo)
        (config / ".rpmmacros").write_text(languages)
        dnf = ["dnf", "-y", "-c", f"{DNF_DIRECTORY}/dnf.conf", f"--installroot={INSTALLROOT}"]
        own = [
            Bind(config, DNF_DIRECTORY),
            Bind(rpm_set.directory, "/mnt/rpms"),
            Bind(rpm_set.keys, "/mnt/keys"),
        ]
        try:
            tree.run(
                [*dnf, f"--releasever={content.releasever}", *rpm_set.words],
                binds=[*content.binds, *own],
                env={"HOME": DNF_DIRECTORY},
                log=log,
            )
        except command.CommandError as error:
            raise _install_error(recipe, error) from None
    lines = log.read_text(errors="replace").splitlines()
    failed = [number for number, line in enumerate(lines) if "scriptlet failed" in line]
    if failed:
        evidence = "\n".join(lines[max(0, failed[0] - 10) : failed[0] + 1])
        raise WorkbookError(f"a package's scriptlet failed: {lines[failed[0]].strip()}", log=evidence)


def _install_error(recipe: Recipe, error: command.CommandError) -> WorkbookError:
    bad = re.search(r".*(?:Problem opening package|GPG check FAILED|not signed|not correct).*", error.log)
    if bad:
        return WorkbookError(
            f"{recipe.files[0]}: a package is damaged, or its signature is bad: {bad[0].strip()}",
            log=error.log,
            hint="./workbook clean builds, then run again; if it comes back, use another mirror",
        )
    return WorkbookError(
        f"{recipe.files[0]}: dnf could not install what it had resolved: {error.message}",
        log=error.log,
        hint="read the log above; ./workbook doctor shows whether a tool or disk space is missing",
    )


def _require_locked(tree: Installroot, lock: Lock) -> None:
    rows = tree.run(["rpm", f"--root={INSTALLROOT}", "-qa", "--qf", _QUERY]).stdout.splitlines()
    installed = {tuple(row.split("\t")) for row in rows if not row.startswith("gpg-pubkey\t")}
    locked = {(entry.name, str(entry.epoch), entry.version, entry.release, entry.arch) for entry in lock.packages}
    if installed != locked:
        missing = ", ".join(sorted(row[0] for row in locked - installed)) or "none"
        extra = ", ".join(sorted(row[0] for row in installed - locked)) or "none"
        raise WorkbookError(f"what dnf installed is not what the lock says: missing: {missing}; extra: {extra}",
                            hint="the recipe has changed since the lock was made: resolve anew")  # fmt: skip


def _configure(tree: Installroot, recipe: Recipe) -> None:
    _set_selinux(tree, recipe)
    if recipe.root_locked:
        tree.write("etc/shadow", _with_root_locked(tree.read("etc/shadow") or ""))
        inside(tree.root, "etc/shadow").chmod(0o640)
    for path, wanted, places in _localization(recipe):
        if wanted and not any(inside(tree.root, place).exists() for place in places):
            raise WorkbookError(
                f"{recipe.files[0]}: {wanted!r} is not in the tree: there is no /{places[0]}",
                hint="correct the name, or install the package that has it",
            )
        if path and wanted:
            tree.write(*path)
    localtime = inside(tree.root, "etc/localtime")
    localtime.unlink(missing_ok=True)
    localtime.symlink_to(f"../usr/share/zoneinfo/{recipe.timezone or _UTC}")


def _localization(recipe: Recipe) -> list[tuple[tuple[str, str] | None, str | None, list[str]]]:
    """Locale, keyboard and time zone: the file that says it, the value, and where the tree must have its data."""
    locale = recipe.locale or "C.UTF-8"
    name, _, encoding = locale.partition(".")
    compiled = f"{name}.{encoding.lower().replace('-', '')}" if encoding else name
    locales = [f"usr/lib/locale/{compiled}", f"usr/lib/locale/{locale}", "usr/lib/locale/locale-archive"]
    keymaps = ["usr/share/keymaps", "usr/lib/kbd/keymaps"]
    return [
        (("etc/locale.conf", f"LANG={locale}\n"), locale, locales),
        (("etc/vconsole.conf", f"KEYMAP={recipe.keyboard}\n"), recipe.keyboard, keymaps),
        (None, recipe.timezone, [f"usr/share/zoneinfo/{recipe.timezone}"]),
    ]


def _set_selinux(tree: Installroot, recipe: Recipe) -> None:
    config = tree.read("etc/selinux/config")
    if config is None:
        if recipe.selinux == "disabled":
            return
        raise WorkbookError(
            f"{recipe.files[0]}: SELinux is {recipe.selinux}, but no policy is in the tree (/etc/selinux/config)",
            hint="add the policy package, or say `selinux --disabled` (kickstart) or `selinux: false` (treefile)",
        )
    lines = [f"SELINUX={recipe.selinux}" if line.startswith("SELINUX=") else line for line in config.splitlines()]
    tree.write("etc/selinux/config", "\n".join(lines) + "\n")


def _with_root_locked(shadow: str) -> str:
    """/etc/shadow with root's password locked as ``passwd -l`` does; keys are not touched by that."""
    lines = shadow.splitlines()
    locked = [f"root:!{line.removeprefix('root:').lstrip('!')}" if line.startswith("root:") else line for line in lines]
    return "\n".join(locked) + "\n"


def _set_units(tree: Installroot, recipe: Recipe) -> None:
    steps = [("set-default", (recipe.default_target,)), ("enable", recipe.enabled_units),
             ("disable", recipe.disabled_units)]  # fmt: skip
    for verb, units in steps:
        try:
            if units:
                tree.chroot(["systemctl", verb, *units])
        except command.CommandError as error:
            raise WorkbookError(
                f"{recipe.files[0]}: units: cannot {verb} {' '.join(units)}",
                log=error.log,
                hint="correct the unit's name, or add the package that has it",
            ) from None


def _run_script(tree: Installroot, script: PostScript, log: Path) -> None:
    tree.write("tmp/script", script.text)
    try:
        tree.chroot([*script.interpreter.split(maxsplit=1), "/tmp/script"], log=log)
    except command.CommandError as error:
        if script.stop_on_error:
            raise WorkbookError(
                f"{script.source}: the script failed: {error.message}", log=error.log, hint="correct the script"
            ) from None
        say(f"! {script.source}: the script failed ({error.message}); its kickstart says to go on")


def _remove(root: Path, path: str) -> None:
    target = inside(root, path)
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)


def _make_initramfs(tree: Installroot, recipe: Recipe, log: Path) -> None:
    kver = kernel_version(tree.root)
    image = f"/usr/lib/modules/{kver}/initramfs.img"
    options = ["--force", "--reproducible", "--no-hostonly", *recipe.initramfs_arguments]
    tree.chroot(["dracut", *options, "--kver", kver, image], log=log)


def _clean(tree: Installroot) -> None:
    """Take away what belongs to the making of the tree and not to the tree."""
    for directory in ("tmp", "var/tmp", "run", "proc", "dev", "sys", "var/cache/ldconfig", "var/log/journal"):
        for path in entries_of(tree.root, directory):
            _remove(tree.root, str(path.relative_to(tree.root)))
    for backup in ("passwd-", "shadow-", "group-", "gshadow-", ".pwd.lock", ".updated"):
        _remove(tree.root, f"etc/{backup}")
    if not any(tree.root.glob("usr/bin/dnf*")):  # dnf's own state, of use only to a dnf in the tree
        for directory in ("etc/dnf", "var/lib/dnf"):
            _remove(tree.root, directory)
    for file in ("var/.updated", "var/lib/systemd/random-seed"):
        _remove(tree.root, file)
    # A machine gets its identity at its first boot, which this value announces.
    tree.write("etc/machine-id", "uninitialized\n")
    statements = "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode=DELETE; VACUUM;"
    tree.run(["sqlite3", f"{INSTALLROOT}/{RPMDB}/rpmdb.sqlite", statements])
    for path in entries_of(tree.root, RPMDB):
        if path.name != "rpmdb.sqlite":
            path.unlink()
