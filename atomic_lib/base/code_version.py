"""The version of the code behind a stored result: a digest over a module and every module of ours that it imports.

The imports are read from the source, so there is no list to keep. Imports under ``TYPE_CHECKING`` load nothing and
do not count. Files that are not modules (programs for a guest or for dnf, spec files, unit files) count for every
module in their folder.
"""

import ast
import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path

from atomic_lib.base.paths import CHECKOUT

_PACKAGE = "atomic_lib"


@functools.cache
def code_version(module: str, top: Path = CHECKOUT) -> str:
    """The sha256 of the source of ``module`` (its full name) and of all modules of ours that it imports.

    ``top`` is the directory that holds the package. Raises ValueError for an unknown module.
    """
    digest = hashlib.sha256()
    for path in code_files(module, top):
        digest.update(f"{path.relative_to(top)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def code_files(module: str, top: Path = CHECKOUT) -> list[Path]:
    """The files that ``code_version`` reads, sorted: the modules and the data files beside them."""
    modules: set[Path] = set()
    waiting = [_file_of(module, top)]
    if waiting[0] is None:
        raise ValueError(f"no module {module!r} below {top}")
    while waiting:
        path = waiting.pop()
        if path is None or path in modules:
            continue
        modules.add(path)
        waiting += _imported(path, top)
    data = {file for folder in {path.parent for path in modules} for file in _data_files(folder)}
    return sorted(modules | data)


def _file_of(name: str, top: Path) -> Path | None:
    """The file of a module, or of the module that defines the name; None if the name is not ours."""
    if name.split(".")[0] != _PACKAGE:
        return None
    path = top.joinpath(*name.split("."))
    if path.with_suffix(".py").is_file():
        return path.with_suffix(".py")
    if (path / "__init__.py").is_file():
        return path / "__init__.py"
    parent = name.rpartition(".")[0]
    return _file_of(parent, top) if parent else None


@functools.cache
def _imported(path: Path, top: Path) -> tuple[Path | None, ...]:
    """The files of the modules that a module imports, each once; None for those that are not ours."""
    names = _names(ast.parse(path.read_text(encoding="utf-8"), str(path)))
    return tuple({_file_of(name, top) for name in {*names}})


def _names(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (ast.stmt, ast.ExceptHandler, ast.match_case)):
            continue  # no statement is below it
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            yield from _names(ast.Module(child.orelse, []))
        elif isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        else:
            yield from _names(child)


def _data_files(folder: Path) -> Iterator[Path]:
    """The files of a folder that are not modules, and all files of its sub-folders that are not packages."""
    for path in folder.iterdir():
        if path.is_file() and path.suffix != ".py":
            yield path
        elif path.is_dir() and path.name != "__pycache__" and not (path / "__init__.py").exists():
            yield from (file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
