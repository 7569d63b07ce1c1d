"""What dnf will download, from two locks and from the index of a repository."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.update.download_prediction import ServedFile
from atomic_lib.compose.update.rpm_prediction import new_packages, predict_index, predict_packages
from atomic_lib.solve.lock import Lock, LockedPackage

INDEX = """\
<?xml version="1.0" encoding="UTF-8"?>
<repomd xmlns="http://linux.duke.edu/metadata/repo">
  <data type="primary"><location href="repodata/1-primary.xml.gz"/></data>
  <data type="filelists"><location href="repodata/2-filelists.xml.gz"/></data>
  <data type="group"><location href="repodata/3-comps.xml.gz"/></data>
</repomd>
"""


def package(name: str, release: str, size_bytes: int) -> LockedPackage:
    return LockedPackage(name, 0, "1", release, "x86_64", "0" * 64, size_bytes, "standin")


def lock(*packages: LockedPackage) -> Lock:
    return Lock("standin", packages)


BEFORE = lock(package("bash", "1", 100), package("netbase", "1", 20))
AFTER = lock(package("bash", "2", 110), package("lsof", "1", 7), package("netbase", "1", 20))


def test_the_packages_follow_from_the_locks() -> None:
    assert [one.nevra for one in new_packages(BEFORE, AFTER)] == ["bash-0:1-2.x86_64", "lsof-0:1-1.x86_64"]
    forth = predict_packages(BEFORE, AFTER)
    assert forth.files == (ServedFile("bash-1-2.x86_64.rpm", 110), ServedFile("lsof-1-1.x86_64.rpm", 7))
    assert predict_packages(AFTER, BEFORE).files == (ServedFile("bash-1-1.x86_64.rpm", 100),)
    assert predict_packages(AFTER, AFTER).requests == 0


def test_the_index_is_its_signed_list_twice_and_what_dnf_reads_of_it(tmp_path: Path) -> None:
    (tmp_path / "repodata").mkdir()
    sizes = {"1-primary.xml.gz": 70, "2-filelists.xml.gz": 900, "3-comps.xml.gz": 30, "repomd.xml.asc": 5}
    for name, size_bytes in sizes.items():
        (tmp_path / "repodata" / name).write_bytes(bytes(size_bytes))
    (tmp_path / "repodata/repomd.xml").write_text(INDEX)
    assert predict_index(tmp_path).files == (
        ServedFile("repodata/1-primary.xml.gz", 70),
        ServedFile("repodata/3-comps.xml.gz", 30),
        *[ServedFile("repodata/repomd.xml", len(INDEX))] * 2,
        *[ServedFile("repodata/repomd.xml.asc", 5)] * 2,
    )


@pytest.mark.parametrize("text", [None, "<repomd>"])
def test_an_index_that_cannot_be_read_is_said(tmp_path: Path, text: str | None) -> None:
    (tmp_path / "repodata").mkdir()
    if text:
        (tmp_path / "repodata/repomd.xml").write_text(text)
    with pytest.raises(WorkbookError, match=r"repomd\.xml: cannot be read"):
        predict_index(tmp_path)
