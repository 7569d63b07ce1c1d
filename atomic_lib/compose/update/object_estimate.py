"""What a commit will cost as loose objects, estimated before it is composed: from the commit that there is, and locks.

The RPM files of the packages that are new say which files there will be, and how large their objects are. Each change
of packages also changes the RPM database, each new library the linker's cache, and a new kernel brings an initramfs and
lists of its modules, which are in no RPM file: they are taken to stay as large as they are. What scripts of the recipe
or of packages change besides is not known before the compose.

Source of the sizes: ostree's ``ostree-core.h`` (an object of mode ``archive`` is a header and the file, deflated).
"""

import hashlib
import re
import stat
import zlib
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from atomic_lib.content.rebuilt_rpms import unpacked_payload
from atomic_lib.formats.cpio import ArchivedMember, read_initramfs
from atomic_lib.formats.ostree_objects import OstreeObject
from atomic_lib.tools.sandbox import Bind, Tools

_DATABASE = re.compile(r"/usr/(?:lib/sysimage|share)/rpm/.*\.sqlite")
_LINKER_CACHE, _LIBRARY = "/usr/etc/ld.so.cache", re.compile(r"/usr/lib(?:64)?/.*\.so(?:\.|$)")
_KERNEL = re.compile(r"(/usr/lib/modules/[^/]+/)vmlinuz")
_HEADER_BYTES, _ENTRY_BYTES, _DEFLATE_LEVEL = 80, 36, 6
"""The header has owner, mode and label; labels are of different length."""
_DOCUMENTATION, _LICENSE = 2, 128
"""Flags of a package's file: RPMFILE_DOC and RPMFILE_LICENSE in rpm's ``rpmfiles.h``."""
_LISTED = re.compile(r"([dl-])\S+ +\d+ +\d+ +\d+ ([0-9a-f]{64})(?: [0-9a-f]{64})? (/.*)")


@dataclass(frozen=True)
class PackageFiles:
    """What an update brings: the RPM files that are new, and those of the same packages that they replace.

    ``documentation``: whether what a package calls documentation is installed. ``languages``: those whose messages are
    installed; None: all.
    """

    new: tuple[Path, ...]
    replaced: tuple[Path, ...]
    documentation: bool = True
    languages: tuple[str, ...] | None = None

    def installed(self, flags: int, language: str) -> bool:
        """Whether a file of a package is installed. Source: rpm's ``rpmfiles.c``."""
        unwanted = flags & _DOCUMENTATION and not flags & _LICENSE and not self.documentation
        return not unwanted and (not language or self.languages is None or language in self.languages)


def estimate_loose(tools: Tools, repository: Path, commit: str, files: PackageFiles, scratch: Path) -> int:
    """The bytes of the objects that an update of ``commit`` will have; ``repository`` serves that commit.

    Raises CommandError if a file is no RPM file that the tools can read.
    """
    sizes = listed_sizes(tools, repository, commit)
    replaced = [one for rpm in files.replaced for one in _installed(tools, rpm, files, scratch)]
    members = [one for rpm in files.new for one in _installed(tools, rpm, files, scratch)]
    made = made_for_kernel(members, sizes, {_in_tree(one.path) for one in replaced})
    known = {_digest(one) for one in replaced}
    return objects_bytes([one for one in members if _digest(one) not in known], sizes, made)


def made_for_kernel(
    members: Iterable[ArchivedMember], sizes: Mapping[str, int], packaged: Container[str]
) -> dict[str, int]:
    """What a compose makes for a new kernel, by path, with the sizes that it has for the kernel in ``sizes``.

    ``packaged``: the paths of the packages that are replaced. None if there are not one kernel and one new one.
    """
    new = {found[1] for one in members if (found := _KERNEL.fullmatch(_in_tree(one.path)))}
    old = {found[1] for path in sizes if (found := _KERNEL.fullmatch(path))}
    if len(new) != 1 or len(old) != 1:
        return {}
    (own,), (other,) = new, old
    made = [path for path in sizes if path.startswith(other) and not path.endswith("/") and path not in packaged]
    return {f"{own}{path.removeprefix(other)}": sizes[path] for path in made}


def objects_bytes(
    members: Iterable[ArchivedMember], sizes: Mapping[str, int], made: Mapping[str, int] = MappingProxyType({})
) -> int:
    """The bytes of all objects that change with new files.

    ``sizes``: those of the objects that there are, by path; ``made``: those of new ones that are in no package.
    """
    new = {_in_tree(one.path): _file_bytes(one) for one in members if not stat.S_ISDIR(one.mode)} | dict(made)
    changed = {path for path in sizes if new and _DATABASE.fullmatch(path)}
    if any(_LIBRARY.match(path) for path in new):
        changed |= {_LINKER_CACHE} & sizes.keys()
    directories: dict[str, int] = {}
    for path in (*new, *changed):
        directories |= {_directory(above): sizes.get(_directory(above), 0) for above in PurePosixPath(path).parents}
    added = [path for path in (*new, *directories) if path not in sizes]
    entries = sum(len(PurePosixPath(path).name) + _ENTRY_BYTES for path in added)
    return sum(new.values()) + sum(sizes[path] for path in changed) + sum(directories.values()) + entries


def listed_sizes(tools: Tools, repository: Path, commit: str) -> dict[str, int]:
    """The sizes of the objects of a commit by path; that of a directory ends in ``/``."""
    words = ["ostree", "ls", "-C", "-R", "--repo=/mnt/repo", commit]
    lines = tools.run(words, binds=[Bind(repository, "/mnt/repo")], rights="root").stdout.split("\n")
    sizes: dict[str, int] = {}
    for kind, checksum, path in (found.groups() for line in lines if (found := _LISTED.fullmatch(line))):
        one = OstreeObject("dirtree" if kind == "d" else "file", checksum)
        name = _directory(path) if kind == "d" else path.partition(" -> ")[0]
        sizes[name] = (repository / one.path()).stat().st_size
    return sizes


def _directory(path: str | PurePosixPath) -> str:
    return f"{str(path).rstrip('/')}/"


def _file_bytes(member: ArchivedMember) -> int:
    """The size of the object."""
    if stat.S_ISLNK(member.mode):
        return _HEADER_BYTES + len(member.data)
    deflate = zlib.compressobj(_DEFLATE_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return _HEADER_BYTES + len(deflate.compress(member.data) + deflate.flush())


def _installed(tools: Tools, rpm: Path, files: PackageFiles, scratch: Path) -> list[ArchivedMember]:
    """The files of an RPM file that are installed."""
    words = ["rpm", "-qp", "--nosignature", "--qf", r"[%{FILEFLAGS} %{FILELANGS} %{FILENAMES}\n]", "/mnt/rpm"]
    lines = tools.run(words, binds=[Bind(rpm, "/mnt/rpm")]).stdout.split("\n")  # names may have U+2028 and the like
    rows = (line.split(" ", 2) for line in lines if line)
    wanted = {path for flags, language, path in rows if files.installed(int(flags), language)}
    members = read_initramfs(unpacked_payload(tools, rpm, scratch), lambda data: data)
    return [member for member in members if member.path.removeprefix(".") in wanted]


def _in_tree(path: str) -> str:
    """Where a commit has a file of a package."""
    path = path.removeprefix(".")
    return f"/usr{path}" if path.startswith("/etc/") else path


def _digest(member: ArchivedMember) -> tuple[str, str]:
    return member.path, hashlib.sha256(member.data).hexdigest()
