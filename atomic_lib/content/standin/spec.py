"""One RPM spec for all stand-in packages, with a sub-package for each.

Building 300 sub-packages in one run of rpmbuild takes a fraction of the time of 300 runs.
Source: rpm's manual on spec files (sub-packages, file lists and their directives).
"""

import os
import stat
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from atomic_lib.content.standin.control import (
    DebianPackage,
    available_names,
    conflict_tags,
    recommendation_tags,
    requirement_tags,
)

LISTS = "/mnt/work/lists"
"""The directory of the file lists while rpmbuild runs in the tools tree."""

# The packages of base files and accounts. Every other package requires them, so they must not require anything.
BASE_PACKAGES = ("base-files", "base-passwd")
_HEADER = """\
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
Name: standin
Version: 1
Release: 1
Summary: Stand-in content
License: various
%description
Debian packages as RPMs.
"""
_SKIPPED = ("/usr/share/lintian", "/usr/share/bug", "/usr/share/doc-base", "/usr/share/initramfs-tools",
            "/usr/share/debconf", "/etc/init.d", "/etc/apt", "/etc/cron.daily", "/etc/cron.weekly", "/etc/kernel",
            "/usr/share/apport")  # fmt: skip
_DOCUMENTATION = ("/usr/share/doc/", "/usr/share/man/", "/usr/share/info/")
# rpm does not expand glob characters in quoted names.
_QUOTED = str.maketrans({"%": "%%", '"': '\\"', "\\": "\\\\"})


def write_spec(packages: Sequence[DebianPackage], dropped: Collection[str], setup: str) -> str:
    """The spec; the file ``NAME.files`` lists the files of each package. ``setup`` is appended unchanged."""
    available = available_names(packages) - set(dropped)
    real_names = {package.name for package in packages}
    parts = [_section(package, available, real_names, dropped) for package in packages]
    return "\n".join([_HEADER, *parts, setup])


def _section(
    package: DebianPackage, available: Collection[str], real_names: Collection[str], dropped: Collection[str]
) -> str:
    lines = [
        f"%package -n {package.name}",
        f"Version: {package.version}",
        f"Release: {package.release}",
        *([f"Epoch: {package.epoch}"] if package.epoch else []),
        *(["BuildArch: noarch"] if package.arch == "noarch" else []),
        f"Summary: {_plain(package.summary)}",
        "License: see its copyright file",
        *([f"URL: {package.homepage}"] if package.homepage else []),
        "AutoReqProv: no",
    ]
    if package.name not in BASE_PACKAGES:
        lines += [f"Requires(pre): {name}" for name in BASE_PACKAGES]
        lines += [f"Requires: {tag}" for tag in requirement_tags(package, available, dropped)]
    lines += [f"Recommends: {tag}" for tag in recommendation_tags(package, available, dropped)]
    lines += [f"Conflicts: {tag}" for tag in conflict_tags(package, real_names)]
    lines += [f"Provides: {entry}" for entry in package.provides]
    lines += [f"Provides: {tag}" for tag in _extra_provides(package)]
    lines += [f"%description -n {package.name}", _plain(package.summary)]
    lines += [f"%files -n {package.name} -f {LISTS}/{package.name}.files", ""]
    return "\n".join(lines)


def _extra_provides(package: DebianPackage) -> list[str]:
    """Capabilities that dnf or scriptlets need, and that Fedora's corresponding package provides."""
    return {
        "base-files": ["system-release = 13", "system-release(releasever) = 13"],
        "dash": ["/bin/sh"],
        "bash": ["/bin/bash"],
    }.get(package.name, [])


def _plain(text: str) -> str:
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
