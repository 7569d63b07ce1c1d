"""What goes into the root file system of an image: a deployed ostree sysroot, or a traditional root."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.file_contexts import labels_to_give, set_labels, type_of
from atomic_lib.compose.ostree import OBJECT_OF_FILE
from atomic_lib.compose.remote import REMOTE
from atomic_lib.compose.tree import Tree, default_ref
from atomic_lib.content.repositories import Content
from atomic_lib.image.bootloader import boot_entry, ostree_configuration_head, ostree_menu, traditional_menu
from atomic_lib.params.variant import Variant
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Bind, Tools

STATEROOT = "fedora-atomic"
_DEPLOYMENT = re.compile(rf"/ostree/deploy/{STATEROOT}/deploy/[0-9a-f]{{64}}\.0$")
_SEEN = re.compile(rf"^/ostree/deploy/{STATEROOT}(/deploy/[0-9a-f]{{64}}\.0(?=/|$)|(?=/var(/|$)))")
CONSOLE_ARGUMENTS = "no_timer_check console=tty1 console=ttyS0,115200n8 systemd.firstboot=off systemd.gpt_auto=0"
"""What a cloud guest's kernel is told; a kickstart says the same with ``bootloader --append``."""


@dataclass(frozen=True)
class ImageRequest:
    """What to build: the disk image of a variant's composed tree."""

    variant: Variant
    recipe: Recipe
    content: Content
    tree: Tree

    @property
    def root_mib(self) -> int:
        """The size of the root file system."""
        return self.recipe.root_size_mib or self.variant.root_size_mib


def kernel_arguments(variant: Variant, recipe: Recipe, content: Content) -> list[str]:
    """The kernel command line: root, what a cloud needs, what the content needs, what the variant adds."""
    chosen = CONSOLE_ARGUMENTS if recipe.kernel_arguments is None else recipe.kernel_arguments
    odd = sorted(set(f"{chosen} {variant.kernel_arguments}") & set(";${}\"'#|&<>\\"))
    if odd:
        raise WorkbookError(
            f"{variant.variant}: kernel arguments: {' '.join(odd)} means something to the boot loader",
            hint="leave such characters out of kernel_arguments and `bootloader --append`",
        )
    security = content.kernel_arguments.split() if recipe.selinux != "disabled" else ["selinux=0"]
    return ["root=LABEL=root", "rw", "loglevel=4", *chosen.split(), *security, *variant.kernel_arguments.split()]


def make_sysroot(request: ImageRequest, context: Context, scratch: Path) -> Path:
    """Lay out ``scratch/sysroot`` with everything the root file system gets; returns it.

    Its files are links to those of the stored tree, which are only ever read.
    """
    variant, recipe, tree = request.variant, request.recipe, request.tree
    arguments = kernel_arguments(variant, recipe, request.content)
    sysroot = scratch / "sysroot"
    work = _Work(context.tools, context.store.root, scratch)
    if tree.method == "ostree":
        sysroot.mkdir()
        head = ostree_configuration_head(recipe.boot_loader_timeout_seconds)
        _deploy(work, work.inside(tree.repo), default_ref(variant, recipe), arguments, head)
        menu = ostree_menu()
    else:
        work.run("cp", "--archive", "--link", work.inside(tree.root), f"{work.scratch}/sysroot")
        line = " ".join(arguments)
        menu = traditional_menu(tree.kver, line, recipe.boot_loader_timeout_seconds)
        entries = sysroot / "boot/loader/entries"
        entries.mkdir(parents=True)
        (entries / f"{tree.kver}.conf").write_text(boot_entry(tree.kver, line, variant.version))
    (sysroot / "boot/grub").mkdir()
    (sysroot / "boot/grub/grub.cfg").write_text(menu)
    # mke2fs makes it anyway, and takes the label of this one
    (sysroot / "lost+found").mkdir(mode=0o700)
    if recipe.selinux != "disabled":
        _label_what_was_added(work, tree.contexts)
    return sysroot


@dataclass(frozen=True)
class _Work:
    """Commands on the store: one mount of it all, because links do not cross mounts."""

    tools: Tools
    store: Path
    directory: Path

    @property
    def scratch(self) -> str:
        return self.inside(self.directory)

    def inside(self, path: Path) -> str:
        return f"/mnt/store/{path.relative_to(self.store)}"

    def run(self, *words: str) -> None:
        self.tools.run(
            words,
            binds=[Bind(self.store, "/mnt/store", writable=True)],
            rights="label",
            # else a deployment would be an immutable directory that nobody can remove
            env={"OSTREE_SYSROOT_DEBUG": "mutable-deployments"},
        )


def _deploy(work: _Work, repo: str, ref: str, arguments: list[str], head: str) -> None:
    """A stateroot with one deployment of the tree's commit.

    ostree's syslinux configuration is what GRUB reads (see ``bootloader``); ostree keeps
    one where it finds one, so its ``head`` is there before the first deployment.
    """
    sysroot = f"{work.scratch}/sysroot"
    own_repo = f"--repo={sysroot}/ostree/repo"
    work.run("ostree", "admin", "init-fs", sysroot)
    work.run("ostree", "config", own_repo, "set", "sysroot.bootprefix", "true")
    work.run("ostree", "config", own_repo, "set", "sysroot.readonly", "true")
    work.run("ostree", "admin", "os-init", f"--sysroot={sysroot}", STATEROOT)
    # as from the remote that the image takes its updates from, so that an upgrade checks their signatures
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


def _label_what_was_added(work: _Work, contexts: Path) -> None:
    """Label by the policy all that came after the tree was labelled.

    That is every directory, of a deployment only /etc, and every file that is no link to one of
    the stored tree. Those have their labels from there; and an object of the repository that
    gets another one, also by way of a link to it in /boot, would be corrupt.
    """
    sysroot = work.directory / "sysroot"
    places = {
        work.inside(path): (seen_as(f"/{path.relative_to(sysroot)}"), type_of(path))
        for path in (sysroot, *added_paths(sysroot))
    }
    binds = [Bind(work.store, "/mnt/store", writable=True)]
    set_labels(work.tools, binds, labels_to_give(work.tools, contexts, places))


def added_paths(directory: Path) -> Iterator[Path]:
    """What below a directory of the sysroot has no label from the tree: see ``_label_what_was_added``."""
    for path in [directory / "etc"] if _DEPLOYMENT.search(str(directory)) else sorted(directory.iterdir()):
        if path.is_dir() and not path.is_symlink():
            yield path
            yield from added_paths(path)
        elif path.lstat().st_nlink == 1 and path.suffix != OBJECT_OF_FILE:
            yield path


def seen_as(path: str) -> str:
    """How the booted system sees a path of the disk: /etc of the deployment, /var of the stateroot, others as is."""
    return _SEEN.sub("", path) or "/"
