"""Reads the files of a recipe within its directories, and detects include cycles."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from atomic_lib.base.errors import WorkbookError

LARGEST_BYTES = 4 << 20
"""The size of the largest file that is read as a part of a recipe."""


def require_within(path: Path, roots: Sequence[Path], prefix: str) -> None:
    """Raise WorkbookError unless a file that a recipe names is below one of ``roots``, with all links resolved.

    ``prefix`` (``FILE:LINE: `` of the include) starts the message.
    """
    if "\0" in str(path):
        raise WorkbookError(f"{prefix}the name of a file has a null byte", hint="name a text file")
    if not any(_real(path).is_relative_to(_real(root)) for root in roots):
        link = any(Path(os.path.abspath(path)).is_relative_to(os.path.abspath(root)) for root in roots)
        what = f"{path} leads to {_real(path)}, which" if link else path
        raise WorkbookError(
            f"{prefix}{what} is outside of the recipe's directory {roots[0]}",
            hint="move the file there, or keep it and the recipe in one Git repository; for a recipe in params, the "
            "variant's recipe_roots can name its directory",
        )


def read_text(path: Path, prefix: str = "") -> str:
    """The text of a file; ``prefix`` (``FILE:LINE: `` of the include) starts the error message.

    The line ends of Windows become line feeds; see ``with_line_feeds``.

    Raises WorkbookError if the file does not exist, is not a regular file of at most ``LARGEST_BYTES``, cannot be
    read or is not UTF-8.
    """
    try:
        return with_line_feeds(read_data(path, prefix).decode("utf-8"))
    except UnicodeDecodeError as error:
        raise WorkbookError(f"{prefix}{path}: not UTF-8 text (byte {error.start})", hint="save it as UTF-8") from None


def with_line_feeds(text: str) -> str:
    """The text with LF as its line end, if the line end of all its lines is CR LF.

    In a script, the carriage returns would be part of its words. In a text with both line ends they stay: a script
    may write such a file.
    """
    return text.replace("\r\n", "\n") if text.count("\r\n") == text.count("\n") else text


def lines_of(text: str) -> list[str]:
    """The lines of a text, without their ends: LF or CR LF, as in rpm-ostree.

    ``str.splitlines`` ends lines at form feeds and at separators of Unicode, too.
    """
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]


def read_data(path: Path, prefix: str = "") -> bytes:
    """The content of a file that need not be text; raises WorkbookError as ``read_text`` does."""
    try:
        return _read_regular(path, prefix)
    except FileNotFoundError:
        raise WorkbookError(f"{prefix}no such file: {path}", hint=listing_hint(path)) from None
    except OSError as error:
        hint = "name a file, and let everybody who runs the workbook read it"
        raise WorkbookError(f"{prefix}{path}: cannot be read: {error.strerror}", hint=hint) from None


def _read_regular(path: Path, prefix: str) -> bytes:
    # without O_NONBLOCK, opening a FIFO would wait for a writer
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise WorkbookError(f"{prefix}{path}: is not a regular file", hint="name a text file")
        data = file.read(LARGEST_BYTES + 1)
    if len(data) > LARGEST_BYTES:
        raise WorkbookError(f"{prefix}{path}: is larger than {LARGEST_BYTES >> 20} MiB", hint="name a smaller file")
    return data


def _real(path: Path) -> Path:
    """The path with all links resolved; a link to itself stays, which Path.resolve answers with RuntimeError."""
    return Path(os.path.realpath(path))


def refuse_cycle(path: Path, chain: Sequence[Path], prefix: str) -> None:
    """Raise WorkbookError naming the cycle if ``path`` is one of the files in ``chain``, which include it."""
    resolved = [_real(file) for file in chain]
    if _real(path) in resolved:
        names = [str(file) for file in (*chain[resolved.index(_real(path)) :], path)]
        raise WorkbookError(f"{prefix}include cycle: {' includes '.join(names)}", hint="remove one of these includes")


def listing_hint(path: Path) -> str:
    """A hint for a missing file: the files in its directory."""
    if not path.parent.is_dir():
        return f"there is no directory {path.parent}"
    names = sorted(sibling.name for sibling in path.parent.iterdir() if sibling.is_file())
    return f"{path.parent} has: {', '.join(names)}" if names else f"{path.parent} has no files"


def printable(text: str) -> str:
    """The text with control characters, which a terminal would act on, as escape sequences; line feeds stay."""
    return "".join(one if one.isprintable() or one == "\n" else repr(one)[1:-1] for one in text)
