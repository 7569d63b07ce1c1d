"""Finds the files of a tree that dracut's scripts name."""

import re
import stat
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from atomic_lib.compose.tree_access.tree_files import TreeFiles

# Dracut copies files in these directories by pattern, such as *.conf, so every name counts.
_DIRECTORIES = tuple(
    f"{directory}/"
    for directory in (
        *(f"etc/{name}" for name in (
            "cmdline.d", "conf.d", "depmod.d", "dracut.conf.d", "ld.so.conf.d", "lvm", "mdadm.conf.d", "modprobe.d",
            "modules-load.d", "multipath", "ostree", "sysctl.d", "sysusers.d", "systemd/network", "tmpfiles.d",
            "udev",
        )),
        *(f"usr/lib/{name}" for name in (
            "depmod.d", "dracut", "firmware", "kbd", "modprobe.d", "modules", "modules-load.d", "ostree", "sysctl.d",
            "systemd/network", "udev/hwdb.d",
        )),
        *(f"usr/share/{name}" for name in ("consolefonts", "consoletrans", "keymaps", "unimaps")),
    )
)  # fmt: skip
_DROP_IN = re.compile(r"(?:etc|usr/lib)/(?:systemd|udev)/(?:.*/)?([^/]+)\.d/")
# Documentation, and the modules of languages in which no program of an initramfs is written.
_NEVER = re.compile(r"usr/(?:share/(?:doc|info|locale|man|perl5?)/|lib/python3|lib(?:64|/[^/]+)?/perl5?/)")
_DRACUT = "usr/lib/dracut"
# Runs when a system shuts down, and names the policy's file contexts, which no initramfs contains.
_NOT_RUN = f"{_DRACUT}/dracut-initramfs-restore"
PROGRAMS = ("usr/bin/", "usr/sbin/", "usr/lib/", "usr/libexec/")
_LIBRARY = re.compile(r"usr/lib(?:64)?/.*\.so(?:\.|$)")

_WORD = re.compile(r"(?<![\w$])(?<!\$\{)[\w.@+-]+")
# The beginning of a name: before a pattern, or before a variable if it ends in a character that separates words.
_BEGINNING = re.compile(
    r"(?<![\w${])([\w.@+-]*[A-Za-z]{2}[\w.@+-]*)(?=[*?](?![*?]*/))|(?<![\w${])([\w.@+-]*[A-Za-z]{2}[.@+-])(?=\$)"
)
_PAIR = re.compile(r"[\w.@+-]+(?=/([\w.@+-]+))")
_REQUIRED = re.compile(r"^\s*require_binaries\s+([^|;&]*?)\s*\|\|\s*return 1", re.M)
_CHECK = re.compile(r"^check\(\)\s*\{(.*?)^\}", re.M | re.S)
# Kernel modules are in a directory where every file counts.
_KERNEL_MODULES = re.compile(r'\b\w*modules\+?="[^"]*"')
_SOURCED = re.compile(r'^\s*(?:\.|source)\s+"?\$\{?moddir\}?"?/([\w.-]*\w[\w.-]*)', re.M)
# What a script prints for its user: a here document of cat alone, or a line for the standard error.
_MESSAGE = re.compile(r"^[ \t]*(?:cat[ \t]*<<-?[ \t]*(\w+)\n(?:.*\n)*?[ \t]*\1|(?:echo|printf)\b[^\n|;&<>]*>&2)$", re.M)
_DEPENDS = re.compile(r"^depends\(\)\s*\{(.*?)^\}", re.M | re.S)


@dataclass(frozen=True)
class Names:
    """The names in scripts: words, beginnings of words before a pattern or variable, and pairs DIRECTORY/NAME."""

    words: frozenset[str]
    beginnings: tuple[str, ...]
    pairs: frozenset[str]
    paths: tuple[str, ...] = ()
    """Paths in dracut's arguments."""
    loads_libraries: bool = False
    """Whether dracut follows dlopen(3), so that the initramfs may contain any library."""

    def concern(self, path: str, mode: int) -> bool:
        """Whether the initramfs may depend on the file at ``path`` (relative to the root) with this mode."""
        if _NEVER.match(path):
            return False
        unit = _DROP_IN.match(path)
        if path.startswith((*_DIRECTORIES, *self.paths)) or (unit and unit[1] in self.words):
            return True
        if self.loads_libraries and is_library(path):
            return True
        directory, _, name = path.rpartition("/")
        if f"{directory.rpartition('/')[2]}/{name}" in self.pairs:
            return True
        program = path.startswith(PROGRAMS) and (bool(mode & 0o111) or stat.S_ISLNK(mode))
        return (program or "." in name) and (name in self.words or name.startswith(self.beginnings))

    def accounts(self, text: str) -> list[str]:
        """The lines of an account file that a script may look up, by the name or its beginning or end."""
        parts = tuple(word for word in self.words if len(word) > 2)
        lines = [(line.partition(":")[0], line) for line in text.split("\n") if line]
        return [line for name, line in lines if name in self.words or name.startswith(parts) or name.endswith(parts)]


def is_library(path: str) -> bool:
    """Whether the file at ``path`` (relative to the root) is a shared library."""
    return bool(_LIBRARY.match(path)) and not _NEVER.match(path)


def names_in_scripts(files: TreeFiles, arguments: Sequence[str], programs: Set[str]) -> Names:
    """The names in dracut's scripts and configuration in a tree; ``programs``: the names of all programs in the tree.

    Only modules that the initramfs can contain count, and of these only the code that runs when it is built.
    """
    settings = ["etc/dracut.conf", *files.entries("etc/dracut.conf.d"), *files.entries(f"{_DRACUT}/dracut.conf.d")]
    chosen = "\n".join([_code(files, settings), *arguments])
    setups = {path: _code(files, [f"{path}/module-setup.sh"]) for path in files.entries(f"{_DRACUT}/modules.d")}
    modules = possible_modules({_module_of(path): text for path, text in setups.items()}, chosen, programs)
    programs_run = [path for path in files.entries(_DRACUT) if path != _NOT_RUN]
    parts = [_code(files, [*programs_run, "usr/bin/dracut"]), chosen]
    for path, setup in setups.items():
        if _module_of(path) in modules:
            sourced = [f"{path}/{name}" for name in _SOURCED.findall(setup)]
            parts += [_KERNEL_MODULES.sub("", setup), _code(files, sourced)]
    # without quotes, because the shell joins adjacent strings
    code = "\n".join(parts).replace('"', "").replace("'", "")
    return Names(
        words=frozenset(_WORD.findall(code)),
        beginnings=tuple(sorted({first or second for first, second in _BEGINNING.findall(code)})),
        pairs=frozenset(f"{match[0]}/{match[1]}" for match in _PAIR.finditer(code)),
        paths=tuple(sorted({word.strip("/") for word in " ".join(arguments).split() if word.startswith("/")})),
        loads_libraries=b"dlopen" in _bytes(files, f"{_DRACUT}/dracut-install"),
    )


def possible_modules(setups: Mapping[str, str], chosen: str, programs: Set[str]) -> set[str]:
    """The modules that the initramfs can contain; ``setups``: the text of module-setup.sh by module.

    A module is excluded if it requires a missing program, or if dracut includes it only on
    request and neither ``chosen`` (configuration and arguments) nor another possible module
    names it.
    """
    usable = {name for name, setup in setups.items() if _required_programs(setup) <= programs}
    on_request = {name for name in usable if _is_on_request(setups[name])}
    possible = usable - on_request
    requested = set(_WORD.findall(chosen))
    while True:
        named = requested.union(*(_WORD.findall("\n".join(_DEPENDS.findall(setups[name]))) for name in possible))
        if not (more := named & on_request - possible):
            return possible
        possible |= more


def _required_programs(setup: str) -> set[str]:
    words = " ".join(_REQUIRED.findall(setup)).replace('"', "").replace("'", "").split()
    return {name for word in words if "$" not in (name := word.rpartition("/")[2])}


def _is_on_request(setup: str) -> bool:
    """Whether ``check`` only returns 255 ("only if another module or the user requests it") or 1 ("never")."""
    found = _CHECK.search(setup)
    returned = re.findall(r"\breturn\b[ \t]*([^\s;&|]*)", found[1]) if found else []
    return bool(found and returned and found[1].rstrip().endswith("return 255") and set(returned) <= {"1", "255"})


def _module_of(path: str) -> str:
    """The name of the module in a directory such as ``modules.d/99base``."""
    return path.rpartition("/")[2].lstrip("0123456789")


def _code(files: TreeFiles, paths: Iterable[str]) -> str:
    """The text of scripts without comments and messages, with continued lines joined."""
    texts = [data.decode(errors="replace") for path in paths if b"\0" not in (data := _bytes(files, path))]
    lines = "\n".join(texts).replace("\\\n", " ").split("\n")
    code = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    return _MESSAGE.sub(_commands_of, code)


def _commands_of(message: re.Match[str]) -> str:
    """A message as it counts: as a whole if it runs commands, and else not at all, as it names no file to take."""
    return message[0] if "$(" in message[0] or "`" in message[0] else ""


def _bytes(files: TreeFiles, path: str) -> bytes:
    """The content of a file; empty for all that is not a regular file."""
    return (files.read(path) or b"") if files.has_file(path) else b""
