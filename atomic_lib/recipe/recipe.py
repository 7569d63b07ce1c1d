"""A recipe: what to install and how to shape the tree, whichever format said it."""

from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.model import SelinuxMode


@dataclass(frozen=True)
class PostScript:
    """A script that runs in the tree after installation, where it stands in its file."""

    text: str
    interpreter: str
    """``PROGRAM`` or ``PROGRAM ARGUMENT``, as in a ``#!`` line."""
    stop_on_error: bool
    source: str
    """``FILE:LINE`` for error messages."""


@dataclass(frozen=True)
class Recipe:
    """One treefile or kickstart with all its includes, merged.

    ``files``: every file read, in reading order. ``groups``: comps ids, environments
    with a leading ``^``. ``excludes`` names what must not be installed; the compose
    fails where a package requires it. ``languages``: None installs all of them.
    Units have their full names (``sshd.service``). ``removed_paths`` are relative to
    the root of the tree. ``kernel_arguments`` and ``boot_loader_timeout_seconds`` come
    from a kickstart; ``ref``, ``releasever`` and ``version_prefix`` from a treefile.
    ``root_size_mib``: None leaves the size to the variant's parameters. ``layer``: those of
    ``packages`` that are installed first, as a layer that variants share.
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
    root_locked: bool = True
    ref: str | None = None
    releasever: str | None = None
    """What ``$releasever`` stands for in the repositories; None leaves it to the content."""
    version_prefix: str | None = None
    """The version of the first commit on a branch, and the start of the versions after it."""
    removed_paths: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What was read but has no effect when composing, one sentence each, for the report."""
