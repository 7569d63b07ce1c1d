"""The RPM spec of a stand-in package, and the list of its files.

Source: rpm's manual on spec files (preamble, file lists and their directives).
"""

import os
import stat
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from atomic_lib.content.standin.control import (
    DebianPackage,
    companion_tags,
    conflict_tags,
    provide_tags,
    recommendation_tags,
    requirement_tags,
)
from atomic_lib.content.standin.fedora_names import Naming
from atomic_lib.content.standin.versions import rpm_evr

# The packages of base files and accounts. Every other package requires them, so they must not require anything.
BASE_PACKAGES = ("base-files", "base-passwd")
HEADER = """\
%global debug_package %{nil}
%global __os_install_post %{nil}
%global _binary_payload w1.zstdio
%global _smp_build_ncpus 2
%global _binaries_in_noarch_packages_terminate_build 0
%global _unpackaged_files_terminate_build 0
%global _missing_doc_files_terminate_build 0
%global _use_weak_usergroup_deps 1
%global _build_id_links none
%global _buildhost workbook
%global use_source_date_epoch_as_buildtime 1
%global clamp_mtime_to_source_date_epoch 1
"""
_SKIPPED = ("/usr/share/lintian", "/usr/share/bug", "/usr/share/doc-base", "/usr/share/initramfs-tools",
            "/usr/share/debconf", "/etc/init.d", "/etc/apt", "/etc/cron.daily", "/etc/cron.weekly", "/etc/kernel",
            "/usr/share/apport")  # fmt: skip
_DOCUMENTATION = ("/usr/share/doc/", "/usr/share/man/", "/usr/share/info/")
# rpm does not expand glob characters in quoted names.
_QUOTED = str.maketrans({"%": "%%", '"': '\\"', "\\": "\\\\"})


def write_spec(
    package: DebianPackage, naming: Naming, dropped: Collection[str], files: str = "", *, scriptlets: str = ""
) -> str:
    """The spec of a package; ``files``: the path of the list of its files, empty if it has none.

    ``dropped``: packages that are removed from all dependencies. The vendor says what the package really is.
    """
    lines = [
        f"Name: {naming.name}",
        f"Vendor: {vendor(package)}",
        f"Version: {package.version}",
        f"Release: {package.release}",
        *([f"Epoch: {package.epoch}"] if package.epoch else []),
        *(["BuildArch: noarch"] if package.arch == "noarch" else []),
        f"Summary: {package.summary}",
        "License: see its copyright file",
        *([f"URL: {package.homepage}"] if package.homepage else []),
        "AutoReqProv: no",
    ]
    if package.name not in BASE_PACKAGES:
        lines += [f"Requires(pre): {name}" for name in BASE_PACKAGES]
        lines += [f"Requires: {tag}" for tag in requirement_tags(package, dropped)]
    lines += [f"Requires: {tag}" for tag in companion_tags(naming.requires)]
    lines += [f"Recommends: {tag}" for tag in recommendation_tags(package, dropped)]
    lines += [f"Conflicts: {tag}" for tag in conflict_tags(package)]
    kept = replace(package, provides=tuple(one for one in package.provides if one.name not in naming.withheld))
    provides = (*provide_tags(kept), *_names(package, naming), *_extra_provides(package))
    lines += [f"Provides: {tag}" for tag in provides]
    preamble = [_plain(line) for line in lines]
    listed = f"%files -f {files}" if files else "%files"
    return HEADER + "\n".join([*preamble, "%description", _plain(package.summary), scriptlets, listed, ""])


def write_own_spec(text: str, naming: Naming) -> str:
    """The spec ``text`` of a package of our own, with the names that it provides, and its companions."""
    lines = [f"Provides: {name}" for name in naming.provides]
    lines += [f"Requires: {tag}" for tag in companion_tags(naming.requires)]
    return HEADER + "".join(f"{line}\n" for line in lines) + text


def vendor(package: DebianPackage) -> str:
    """The vendor of a stand-in package: Debian, with the name and version that the package has there."""
    return f"Debian ({package.name} {package.debian_version})"


def _names(package: DebianPackage, naming: Naming) -> list[str]:
    """The names besides its own by which a package is known: Debian's, which relations use, and Fedora's."""
    others = dict.fromkeys((package.name, *naming.provides))
    return [f"{name} = {rpm_evr(package.debian_version)}" for name in others if name != naming.name]


def _extra_provides(package: DebianPackage) -> list[str]:
    """Capabilities that dnf or scriptlets need, and that Fedora's corresponding package provides."""
    return {
        "base-files": ["system-release = 13", "system-release(releasever) = 13"],
        "dash": ["/bin/sh"],
        "bash": ["/bin/bash"],
    }.get(package.name, [])


def _plain(text: str) -> str:
    """Text in which rpm expands no macro."""
    return text.replace("%", "%%")


def file_list(
    root: Path, configuration: Collection[str], users: Mapping[int, str], groups: Mapping[int, str]
) -> list[str]:
    """The ``%files`` lines of one unpacked package: every path below ``root`` with its directives.

    ``configuration``: the paths of configuration files. ``users`` and ``groups``: names by number, for files
    that do not belong to root.
    """
    lines = []
    for path in sorted(_walk(root)):
        file = root / path.lstrip("/")
        words = [*_ownership(file, users, groups), *_directives(path, file, configuration), *_language(path)]
        lines.append(" ".join([*words, '"' + path.translate(_QUOTED) + '"']))
    return lines


def _ownership(file: Path, users: Mapping[int, str], groups: Mapping[int, str]) -> list[str]:
    status = file.lstat()
    if status.st_uid == status.st_gid == 0:
        return []
    return [f"%attr(-, {users.get(status.st_uid, 'root')}, {groups.get(status.st_gid, 'root')})"]


def _walk(root: Path) -> Iterable[str]:
    for directory, names, files in os.walk(root):
        base = "/" + os.path.relpath(directory, root) if directory != str(root) else ""
        names[:] = [name for name in names if f"{base}/{name}" not in _SKIPPED]
        for name in (*names, *files):
            if f"{base}/{name}" not in _SKIPPED:
                yield f"{base}/{name}"


def _directives(path: str, file: Path, configuration: Collection[str]) -> list[str]:
    if stat.S_ISDIR(file.lstat().st_mode):
        return ["%dir"]
    if path in configuration:
        return ["%config(noreplace)"]
    if path.startswith("/usr/share/doc/") and path.endswith("/copyright"):
        return ["%license"]
    return ["%doc"] if path.startswith(_DOCUMENTATION) else []


def _language(path: str) -> list[str]:
    """``%lang(xx)`` for a message catalogue, so that ``install-langs`` can exclude it."""
    parts = path.split("/")
    if len(parts) > 5 and parts[1:4] == ["usr", "share", "locale"]:
        return [f"%lang({parts[4].partition('.')[0]})"]
    return []
