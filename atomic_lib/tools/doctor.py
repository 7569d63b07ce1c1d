"""``./workbook doctor``: what a run needs, what is missing, and how to install it. Changes nothing."""

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from atomic_lib.base import command
from atomic_lib.base.errors import WorkbookError
from atomic_lib.tools.accelerator import probe_accelerator
from atomic_lib.tools.mirror import debian_mirror
from atomic_lib.tools.sandbox import Tools
from atomic_lib.tools.subordinate_ids import missing
from atomic_lib.tools.tools_tree import KEYRING, find_tools, tools_damage
from atomic_lib.tools.user_namespace import is_inside, outer_root

CACHE_BYTES = 4_000_000_000
"""The disk space of the tools tree, the content and its downloads."""
BUILD_BYTES = 8_000_000_000
"""The disk space of the default study: trees, commits, disk images."""

State = Literal["present", "later", "missing"]
_MARKS = {"present": "✓", "later": "·", "missing": "✗"}
# The tools to show: their Debian packages, and the names that users know.
_TOOL_PACKAGES = {
    "qemu-system-x86": "QEMU",
    "ostree": "ostree",
    "dnf": "dnf",
    "rpm": "rpm",
    "createrepo-c": "createrepo_c",
    "grub-common": "grub",
    "e2fsprogs": "mke2fs",
}


@dataclass(frozen=True)
class Finding:
    """One line of the table. ``later``: a run creates it or asks for it."""

    name: str
    found: str
    state: State = "present"
    advice: str = ""


def examine(cache: Path, build: Path) -> list[Finding]:
    """The state of everything that a run with this cache and build directory needs."""
    tools = find_tools(cache) if shutil.which("bwrap") else None
    return [*_host(), *_tools_tree(tools, cache), _accelerator(tools), *_disk(cache, build)]


def table(findings: list[Finding]) -> str:
    """The findings as aligned text, with the advice below each line."""
    width = max(len(finding.name) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{_MARKS[finding.state]} {finding.name:{width}}  {finding.found}")
        if finding.advice:
            lines.append(f"  {'':{width}}  → {finding.advice}")
    return "\n".join(lines)


def _host() -> Iterator[Finding]:
    yield Finding("python", f"{sys.version.split()[0]} in {sys.prefix}")
    yield _program("mmdebstrap", "mmdebstrap", "mmdebstrap")
    yield _program("bwrap", "bubblewrap", "bubblewrap")
    if KEYRING.exists():
        yield Finding("Debian's keys", str(KEYRING))
    else:
        advice = _install("debian-archive-keyring", "debian-keyring")
        yield Finding("Debian's keys", f"no {KEYRING}", "missing", advice)
    try:
        yield Finding("Debian mirror", debian_mirror())
    except WorkbookError as error:
        yield Finding("Debian mirror", error.message, "missing", error.hint)
    if is_inside():
        yield Finding("namespace", f"its root is the host's user {outer_root()}")
    for found, advice in [] if is_inside() else missing():
        yield Finding("namespace", found, "missing", advice)


def _program(name: str, debian: str, fedora: str) -> Finding:
    try:
        return Finding(name, command.run([name, "--version"]).stdout.strip())
    except command.CommandError as error:
        return Finding(name, error.message, "missing", _install(debian, fedora))


def _install(debian: str, fedora: str) -> str:
    if shutil.which("dnf"):
        return f"sudo dnf install {fedora}"
    return f"sudo apt-get install --no-install-recommends {debian}"


def _tools_tree(tools: Tools | None, cache: Path) -> Iterator[Finding]:
    if tools is None and (damage := tools_damage(cache)):
        yield Finding("tools tree", f"damaged: {damage[0]}", "later", "the next ./workbook run builds it again")
        return
    if tools is None:
        yield Finding("tools tree", "not built yet", "later", "the first ./workbook run builds it (about a minute)")
        return
    # Run a command in the tree, instead of reading the list beside it, to check that this is possible.
    try:
        listing = tools.run(["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *_TOOL_PACKAGES]).stdout
    except command.CommandError as error:
        advice = "./workbook clean cache, then run again; if this is a container, allow it to create namespaces"
        yield Finding("tools tree", str(error), "missing", advice)
        return
    yield Finding("tools tree", str(tools.root))
    for line in listing.splitlines():
        package, version = line.split()
        yield Finding(f"  {_TOOL_PACKAGES[package]}", version)


def _accelerator(tools: Tools | None) -> Finding:
    if tools is None:
        advice = "run ./workbook doctor again after the first run"
        return Finding("accelerator", "not known before the tools tree is built", "later", advice)
    try:
        accelerator = probe_accelerator(tools)
    except WorkbookError as error:
        return Finding("accelerator", error.message, "missing", error.hint)
    return Finding("accelerator", f"{accelerator.name}: {accelerator.reason}")


def _disk(cache: Path, build: Path) -> Iterator[Finding]:
    directories = {"cache": (_existing(cache), CACHE_BYTES), "build": (_existing(build), BUILD_BYTES)}
    same_disk = len({path.stat().st_dev for path, _ in directories.values()}) == 1
    for name, (path, own_bytes) in directories.items():
        need_bytes = CACHE_BYTES + BUILD_BYTES if same_disk else own_bytes
        yield disk_finding(f"free disk, {name}", path, shutil.disk_usage(path).free, need_bytes)


def disk_finding(name: str, path: Path, free_bytes: int, need_bytes: int) -> Finding:
    """Whether the free disk space at ``path`` is enough for a first run."""
    found = f"{free_bytes / 1e9:.1f} GB at {path}; a run from nothing takes {need_bytes / 1e9:.0f} GB"
    if free_bytes >= need_bytes:
        return Finding(name, found)
    advice = "free some space (./workbook clean shows what it can free), or move the cache with WORKBOOK_CACHE"
    return Finding(name, found, "missing", advice)


def _existing(path: Path) -> Path:
    return next(parent for parent in (path, *path.parents) if parent.exists())
