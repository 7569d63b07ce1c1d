"""Lays out the root file system of an image: a deployed ostree sysroot, or a traditional root."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.file_contexts import OBJECT_OF_FILE, labels_to_give, set_labels, type_of
from atomic_lib.compose.remote import REMOTE
from atomic_lib.compose.tree import Tree, default_ref
from atomic_lib.compose.tree_access.tree_files import TreeFiles
from atomic_lib.content.repositories import Content
from atomic_lib.image.bootloader import boot_entry, ostree_configuration_head, ostree_menu, traditional_menu
from atomic_lib.image.identity import root_uuid
from atomic_lib.params.variant import Variant
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Bind, Tools

STATEROOT = "fedora-atomic"
_DEPLOYMENT = re.compile(rf"/ostree/deploy/{STATEROOT}/deploy/[0-9a-f]{{64}}\.0$")
_SEEN = re.compile(rf"^/ostree/deploy/{STATEROOT}(/deploy/[0-9a-f]{{64}}\.0(?=/|$)|(?=/var(/|$)))")
CONSOLE_ARGUMENTS = "no_timer_check console=tty1 console=ttyS0,115200n8 systemd.firstboot=off systemd.gpt_auto=0"
"""The kernel arguments of a cloud guest, unless a kickstart sets them with ``bootloader --append``."""


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
        return self.recipe.root_size_mib or self.variant.root_size_mib


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
    root = f"root=UUID={root_uuid(variant)}"
    return [root, "rw", "loglevel=4", *chosen.split(), *security, *variant.kernel_arguments.split()]


def make_sysroot(request: ImageRequest, context: Context, scratch: Path) -> Path:
    """Create ``scratch/sysroot`` with the content of the root file system; returns its path.

    Its files are hard links to those of the stored tree, and must not be changed in place.
    """
    variant, recipe, tree = request.variant, request.recipe, request.tree
    arguments, uuid = kernel_arguments(variant, recipe, request.content), root_uuid(variant)
    sysroot = scratch / "sysroot"
    files = TreeFiles(sysroot)
    work = _Work(context.tools, context.store.root, scratch)
    if tree.method == "ostree":
        sysroot.mkdir()
        head = ostree_configuration_head(recipe.boot_loader_timeout_seconds)
        _deploy(work, work.path_of(tree.repo), default_ref(variant, recipe), arguments, head)
        menu = ostree_menu(uuid)
    else:
        work.run("cp", "--archive", "--link", work.path_of(tree.root), f"{work.scratch}/sysroot")
        line = " ".join(arguments)
        menu = traditional_menu(uuid, tree.kver, line, recipe.boot_loader_timeout_seconds)
        entry = boot_entry(tree.kver, line, variant.version)
        files.write(f"boot/loader/entries/{tree.kver}.conf", entry)
        files.write("etc/fstab", f"UUID={uuid} / ext4 defaults 0 1\n")
    files.write("boot/grub/grub.cfg", menu)
    # mke2fs creates it if necessary, but without a label
    (sysroot / "lost+found").mkdir(mode=0o700)
    if recipe.selinux != "disabled":
        _label_added_paths(work, tree.contexts)
    return sysroot


@dataclass(frozen=True)
class _Work:
    """Runs commands that see the whole store in one mount, because hard links cannot cross mounts."""

    tools: Tools
    store: Path
    directory: Path

    @property
    def scratch(self) -> str:
        return self.path_of(self.directory)

    def path_of(self, path: Path) -> str:
        """The path by which commands see a path in the store."""
        return f"/mnt/store/{path.relative_to(self.store)}"

    def run(self, *words: str) -> None:
        self.tools.run(
            words,
            binds=[Bind(self.store, "/mnt/store", writable=True)],
            rights="label",
            # otherwise ostree would mark the deployment as immutable, and it could not be removed
            env={"OSTREE_SYSROOT_DEBUG": "mutable-deployments"},
        )


def _deploy(work: _Work, repo: str, ref: str, arguments: list[str], head: str) -> None:
    """Create a stateroot with one deployment of the tree's commit.

    GRUB reads ostree's syslinux configuration (see ``bootloader``). ostree only updates an
    existing one, so this creates it, with the lines ``head``, before the deployment.
    """
    sysroot = f"{work.scratch}/sysroot"
    own_repo = f"--repo={sysroot}/ostree/repo"
    work.run("ostree", "admin", "init-fs", sysroot)
    work.run("ostree", "config", own_repo, "set", "sysroot.bootprefix", "true")
    work.run("ostree", "config", own_repo, "set", "sysroot.readonly", "true")
    work.run("ostree", "admin", "os-init", f"--sysroot={sysroot}", STATEROOT)
    # as if pulled from the image's remote, so that an upgrade uses that remote and checks signatures
    work.run("ostree", "pull-local", own_repo, f"--remote={REMOTE}", repo, ref)
    boot = work.directory / "sysroot/boot"
    (boot / "loader.0").mkdir()
    (boot / "loader").symlink_to("loader.0")
    (boot / "loader/syslinux.cfg").write_text(head)
    (boot / "syslinux").mkdir()
    (boot / "syslinux/syslinux.cfg").symlink_to("../loader/syslinux.cfg")
    kargs = [f"--karg-append={argument}" for argument in arguments]
    work.run(
        "ostree",
        "admin",
        "deploy",
        f"--sysroot={sysroot}",
        f"--os={STATEROOT}",
        "--no-merge",
        "--karg-none",
        *kargs,
        f"{REMOTE}:{ref}",
    )


def _label_added_paths(work: _Work, contexts: Path) -> None:
    """Label everything that was added after the tree was labelled, by the policy.

    These are all directories (of a deployment only /etc), and all files that are not hard links
    to the stored tree. Hard links already have the tree's labels, and must keep them: a different
    label would corrupt the repository's object, even if it is set through a link in /boot.
    """
    sysroot = work.directory / "sysroot"
    lookups = {
        work.path_of(path): (seen_as(f"/{path.relative_to(sysroot)}"), type_of(path))
        for path in (sysroot, *added_paths(sysroot))
    }
    binds = [Bind(work.store, "/mnt/store", writable=True)]
    set_labels(work.tools, binds, labels_to_give(work.tools, contexts, lookups))


def added_paths(directory: Path) -> Iterator[Path]:
    """The paths below a directory of the sysroot that have no label from the tree; see ``_label_added_paths``."""
    for path in [directory / "etc"] if _DEPLOYMENT.search(str(directory)) else sorted(directory.iterdir()):
        if path.is_dir() and not path.is_symlink():
            yield path
            yield from added_paths(path)
        elif path.lstat().st_nlink == 1 and path.suffix != OBJECT_OF_FILE:
            yield path


def seen_as(path: str) -> str:
    """The path in the booted system for a path on the disk, in the deployment or in the stateroot's /var."""
    return _SEEN.sub("", path) or "/"
