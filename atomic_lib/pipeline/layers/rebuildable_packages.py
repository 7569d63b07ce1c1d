"""Which packages of a set can be rebuilt by themselves: they have programs, and no other one requires their version."""

import re
import stat
from collections.abc import Mapping

from atomic_lib.formats.rpm_headers import Header, PackagedFile, read_headers
from atomic_lib.solve.lock import Lock
from atomic_lib.solve.rpm_set import RpmSet
from atomic_lib.tools.sandbox import Bind, Tools

_QUERY = r"[%{REQUIREFLAGS:depflags}\t%{REQUIRENAME}\n]"
_PROGRAM = re.compile(r"/usr/s?bin/[^/]+")
_LIBRARY = re.compile(r"/usr/lib(?:64)?/(?:.*/)?[^/]*\.so(?:\.[^/]*)?", re.DOTALL)
_REBUILDABLE = re.compile(r".*[0-8]")
"""A release that ``rpm_rebuild`` can raise."""


def rebuildable_packages(tools: Tools, rpms: RpmSet) -> list[str]:
    """The names of the packages, sorted."""
    files = [f"/mnt/rpms/{package.file_name}" for package in rpms.lock.packages]
    words = ["rpm", "-qp", "--nosignature", "--nodigest", "--qf", _QUERY, *files]
    lines = tools.run(words, binds=[Bind(rpms.directory, "/mnt/rpms")]).stdout.splitlines()
    rows = (line.partition("\t") for line in lines)
    exact = {name for flags, _, name in rows if flags.strip() == "="}
    return names_of_rebuildable(rpms.lock, read_headers(tools, rpms.directory), exact)


def names_of_rebuildable(lock: Lock, headers: Mapping[str, Header], exact: set[str]) -> list[str]:
    """The names of the packages; ``exact``: the capabilities that some package requires in one version only."""
    names = [package.name for package in lock.packages]
    return sorted(
        package.name
        for package in lock.packages
        if package.arch != "noarch" and _REBUILDABLE.fullmatch(package.release) and names.count(package.name) == 1
        and not exact & headers[package.name].provides and any(map(_is_program, headers[package.name].files.items()))
    )  # fmt: skip


def _is_program(item: tuple[str, PackagedFile]) -> bool:
    """Whether a file is a program or a library, by its name and mode."""
    path, file = item
    executable = bool(file.mode & stat.S_IXUSR and _PROGRAM.fullmatch(path))
    return stat.S_ISREG(file.mode) and (executable or bool(_LIBRARY.fullmatch(path)))
