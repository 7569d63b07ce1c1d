"""Reads the files of a recipe, and detects include cycles."""

from collections.abc import Sequence
from pathlib import Path

from atomic_lib.base.errors import WorkbookError


def read_text(path: Path, prefix: str = "") -> str:
    """The text of a file; ``prefix`` (``FILE:LINE: `` of the include) starts the error message.

    Raises WorkbookError if the file does not exist, cannot be read or is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise WorkbookError(f"{prefix}no such file: {path}", hint=listing_hint(path)) from None
    except UnicodeDecodeError as error:
        raise WorkbookError(f"{prefix}{path}: not UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise WorkbookError(f"{prefix}{path}: cannot be read: {error.strerror}") from None


def refuse_cycle(path: Path, chain: Sequence[Path], prefix: str) -> None:
    """Raise WorkbookError naming the cycle if ``path`` is one of the files in ``chain``, which include it."""
    resolved = [file.resolve() for file in chain]
    if path.resolve() in resolved:
        names = [str(file) for file in (*chain[resolved.index(path.resolve()) :], path)]
        raise WorkbookError(f"{prefix}include cycle: {' includes '.join(names)}", hint="remove one of these includes")


def listing_hint(path: Path) -> str:
    """A hint for a missing file: the files in its directory."""
    if not path.parent.is_dir():
        return f"there is no directory {path.parent}"
    names = sorted(sibling.name for sibling in path.parent.iterdir() if sibling.is_file())
    return f"{path.parent} has: {', '.join(names)}" if names else f"{path.parent} is empty"
