"""RPM files read: the lock of what is in a directory, and the names that the files get."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from atomic_lib.base.command import Completed
from atomic_lib.base.errors import WorkbookError
from atomic_lib.solve.dnf_run import Dnf
from atomic_lib.solve.locked import read_rpms
from atomic_lib.tools.sandbox import Tools


@dataclass(frozen=True)
class RpmTools(Tools):
    """Tools whose rpm says of a file what is in it: fields that are separated by spaces."""

    def run(self, words: Any, *, binds: Any = (), **_: Any) -> Completed:
        """Answer as the program does."""
        texts = [(binds[0].source / Path(word).name).read_text() for word in words if word.endswith(".rpm")]
        return Completed("".join("\t".join([*text.split(), "(none)"]) + "\n" for text in texts), "")


DNF = cast(Dnf, SimpleNamespace(tools=RpmTools(Path("/nonexistent"), "none"), content=SimpleNamespace(name="own")))


def rpms(directory: Path, **texts: str) -> Path:
    """A directory with a file NAME.rpm for each text."""
    directory.mkdir()
    for name, text in texts.items():
        (directory / f"{name}.rpm").write_text(text)
    return directory


def test_each_file_gets_the_usual_name_of_its_package(tmp_path: Path) -> None:
    texts = {"download": "a 0 1 1 noarch", "a-1-1.noarch": "b 0 1 1 noarch", "c-2-1.x86_64": "c 1 2 1 x86_64"}
    directory = rpms(tmp_path / "rpms", **texts)
    lock = read_rpms(DNF, directory, {"c-1:2-1.x86_64": "other"})
    assert [(package.nevra, package.repo) for package in lock.packages] == [
        ("a-0:1-1.noarch", ""),
        ("b-0:1-1.noarch", ""),
        ("c-1:2-1.x86_64", "other"),
    ]
    found = {path.name: path.read_text() for path in directory.iterdir()}
    assert found == {package.file_name: f"{package.name} {package.epoch} {package.version} 1 {package.arch}"
                     for package in lock.packages}  # fmt: skip


def test_a_name_that_leads_elsewhere_is_refused_and_no_file_is_moved(tmp_path: Path) -> None:
    directory = rpms(tmp_path / "rpms", download="../../a 0 1 1 noarch")
    with pytest.raises(WorkbookError, match=r"content 'own': name '../../a' of a package is not one that rpm accepts"):
        read_rpms(DNF, directory, {})
    assert [path.name for path in directory.iterdir()] == ["download.rpm"]


def test_two_packages_of_one_usual_name_are_refused(tmp_path: Path) -> None:
    directory = rpms(tmp_path / "rpms", one="a 0 1 1 noarch", two="a 1 1 1 noarch")
    with pytest.raises(WorkbookError, match=r"a-1:1-1.noarch: another package of the set has a file of the same name"):
        read_rpms(DNF, directory, {})
