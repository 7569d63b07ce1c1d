"""What goes into the root file system of an image: a deployed ostree sysroot, or a traditional root."""

from dataclasses import dataclass
from pathlib import Path

from atomic_lib.compose.origin import REMOTE
from atomic_lib.compose.tree import Tree, default_ref
from atomic_lib.content.repositories import Content
from atomic_lib.errors import WorkbookError
from atomic_lib.host import Bind, Tools
from atomic_lib.image.bootloader import boot_entry, ostree_configuration_head, ostree_menu, traditional_menu
from atomic_lib.params import Variant
from atomic_lib.recipe.model import Recipe
from atomic_lib.store import Store

STATEROOT = "fedora-atomic"
CONSOLE_ARGUMENTS = "no_timer_check console=tty1 console=ttyS0,115200n8 systemd.firstboot=off systemd.gpt_auto=0"
"""What a cloud guest's kernel is told; a kickstart says the same with ``bootloader --append``."""


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


def make_sysroot(
    variant: Variant, recipe: Recipe, content: Content, tree: Tree, tools: Tools, store: Store, scratch: Path
) -> Path:
    """Lay out ``scratch/sysroot`` with everything the root file system gets; returns it.

    Its files are links to those of the stored tree, which are only ever read.
    """
    arguments = kernel_arguments(variant, recipe, content)
    sysroot = scratch / "sysroot"
    work = _Work(tools, store.root, scratch)
    if tree.method == "ostree":
        sysroot.mkdir()
        head = ostree_configuration_head(recipe.boot_loader_timeout_seconds)
        _deploy(work, work.inside(tree.repo), default_ref(variant, recipe), arguments, head)
        if recipe.selinux != "disabled":
            _label_deployment(work, content.selinux_policy)
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
    if recipe.selinux != "disabled":
        _label_boot(work)
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


def _label_boot(work: "_Work") -> None:
    """Label what was added to /boot after the tree was labelled; links into the repository stay as they are."""
    boot = work.directory / "sysroot/boot"
    own = [path for path in (boot, *sorted(boot.rglob("*"))) if path.is_dir() or path.lstat().st_nlink == 1]
    label = ["setfattr", "--no-dereference", "--name=security.selinux", "--value=system_u:object_r:boot_t:s0"]
    work.run(*label, *(work.inside(path) for path in own))


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


def _label_deployment(work: _Work, policy: str) -> None:
    """Label what ostree leaves unlabelled on a host without SELinux: /etc, /var, and what is above a deployment.

    /usr has its labels from the commit; the files in /boot are links into the repository
    and must stay as they are.
    """
    stateroot = f"{work.scratch}/sysroot/ostree/deploy/{STATEROOT}"
    deployments = work.directory / f"sysroot/ostree/deploy/{STATEROOT}/deploy"
    deployment = f"{stateroot}/deploy/{next(path.name for path in deployments.iterdir() if path.is_dir())}"
    contexts = f"{deployment}/etc/selinux/{policy}/contexts/files/file_contexts"
    for root, part in ((deployment, "etc"), (stateroot, "var")):
        work.run("setfiles", "-F", "-r", root, contexts, f"{root}/{part}")
    tops = ["", "/ostree", "/ostree/repo", "/ostree/repo/config", "/ostree/deploy", f"/ostree/deploy/{STATEROOT}",
            f"/ostree/deploy/{STATEROOT}/deploy"]  # fmt: skip
    label = ["setfattr", "--name=security.selinux", "--value=system_u:object_r:root_t:s0"]
    work.run(*label, *(f"{work.scratch}/sysroot{top}" for top in tops))
