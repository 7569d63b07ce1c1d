"""The files of ``ostree-layers``: directories of ``overlay.d``, from which coreos-assembler makes these layers."""

import os
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.recipe import AddedFile
from atomic_lib.recipe.source import lines_of, read_data, read_text, require_within

OVERLAYS = "overlay.d"
_PREFIXES = ("overlay/", f"{OVERLAYS}/")
"""What coreos-assembler calls the layer of a directory; its newer builds name the directory itself."""
_MODES = "statoverride"


def overlay_files(name: str, directory: Path, roots: Sequence[Path]) -> tuple[AddedFile, ...]:
    """The paths that the layer ``overlay/NAME`` or ``overlay.d/NAME`` adds: those in the recipe's ``overlay.d/NAME``.

    ``directory`` is the recipe's.

    As coreos-assembler does, root owns them, executables are read-only, and the file ``statoverride`` in ``overlay.d``
    or in the layer sets modes.

    Raises WorkbookError, without the name of the treefile, for a layer of another name, without a directory, or with
    anything but files, directories and symbolic links.
    """
    bare = next((name.removeprefix(prefix) for prefix in _PREFIXES if name.startswith(prefix)), "")
    folder = directory / OVERLAYS / (bare or name)
    if bare in ("", ".", "..") or "/" in bare or not folder.is_dir():
        raise WorkbookError(
            f"there is no ref {name!r}: each build begins with an empty repository, and there is no directory {folder}",
            hint=f"put its files into {OVERLAYS}/NAME beside the treefile, and name the layer {_PREFIXES[0]}NAME",
        )
    require_within(folder, roots, "")
    modes = {**_modes(directory / OVERLAYS / _MODES), **_modes(folder / _MODES)}
    return tuple(paths_below(folder, modes, left_out=[_MODES]))


def paths_below(folder: Path, modes: Mapping[str, int], *, left_out: Collection[str]) -> Iterator[AddedFile]:
    """All that is below a folder, but what is ``left_out``: files, directories and links as they are.

    Executables are read-only. ``modes``: those of paths that have others. Raises WorkbookError for anything else.
    """
    for path in _below(folder, left_out):
        inner = str(path.relative_to(folder))
        yield _added(path, inner, modes.get(inner))


def _below(folder: Path, left_out: Collection[str]) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in left_out:
            continue
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from _below(path, ())


def _added(path: Path, inner: str, mode: int | None) -> AddedFile:
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        return AddedFile(inner, stat.S_IFLNK | 0o777, target=os.readlink(path))
    if stat.S_ISDIR(status.st_mode):
        return AddedFile(inner, stat.S_IFDIR | (mode or 0o755))
    usual = 0o555 if status.st_mode & stat.S_IXUSR else 0o644
    return AddedFile(inner, stat.S_IFREG | (mode or usual), read_data(path))


def _modes(file: Path) -> dict[str, int]:
    """The modes in a file of lines ``=DECIMAL /PATH``."""
    modes: dict[str, int] = {}
    for number, line in enumerate(lines_of(read_text(file)) if file.is_file() else (), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 2 or not words[0].startswith("=") or not words[0][1:].isdecimal():
            raise WorkbookError(f"{file}:{number}: {line!r:.100} is not a mode and a path",
                                hint="for example =384 /etc/file")  # fmt: skip
        modes[words[1].lstrip("/")] = int(words[0][1:]) & 0o7777
    return modes
