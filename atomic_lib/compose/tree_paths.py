"""Checked paths in a tree: this process runs as root on the host, and must not write outside of the tree."""

from pathlib import Path

from atomic_lib.base.errors import WorkbookError


def path_in_tree(root: Path, path: str) -> Path:
    """``root/path``, checked to be inside of ``root``.

    Raises WorkbookError if a parent directory is a symbolic link. Packages and scripts can
    create such links, and following one could change files of the host.
    """
    parts = Path(path).parts
    if Path(path).is_absolute() or ".." in parts:
        raise WorkbookError(f"{path!r} is no path inside the tree")
    current = root
    for part in parts[:-1]:
        current = current / part
        if current.is_symlink():
            link = current.relative_to(root)
            raise WorkbookError(
                f"/{path}: not touched, because /{link} is a symbolic link in the tree",
                hint=f"name the path without the link, or correct the package or script that creates the link /{link}",
            )
    return root / path


def entries_of(root: Path, directory: str) -> list[Path]:
    """The paths in a directory of the tree, sorted; empty if there is no such directory."""
    return sorted(path_in_tree(root, f"{directory}/*").parent.glob("*"))
