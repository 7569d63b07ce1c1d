"""What a recipe adds to the files of the packages, removes from them and changes in them.

Source of the order and the rules: rpm-ostree's ``composepost.rs`` and ``rpmostree-core.cxx``.
"""

import json
import posixpath
import stat
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.chroot import Installroot
from atomic_lib.compose.tree_access.beneath import shown
from atomic_lib.compose.tree_access.tree_files import TreeFiles
from atomic_lib.formats.rpm_headers import Header
from atomic_lib.recipe.recipe import AddedFile, Recipe
from atomic_lib.solve.dnf_run import INSTALLROOT
from atomic_lib.tools.sandbox import Bind

_OS_RELEASE = "etc/os-release"
_LINKS_MOST = 40
_PROGRAMS = Path(__file__).parents[1] / "rpm_programs"
MATCHING_SECONDS = 60.0
"""How long all expressions of ``remove-from-packages`` may take."""


def change_packaged_files(tree: Installroot, recipe: Recipe, headers: Mapping[str, Header]) -> None:
    """Remove what is to be removed from packages, add the recipe's overlays, and make executables read-only.

    Raises WorkbookError for a file of ``overlays`` that is in the tree already with another content, and for a
    regular expression that takes too long.
    """
    _remove_from_packages(tree, recipe, headers)
    if recipe.readonly_executables:
        words = ["-type", "f", "-perm", "/111", "-perm", "/222", "-exec", "chmod", "a-w", "{}", "+"]
        tree.run(["find", f"{INSTALLROOT}/usr", f"{INSTALLROOT}/etc", *words])
    add_files(tree.files, recipe.overlays, overwrite=False)
    add_files(tree.files, recipe.override_overlays, overwrite=True)


def change_files(tree: Installroot, recipe: Recipe, version: str) -> None:
    """Set the version in os-release, remove the recipe's removed paths, then add its files."""
    if recipe.os_release_version is not None:
        path = _resolved(tree.files, _OS_RELEASE)
        text = tree.read(path)
        if text is None:
            raise WorkbookError(
                f"{recipe.files[0]}: mutate-os-release: there is no /{path} in the tree",
                hint="add the package that has it, or remove mutate-os-release",
            )
        tree.write(path, os_release(text, recipe.os_release_version, version))
    for removed in recipe.removed_paths:
        tree.files.remove(in_installroot(str(PurePosixPath(removed))))
    add_files(tree.files, recipe.added_files, overwrite=True)


def in_installroot(path: str) -> str:
    """Where a path of a commit is before the commit is made: /usr/etc is made of /etc."""
    return path.removeprefix("usr/") if path == "usr/etc" or path.startswith("usr/etc/") else path


def os_release(text: str, base_version: str, version: str) -> str:
    """os-release with ``version`` in place of the base version in VERSION and PRETTY_NAME, and in OSTREE_VERSION."""
    lines = []
    for line in filter(None, text.split("\n")):
        changed = line.startswith(("VERSION=", "PRETTY_NAME="))
        key, equals, value = line.partition("=")
        lines.append(f"{key}{equals}{value.replace(base_version, version)}" if changed else line)
    lines.append(f"OSTREE_VERSION='{version}'")
    return "\n".join(lines) + "\n"


def add_files(files: TreeFiles, added: Sequence[AddedFile], *, overwrite: bool) -> None:
    """Add paths of a commit to the tree that becomes one.

    Raises WorkbookError for a path that is there as something else; with ``overwrite``, only for one that is a
    directory.
    """
    put_files(files, [replace(one, path=in_installroot(one.path)) for one in added], overwrite=overwrite)


def put_files(files: TreeFiles, added: Sequence[AddedFile], *, overwrite: bool) -> None:
    """Add paths to any directory, as ``add_files`` does, where they say."""
    for file in added:
        present = files.status(file.path)
        if stat.S_ISDIR(file.mode):
            files.make_directory(file.path)
        elif present is not None and not overwrite:
            _require_equal(files, file, present.st_mode)
        elif stat.S_ISLNK(file.mode):
            if present is not None and not stat.S_ISDIR(present.st_mode):
                files.remove(file.path)
            files.make_directory(posixpath.dirname(file.path) or ".")
            files.add_link(file.path, file.target)
        else:
            files.write(file.path, file.content, mode=stat.S_IMODE(file.mode))


def _require_equal(files: TreeFiles, file: AddedFile, mode: int) -> None:
    equal = stat.S_IFMT(mode) == stat.S_IFMT(file.mode) and (
        files.target_of(file.path) == file.target
        if stat.S_ISLNK(mode)
        else files.read(file.path) == file.content and stat.S_IMODE(mode) == stat.S_IMODE(file.mode)
    )
    if not equal:
        raise WorkbookError(
            f"{shown(file.path)}: a layer of ostree-layers has it, and the tree has another one",
            hint="name the layer in ostree-override-layers, or leave the package with the file out",
        )


def _remove_from_packages(tree: Installroot, recipe: Recipe, headers: Mapping[str, Header]) -> None:
    """Remove the packages' files, no directories, whose path in a commit matches an expression.

    As in rpm-ostree, a file of another package, too, stays, unless it is removed from all of them.
    """
    rules = [(name, expressions) for name, *expressions in recipe.removed_from_packages if name in headers]
    in_commit = [
        {f"/usr{path}" if path.startswith("/etc/") else path: path.lstrip("/")
         for path, file in headers[name].files.items() if not file.is_directory}
        for name, _ in rules
    ]  # fmt: skip
    matching = _matching(tree, recipe, [(*rule, [*paths]) for rule, paths in zip(rules, in_commit, strict=True)])
    removed_from: dict[str, set[str]] = {}
    for (name, _), found, paths in zip(rules, matching, in_commit, strict=True):
        for path in found:
            removed_from.setdefault(paths[path], set()).add(name)
    for path, names in removed_from.items():
        if names >= {name for name, header in headers.items() if f"/{path}" in header.files}:
            tree.files.remove(path)


def _matching(tree: Installroot, recipe: Recipe, rules: Sequence[tuple[str, list[str], list[str]]]) -> list[list[str]]:
    """For each package, its expressions and its paths: the paths that match one.

    In a process of its own, because there is no bound on the time that an expression of Python takes.
    """
    if not rules:
        return []
    words = ["python3", "-B", "/mnt/programs/match_paths.py"]
    asked = json.dumps([(expressions, paths) for _, expressions, paths in rules])
    try:
        output = tree.tools.run(
            words, binds=[Bind(_PROGRAMS, "/mnt/programs")], input=asked, timeout_seconds=MATCHING_SECONDS
        ).stdout
    except CommandError as error:
        if error.status is not None:
            raise
        name, expressions, _ = rules[error.stdout.count("\n")]
        raise WorkbookError(
            f"{recipe.files[0]}: remove-from-packages: {name}: matching {', '.join(expressions):.200} against its "
            f"files was stopped after {MATCHING_SECONDS:g} s",
            hint="write the expression without nested repetitions such as (a+)+, or name the files in remove-files",
        ) from None
    return [json.loads(line) for line in output.splitlines()]


def _resolved(files: TreeFiles, path: str) -> str:
    """The path that a path leads to, with symbolic links followed in the tree."""
    for _ in range(_LINKS_MOST):
        status = files.status(path)
        if status is None or not stat.S_ISLNK(status.st_mode):
            return path
        path = posixpath.normpath(posixpath.join("/", posixpath.dirname(path), files.target_of(path))).lstrip("/")
    raise WorkbookError(f"{shown(path)}: too many symbolic links", hint="correct the package that has it")
