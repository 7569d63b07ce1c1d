"""The words that ./workbook hands over."""

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from atomic_lib import cli
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.progress import step
from atomic_lib.cli import main, parse_overrides
from atomic_lib.pipeline import study
from atomic_lib.tools import doctor, user_namespace
from atomic_lib.tools.doctor import Finding, disk_finding, examine, table


def test_overrides_are_typed_as_in_a_parameter_file() -> None:
    words = ["boots_bios=3", "content=fedora", "kernel_arguments=quiet audit=0", "lock="]
    assert parse_overrides(words) == {
        "boots_bios": 3,
        "content": "fedora",
        "kernel_arguments": "quiet audit=0",
        "lock": "",
    }


@pytest.mark.parametrize("word", ["boots_bios", "=3", "title=[1"])
def test_a_word_that_is_no_assignment_is_named(word: str) -> None:
    with pytest.raises(WorkbookError) as caught:
        parse_overrides([word])
    assert word in caught.value.message


def test_an_error_is_one_message_with_the_next_step(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["clean", "bilds"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "error: clean: unknown part 'bilds'",
        "Next step: choose of: damaged, builds, runs, cache, environment, all",
    ]


def test_equality_needs_the_namespace(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_namespace, "is_inside", lambda: False)
    assert main(["equality", "--boot"]) == 1
    assert "Next step: start it with ./workbook" in capsys.readouterr().err


def test_verify_needs_the_namespace(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_namespace, "is_inside", lambda: False)
    assert main(["verify", "atomic-min"]) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert first == "error: composing needs a namespace of its own: it sets the owners and labels of another system"
    assert second.startswith("Next step: start it with ./workbook")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["atomic-mim"], "unknown variant 'atomic-mim' (did you mean 'atomic-min'?)"),
        (["--lock", "lock.json"], "--lock: a lock belongs to one variant"),
        (["atomic-min", "--lock", "/none/lock.json"], "/none/lock.json: no such lock file"),
    ],
)
def test_what_cannot_be_verified_is_said_at_once(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_namespace, "is_inside", lambda: True)
    assert main(["verify", *words]) == 1
    assert said in capsys.readouterr().err


def test_wrong_words_end_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["doctor", "--bogus"])
    assert caught.value.code == 2
    assert "--bogus" in capsys.readouterr().err


def test_doctor_checks_all_content_only_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBOOK_CACHE", str(tmp_path))
    monkeypatch.setattr(cli, "BUILD", tmp_path / "build")
    monkeypatch.setattr(doctor, "examine", lambda *_: [Finding("python", "3")])
    (tmp_path / "rpms").mkdir()
    (tmp_path / "rpms" / f"{'0' * 64}.rpm").write_text("other content")
    assert main(["doctor"]) == 0
    assert main(["doctor", "--check"]) == 1
    (tmp_path / "rpms" / f"{'0' * 64}.rpm").unlink()
    assert main(["doctor", "--check"]) == 0


def test_doctor_names_what_is_missing_and_what_brings_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBOOK_MIRROR", "http://mirror.example/debian")
    findings = {finding.name: finding for finding in examine(tmp_path / "cache", tmp_path / "build")}
    assert findings["tools tree"].state == "later"
    assert "./workbook run" in findings["tools tree"].advice
    assert findings["Debian mirror"].found == "http://mirror.example/debian"
    assert list(tmp_path.iterdir()) == []


def test_too_little_disk_is_missing() -> None:
    short = disk_finding("free disk", Path("/x"), free_bytes=5_000_000_000, need_bytes=12_000_000_000)
    assert short.state == "missing"
    assert short.found == "5.0 GB at /x; a run from nothing takes 12 GB"
    assert disk_finding("free disk", Path("/x"), free_bytes=12, need_bytes=12).state == "present"


def test_table_puts_the_advice_below_its_line() -> None:
    findings = [Finding("a", "1.0"), Finding("longer", "none", "missing", "install it")]
    assert table(findings).splitlines() == ["✓ a       1.0", "✗ longer  none", "          → install it"]


def test_a_directory_that_is_not_writable_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(study, "BUILD", tmp_path / "file/build")
    monkeypatch.setattr(user_namespace, "is_inside", lambda: True)
    assert main(["run"]) == 1
    assert capsys.readouterr().err == f"error: {tmp_path}/file/build: Not a directory\n"


def test_a_terminal_that_is_gone_does_not_hide_how_a_run_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        with step("a stage"):
            os.kill(os.getpid(), signal.SIGHUP)

    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    monkeypatch.setattr(study, "run_study", stop)
    with open("/dev/full", "w") as gone:
        monkeypatch.setattr(sys, "stderr", gone)
        assert main(["run"]) == 128 + signal.SIGHUP
        monkeypatch.undo()
        with suppress(OSError):
            gone.close()
    for number, handler in handlers.items():
        signal.signal(number, handler)
