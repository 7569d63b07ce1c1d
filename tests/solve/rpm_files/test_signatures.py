"""Signatures of RPM files: what is not said to be good is bad; who checks them. rpmkeys itself: an integration test."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.solve import solver
from atomic_lib.solve.dnf_run import Dnf
from atomic_lib.solve.rpm_files.signatures import require_signed
from atomic_lib.solve.solver import download
from atomic_lib.tools.sandbox import Bind, Tools

GOOD = "/mnt/rpms/{}: digests signatures OK\n"


class Rpmkeys:
    """The tools, with an rpmkeys that prints a text, and fails or not."""

    def __init__(self, said: str, *, fails: bool) -> None:
        self.said, self.fails, self.runs = said, fails, list[Sequence[str]]()
        self.imported = b""

    def run(self, words: Sequence[str], *, binds: Sequence[Bind], rights: str) -> SimpleNamespace:
        self.runs.append(words)
        if "--import" in words:
            self.imported = next(bind.source for bind in binds if bind.target == "/mnt/keys").read_bytes()
            return SimpleNamespace(stdout="")
        if self.fails:
            error = CommandError("rpmkeys: exit status 1")
            error.stdout = self.said
            raise error
        return SimpleNamespace(stdout=self.said)


@pytest.fixture
def rpms(tmp_path: Path) -> Path:
    (tmp_path / "rpms").mkdir()
    for name in ("a-1.rpm", "b-1.rpm"):
        (tmp_path / "rpms" / name).touch()
    return tmp_path / "rpms"


def keys(top: Path, *texts: str) -> list[Path]:
    for number, text in enumerate(texts):
        (top / f"{number}.asc").write_text(text)
    return [top / f"{number}.asc" for number, _ in enumerate(texts)]


def check(said: str, rpms: Path, *texts: str, fails: bool = False) -> Rpmkeys:
    made = Rpmkeys(said, fails=fails)
    require_signed(cast(Tools, made), rpms, keys(rpms.parent, *texts), "content 'own'")
    return made


def test_all_files_are_checked_at_once_with_all_keys(rpms: Path) -> None:
    made = check(GOOD.format("a-1.rpm") + GOOD.format("b-1.rpm"), rpms, "key one", "key two\n")
    assert made.imported == b"key one\nkey two\n"
    assert [list(words[4:]) for words in made.runs] == [
        ["--import", "/mnt/keys"],
        ["--checksig", "/mnt/rpms/a-1.rpm", "/mnt/rpms/b-1.rpm"],
    ]


@pytest.mark.parametrize(
    "second",
    [
        "/mnt/rpms/b-1.rpm: digests SIGNATURES NOT OK\n",
        "/mnt/rpms/b-1.rpm: digests OK\n",
        "b-1.rpm: not an rpm\n",
        "error: /mnt/rpms/b-1.rpm: digests signatures OK\n",
        "",
    ],
    ids=["bad", "none", "no rpm", "another line", "nothing said"],
)
@pytest.mark.parametrize("fails", [True, False])
def test_a_file_that_is_not_said_to_be_signed_is_named(rpms: Path, second: str, fails: bool) -> None:
    with pytest.raises(WorkbookError) as caught:
        check(GOOD.format("a-1.rpm") + second, rpms, "key", fails=fails)
    assert caught.value.message == "content 'own': Package b-1.rpm is not signed"


def test_an_rpmkeys_that_fails_is_believed_whatever_it_says(rpms: Path) -> None:
    with pytest.raises(WorkbookError, match=r"a-1.rpm is not signed\n.*b-1.rpm is not signed"):
        check(GOOD.format("a-1.rpm") + GOOD.format("b-1.rpm"), rpms, "key", fails=True)


def test_without_keys_none_is_imported(rpms: Path) -> None:
    made = check(GOOD.format("a-1.rpm") + GOOD.format("b-1.rpm"), rpms)
    assert ["--import" in words for words in made.runs] == [False]


def test_an_rpmkeys_that_cannot_run_is_no_bad_signature(rpms: Path) -> None:
    with pytest.raises(CommandError, match="exit status 1"):
        check("", rpms, "key", fails=True)


def test_no_files_need_no_check(tmp_path: Path) -> None:
    assert check("", tmp_path, "key").runs[1:] == []


@pytest.mark.parametrize("remote", [True, False])
def test_dnf_checks_what_comes_from_a_mirror_and_rpmkeys_what_is_local(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, remote: bool
) -> None:
    checked: list[object] = []
    told: list[Sequence[str]] = []

    def run(_: Dnf, words: Sequence[str], **__: object) -> dict[str, Any]:
        told.append(words)
        return {"packages": [["a", "a-0:1-1.noarch", 1, 2, "own"]]}

    monkeypatch.setattr(solver, "_run", run)
    monkeypatch.setattr(solver, "require_signed", lambda *words: checked.append(words[1:]))
    content = SimpleNamespace(remote=remote, name="own", local={"own": tmp_path})
    (tmp_path / "RPM-GPG-KEY").touch()
    dnf = cast(Dnf, SimpleNamespace(content=content, tools=None))
    assert download(dnf, ["install", "a"], tmp_path) == {"a-0:1-1.noarch": "own"}
    assert ("--setopt=*.gpgcheck=0" in told[0]) is not remote
    assert checked == ([] if remote else [(tmp_path, [tmp_path / "RPM-GPG-KEY"], "content 'own'")])
