"""What systemd-tmpfiles creates at boot, by a file system's own configuration.

Format: tmpfiles.d(5). No library: ``systemd-tmpfiles --dry-run --root=`` needs a directory,
and here the configuration is inside an image that is not mounted.
"""

import os
import posixpath
import re
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
_SPACE = " \t"
_FIELDS = 6
"""The number of fields before the argument."""
_LETTERS = {"a": b"\a", "b": b"\b", "f": b"\f", "n": b"\n", "r": b"\r", "t": b"\t", "v": b"\v", "s": b" ", "\\": b"\\",
            '"': b'"', "'": b"'"}  # fmt: skip
_TYPE = re.compile(r"[a-zA-Z][-!+=~^$?]*")
_MODE = re.compile(r"-?|[:~]{0,2}0*[0-7]{1,4}")
_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2}|.|$)", re.DOTALL)


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
        for line in lines_of(side.text(files[name])):
            parsed = parse_line(line)
            if parsed and parsed[0] not in found:
                found[parsed[0]] = parsed[1]
    return found


def parse_line(line: str) -> tuple[str, TmpfilesLine] | None:
    """The path and the line; None for a comment, or a line that creates no file, directory or link."""
    words = split_line(line)
    letter = words[0][:1] if len(words) > 1 else ""
    if letter not in _MAKERS:
        return None
    path = path_of(words[1])
    fields = [word.lstrip(":~") if word != "-" else "" for word in words[2:6]]
    mode, user, group = [*fields, *[""] * 3][:3]
    argument = words[6] if len(words) > 6 else ""
    copied = letter == "C"
    if not argument and letter in "CL":
        argument = f"{_FACTORY}{path}"
    return path, TmpfilesLine(_MAKERS[letter], mode, user, group, argument, copied)


def lines_of(text: str) -> list[str]:
    """The lines of a file, ended as systemd ends them: not at the other characters that Python takes for line ends."""
    return re.split(r"[\n\r\0]", text)


def split_line(line: str) -> list[str]:
    """The fields of a line, unquoted: type, path, mode, user, group, age, argument; as many as it has.

    Empty for a comment, and for a line that systemd-tmpfiles refuses. The argument is the rest
    of the line, where quotes are characters like all others; "-" for none is left out.
    """
    rest = line.strip(_SPACE)
    if not rest or rest.startswith("#"):
        return []
    words: list[str] = []
    try:
        while rest and len(words) < _FIELDS:
            word, rest = _first_word(rest)
            words.append(_unescaped(word))
        argument = [] if rest in ("", "-") else [_unescaped(rest)]
    except ValueError:
        return []
    if not _is_accepted(*words[:3]):
        return []
    return [*words[:1], *(word.replace("%%", "%") for word in (*words[1:], *argument))]


def path_of(word: str) -> str:
    """The path that a line's second field stands for: without needless slashes and dots, and in /run if in /var/run."""
    path = f"/{posixpath.normpath(word).lstrip('/')}"
    return path.removeprefix("/var") if path.startswith("/var/run/") else path


def _is_accepted(kind: str, path: str = "/", mode: str = "-") -> bool:
    """Whether systemd-tmpfiles accepts the first fields of a line; a path may begin with a specifier."""
    return bool(
        _TYPE.fullmatch(kind) and path.startswith(("/", "%")) and ".." not in path.split("/") and _MODE.fullmatch(mode)
    )


def escape(word: str) -> str:
    """A path, or a link's target, as systemd-tmpfiles reads it back: no spaces, quotes, control characters, odd bytes.

    Source: tmpfiles.d(5), "C-style escapes", and systemd's ``cunescape``; a doubled percent sign is no specifier.
    """
    text = re.sub(
        r"[\x01-\x20\x7f'\"\udc80-\udcff]",
        lambda match: f"\\x{os.fsencode(match[0])[0]:02x}",
        word.replace("\\", "\\\\"),
    )
    return r"\x2d" if text == "-" else text.replace("%", "%%")


def _first_word(text: str) -> tuple[str, str]:
    """The first word without its quotes, escapes as they are, and the rest; ValueError for an unclosed quote."""
    word, quote, end = "", "", len(text)
    for match in re.finditer(r"\\.|.", text, re.DOTALL):
        token = match[0]
        if token == quote:
            quote = ""
        elif not quote and token in ("'", '"'):
            quote = token
        elif not quote and token in _SPACE:
            end = match.start()
            break
        else:
            word += token
    if quote:
        raise ValueError("an unclosed quote")
    return word, text[end:].lstrip(_SPACE)


def _unescaped(text: str) -> str:
    """``cunescape`` of systemd (src/basic/escape.c); ValueError for an escape that it does not know."""
    return os.fsdecode(_ESCAPE.sub(_character, text.encode(errors="surrogateescape")))


def _character(match: re.Match[bytes]) -> bytes:
    code = match[1].decode(errors="replace")
    if code in _LETTERS:
        return _LETTERS[code]
    if len(code) > 1 and (number := int(code[1:], 16) if code[0] in "xuU" else int(code, 8)):
        return chr(number).encode() if code[0] in "uU" else bytes([number])
    raise ValueError(f"no escape: {match[0]!r}")
