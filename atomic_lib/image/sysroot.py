"""Lays out the root file system of an image: a deployed ostree sysroot, or a traditional root."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.progress import step
from atomic_lib.compose.chroot import copy_root, make_root
from atomic_lib.compose.file_contexts import OBJECT_OF_FILE, labels_to_give, restore_labels, set_labels, type_of
from atomic_lib.compose.remote import REMOTE
from atomic_lib.compose.tree import Tree, default_ref
from atomic_lib.compose.tree_access.tree_files import TreeFiles
from atomic_lib.compose.tree_access.walk import walk_tree
from atomic_lib.content.repositories import Content
from atomic_lib.image.bootloader import (
    boot_entry,
    empty_environment,
    ostree_configuration_head,
    ostree_menu,
    traditional_menu,
)
from atomic_lib.image.deployment import Deployment, configure_deployment
from atomic_lib.image.identity import root_uuid
from atomic_lib.params.variant import Variant
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.tools.sandbox import Bind, Tools

STATEROOT = "fedora-atomic"
"""The stateroot of a commit that is composed."""
_REPO, _SYSROOT = "/mnt/repo", "/mnt/sysroot"
_DEPLOYMENT = re.compile(r"/ostree/deploy/[^/]+/deploy/[0-9a-f]{64}\.0$")
_SEEN = re.compile(r"^/ostree/deploy/[^/]+(/deploy/[0-9a-f]{64}\.0(?=/|$)|(?=/var(/|$)))")
CONSOLE_ARGUMENTS = "no_timer_check console=tty1 console=ttyS0,115200n8 systemd.firstboot=off systemd.gpt_auto=0"
"""The kernel arguments of a cloud guest, unless a kickstart sets them with ``bootloader --append``."""
_RETURN_ARGUMENTS = ("panic=10", "rd.shell=0", "rd.emergency=reboot", "rd.timeout=240")
"""With these, a boot that ends in the kernel or the initramfs ends in a restart: kernel-parameters, dracut.cmdline(7).
"""


@dataclass(frozen=True)
class ImageRequest:
    """A disk image to build of a variant's tree."""

    variant: Variant
    recipe: Recipe
    content: Content
    tree: Tree

    @property
    def root_mib(self) -> int:
        """The size of the root file system in MiB."""
        named_mib, default_mib = self.recipe.root_size_mib, self.variant.root_size_mib
        return max(named_mib or 0, default_mib) if self.recipe.root_grows else named_mib or default_mib


def kernel_arguments(variant: Variant, recipe: Recipe, content: Content) -> list[str]:
    """The kernel command line, with the arguments of the recipe, of the content and of the variant.

    Raises WorkbookError if the recipe or the variant uses a character that the boot loader would interpret.
    """
    chosen = CONSOLE_ARGUMENTS if recipe.kernel_arguments is None else recipe.kernel_arguments
    special = sorted(set(f"{chosen} {variant.kernel_arguments}") & set(";${}\"'#|&<>\\"))
    if special:
        raise WorkbookError(
            f"{variant.variant}: kernel arguments: {' '.join(special)} has a special meaning in the boot loader",
            hint="remove such characters from kernel_arguments and `bootloader --append`",
        )
    security = content.kernel_arguments.split() if recipe.selinux != "disabled" else ["selinux=0"]
    root, restart = f"root=UUID={root_uuid(variant)}", _RETURN_ARGUMENTS if variant.automatic_return else ()
    return [root, "rw", "loglevel=4", *chosen.split(), *security, *restart,
            *variant.kernel_arguments.split()]  # fmt: skip


def make_sysroot(request: ImageRequest, tools: Tools, memory: Path, log: Path) -> Path:
    """Create ``memory/sysroot`` with the content of the root file system; returns its path.

    ``memory`` is a directory in memory, because the files get labels. ``log`` is that of the recipe's scripts, if it
    deploys a commit.

    Raises WorkbookError as ``configure_deployment`` does.
    """
    variant, recipe, tree = request.variant, request.recipe, request.tree
    arguments, uuid = kernel_arguments(variant, recipe, request.content), root_uuid(variant)
    sysroot = memory / "sysroot"
    make_root(sysroot)
    files = TreeFiles(sysroot)
    if tree.method == "ostree":
        head = ostree_configuration_head(recipe.boot_loader_timeout_seconds)
        _deploy(_Work(tools, tree.repo, sysroot), origin_of(variant, recipe), arguments, head)
        menu = ostree_menu(uuid, variant.automatic_return)
        if variant.automatic_return:
            files.write("boot/grub/grubenv", empty_environment())
    else:
        copy_root(tools, tree.root, sysroot)
        line = " ".join(arguments)
        menu = traditional_menu(uuid, tree.kver, line, recipe.boot_loader_timeout_seconds)
        entry = boot_entry(tree.kver, line, variant.version)
        files.write(f"boot/loader/entries/{tree.kver}.conf", entry)
        files.write("etc/fstab", f"UUID={uuid} / ext4 defaults 0 1\n")
    files.write("boot/grub/grub.cfg", menu)
    # mke2fs creates it if necessary, but without a label
    (sysroot / "lost+found").mkdir(mode=0o700)
    if recipe.ostree_source:
        deployment = Deployment(tools, sysroot, recipe.ostree_source.stateroot, str(tree.commit), tree.contexts)
        with step(f"{variant.variant}: configure the deployment"):
            configure_deployment(deployment, variant, recipe, log=log)
    if recipe.selinux != "disabled":
        if tree.method == "ostree":
            added = added_to_commit(sysroot)
        else:
            restore_labels(tools, sysroot, tree.labels)
            added = added_to_root(sysroot, tree)
        _label(tools, sysroot, (sysroot, *added), tree.contexts)
    return sysroot


@dataclass(frozen=True)
class _Work:
    """Runs ostree, which sees the repository of the tree and the sysroot."""

    tools: Tools
    repo: Path
    sysroot: Path

    def run(self, *words: str) -> None:
        self.tools.run(
            ("ostree", *words),
            binds=[Bind(self.repo, _REPO), Bind(self.sysroot, _SYSROOT, writable=True)],
            rights="label",
            # otherwise ostree would mark the deployment as immutable, and it could not be removed
            env={"OSTREE_SYSROOT_DEBUG": "mutable-deployments"},
        )


@dataclass(frozen=True)
class Origin:
    """Where a deployment says that it comes from, and the stateroot that it is in."""

    stateroot: str
    remote: str
    ref: str


def origin_of(variant: Variant, recipe: Recipe) -> Origin:
    """The origin of a variant's deployment."""
    commit = recipe.ostree_source
    names = (commit.stateroot, commit.remote) if commit else (STATEROOT, REMOTE)
    return Origin(*names, default_ref(variant, recipe))


def _deploy(work: _Work, origin: Origin, arguments: list[str], head: str) -> None:
    """Create a stateroot with one deployment of the tree's commit.

    GRUB reads ostree's syslinux configuration (see ``bootloader``). ostree only updates an
    existing one, so this creates it, with the lines ``head``, before the deployment.
    """
    own_repo = f"--repo={_SYSROOT}/ostree/repo"
    work.run("admin", "init-fs", _SYSROOT)
    work.run("config", own_repo, "set", "sysroot.bootprefix", "true")
    work.run("config", own_repo, "set", "sysroot.readonly", "true")
    work.run("admin", "os-init", f"--sysroot={_SYSROOT}", origin.stateroot)
    # as if pulled from the image's remote, so that an upgrade uses that remote and checks signatures
    work.run("pull-local", own_repo, "--disable-fsync", f"--remote={origin.remote}", _REPO, origin.ref)
    boot = work.sysroot / "boot"
    (boot / "loader.0").mkdir()
    (boot / "loader").symlink_to("loader.0")
    (boot / "loader/syslinux.cfg").write_text(head)
    (boot / "syslinux").mkdir()
    (boot / "syslinux/syslinux.cfg").symlink_to("../loader/syslinux.cfg")
    kargs = [f"--karg-append={argument}" for argument in arguments]
    own = [f"--sysroot={_SYSROOT}", f"--os={origin.stateroot}"]
    work.run("admin", "deploy", *own, "--no-merge", "--karg-none", *kargs, f"{origin.remote}:{origin.ref}")


def _label(tools: Tools, sysroot: Path, paths: Iterable[Path], contexts: Path) -> None:
    """Label paths of the sysroot by the policy."""
    inner = {path: f"{_SYSROOT}/{path.relative_to(sysroot)}" for path in paths}
    lookups = {name: (seen_as(name.removeprefix(_SYSROOT)), type_of(path)) for path, name in inner.items()}
    set_labels(tools, [Bind(sysroot, _SYSROOT, writable=True)], labels_to_give(tools, contexts, lookups))


def added_to_root(sysroot: Path, tree: Tree) -> Iterator[Path]:
    """What is in the file system of a traditional image, but not in its tree, whose labels are kept with it."""
    known = {entry.path for entry in tree.entries()}
    yield from (path for path in (sysroot / entry.path.lstrip("/") for entry in walk_tree(sysroot))
                if f"/{path.relative_to(sysroot)}" not in known)  # fmt: skip


def added_to_commit(directory: Path) -> Iterator[Path]:
    """What is in a directory of an ostree sysroot without a label of the commit.

    These are all directories (of a deployment only /etc), and all files that are not objects of the repository. Those
    have the tree's labels, and must keep them: a different label would corrupt the object, even if it is set through
    a link in /boot.
    """
    for path in [directory / "etc"] if _DEPLOYMENT.search(str(directory)) else sorted(directory.iterdir()):
        if path.is_dir() and not path.is_symlink():
            yield path
            yield from added_to_commit(path)
        elif path.lstat().st_nlink == 1 and path.suffix != OBJECT_OF_FILE:
            yield path


def seen_as(path: str) -> str:
    """The path in the booted system for a path on the disk, in the deployment or in the stateroot's /var."""
    return _SEEN.sub("", path) or "/"
