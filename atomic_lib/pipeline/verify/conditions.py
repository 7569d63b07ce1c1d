"""The conditions of a build that must not change its result: as data, how to set them, and how to observe them."""

import ctypes
import locale
import os
import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from atomic_lib.base.command import CommandError, run
from atomic_lib.base.errors import WorkbookError
from atomic_lib.content.repositories import Content
from atomic_lib.tools.sandbox import Tools
from atomic_lib.tools.user_namespace import outer_root

FAKETIME = "usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
_PRELOADED, _LDD = "libfaketime.so", "ldd"
# Dracut copies the libraries that ldd lists into the initramfs; without this, also libfaketime.
_LDD_SCRIPT = """\
#!/bin/sh
unset LD_PRELOAD
exec ldd "$@"
"""
_CLONE_NEWUTS = 0x04000000  # linux/sched.h
_DAY_SECONDS = 86400


@dataclass(frozen=True)
class Conditions:
    """The conditions of one build. An empty string or 0 leaves a condition as it is on this machine.

    ``umask``, ``host_name`` and ``environment`` (time zone, language, hash seed) affect only
    the workbook's own process. Commands always get a clean environment, a fixed host name and
    umask 022. ``clock_days_ahead`` affects commands in the tools tree and in the installroot.
    The kernel's clock, which sets the times of files, is the same for both builds. ``other_ids``: all of the build
    is done by another user, who is root of a namespace below that of the other build.
    """

    name: str
    store: str
    cache: str
    cold_cache: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    umask: int = 0o022
    host_name: str = ""
    clock_days_ahead: int = 0
    processors: int = 0
    repositories_reversed: bool = False
    packages_reversed: bool = False
    other_ids: bool = False


def usual(store: Path, cache: Path) -> Conditions:
    """The conditions of build A: the usual ones, and the user's cache."""
    return Conditions("A", str(store), str(cache), environment={"TZ": "UTC", "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8"})


def hostile(store: Path, cache: Path, *, cold_cache: bool, language: str, other_ids: bool) -> Conditions:
    """The conditions of build B: everything that could differ on another machine, for another user, in another year.

    ``language``: a locale of this host; empty if it has none but C, then the language does not differ.
    ``other_ids``: whether this host can give build B another root than build A's.
    """
    # the time of Kiritimati, in the form that needs no time zone data
    environment = {"TZ": "LINT-14", "PYTHONHASHSEED": "4711"}
    return Conditions(
        "B",
        str(store),
        str(cache),
        cold_cache=cold_cache,
        environment={**environment, **({"LC_ALL": language, "LANG": language} if language else {})},
        umask=0o077,
        host_name="elsewhere.example",
        clock_days_ahead=3 * 365 + 100,
        processors=1,
        repositories_reversed=True,
        packages_reversed=True,
        other_ids=other_ids,
    )


def other_language() -> str:
    """A locale of this host other than C, preferably Turkish with its special i; empty if there is none."""
    try:
        return choose_language(run(["locale", "-a"]).stdout)
    except CommandError:
        return ""


def choose_language(listing: str) -> str:
    """A UTF-8 locale from the output of ``locale -a``, preferably Turkish; empty if there is none."""
    found = [name for name in listing.split() if re.search(r"\.utf-?8$", name, re.IGNORECASE)]
    names = sorted(name for name in found if name.partition(".")[0] not in ("C", "POSIX"))
    return next((name for name in names if name.startswith("tr_")), names[0] if names else "")


def impose(conditions: Conditions) -> None:
    """Set umask, processors and host name of this process and its children; the parent sets its environment.

    Raises WorkbookError if the kernel does not allow a new UTS namespace.
    """
    os.umask(conditions.umask)
    if conditions.processors:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: conditions.processors])
    if conditions.host_name:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(_CLONE_NEWUTS):
            raise WorkbookError(
                f"cannot create a UTS namespace to set the host name: {os.strerror(ctypes.get_errno())}",
                hint="in a container, allow it to create namespaces",
            )
        socket.sethostname(conditions.host_name)


def with_clock(tools: Tools, days_ahead: int, scratch: Path) -> Tools:
    """The tools tree with a clock that is ahead, for all commands in it and in an installroot.

    The kernel still sets the times of files. ``scratch`` is a directory for a script that this needs.

    Raises WorkbookError if the tools tree has no libfaketime.
    """
    if not days_ahead:
        return tools
    library = tools.root / FAKETIME
    if not library.is_file():
        raise WorkbookError(
            f"the clock cannot be set ahead: the tools tree has no libfaketime ({library})",
            hint="./workbook clean cache, then run again to rebuild the tools tree",
        )
    scratch.mkdir(parents=True, exist_ok=True)
    ldd = scratch / _LDD
    ldd.write_text(_LDD_SCRIPT)
    ldd.chmod(0o755)
    environment = {
        "LD_PRELOAD": f"/dev/{_PRELOADED}",
        "FAKETIME": f"+{days_ahead}d",
        # a command and its children in a chroot do not have the same shared memory
        "FAKETIME_DISABLE_SHM": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
        "DRACUT_LDD": f"/dev/{_LDD}",
    }
    return replace(tools, environment=environment, device_files={_PRELOADED: library, _LDD: ldd})


def with_order(content: Content, *, reversed_order: bool) -> Content:
    """The content with its repositories in their own or in reversed order."""
    if not reversed_order:
        return content
    sections = [f"[{text}" for text in content.repo_text.split("\n[")]
    sections[0] = sections[0].removeprefix("[")
    text = "\n".join(section.rstrip("\n") + "\n" for section in reversed(sections))
    return replace(content, repo_text=text, local=dict(reversed(list(content.local.items()))))


def in_force(conditions: Conditions, tools: Tools, content: Content, rpms: Path, *, made_anew: bool) -> dict[str, str]:
    """The conditions as this process and a command in the tools tree observe them, as text by condition.

    ``rpms``: the directory of the RPM files. ``made_anew``: whether this build built the content.
    """
    os.umask(umask := os.umask(0))
    date = tools.run(["date", "-u", "+%Y-%m-%d %H:%M"]).stdout.strip()
    processors = tools.run(["nproc"]).stdout.strip()
    return {
        "directory": conditions.store,
        "file system": file_system_of(Path(conditions.store)),
        "umask": f"{umask:03o}",
        "time zone": f"{time.strftime('%Z %z')}",
        **({"language": language_in_force()} if "LC_ALL" in conditions.environment else {}),
        "hash seed": os.environ.get("PYTHONHASHSEED", "random"),
        "host name": socket.gethostname(),
        "clock": f"{date} UTC",
        "processors": processors,
        "repositories": ", ".join(content.repo_ids),
        "RPM files": file_order(rpms),
        "cache": cache_state(cold_cache=conditions.cold_cache, made_anew=made_anew),
        "root is user": str(outer_root()),
    }


NO_FILES = "none: a commit was pulled"


def file_order(rpms: Path) -> str:
    """The order in which a directory's RPM files were created: the first and the last package by inode number."""
    files = sorted(rpms.glob("*.rpm"), key=lambda file: file.stat().st_ino)
    if not files:
        return NO_FILES
    first, last = (files[at].name.rsplit("-", 2)[0] for at in (0, -1))
    return f"{first} first, {last} last"


def cache_state(*, cold_cache: bool, made_anew: bool) -> str:
    """The state of the build's cache. A cold cache gets its content from the first variant that needs it."""
    if made_anew:
        return "cold: content made anew"
    return "content of the first variant's cold cache" if cold_cache else "warm"


def require_in_force(conditions: Conditions, seen: Mapping[str, str], host: Mapping[str, str]) -> None:
    """Raise WorkbookError naming the first condition that did not have the intended value in the build.

    ``seen``: the conditions that the build observed; ``host``: those of the other build, under usual conditions.
    """
    expected = {"umask": f"{conditions.umask:03o}", "directory": conditions.store}
    if "LC_ALL" in conditions.environment:
        expected["language"] = conditions.environment["LC_ALL"]
    if conditions.host_name:
        expected["host name"] = conditions.host_name
    if conditions.processors:
        expected["processors"] = str(conditions.processors)
    wrong = [name for name, value in expected.items() if seen[name] != value]
    different = [("time zone", conditions.environment.get("TZ") != "UTC"),
                 ("repositories", conditions.repositories_reversed and "," in host["repositories"]),
                 ("RPM files", conditions.packages_reversed and host["RPM files"] != NO_FILES),
                 ("root is user", conditions.other_ids)]  # fmt: skip
    wrong += [name for name, intended in different if intended and seen[name] == host[name]]
    if conditions.clock_days_ahead and _days_between(host["clock"], seen["clock"]) < conditions.clock_days_ahead - 1:
        wrong.append("clock")
    if wrong:
        raise WorkbookError(
            f"build {conditions.name} did not have the {wrong[0]} that it was to have: {seen[wrong[0]]}"
        )


def file_system_of(path: Path) -> str:
    """The type of a directory's file system, by ``stat -f``."""
    return run(["stat", "--file-system", "--format=%T", path]).stdout.strip()


def language_in_force() -> str:
    """The locale of this process; C if the host does not have the locale in its environment."""
    try:
        locale.setlocale(locale.LC_ALL, "")
    except locale.Error:
        return "C"
    return os.environ.get("LC_ALL", "")


def _days_between(first: str, second: str) -> float:
    one, other = (time.mktime(time.strptime(text, "%Y-%m-%d %H:%M %Z")) for text in (first, second))
    return (other - one) / _DAY_SECONDS
