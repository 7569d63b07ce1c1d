"""The programs in ``finalize.d`` beside treefiles, and the directory that they may copy from.

Source of the rules: rpm-ostree's docs/treefile.md (associated directories) and ``rust/src/treefile.rs``: executable
regular files, in the order of their names; one of an included treefile replaces one of the same name.
"""

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.recipe import AddedFile, Finalization
from atomic_lib.recipe.source import read_data, require_within
from atomic_lib.recipe.treefile_rules.findings import Findings
from atomic_lib.recipe.treefile_rules.overlay_directories import paths_below

FOLDER = "finalize.d"
MOST_FILES = 5000
MOST_BYTES = 64 << 20
"""The largest directory of a treefile that its programs see."""
_LEFT_OUT = (".git",)


def take_programs(directory: Path, roots: Sequence[Path], findings: Findings) -> None:
    """Add the programs of ``finalize.d`` in the directory of a treefile to the findings."""
    folder = directory / FOLDER
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        if not file.is_file():
            continue
        if os.access(file, os.X_OK):
            program = findings.attempt(f"{file}: ", lambda file=file: _program(file, roots))  # type: ignore[misc]
            if program:
                findings.programs[file.name] = program
        else:
            note = f"{file} has no effect: it is not executable, and rpm-ostree does not run it either"
            findings.notes += [note] if note not in findings.notes else []


def _program(file: Path, roots: Sequence[Path]) -> AddedFile:
    require_within(file, roots, "")
    return AddedFile(file.name, stat.S_IFREG | 0o755, read_data(file))


def finalization(directory: Path, roots: Sequence[Path], findings: Findings) -> Finalization | None:
    """The programs that were found, with all files in the ``directory`` of the treefile; None without a program."""
    if not findings.programs:
        return None
    programs = tuple(program for _, program in sorted(findings.programs.items()))
    findings.notes.append(
        f"{FOLDER}: {', '.join(program.path for program in programs)}: run with the build tools, confined to the tree; "
        "rpm-ostree runs them with the programs of the host"
    )
    found = findings.attempt(f"{directory}: ", lambda: _files(directory, roots))
    return Finalization(programs, found or ())


def _files(directory: Path, roots: Sequence[Path]) -> tuple[AddedFile, ...]:
    require_within(directory, roots, "")
    found: list[AddedFile] = []
    size_bytes = 0
    for file in paths_below(directory, {}, left_out=_LEFT_OUT):
        found.append(file)
        size_bytes += len(file.content)
        if len(found) > MOST_FILES or size_bytes > MOST_BYTES:
            raise WorkbookError(
                f"has more than {MOST_FILES} files or {MOST_BYTES >> 20} MiB, all of which programs of {FOLDER} see",
                hint="put the treefile and what its programs need into a directory of their own",
            )
    return tuple(found)
