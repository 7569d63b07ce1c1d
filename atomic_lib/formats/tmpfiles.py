"""What systemd-tmpfiles creates at boot, by a file system's own configuration.

Format: tmpfiles.d(5). No library: ``systemd-tmpfiles --dry-run --root=`` needs a directory,
and here the configuration is inside an image that is not mounted.
"""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from atomic_lib.formats.disk.file_system import FileEntry, FileSystem

# Highest priority first: a file hides files of the same name in later directories.
_DIRECTORIES = ("/etc/tmpfiles.d", "/run/tmpfiles.d", "/usr/local/lib/tmpfiles.d", "/usr/lib/tmpfiles.d")
_MAKERS = {"d": "directory", "D": "directory", "v": "directory", "q": "directory", "Q": "directory", "L": "link",
           "C": "file"}  # fmt: skip
_DEFAULT_MODES = {"directory": 0o755, "file": 0o644, "link": 0o777}
_FACTORY = "/usr/share/factory"


@dataclass(frozen=True)
class TmpfilesLine:
    """One line, and what it creates. ``mode``, ``user``, ``group``: empty where the line does not set them.

    ``argument``: the target of a link, or the path that is copied.
    """

    type: str
    mode: str
    user: str
    group: str
    argument: str
    copied: bool = False

    def fits(self, entry: FileEntry, side: FileSystem, maker: FileSystem) -> bool:
        """Whether the line creates on ``maker`` what ``entry`` is on ``side``: type, mode, owner, content, target.

        The content of a copied directory is not compared.
        """
        mode, uid, gid = _DEFAULT_MODES[self.type], 0, 0
        if self.copied:
            source = maker.entries.get(self.argument)
            if source is None or (source.type, source.sha256, source.target) != (
                entry.type,
                entry.sha256,
                entry.target,
            ):
                return False
            mode, uid, gid = source.mode, source.uid, source.gid
        elif entry.type != self.type or (entry.type == "link" and entry.target != self.argument):
            return False
        if entry.mode != (int(self.mode, 8) if self.mode else mode):
            return False
        return self._is(self.user, uid, entry.uid, side.users) and self._is(self.group, gid, entry.gid, side.groups)

    @staticmethod
    def _is(account: str, default: int, number: int, names: Mapping[int, str]) -> bool:
        return account in (str(number), names.get(number)) if account else number == default


@lru_cache(maxsize=2)
def read_tmpfiles(side: FileSystem) -> Mapping[str, TmpfilesLine]:
    """The lines that create something, by path; the first line for a path counts."""
    files: dict[str, str] = {}
    for directory in reversed(_DIRECTORIES):
        for path in side.entries:
            if path.startswith(f"{directory}/") and path.endswith(".conf") and "/" not in path[len(directory) + 1 :]:
                files[path.rpartition("/")[2]] = path
    found: dict[str, TmpfilesLine] = {}
    for name in sorted(files):
        for line in side.text(files[name]).splitlines():
            parsed = _parsed(line)
            if parsed and parsed[0] not in found:
                found[parsed[0]] = parsed[1]
    return found


def _parsed(line: str) -> tuple[str, TmpfilesLine] | None:
    """The path and the line; None for a comment, or a line that creates no file, directory or link."""
    words = _words(line)
    letter = words[0].rstrip("+!-=~^$?") if len(words) > 1 else ""
    if letter not in _MAKERS:
        return None
    path = words[1].replace("%%", "%").rstrip("/")
    fields = [word.lstrip(":~") if word != "-" else "" for word in words[2:7]]
    mode, user, group, _, argument = [*fields, *[""] * 5][:5]
    copied = letter == "C"
    if not argument and letter in "CL":
        argument = f"{_FACTORY}{path}"
    return path, TmpfilesLine(_MAKERS[letter], mode, user, group, argument, copied)


def _words(line: str) -> list[str]:
    if not line.strip() or line.lstrip().startswith("#"):
        return []
    escaped = re.sub(r"\\x([0-9a-fA-F]{2})", lambda match: shlex.quote(chr(int(match[1], 16))), line)
    try:
        return shlex.split(escaped)
    except ValueError:
        return []
