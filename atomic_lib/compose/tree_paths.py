"""Paths of a tree that this process, which is root on the host, may write to or remove."""

from pathlib import Path

from atomic_lib.base.errors import WorkbookError


def inside(root: Path, path: str) -> Path:
    """``root/path``, certain to lie inside ``root``.

    Raises WorkbookError where a directory on the way is a symbolic link: a package or a
    script may have left one, and following it would end in the host's own files.
    """
    parts = Path(path).parts
    if Path(path).is_absolute() or ".." in parts:
        raise WorkbookError(f"{path!r} is no path inside the tree")
    current = root
    for part in parts[:-1]:
        current = current / part
        if current.is_symlink():
            where = current.relative_to(root)
            raise WorkbookError(
                f"/{path}: not touched, because /{where} is a symbolic link in the tree",
                hint=f"name the path without the link, or correct what makes /{where} a link",
            )
    return root / path


def entries_of(root: Path, directory: str) -> list[Path]:
    """What is in a directory of the tree; nothing where there is no such directory."""
    return sorted(inside(root, f"{directory}/*").parent.glob("*"))
