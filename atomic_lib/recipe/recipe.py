"""A recipe: what to install and how to configure the tree, whether it comes from a treefile or a kickstart."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from atomic_lib.base.model import SelinuxMode
from atomic_lib.content.yum_repository import YumRepository

DEFAULT_TARGET = "multi-user.target"
_UNIT_TYPES = ("automount", "device", "mount", "path", "scope", "service", "slice", "socket", "swap", "target", "timer")


@dataclass(frozen=True)
class PostScript:
    """A script to run in the tree after installation."""

    text: str
    interpreter: str
    """``PROGRAM`` or ``PROGRAM ARGUMENT``, as in a ``#!`` line."""
    stop_on_error: bool
    source: str
    """``FILE:LINE`` of the script, for error messages."""
    in_tree: bool = True
    """Whether it runs in the tree; else in the tools tree, with the tree at /mnt/sysroot (``%post --nochroot``)."""


@dataclass(frozen=True)
class AddedFile:
    """A path that a recipe adds to the tree. ``mode`` includes the file type: a file, directory or symbolic link."""

    path: str
    """Relative to the root of the tree."""
    mode: int
    content: bytes = b""
    target: str = ""
    """Where a symbolic link points."""


@dataclass(frozen=True)
class Finalization:
    """Programs that change a tree when all else is done, in order.

    ``files`` is the recipe's directory, which they see. Both are made of ``AddedFile``, with paths in their directory.
    """

    programs: tuple[AddedFile, ...]
    files: tuple[AddedFile, ...]


@dataclass(frozen=True)
class AccountRules:
    """The users and groups that a recipe names.

    ``passwd`` and ``group`` are the lines of these files before the first package is installed; None leaves them to
    the packages. A user of the tree that is among ``users`` must have that user and group id, a group that is among
    ``groups`` that id. One that is missing may own no file, unless it is among those that may be removed (``*``: all).
    """

    passwd: tuple[str, ...] | None = None
    group: tuple[str, ...] | None = None
    users: tuple[tuple[str, int, int], ...] = ()
    groups: tuple[tuple[str, int], ...] = ()
    removable_users: tuple[str, ...] = ()
    removable_groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class OstreeSource:
    """The commit that a kickstart's ``ostreesetup`` deploys, in place of packages that are installed.

    ``stateroot`` is the directory in /ostree/deploy. The deployed system gets ``url`` as the remote of its updates.
    """

    stateroot: str
    remote: str
    url: str
    ref: str
    verified: bool
    """Whether the commit must be signed with a known key."""
    source: str = ""
    """``FILE:LINE`` of the command, for error messages."""
    pulled_from: str = ""
    """Where the commit is pulled from; empty: ``url``."""


@dataclass(frozen=True)
class Recipe:
    """A treefile or kickstart merged with all its includes.

    ``files``: all files read, in order. ``layer``: those of ``packages`` that are installed
    first, as a layer that variants share. ``groups``: comps ids or names, environments with a
    leading ``^``, and groups that no environment installs with a leading ``-``;
    ``NAME --nodefaults`` is a group's mandatory packages, ``NAME --optional`` all of them.
    ``excludes``: packages that must not be installed; the compose fails if another package
    requires one. ``languages``: None installs all. Units have full names (``sshd.service``).
    ``removed_paths`` are relative to the root of the tree. ``root_size_mib``: None leaves the
    size to the variant's parameters. Only kickstarts set ``account_commands``, ``ssh_keys``,
    ``firewall``, ``kernel_arguments``, ``boot_loader_timeout_seconds`` and ``ostree_source``; only treefiles set
    ``releasever``, ``version_prefix`` and the fields after it.
    """

    files: tuple[Path, ...]
    packages: tuple[str, ...]
    layer: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    repos: tuple[str, ...] = ()
    """The only repositories that packages come from; if empty, all that the content enables."""
    extra_repos: tuple[str, ...] = ()
    """Repositories of the content that are used besides those that it enables."""
    repositories: tuple[YumRepository, ...] = ()
    """Repositories that the recipe brings along, for content that consists of repositories."""
    documentation: bool = True
    weak_dependencies: bool = True
    languages: tuple[str, ...] | None = None
    selinux: SelinuxMode = "enforcing"
    enabled_units: tuple[str, ...] = ()
    disabled_units: tuple[str, ...] = ()
    default_target: str = DEFAULT_TARGET
    post_scripts: tuple[PostScript, ...] = ()
    initramfs_arguments: tuple[str, ...] = ()
    kernel_arguments: str | None = None
    boot_loader_timeout_seconds: int = 1
    root_size_mib: int | None = None
    root_grows: bool = False
    """Whether the variant's size of the root file system counts, if it is larger."""
    locale: str | None = None
    keyboard: str | None = None
    timezone: str | None = None
    group_commands: tuple[tuple[str, ...], ...] = ()
    """The commands groupadd to run in the tree, each with its options."""
    account_commands: tuple[tuple[str, ...], ...] = ()
    """The commands groupadd and useradd to run after ``group_commands``, for one user after the other."""
    ssh_keys: tuple[tuple[str, str], ...] = ()
    """Users, and the public key of each with which it can log in."""
    time_sources: tuple[str, ...] = ()
    """The lines of chrony.conf that replace its servers and pools."""
    firewall: tuple[str, ...] = ()
    """The options of firewall-offline-cmd, to run in the tree if firewalld is in it."""
    root_locked: bool = True
    ostree_source: OstreeSource | None = None
    """The commit to deploy. The settings and scripts then change /etc and /var of its deployment, and not the commit.
    """
    ref: str | None = None
    releasever: str | None = None
    """The value of ``$releasever`` in repositories; None leaves it to the content."""
    version_prefix: str | None = None
    """The version of the first commit of a ref, with tags for a date (``<date:%Y>``)."""
    version_suffix: str = "."
    """What stands before the 0 that a version with a date ends in."""
    removed_paths: tuple[str, ...] = ()
    """Removed before any script runs."""
    added_files: tuple[AddedFile, ...] = ()
    """Added after ``removed_paths`` are removed, before any script runs."""
    overlays: tuple[AddedFile, ...] = ()
    """Added after the packages, which have no such files."""
    override_overlays: tuple[AddedFile, ...] = ()
    """Added after ``overlays``, in place of what is there."""
    finalization: Finalization | None = None
    removed_from_packages: tuple[tuple[str, ...], ...] = ()
    """Each a package and regular expressions for those of its paths that are removed."""
    repo_packages: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Repositories and the packages that come from no other one."""
    lockfile_repos: tuple[str, ...] = ()
    """Repositories from which only locked packages come; without a lock they are not used."""
    wanted_units: tuple[str, ...] = ()
    """Units that multi-user.target starts, even without an [Install] section."""
    os_release_version: str | None = None
    """What is replaced by the version in os-release."""
    commit_metadata: tuple[tuple[str, str], ...] = ()
    """Keys of the commit's metadata with their values in the text form of GVariant."""
    account_rules: AccountRules | None = None
    run_sysusers: bool = False
    """Whether to run systemd-sysusers after the packages are installed."""
    machine_id: Literal["uninitialized", "empty", "absent"] = "uninitialized"
    """/etc/machine-id: a first boot, an id that is set at the boot, or no file at all."""
    tmp_is_link: bool = False
    """Whether /tmp of a commit is a link to /sysroot/tmp."""
    opt_and_usrlocal: Literal["var", "root", "state-overlay"] = "var"
    """Whether /opt and /usr/local of a commit are links into /var, its own directories, or these under overlays."""
    usr_etc_as_etc: bool = False
    """Whether /usr/etc of a commit is labelled as /etc, whatever the policy says."""
    readonly_executables: bool = False
    initramfs: bool = True
    """Whether dracut makes an initramfs."""
    container: bool = False
    """Whether it is that of a container image: the tree has neither kernel nor initramfs, and nothing boots it."""
    container_command: tuple[str, ...] = ()
    """What a container of the image runs if it is given no command."""
    left_out: tuple[str, ...] = ()
    """The packages that it names and that are left out, because stand-in content has no counterpart for them."""
    optional_settings: bool = False
    """Whether units, locale and keymap that the tree lacks are left out: stand-in content lacks some of Fedora's."""
    notes: tuple[str, ...] = ()
    """What the recipe says but has no effect here, one sentence each, for the report."""


def unit_name(name: str) -> str:
    """The full name of a unit: as for systemctl, one that does not end in a type of units is that of a service."""
    return name if name.rpartition(".")[2] in _UNIT_TYPES else f"{name}.service"
