"""What may differ between two builds and must not matter: as data, brought about, and seen to be in force."""

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

FAKETIME = "usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
_PRELOADED, _LDD = "libfaketime.so", "ldd"
# Dracut puts into an initramfs what ldd names: there the library would be one that programs need.
_LDD_SCRIPT = """\
#!/bin/sh
unset LD_PRELOAD
exec ldd "$@"
"""
_CLONE_NEWUTS = 0x04000000  # linux/sched.h
_DAY_SECONDS = 86400


@dataclass(frozen=True)
class Circumstances:
    """Those of one build. An empty string, or 0: as it is on this machine.

    ``umask``, ``host_name`` and ``environment`` (time zone, language, hash seed) reach the
    workbook's own process; commands are shielded from them: they get a clean environment,
    a host name of their own and umask 022.
    ``clock_days_ahead`` holds for commands in the tools tree and in the tree under
    construction; the kernel's clock, which dates files, is the same for both builds.
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


def usual(store: Path, cache: Path) -> Circumstances:
    """A plain build in the user's cache."""
    return Circumstances("A", str(store), str(cache), environment={"TZ": "UTC", "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8"})


def hostile(store: Path, cache: Path, *, cold_cache: bool, language: str) -> Circumstances:
    """Everything different that a build on another machine, by another person, in another year could have different.

    ``language``: a locale that this host has; where it has none but C, the language stays as it is.
    """
    # Kiritimati's time, in the form that needs no time zone data
    environment = {"TZ": "LINT-14", "PYTHONHASHSEED": "4711"}
    return Circumstances(
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
    )


def other_language() -> str:
    """A locale of this host that is not C's, Turkish first (whose letter i is its own); empty where there is none."""
    try:
        return choose_language(run(["locale", "-a"]).stdout)
    except CommandError:
        return ""


def choose_language(listing: str) -> str:
    """One locale in the output of ``locale -a``, in UTF-8, as the workbook's own files are."""
    found = [name for name in listing.split() if re.search(r"\.utf-?8$", name, re.IGNORECASE)]
    names = sorted(name for name in found if name.partition(".")[0] not in ("C", "POSIX"))
    return next((name for name in names if name.startswith("tr_")), names[0] if names else "")


def impose(wanted: Circumstances) -> None:
    """Make this process, and with it all that it starts, live under the circumstances that a process can choose.

    Its environment is given to it when it is started. Raises WorkbookError where the system refuses.
    """
    os.umask(wanted.umask)
    if wanted.processors:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: wanted.processors])
    if wanted.host_name:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(_CLONE_NEWUTS):
            raise WorkbookError(f"another host name needs a namespace of its own: {os.strerror(ctypes.get_errno())}")
        socket.sethostname(wanted.host_name)


def with_clock(tools: Tools, days_ahead: int, scratch: Path) -> Tools:
    """The tools tree with a clock that is ahead, for all commands in it and in a tree under construction.

    The times of files stay the kernel's. ``scratch`` gets a script that this needs.

    Raises WorkbookError where the tools tree has no libfaketime.
    """
    if not days_ahead:
        return tools
    library = tools.root / FAKETIME
    if not library.is_file():
        raise WorkbookError("the tools tree has no libfaketime: the clock cannot be set ahead for a build")
    scratch.mkdir(parents=True, exist_ok=True)
    ldd = scratch / _LDD
    ldd.write_text(_LDD_SCRIPT)
    ldd.chmod(0o755)
    environment = {
        "LD_PRELOAD": f"/dev/{_PRELOADED}",
        "FAKETIME": f"+{days_ahead}d",
        # no shared memory: a command and one that it starts in a chroot have not the same
        "FAKETIME_DISABLE_SHM": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
        "DRACUT_LDD": f"/dev/{_LDD}",
    }
    return replace(tools, environment=environment, device_files={_PRELOADED: library, _LDD: ldd})


def with_order(content: Content, *, reversed_order: bool) -> Content:
    """The content with its repositories in the order given, or from the last to the first."""
    if not reversed_order:
        return content
    sections = [f"[{text}" for text in content.repo_text.split("\n[")]
    sections[0] = sections[0].removeprefix("[")
    text = "\n".join(section.rstrip("\n") + "\n" for section in reversed(sections))
    return replace(content, repo_text=text, local=dict(reversed(list(content.local.items()))))


def in_force(wanted: Circumstances, tools: Tools, content: Content, rpms: Path, *, made_anew: bool) -> dict[str, str]:
    """What this process and a command that it starts in the tools tree see of the circumstances, by condition.

    ``rpms``: the directory of the RPM files installed from. ``made_anew``: whether this build made the content.
    """
    os.umask(umask := os.umask(0))
    date = tools.run(["date", "-u", "+%Y-%m-%d %H:%M"]).stdout.strip()
    processors = tools.run(["nproc"]).stdout.strip()
    return {
        "directory": wanted.store,
        "file system": file_system_of(Path(wanted.store)),
        "umask": f"{umask:03o}",
        "time zone": f"{time.strftime('%Z %z')}",
        **({"language": language_in_force()} if "LC_ALL" in wanted.environment else {}),
        "hash seed": os.environ.get("PYTHONHASHSEED", "random"),
        "host name": socket.gethostname(),
        "clock": f"{date} UTC",
        "processors": processors,
        "repositories": ", ".join(content.repo_ids),
        "RPM files": file_order(rpms),
        "cache": cache_state(cold_cache=wanted.cold_cache, made_anew=made_anew),
        "user": "root",
    }


def file_order(rpms: Path) -> str:
    """Between which packages a directory's RPM files go by inode number: in which order they were created."""
    files = sorted(rpms.glob("*.rpm"), key=lambda file: file.stat().st_ino)
    first, last = (files[at].name.rsplit("-", 2)[0] for at in (0, -1))
    return f"{first} first, {last} last"


def cache_state(*, cold_cache: bool, made_anew: bool) -> str:
    """What the build's cache was like; one that began cold has the content of the first variant that needed it."""
    if made_anew:
        return "cold: content made anew"
    return "content of the first variant's cold cache" if cold_cache else "warm"


def require_in_force(wanted: Circumstances, seen: Mapping[str, str], host: Mapping[str, str]) -> None:
    """Raise WorkbookError naming the first circumstance that was asked for and is not what the build saw.

    ``host``: what the other build, on this machine as it is, saw.
    """
    expected = {"umask": f"{wanted.umask:03o}", "directory": wanted.store}
    if "LC_ALL" in wanted.environment:
        expected["language"] = wanted.environment["LC_ALL"]
    if wanted.host_name:
        expected["host name"] = wanted.host_name
    if wanted.processors:
        expected["processors"] = str(wanted.processors)
    wrong = [name for name, value in expected.items() if seen[name] != value]
    different = [("time zone", wanted.environment.get("TZ") != "UTC"),
                 ("repositories", wanted.repositories_reversed and "," in host["repositories"]),
                 ("RPM files", wanted.packages_reversed)]  # fmt: skip
    wrong += [name for name, asked in different if asked and seen[name] == host[name]]
    if wanted.clock_days_ahead and _days_between(host["clock"], seen["clock"]) < wanted.clock_days_ahead - 1:
        wrong.append("clock")
    if wrong:
        raise WorkbookError(f"build {wanted.name} did not have the {wrong[0]} that it was to have: {seen[wrong[0]]}")


def file_system_of(path: Path) -> str:
    """The type of the file system that a directory is on, as ``stat -f`` names it."""
    return run(["stat", "--file-system", "--format=%T", path]).stdout.strip()


def language_in_force() -> str:
    """The locale that this process got; C where the host has not the one that its environment names."""
    try:
        locale.setlocale(locale.LC_ALL, "")
    except locale.Error:
        return "C"
    return os.environ.get("LC_ALL", "")


def _days_between(first: str, second: str) -> float:
    one, other = (time.mktime(time.strptime(text, "%Y-%m-%d %H:%M %Z")) for text in (first, second))
    return (other - one) / _DAY_SECONDS
