"""A recipe: what to install and how to configure the tree, whether it comes from a treefile or a kickstart."""

from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.model import SelinuxMode


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
class Recipe:
    """A treefile or kickstart merged with all its includes.

    ``files``: all files read, in order. ``layer``: those of ``packages`` that are installed
    first, as a layer that variants share. ``groups``: comps ids or names, environments with a
    leading ``^``, and groups that no environment installs with a leading ``-``;
    ``NAME --nodefaults`` is a group's mandatory packages, ``NAME --optional`` all of them.
    ``excludes``: packages that must not be installed; the compose fails if another package
    requires one. ``languages``: None installs all. Units have full names (``sshd.service``).
    ``removed_paths`` are relative to the root of the tree. ``root_size_mib``: None leaves the
    size to the variant's parameters. Only kickstarts set ``accounts``, ``ssh_keys``,
    ``firewall``, ``kernel_arguments`` and ``boot_loader_timeout_seconds``; only treefiles set
    ``ref``, ``releasever`` and ``version_prefix``.
    """

    files: tuple[Path, ...]
    packages: tuple[str, ...]
    layer: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    repos: tuple[str, ...] = ()
    documentation: bool = True
    weak_dependencies: bool = True
    languages: tuple[str, ...] | None = None
    selinux: SelinuxMode = "enforcing"
    enabled_units: tuple[str, ...] = ()
    disabled_units: tuple[str, ...] = ()
    default_target: str = "multi-user.target"
    post_scripts: tuple[PostScript, ...] = ()
    initramfs_arguments: tuple[str, ...] = ()
    kernel_arguments: str | None = None
    boot_loader_timeout_seconds: int = 1
    root_size_mib: int | None = None
    locale: str | None = None
    keyboard: str | None = None
    timezone: str | None = None
    accounts: tuple[tuple[str, ...], ...] = ()
    """The commands groupadd and useradd to run in the tree, each with its options."""
    ssh_keys: tuple[tuple[str, str], ...] = ()
    """Users, and the public key of each with which it can log in."""
    firewall: tuple[str, ...] = ()
    """The options of firewall-offline-cmd, to run in the tree if firewalld is in it."""
    root_locked: bool = True
    ref: str | None = None
    releasever: str | None = None
    """The value of ``$releasever`` in repositories; None leaves it to the content."""
    version_prefix: str | None = None
    """The version of the first commit of a ref, and the prefix of later versions."""
    removed_paths: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What the recipe says but has no effect here, one sentence each, for the report."""
