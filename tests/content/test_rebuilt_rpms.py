"""The stage that rebuilds RPM files: what it makes, under which name, and what it says of a file it cannot rebuild."""

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base.command import Completed
from atomic_lib.base.errors import WorkbookError
from atomic_lib.content.rebuilt_rpms import REBUILT_RPMS, Rebuild, rebuilt_rpms
from atomic_lib.formats.rpm_rebuild import payload_of
from atomic_lib.tools.sandbox import Bind, Tools
from tests.contexts import own_context
from tests.formats.test_rpm_rebuild import ISSUE, PROGRAM, member, rpm, sha256


@dataclass(frozen=True)
class RpmTools(Tools):
    """Tools whose zstd copies, and whose rpm knows the name of one file."""

    def run(self, words: Sequence[str | PathLike[str]], *, binds: Sequence[Bind] = (), **_: Any) -> Completed:
        """Do as the program would with a payload that is not compressed."""
        if words[0] == "rpm":
            return Completed("own-3.2-7+b2.x86_64.rpm", "")
        shutil.copyfile(*(binds[0].source / Path(words[place]).name for place in (-3, -1)))
        return Completed("", "")


TOOLS = RpmTools(Path("/nonexistent"), "none")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "own-3.2-7+b1.x86_64.rpm"
    path.write_bytes(rpm())
    return path


def test_the_new_file_has_the_name_of_its_release(file: Path, tmp_path: Path) -> None:
    directory = rebuilt_rpms((Rebuild(file, ("/etc/issue",)),), own_context(tmp_path, TOOLS))
    (made,) = directory.iterdir()
    assert made.name == "own-3.2-7+b2.x86_64.rpm"
    assert ISSUE not in payload_of(made.read_bytes())
    assert file.read_bytes() == rpm()


def test_what_cannot_be_rebuilt_is_named(file: Path, tmp_path: Path) -> None:
    file.write_bytes(bytes(200))
    with pytest.raises(WorkbookError, match=r"own-3\.2-7\+b1\.x86_64\.rpm: cannot be rebuilt: it is not an RPM file"):
        rebuilt_rpms((Rebuild(file, ()),), own_context(tmp_path, TOOLS))


def test_the_key_has_the_file_and_what_changes_in_it(file: Path, tmp_path: Path) -> None:
    context = own_context(tmp_path, TOOLS)

    def key(*changed: str) -> object:
        return REBUILT_RPMS.key_inputs((Rebuild(file, changed),), context)

    first = key("/etc/issue")
    assert key("/etc/issue.net") != first
    assert key("/etc/issue") == first
    file.write_bytes(rpm(b"8"))
    assert key("/etc/issue") != first


def test_programs_change_if_that_is_asked_for(file: Path, tmp_path: Path) -> None:
    payload = payload_of(file.read_bytes())
    program = PROGRAM + b"x" * (len(payload) - len(PROGRAM))
    archive = member(b"./etc/issue", program) + member(b"TRAILER!!!", b"")
    file.write_bytes(rpm().removesuffix(payload).replace(sha256(ISSUE), sha256(program)) + archive)
    context = own_context(tmp_path, TOOLS)
    (made,) = rebuilt_rpms((Rebuild(file, programs=True),), context).iterdir()
    (other,) = rebuilt_rpms((Rebuild(file),), context).iterdir()
    assert payload_of(other.read_bytes()) == archive
    assert payload_of(made.read_bytes()) == archive.replace(b"a" * 20, hashlib.sha1(b"a" * 20).digest())


def test_a_package_without_programs_is_named_if_they_are_to_change(file: Path, tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match="cannot be rebuilt: it has no program or library with a build ID"):
        rebuilt_rpms((Rebuild(file, programs=True),), own_context(tmp_path, TOOLS))
