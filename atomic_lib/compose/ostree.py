"""Turns an installroot into what an ostree commit contains, by rpm-ostree's rules for trees.

Source of the rules: rpm-ostree's documentation on tree composes and its
``rpmostree-postprocess`` (top-level links, /etc to /usr/etc, /var to tmpfiles.d, the
policy store to /etc/selinux, no binary file contexts) and ``importer.rs`` (/opt, /boot).

What packages have where a machine keeps its own files (/home, /opt, /srv and others, which are
links into /var) or where a file system of the kernel hides it (/run, /tmp) would be gone without a
word: it is moved below /usr, created at boot by a tmpfiles.d line, named, or refused by name.
"""

import posixpath
import re
import stat
from collections.abc import Mapping
from typing import Literal

from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.chroot import Installroot
from atomic_lib.compose.tree_access.beneath import refusal, shown
from atomic_lib.compose.tree_access.tree_files import TreeFiles
from atomic_lib.formats.tmpfiles import escape, lines_of, path_of, split_line

_STATE_LINKS = {
    "home": "var/home",
    "media": "run/media",
    "mnt": "var/mnt",
    "opt": "var/opt",
    "root": "var/roothome",
    "srv": "var/srv",
    "usr/local": "../var/usrlocal",
}
"""The directories that become links, and their targets."""
_VAR_DIRECTORIES = {"home": "0755", "mnt": "0755", "opt": "0755", "roothome": "0700", "srv": "0755",
                    **{f"usrlocal{part}": "0755" for part in ("", "/bin", "/etc", "/lib", "/sbin", "/share", "/src")},
                    }  # fmt: skip
_OWN_ONLY = {"opt": "opt", "usr/local": "usrlocal"}
"""Those that can be directories of the commit instead, and their names in /var."""
OptAndUsrlocal = Literal["var", "root", "state-overlay"]
_SYSTEM_UNITS = "usr/lib/systemd/system"
_DECLARING = tuple("dDvqQL")
_FILLING = tuple("fFC")
_TMPFILES = "usr/lib/tmpfiles.d"
_AUTOVAR = f"{_TMPFILES}/rpm-ostree-1-autovar.conf"
# Sorts before all others: files below /root need the target of that link.
_OWN = f"{_TMPFILES}/00-rpm-ostree-integration.conf"
_COMPATIBLE = f"{_TMPFILES}/rpm-ostree-0-integration-opt-usrlocal-compat.conf"
_OF_THE_SYSROOT = {"ostree": "a link into the system's repository", "sysroot": "where the disk is mounted"}
_MADE_AT_BOOT = ("var", "run", "tmp")
"""The directories whose content a commit does not carry, or a booted system does not see."""
TOPLEVEL_LINKS = {**_STATE_LINKS, "ostree": "sysroot/ostree"}
"""The links of a commit that lead to what a machine keeps, by their paths."""
_SEMANAGE = "etc/selinux/semanage.conf"


def make_ostree_tree(
    tree: Installroot, *, tmp_is_link: bool = False, opt_and_usrlocal: OptAndUsrlocal = "var"
) -> list[str]:
    """Convert the installroot, in place, to the content of a commit.

    /tmp is a directory, or a link to /sysroot/tmp. /opt and /usr/local are links into /var, or directories of the
    commit's own ("root"). With "state-overlay", /usr/lib/opt and /usr/local are the commit's, and units of ostree put
    what the machine adds over them.

    Returns the files below /var, /run and /tmp. They are removed: a commit cannot contain them, or they would never be
    seen.

    Raises WorkbookError, with the path, for what a commit cannot contain and nobody would miss
    before the machine does: a package's files in /usr/etc, /usr/local, /srv and so on.
    """
    files = tree.files
    _require_etc(files)
    _move_policy_store(files)
    for compiled in files.matching("etc/selinux/*/contexts/files/*.bin"):
        files.remove(compiled)
    own = _OWN_ONLY if opt_and_usrlocal != "var" else ()
    links = {name: target for name, target in _STATE_LINKS.items() if name not in own}
    if opt_and_usrlocal == "state-overlay":
        _enable_state_overlays(files)
    dropped = _convert_state(files, links)
    for name, target in links.items():
        _require_no_other_link(files, name, target)
    _move_boot(files)
    for top, reason in _OF_THE_SYSROOT.items():
        for path in files.entries(top) if files.is_directory(top) else ():
            raise refusal(path, f"a commit has no place for it, because /{top} is {reason}")
    tmp = {"tmp": "sysroot/tmp"} if tmp_is_link else {}
    for name, target in {**links, "ostree": TOPLEVEL_LINKS["ostree"], **tmp}.items():
        files.remove(name)
        files.add_link(name, target)
    for name in ("sysroot", *(_STATE_LINKS.keys() - links.keys())):
        if files.status(name) is None:  # /opt is a link with state overlays
            files.make_directory(name)
    if files.status("usr/share/rpm") is None:
        files.add_link("usr/share/rpm", "../lib/sysimage/rpm")
    files.move("etc", "usr/etc")
    return [shown(path) for path in dropped]


def _enable_state_overlays(files: TreeFiles) -> None:
    """Move /opt to /usr/lib/opt, and enable ostree's units that overlay it and /usr/local.

    Source: rpm-ostree's ``composepost.rs`` and its tmpfiles.d lines.
    """
    if not files.has_file(f"{_SYSTEM_UNITS}/ostree-state-overlay@.service"):
        raise WorkbookError(
            "opt-usrlocal: state-overlay: there is no unit ostree-state-overlay@.service in the tree",
            hint="add the package of ostree that has it, or use opt-usrlocal: root",
        )
    _move_opt(files)
    files.make_directory("usr/lib/opt")
    files.remove("opt")
    files.add_link("opt", "usr/lib/opt")
    files.make_directory(f"{_SYSTEM_UNITS}/local-fs.target.requires")
    for place in ("usr-lib-opt", "usr-local"):
        unit = f"ostree-state-overlay@{place}.service"
        files.add_link(f"{_SYSTEM_UNITS}/local-fs.target.requires/{unit}", f"../{unit}")
    files.write(_COMPATIBLE, "L /var/usrlocal - - - - ../usr/local\nL /var/opt - - - - ../usr/lib/opt\n")


def _require_etc(files: TreeFiles) -> None:
    """Require that /etc can become /usr/etc."""
    if not files.is_directory("etc"):
        raise refusal("etc", "is no directory, but a commit's /usr/etc is made of it")
    for path in files.entries("usr/etc"):
        raise WorkbookError(
            f"{shown(path)}: a package or script put it in /usr/etc, where a commit keeps the defaults of /etc",
            hint="leave the package out, or move the file to /etc in a postprocess script",
        )
    files.remove("usr/etc")


def _require_no_other_link(files: TreeFiles, name: str, target: str) -> None:
    """Require that a path that becomes a link is none yet that leads to files: they would not be found there."""
    if not _is_link(files, name):
        return
    led_to, leads_to = (
        posixpath.normpath(posixpath.join("/", posixpath.dirname(name), one)) for one in (files.target_of(name), target)
    )
    place = led_to.lstrip("/")
    if led_to != leads_to and (files.has_file(place) or (files.is_directory(place) and files.entries(place))):
        raise refusal(name, f"is a link to {shown(led_to)}, but in a commit it leads to {leads_to}")


def _move_policy_store(files: TreeFiles) -> None:
    """Move the store of policy modules from /var, which is empty in a commit, to /etc/selinux; set semanage.conf."""
    stores = files.matching("var/lib/selinux/*/active")
    for store in stores:
        policy = f"etc/selinux/{store.split('/')[-2]}"
        files.make_directory(policy)
        files.move(store, f"{policy}/active")
    text = files.text(_SEMANAGE) if stores else None
    if text is not None:
        lines = re.sub(r"(?m)^\s*store-root\s*=.*\n", "", text)
        files.write(_SEMANAGE, f"{lines.rstrip()}\nstore-root=/etc/selinux\n")


def _move_boot(files: TreeFiles) -> None:
    """Empty /boot: all moves to /usr/lib/ostree-boot, except for what /usr/lib/modules has of the kernel.

    That is what kernel-install(8) and scripts of packages copy to /boot, as ``vmlinuz-KVER`` and the like. Any
    initramfs for the kernel goes, too: the commit has its own. Source: rpm-ostree's ``translate_path_for_ostree``.
    """
    kernels = [path.split("/")[-2] for path in files.matching("usr/lib/modules/*/vmlinuz")]
    for path in files.entries("boot"):
        if any(_is_of_kernel(files, path.removeprefix("boot/"), kver) for kver in kernels):
            files.remove(path)
        else:
            _move_into_usr(files, path, f"usr/lib/ostree-boot/{path.removeprefix('boot/')}")


def _is_of_kernel(files: TreeFiles, name: str, kver: str) -> bool:
    """Whether a name in /boot is that of a file in the kernel's directory of modules, or of an initramfs."""
    original = name.replace(f"-{kver}", "")
    modules = f"usr/lib/modules/{kver}"
    return original != name and (name.startswith("initr") or files.has_file(f"{modules}/{original}"))


def _convert_state(files: TreeFiles, links: Mapping[str, str]) -> list[str]:
    """Write the tmpfiles.d lines, empty ``_MADE_AT_BOOT`` and the directories that become links.

    Returns the files of ``_MADE_AT_BOOT``, which this removes.

    Raises WorkbookError for a file elsewhere that no tmpfiles.d line of the tree creates anew.
    """
    declared, created = _declared(files)
    found: dict[str, str] = {}
    dropped: list[str] = []
    for top in _MADE_AT_BOOT:
        lines, others = _lines_below(files, top, top)
        found |= lines
        dropped += others
    for top, target in links.items():
        place = target.removeprefix("../")
        if top == "opt":
            found |= _move_opt(files)
            continue
        lines, others = _lines_below(files, top, place)
        _require_created(top, [path for path in others if not {f"/{path}", _moved(path, top, place)} & created])
        declared |= {_moved(path[1:], top, place) for path in declared if path.startswith(f"/{top}/")}
        found = lines | found
    unused = tuple(_OWN_ONLY[name] for name in _OWN_ONLY if name not in links)
    own = {
        f"/var/{name}": f"d /var/{name} {mode} root root -"
        for name, mode in _VAR_DIRECTORIES.items()
        if name.split("/")[0] not in unused
    }
    wanted = [found[path] for path in sorted(found, key=_in_order) if path not in declared | own.keys()]
    for file, text in ((_OWN, list(own.values())), (_AUTOVAR, wanted)):
        files.write(file, "\n".join(text) + "\n")
    for top in _MADE_AT_BOOT:
        for path in files.entries(top) if not _is_link(files, top) else ():
            files.remove(path)
    return sorted(dropped, key=_in_order)


def _in_order(path: str) -> list[str]:
    """The key that sorts a directory before all that is in it."""
    return path.split("/")


def _lines_below(files: TreeFiles, top: str, place: str) -> tuple[dict[str, str], list[str]]:
    """For what is below ``top``: the line that creates it below ``place``, by its path there; the paths without one."""
    lines: dict[str, str] = {}
    others: list[str] = []
    if top != "var" and _is_link(files, top):
        return lines, others  # what is at its target is another directory's
    for path, status in files.below(top):
        name = _moved(path, top, place)
        if stat.S_ISDIR(status.st_mode):
            lines[name] = f"d {escape(name)} {stat.S_IMODE(status.st_mode):04o} {status.st_uid} {status.st_gid} -"
        elif stat.S_ISLNK(status.st_mode):
            target = files.target_of(path) if top == place else _target_from_outside(files, path, top)
            lines[name] = f"L {escape(name)} - - - - {escape(target)}"
        else:
            others.append(path)
    return lines, others


def _target_from_outside(files: TreeFiles, link: str, top: str) -> str:
    """The target of a link below ``top`` that is also right where ``top`` has moved: absolute if it leads out of it."""
    target = files.target_of(link)
    led_to = posixpath.normpath(posixpath.join("/", posixpath.dirname(link), target))
    return target if target.startswith("/") or f"{led_to}/".startswith(f"/{top}/") else led_to


def _move_into_usr(files: TreeFiles, source: str, target: str) -> None:
    """Move a path of a directory at the top, such as /opt. Its links still lead to what they led to."""
    top = source.partition("/")[0]
    status = files.status(source)
    found = [(source, status), *files.below(source)] if files.is_directory(source) else [(source, status)]
    for path, of_path in found:
        if of_path is not None and stat.S_ISLNK(of_path.st_mode):
            led_to = _target_from_outside(files, path, top)
            if led_to != files.target_of(path):
                files.remove(path)
                files.add_link(path, led_to)
    files.make_directory(posixpath.dirname(target))
    files.move(source, target)


def _moved(path: str, top: str, place: str) -> str:
    """The absolute path at boot of a path below ``top``."""
    return f"/{place}{path.removeprefix(top)}"


def _is_link(files: TreeFiles, path: str) -> bool:
    status = files.status(path)
    return status is not None and stat.S_ISLNK(status.st_mode)


def _move_opt(files: TreeFiles) -> dict[str, str]:
    """Move what is in /opt to /usr/lib/opt; returns the lines that link it from /var/opt."""
    lines = {}
    for path in files.entries("opt") if not _is_link(files, "opt") else ():
        name = path.removeprefix("opt/")
        if files.status(f"var/opt/{name}") is not None:
            raise refusal(path, f"cannot be linked from {shown(f'var/opt/{name}')}, which is in the tree too")
        _move_into_usr(files, path, f"usr/lib/opt/{name}")
        lines[f"/var/opt/{name}"] = f"L {escape(f'/var/opt/{name}')} - - - - {escape(f'../../usr/lib/opt/{name}')}"
    return lines


def _require_created(top: str, files_of_tree: list[str]) -> None:
    if files_of_tree:
        others = f" (and {len(files_of_tree) - 1} more)" if len(files_of_tree) > 1 else ""
        link = f"/{top} is a link to /{_STATE_LINKS[top].removeprefix('../')}"
        raise WorkbookError(
            f"{shown(min(files_of_tree))}{others}: a commit has no place for it, because {link}",
            hint="leave the package out; or keep the file below /usr, with a tmpfiles.d line that copies it at boot",
        )


def _declared(files: TreeFiles) -> tuple[set[str], set[str]]:
    """The paths that packages' tmpfiles.d lines create: directories and links; and files.

    They say more than our lines, and the first line for a path wins.
    """
    declared: set[str] = set()
    created: set[str] = set()
    for file in files.matching(f"{_TMPFILES}/*.conf"):
        text = files.text(file) if files.has_file(file) else None  # systemd ignores all others, too
        for line in lines_of(text or ""):
            kind, path, *_ = [*split_line(line), "", ""]
            if kind[:1] in _DECLARING:
                declared.add(path_of(path))
            elif kind[:1] in _FILLING and "^" not in kind:  # "^" fills it from a credential, if there is one
                created.add(path_of(path))
    return declared, created
