"""For the tools tree's Python: compares owner, group, mode and capabilities of files with an RPM database.

    compare_attributes.py ROOT

Prints a JSON list of files that none of their packages has as they are: package, path, what differs, and both
values. ``lost``: the package's owner does not exist, or root has the file, or special bits or capabilities of the
package are missing. Paths are looked up in a chroot, so that links of the tree lead nowhere else.

A file where a booted system has a file system of the kernel is ``hidden``: it differs in ``what``, and has no values.
"""

import ctypes
import json
import os
import stat
import sys

import rpm
from package_database import installed_packages

OF_THE_KERNEL = ("/dev/", "/proc/", "/sys/")
USER, GROUP, MODE, CAPABILITIES = 1 << 3, 1 << 4, 1 << 6, 1 << 8
"""Bits of %verify, from rpm's rpmvf.h."""


def accounts(name):
    """The ids of accounts by name, of /etc and /usr/lib (nss-altfiles). rpm knows root without a file."""
    ids = {"root": 0}
    for directory in ("/usr/lib", "/etc"):
        try:
            with open(f"{directory}/{name}", errors="surrogateescape") as handle:
                rows = [line.split(":") for line in handle]
        except OSError:
            continue
        ids.update((row[0], int(row[2])) for row in rows if len(row) > 2 and row[2].isdecimal())
    return ids


class Capabilities:
    """File capabilities as libcap's text."""

    def __init__(self):
        self.library = ctypes.CDLL("libcap.so.2")
        for name in ("cap_from_text", "cap_get_file"):
            function = getattr(self.library, name)
            function.restype, function.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
        self.library.cap_to_text.restype = ctypes.c_char_p
        self.library.cap_to_text.argtypes = [ctypes.c_void_p, ctypes.c_void_p]

    def text(self, set_of_capabilities):
        return self.library.cap_to_text(set_of_capabilities, None).decode() if set_of_capabilities else ""

    def packaged(self, text):
        return self.text(self.library.cap_from_text(text.encode())) if text else ""

    def present(self, path):
        return self.text(self.library.cap_get_file(os.fsencode(path)))


def declared(root):
    """What packages say of each file that they installed: rows by path; and files that are hidden by the kernel's."""
    files, hidden = {}, []
    for header in installed_packages(root):
        for file in rpm.files(header):
            if file.fflags & rpm.RPMFILE_GHOST:
                continue
            if file.name.startswith(OF_THE_KERNEL) and not stat.S_ISDIR(file.mode):
                hidden.append({"package": header["name"], "path": file.name, "what": ["hidden"], "lost": True})
            elif file.state == rpm.RPMFILE_STATE_NORMAL:
                row = (header["name"], file.vflags, file.user, file.group, file.mode, file.caps or "")
                files.setdefault(file.name, []).append(row)
    return files, hidden


def differences(status, row, users, groups, capabilities, present):
    _, verified, user, group, mode, caps = row
    found = []
    if user not in users or (verified & USER and users[user] != status.st_uid):
        found.append("owner")
    if group not in groups or (verified & GROUP and groups[group] != status.st_gid):
        found.append("group")
    if verified & MODE and not stat.S_ISLNK(status.st_mode) and mode & 0xFFFF != status.st_mode:
        found.append("mode")
    if verified & CAPABILITIES and stat.S_ISREG(status.st_mode) and capabilities.packaged(caps) != present:
        found.append("capabilities")
    return found


def is_lost(status, row, users, groups, what):
    _, _, user, group, mode, caps = row
    special = stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX
    return bool(
        user not in users or ("owner" in what and status.st_uid == 0)
        or group not in groups or ("group" in what and status.st_gid == 0)
        or ("mode" in what and mode & ~status.st_mode & special)
        or ("capabilities" in what and caps)
    )  # fmt: skip


def main(root):
    (files, hidden), capabilities = declared(root), Capabilities()
    os.chroot(root)
    os.chdir("/")
    users, groups = accounts("passwd"), accounts("group")
    report, device = [], os.lstat("/").st_dev
    for path, rows in sorted(files.items()):
        try:
            status = os.lstat(path)
        except OSError:
            continue  # a scriptlet or the recipe removed it
        if status.st_dev != device:
            continue  # /proc and /dev are mounts of the sandbox
        present = capabilities.present(path) if stat.S_ISREG(status.st_mode) else ""
        found = [(row, differences(status, row, users, groups, capabilities, present)) for row in rows]
        if all(what for _, what in found):
            row, what = found[0]
            report.append({
                "package": row[0], "path": path, "what": what, "lost": is_lost(status, row, users, groups, what),
                "packaged_owner": f"{row[2]}:{row[3]}",
                "packaged_mode": row[4] & 0xFFFF, "owner": f"{status.st_uid}:{status.st_gid}", "mode": status.st_mode,
                "packaged_capabilities": row[5], "capabilities": present,
            })  # fmt: skip
    json.dump(hidden + report, sys.stdout)


main(sys.argv[1])
