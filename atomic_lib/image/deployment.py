"""Configures the deployment of a pulled commit, as a kickstart asks: its /etc and its /var, while the commit stays.

Source of the rules: Anaconda's ``modules/payloads/payload/rpm_ostree/installation.py``. As there, scripts see the
deployment with /usr read-only, the stateroot's /var, /boot, and the disk at /sysroot. The repository's objects, and the
files in /boot and in the deployment that are hard links to them, are read-only there too. Directories for temporary
files are in memory, and have a limit: scripts of old fill the disk with zeros, to make a smaller image.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base import command
from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.chroot import Installroot
from atomic_lib.compose.installroot import apply_settings, remove_backups
from atomic_lib.compose.remote import remote_section
from atomic_lib.compose.tree_access.tree_files import TreeFiles
from atomic_lib.params.variant import Variant
from atomic_lib.recipe.recipe import OstreeSource, Recipe
from atomic_lib.tools.memory import in_memory
from atomic_lib.tools.sandbox import Tools

_REMOTES = "etc/ostree/remotes.d"
_FOR_SANDBOX = ("proc", "dev")
_TEMPORARY_SIZE = "256m"
_READ_ONLY = ("sysroot/ostree/repo/objects", "sysroot/ostree/deploy", "boot/ostree")
_MADE_IN_VAR = ("home", "roothome", "opt", "srv", "usrlocal", "mnt", "media", "spool", "spool/mail")
"""What a %post may write to, and what tmpfiles.d makes at boot otherwise; as in Anaconda."""
_SOME_LINES_IGNORED = 65
"""The status of systemd-tmpfiles if it left out lines; the rest was done (systemd-tmpfiles(8))."""


@dataclass(frozen=True)
class Deployment:
    """The deployment of a commit in a sysroot, which is in memory."""

    tools: Tools
    sysroot: Path
    stateroot: str
    commit: str
    contexts: Path
    """The directory of the policy's file contexts; it does not exist if the commit has no policy."""

    @property
    def root(self) -> Path:
        """The root directory of the deployed system."""
        return self.sysroot / f"ostree/deploy/{self.stateroot}/deploy/{self.commit}.0"

    @property
    def var(self) -> Path:
        """The /var of the deployed system."""
        return self.sysroot / f"ostree/deploy/{self.stateroot}/var"


def configure_deployment(deployment: Deployment, variant: Variant, recipe: Recipe, *, log: Path) -> None:
    """Give the deployment its remote and the recipe's settings, and run the recipe's scripts in it.

    Raises WorkbookError as ``apply_settings`` does, for a
    commit that has no place for a mount, and if the recipe asks for SELinux and the commit has no policy.
    """
    if recipe.selinux != "disabled" and not deployment.contexts.is_dir():
        raise WorkbookError(
            f"{recipe.files[0]}: SELinux is {recipe.selinux}, but commit {deployment.commit} has no policy",
            hint="use `selinux --disabled` (kickstart), or selinux: disabled in the variant",
        )
    tree = Installroot(deployment.tools, deployment.root, variant.source_date_epoch)
    if recipe.ostree_source:
        add_remote_of_source(tree.files, recipe.ostree_source)
    with mounted(deployment):
        _fill_var(tree, log)
        apply_settings(tree, recipe, version=variant.version, log=log)
        remove_backups(tree.files)


def add_remote_of_source(files: TreeFiles, source: OstreeSource) -> None:
    """Configure the remote that the system gets updates from; as in Anaconda, one of that name in the commit stays."""
    heading = f'[remote "{source.remote}"]'
    texts = [files.text(path) or "" for path in files.matching(f"{_REMOTES}/*.conf") if files.has_file(path)]
    if not any(line.strip() == heading for text in texts for line in text.split("\n")):
        options = [] if source.verified else ["gpg-verify=false"]
        files.write(f"{_REMOTES}/{source.remote}.conf", remote_section(source.remote, source.url, *options))


@contextmanager
def mounted(deployment: Deployment) -> Iterator[None]:
    """Mount the deployment in place, as the booted system sees it, until the end of the block.

    Raises WorkbookError for a commit in which a mount point is no directory: a link could lead anywhere.
    """
    root = deployment.root
    tmp = "tmp" if TreeFiles(root).is_directory("tmp") else "sysroot/tmp"
    with in_memory(deployment.sysroot.with_name("temporary"), _TEMPORARY_SIZE) as temporary:
        for name in (*_FOR_SANDBOX, "etc"):
            _require_directory(deployment, name)
        command.run(["mount", "--bind", root, root])
        try:
            _mount(deployment, root / "etc", "etc")
            command.run(["mount", "-o", "remount,bind,ro", root])
            for source, target in ((deployment.var, "var"), (deployment.sysroot, "sysroot"),
                                   (deployment.sysroot / "boot", "boot")):  # fmt: skip
                _mount(deployment, source, target)
            for name in _READ_ONLY:
                _mount(deployment, root / name, name)
                command.run(["mount", "-o", "remount,bind,ro", root / name])
            TreeFiles(root).make_directory("var/tmp")
            for name in (tmp, "run", "var/tmp"):
                source = temporary / name.replace("/", "-")
                source.mkdir()
                source.chmod(0o755 if name == "run" else 0o1777)
                _mount(deployment, source, name)
            yield
        finally:
            command.run(["umount", "--recursive", "--lazy", root])


def _mount(deployment: Deployment, source: Path, target: str) -> None:
    _require_directory(deployment, target)
    command.run(["mount", "--bind", source, deployment.root / target])


def _require_directory(deployment: Deployment, name: str) -> None:
    if not TreeFiles(deployment.root).is_directory(name):
        raise WorkbookError(
            f"commit {deployment.commit}: /{name} is no directory, so its deployment cannot be configured",
            hint="deploy a commit that rpm-ostree, or this workbook, composed",
        )


def _fill_var(tree: Installroot, log: Path) -> None:
    """Make the directories of /var that %post may write to, with the deployment's own systemd-tmpfiles."""
    tree.files.make_directory("var/lib")
    prefixes = [f"--prefix=/var/{name}" for name in _MADE_IN_VAR]
    try:
        tree.chroot(["systemd-tmpfiles", "--create", "--boot", *prefixes], log=log)
    except command.CommandError as error:
        if error.status != _SOME_LINES_IGNORED:
            raise WorkbookError(
                f"the directories of /var could not be made: {error.message}",
                log=error.log,
                hint="deploy a commit with systemd, whose tmpfiles.d makes /var/home and the like",
            ) from None
