"""The words that ./workbook hands over."""

import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from atomic_lib import cli, entry
from atomic_lib.base.paths import CHECKOUT
from atomic_lib.base.progress import step
from atomic_lib.cli import main
from atomic_lib.entry import with_copies
from atomic_lib.params.variant import Variant
from atomic_lib.pipeline import why_and_without
from atomic_lib.pipeline.recipe_files import own_recipes
from atomic_lib.pipeline.recipe_files.own_recipes import variants_named
from atomic_lib.pipeline.study import study_run
from atomic_lib.recipe.load import load_recipe
from atomic_lib.tools import doctor, user_namespace
from atomic_lib.tools.doctor import Finding, disk_finding, examine, table


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


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A recipe in a directory of its own, and a checkout without copies."""
    monkeypatch.setattr(own_recipes, "BUILD", tmp_path / "build")
    (tmp_path / "own").mkdir()
    (tmp_path / "own/host.yaml").write_text("ref: own\npackages: [bash]\n")
    (tmp_path / "own/lock.json").write_text("a lock")
    return tmp_path / "own/host.yaml"


@pytest.mark.parametrize(
    "command",
    ["run RECIPE", "why bash --variant=RECIPE", "without bash --variant RECIPE", "verify RECIPE atomic-min RECIPE"],
)
def test_recipes_are_copied_before_the_namespace_hides_them(recipe: Path, command: str) -> None:
    words = command.replace("RECIPE", str(recipe)).split()
    *same, option = with_copies(words)
    assert same == words
    copies = Path(option.removeprefix("--copies="))
    shutil.rmtree(recipe.parent)
    (variant,) = variants_named([str(recipe)], copies)
    assert load_recipe(variant).packages == ("bash",)


def test_a_lock_is_copied_too(recipe: Path) -> None:
    lock = recipe.with_name("lock.json")
    *_, option = with_copies(["verify", str(recipe), "--lock", str(lock)])
    lock.unlink()
    assert Path(option.removeprefix("--lock=")).read_text() == "a lock"


@pytest.mark.parametrize("words", [["run", "default"], ["verify"], ["doctor"], ["test", "a.yaml", "-k", "x"],
                                   ["why", "bash"], ["run", "--lock", "none.json"], ["clean", "runs"]])  # fmt: skip
def test_words_without_recipes_stay_as_they_are(words: list[str], recipe: Path) -> None:
    assert with_copies(words) == words
    assert not (recipe.parents[1] / "build").exists()


def test_a_recipe_that_is_wrong_is_told_before_the_namespace(
    recipe: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(entry, "is_inside", lambda: False)
    monkeypatch.setattr(entry, "enter", lambda words: pytest.fail(f"entered for {words}"))
    recipe.write_text("ref: own\npackages: 5\n")
    assert entry.start(["verify", str(recipe)]) == 1
    assert f"error: {recipe}:2: packages: must be a list" in capsys.readouterr().err


def test_the_content_is_a_parameter_of_every_question(recipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Variant] = []

    def print_why(_: str, variant: Variant) -> int:
        asked.append(variant)
        return 0

    monkeypatch.setattr(why_and_without, "print_why", print_why)
    assert main(["why", "bash", "--variant", str(recipe), "--content", "fedora"]) == 0
    assert [variant.content for variant in asked] == ["fedora"]


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
    monkeypatch.setattr(study_run, "BUILD", tmp_path / "file/build")
    monkeypatch.setattr(user_namespace, "is_inside", lambda: True)
    assert main(["run"]) == 1
    assert capsys.readouterr().err == f"error: {tmp_path}/file/build: Not a directory\n"


def test_a_terminal_that_is_gone_does_not_hide_how_a_run_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        with step("a stage"):
            os.kill(os.getpid(), signal.SIGHUP)

    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    monkeypatch.setattr(study_run, "run_study", stop)
    with open("/dev/full", "w") as gone:
        monkeypatch.setattr(sys, "stderr", gone)
        assert main(["run"]) == 128 + signal.SIGHUP
        monkeypatch.undo()
        with suppress(OSError):
            gone.close()
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_the_processes_of_the_tests_keep_what_they_compile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"PYTHONDONTWRITEBYTECODE": "1"})
    monkeypatch.setattr(os, "chdir", lambda _: None)
    started: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _, words: started.append(words))
    cli._test(["-k", "lock"])
    assert started[0][-2:] == ["-k", "lock"]
    assert "PYTHONDONTWRITEBYTECODE" not in os.environ


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    recipe = tmp_path / "own.yaml"
    recipe.write_text("ref: own\npackages:\n" + "".join(f"- {'long' * 50}-{number}\n" for number in range(1000)))
    words = [sys.executable, "-P", "-m", "atomic_lib", "show", str(recipe)]
    with subprocess.Popen(words, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as shown:
        assert shown.stdout
        assert shown.stderr
        shown.stdout.readline()
        shown.stdout.close()
        assert shown.stderr.read() == ""
    assert shown.returncode == 128 + signal.SIGPIPE
