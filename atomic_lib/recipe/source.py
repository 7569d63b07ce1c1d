"""The files a recipe is read from: their text, and which of them includes which."""

from collections.abc import Sequence
from pathlib import Path

from atomic_lib.base.errors import WorkbookError


def read_text(path: Path, asked_by: str = "") -> str:
    """The text of a file; ``asked_by`` (``FILE:LINE: ``) is what the error starts with.

    Raises WorkbookError: no such file (with what its directory has), not readable, not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise WorkbookError(f"{asked_by}no such file: {path}", hint=listing_hint(path)) from None
    except UnicodeDecodeError as error:
        raise WorkbookError(f"{asked_by}{path}: not UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise WorkbookError(f"{asked_by}{path}: cannot be read: {error.strerror}") from None


def refuse_cycle(path: Path, chain: Sequence[Path], asked_by: str) -> None:
    """Raise WorkbookError naming the whole chain when one of the including files is ``path`` again."""
    resolved = [file.resolve() for file in chain]
    if path.resolve() in resolved:
        names = [str(file) for file in (*chain[resolved.index(path.resolve()) :], path)]
        raise WorkbookError(f"{asked_by}include cycle: {' includes '.join(names)}", hint="remove one of these includes")


def listing_hint(path: Path) -> str:
    """What stands beside a file that is not there."""
    if not path.parent.is_dir():
        return f"there is no directory {path.parent}"
    names = sorted(sibling.name for sibling in path.parent.iterdir() if sibling.is_file())
    return f"{path.parent} has: {', '.join(names)}" if names else f"{path.parent} is empty"
