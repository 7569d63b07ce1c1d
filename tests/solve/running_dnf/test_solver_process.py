"""The pipes to a long-running dnf: answers, its end, and a time limit. The real one: tests/integration."""

import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from unittest.mock import Mock

import pytest

from atomic_lib.base import command
from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.running_dnf import solver_process
from atomic_lib.solve.running_dnf.described import read_described
from atomic_lib.solve.running_dnf.solver_process import RunningDnf, SolverProcess, _install_question, running_dnf


@contextmanager
def answering(
    directory: Path, answer: Callable[[dict[str, object]], object], program: str = "sleep 60"
) -> Iterator[SolverProcess]:
    """A process whose answers to each question are given by ``answer``; None: no answer at all."""

    def serve() -> None:
        with open(directory / "questions") as questions:
            for line in questions:
                if line == "end\n":
                    return
                if (said := answer(json.loads(line))) is not None:
                    os.write(ends[1], json.dumps(said).encode() + b"\n")

    with pipes(directory) as ends:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            with command.running(["sh", "-c", program], log=directory / "log") as process:
                yield SolverProcess(process, *ends, directory / "log")
        finally:
            os.write(ends[0], b"end\n")
            thread.join(10)


@contextmanager
def pipes(directory: Path) -> Iterator[tuple[int, int]]:
    """The pipes for questions and for answers."""
    for name in ("questions", "answers"):
        os.mkfifo(directory / name)
    questions, answers = (os.open(directory / name, os.O_RDWR) for name in ("questions", "answers"))
    try:
        yield questions, answers
    finally:
        os.close(questions)
        os.close(answers)


def test_an_answer_is_that_of_the_question(tmp_path: Path) -> None:
    with answering(tmp_path, lambda question: {"asked": question["kind"]}) as process:
        assert process.ask({"kind": "names"}) == {"asked": "names"}
        assert process.ask({"kind": "install"}) == {"asked": "install"}


def test_a_long_answer_is_whole(tmp_path: Path) -> None:
    with answering(tmp_path, lambda question: {"text": "x" * 50_000}) as process:
        assert len(process.ask({})["text"]) == 50_000


def test_a_process_that_ended_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    with answering(tmp_path, lambda _: None, "echo no repository http://me:secret@a/; exit 3") as process:
        with pytest.raises(CommandError, match="exit status 3") as caught:
            process.ask({})
        assert (caught.value.log, caught.value.stdout) == ("no repository http://a/", "no repository http://a/\n")


def test_without_an_answer_in_time_it_is_not_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver_process, "_ANSWER_SECONDS", 0.3)
    with answering(tmp_path, lambda _: None) as process:
        with pytest.raises(CommandError, match=r"no answer after 0\.3 s"):
            process.ask({})
        assert not process.usable
        with pytest.raises(CommandError, match="did not answer"):
            process.ask({})


def test_a_process_is_usable_as_long_as_it_runs(tmp_path: Path) -> None:
    with answering(tmp_path, lambda _: {}) as process:
        process.ask({})
        assert process.usable
    assert not process.usable


def test_a_process_that_ended_is_not_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(tmp_path, lambda _: {"status": 0}, "exit 3") as process:
        process._process.wait(10)
        monkeypatch.setattr(process, "_write", None)
        with pytest.raises(CommandError, match="exit status 3"):
            process.ask({})


@pytest.mark.parametrize(
    ("program", "said"), [("sleep 60", r"question not read after 0\.3 s"), ("sleep 0.2; exit 3", "exit status 3")]
)
def test_a_question_that_nobody_reads_ends_in_time(
    program: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(solver_process, "_TAKEN_SECONDS", 0.3 if program == "sleep 60" else 30)
    with pipes(tmp_path) as (questions, answers), command.running(["sh", "-c", program], log=tmp_path / "log") as dnf:
        process = SolverProcess(dnf, questions, answers, tmp_path / "log")
        with pytest.raises(CommandError, match=said):
            process.ask({"nevras": "x" * 2**20})
        assert not process.usable


def test_a_question_longer_than_a_pipe_is_whole(tmp_path: Path) -> None:
    with answering(tmp_path, lambda question: {"bytes": len(str(question["words"]))}) as process:
        assert process.ask({"words": "x" * 2**20}) == {"bytes": 2**20}


def test_the_question_for_dnfs_arguments() -> None:
    plugins = ["--setopt=plugins=1", "--setopt=pluginpath=/mnt/plugin"]
    assert _install_question([*plugins, "--setopt=strict=0", "--exclude=a,b", "install", "c", "d"]) == {
        "kind": "install", "words": ["c", "d"], "excludes": ["a", "b"], "strict": False,
    }  # fmt: skip
    assert _install_question([*plugins, "--downloadonly", "install", "c"]) is None
    assert _install_question(["-q", "repoquery"]) is None


def test_a_damaged_description_is_an_error() -> None:
    with pytest.raises(CommandError, match="cannot be described"):
        read_described('{"a-1": {"name": "a"}}')


def test_a_dnf_that_ends_by_itself_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pipes(tmp_path) as ends, command.running(["sleep", "0.3"], log=tmp_path / "log") as dnf:
        SolverProcess(dnf, *ends, tmp_path / "log").wait_until_ended()
        assert dnf.poll() == 0
    monkeypatch.setattr(solver_process, "_ENDED_SECONDS", 0.2)
    with command.running(["sleep", "60"], log=tmp_path / "log") as dnf:
        SolverProcess(dnf, *ends, tmp_path / "log").wait_until_ended()
        assert dnf.poll() is None


def running(process: object, **changes: object) -> RunningDnf:
    """A dnf with a process that is not real."""
    recipe = Recipe((Path("r.yaml"),), ())
    content, own = Mock(), Path("/nonexistent")
    dnf = RunningDnf(Mock(), content, recipe, own, process=cast(SolverProcess, process), started_with=recipe)
    return replace(dnf, **changes)  # type: ignore[arg-type]


def test_each_word_is_looked_up_once_for_the_same_excludes(tmp_path: Path) -> None:
    asked: list[list[str]] = []

    def answer(question: Mapping[str, Any]) -> object:
        asked.append(question["words"])
        return {"status": 0, "output": "", "answer": json.dumps([one for one in question["words"] if one != "bash"])}

    with answering(tmp_path, answer) as process:
        dnf = running(process)
        assert dnf.unmatched(["--exclude=a", "install", "bash", "x"]) == {"x"}
        assert dnf.unmatched(["--exclude=a", "install", "bash", "x", "y"]) == {"x", "y"}
        assert dnf.unmatched(["install", "bash"]) == set()
    assert asked == [["bash", "x"], ["y"], ["bash"]]


def test_a_process_with_other_repositories_is_not_asked(tmp_path: Path) -> None:
    with answering(tmp_path, lambda _: None) as process:
        other = running(process, recipe=Recipe((Path("r.yaml"),), (), repos=("other",)))
        assert other.unmatched(["install", "bash"]) == set()
        assert running(process, locked=()).unmatched(["install", "bash"]) == set()


def test_the_names_of_all_packages_are_asked_once(tmp_path: Path) -> None:
    asked: list[object] = []

    def answer(question: Mapping[str, Any]) -> object:
        asked.append(question["kind"])
        return {"status": 0, "output": "", "answer": '["a", "b"]'}

    with answering(tmp_path, answer) as process:
        for _ in range(2):
            assert running(process).run(["-q", "repoquery", "--qf", "%{name}"]) == "a\nb"
    assert asked == ["names"]


def test_a_dnf_that_dies_while_it_reads_packages_says_so_with_its_status(tmp_path: Path) -> None:
    answer = {"status": -9, "output": "out of memory", "answer": ""}
    with answering(tmp_path, lambda _: answer) as process, pytest.raises(CommandError, match="be read") as caught:
        running(process).describe(["a-1"])
    assert caught.value.status == -9
    assert caught.value.log == "out of memory"


def test_dnf_knows_of_paths_before_it_reads_the_repositories(monkeypatch: pytest.MonkeyPatch) -> None:
    def started(line: list[str], **_: object) -> None:
        raise WorkbookError(" ".join(line))

    monkeypatch.setattr(solver_process, "Dnf", lambda *_: Mock(prepared=lambda words: (words, [])))
    recipe = Recipe(files=(), packages=("bash", "/usr/share/a"))
    with (
        pytest.raises(WorkbookError, match=r"install /usr/share/a workbook$"),
        running_dnf(Mock(running=started), Mock(), recipe),
    ):
        pass
