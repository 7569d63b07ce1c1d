"""A dnf in the tools tree that has loaded its repositories, and is asked over a pair of pipes.

It is the dnf of a compose, with the same command line: a plugin stops it before it resolves, and each question
continues in a child process of its own. So an answer takes a fraction of a second instead of seconds.
"""

import json
import os
import select
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from atomic_lib.base.command import Background, CommandError, last_lines
from atomic_lib.content.dnf import repository_error, without_passwords
from atomic_lib.content.repositories import Content
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.dnf_run import Dnf
from atomic_lib.solve.running_dnf.described import Described, read_described
from atomic_lib.solve.solver import PLUGIN
from atomic_lib.tools.sandbox import Bind, Tools

_QUESTIONS = Path(__file__).parent / "dnf_plugin"
_START_SECONDS = 120.0
_ANSWER_SECONDS = 90.0
_TAKEN_SECONDS = 10.0
"""How long dnf may take to read a question: it waits for one, so this ends a dnf that hangs."""
_ENDED_SECONDS = 2.0
"""How long dnf may take to end by itself when there are no more questions."""
_LONGEST_ANSWER_BYTES = 256 * 2**20
_PLACEHOLDER = "workbook"


class SolverProcess:
    """The running dnf. ``ask`` waits for the answer; without one in time, the process is not ``usable`` again."""

    def __init__(self, process: Background, questions: int, answers: int, log: Path) -> None:
        self._process, self._questions, self._answers, self._log = process, questions, answers, log
        self._broken = False
        self.matches: dict[tuple[str, ...], dict[str, bool]] = {}
        """Whether each word that was asked about matches a package, by what is excluded."""

    @property
    def usable(self) -> bool:
        """Whether it still runs, and has answered all that it was asked."""
        return not self._broken and self._process.poll() is None

    def ask(self, question: Mapping[str, object]) -> Mapping[str, Any]:
        """The answer: dnf's exit ``status``, its ``output``, and an ``answer``.

        Raises CommandError if the process has ended, or does not answer in time.
        """
        if self._process.poll() is not None:
            raise self._error(f"exit status {self._process.returncode}")
        if self._broken:
            raise self._error("did not answer")
        self._broken = True  # until the whole answer is here: the next one would be that of this question
        self._write(json.dumps(question).encode() + b"\n")
        answer = self._read(_ANSWER_SECONDS)
        self._broken = False
        return answer

    def told(self, question: Mapping[str, object]) -> str:
        """What dnf tells of its packages, as JSON; raises CommandError as ``ask``, and if dnf fails."""
        answer = self.ask(question)
        if answer["status"] == 0:
            return str(answer["answer"])
        error = CommandError(f"dnf: packages cannot be read ({question['kind']})", log=last_lines(answer["output"]))
        error.status = answer["status"]
        raise error

    @cached_property
    def names(self) -> list[str]:
        """The names of all packages, sorted; raises CommandError as ``ask`` does."""
        return list(json.loads(self.told({"kind": "names"})))

    def wait_until_ready(self) -> None:
        """Wait until the repositories are loaded; raises CommandError as ``ask`` does."""
        self._read(_START_SECONDS)

    def wait_until_ended(self) -> None:
        """Wait a moment until dnf has seen that there are no more questions: one that is killed may still write."""
        end = time.monotonic() + _ENDED_SECONDS
        while self._process.poll() is None and time.monotonic() < end:
            time.sleep(0.01)

    def _write(self, data: bytes) -> None:
        ready = self._ready(self._questions, select.POLLOUT, _TAKEN_SECONDS, "question not read")
        while data:
            next(ready)
            data = data[os.write(self._questions, data[: select.PIPE_BUF]) :]  # more could block: pipe(7)

    def _read(self, seconds: float) -> Mapping[str, Any]:
        ready, found = self._ready(self._answers, select.POLLIN, seconds, "no answer"), bytearray()
        while not found.endswith(b"\n"):
            next(ready)
            found += os.read(self._answers, 2**20)
            if len(found) > _LONGEST_ANSWER_BYTES:
                raise self._error(f"an answer of more than {_LONGEST_ANSWER_BYTES} bytes")
        answer: Mapping[str, Any] = json.loads(found)
        return answer

    def _ready(self, pipe: int, event: int, seconds: float, fault: str) -> Iterator[None]:
        """Wait for the pipe, again and again; raises CommandError if dnf ends, or after ``seconds`` in all."""
        poll, end = select.poll(), time.monotonic() + seconds
        poll.register(pipe, event)
        while time.monotonic() < end:
            if poll.poll(100):
                yield
            elif self._process.poll() is not None:
                raise self._error(f"exit status {self._process.returncode}")
        raise self._error(f"{fault} after {seconds:g} s")

    def _error(self, cause: str) -> CommandError:
        output = without_passwords(self._log.read_text(errors="replace")) if self._log.exists() else ""
        error = CommandError(f"dnf, which answers questions: {cause}", log=last_lines(output), hint="ask again")
        error.status, error.stdout = self._process.poll(), output
        return error


@dataclass(frozen=True)
class RunningDnf(Dnf):
    """A ``Dnf`` whose solutions come from a running process; it may have another recipe than the one it started with.

    What the process was not started for (other repositories, locked versions, other commands) is run as usual.
    """

    process: SolverProcess = field(kw_only=True)
    started_with: Recipe = field(kw_only=True)

    def run(
        self, words: Sequence[str], *, binds: Sequence[Bind] = (), pinned: Sequence[tuple[str, Sequence[str]]] = ()
    ) -> str:
        """As ``Dnf.run``, but with the running process where it can answer."""
        if list(words[:3]) == ["-q", "repoquery", "--qf"] and words[3:] == ["%{name}"]:
            return "\n".join(self.process.names)
        question = _install_question(words)
        if question is None or pinned or not self._can_answer():
            return super().run(words, binds=binds, pinned=pinned)
        answer = self.process.ask({**question, "weak_dependencies": self.recipe.weak_dependencies})
        if answer["status"] == 0:
            return str(answer["output"])
        error = CommandError(f"dnf install: exit status {answer['status']}", log=last_lines(answer["output"]))
        error.status, error.stdout = answer["status"], answer["output"]
        raise repository_error(error, self.content.local)

    def unmatched(self, words: Sequence[str]) -> set[str]:
        """Which of the words to install match no package, as the excludes among dnf's arguments ``words`` leave them.

        Empty if the process was not started for these repositories. Raises CommandError as ``SolverProcess.ask``.
        """
        question = _install_question(words)
        if question is None or not self._can_answer():
            return set()
        asked = list(map(str, question["words"]))
        known = self.process.matches.setdefault(tuple(question["excludes"]), {})
        if new := [word for word in asked if word not in known]:
            unmatched = set(json.loads(self.process.told({**question, "kind": "unmatched", "words": new})))
            known.update((word, word not in unmatched) for word in new)
        return {word for word in asked if not known[word]}

    def describe(self, nevras: Collection[str]) -> dict[str, Described]:
        """What the index or, of a local repository, the header of each package says; raises CommandError."""
        return read_described(self.process.told({"kind": "describe", "nevras": sorted(nevras)}))

    def _can_answer(self) -> bool:
        """Whether the process sees the packages of this recipe's repositories."""
        if self.hidden or self.locked is not None:
            return False
        names = ("repos", "extra_repos", "repo_packages", "lockfile_repos", "repositories")
        return all(getattr(self.recipe, name) == getattr(self.started_with, name) for name in names)


@contextmanager
def running_dnf(tools: Tools, content: Content, recipe: Recipe) -> Iterator[RunningDnf]:
    """A dnf with the repositories that ``recipe`` uses of ``content``, which ends with the block.

    Raises CommandError if dnf cannot load a repository.
    """
    with tempfile.TemporaryDirectory(prefix=f"workbook-dnf-{os.getpid()}-") as name:
        directory = Path(name)
        talk, answer, log = directory / "talk", directory / "solution", directory / "log"
        talk.mkdir()
        answer.mkdir()
        for fifo in ("questions", "answers"):
            os.mkfifo(talk / fifo)
        dnf = Dnf(tools, content, recipe, directory)
        plugins = ["--setopt=plugins=1", "--setopt=pluginpath=/mnt/plugin,/mnt/questions"]
        paths = [word for word in recipe.packages if "/" in word]  # for which dnf reads what files the packages have
        line, binds = dnf.prepared([*plugins, "install", *paths, _PLACEHOLDER])
        binds += [Bind(PLUGIN, "/mnt/plugin"), Bind(_QUESTIONS, "/mnt/questions")]
        binds += [Bind(talk, "/mnt/talk"), Bind(answer, "/mnt/solution", writable=True)]
        with tools.running(line, log=log, binds=binds, network=content.remote) as background:
            with _opened(talk / "questions") as questions, _opened(talk / "answers") as answers:
                process = SolverProcess(background, questions, answers, log)
                try:
                    process.wait_until_ready()
                except CommandError as error:
                    raise repository_error(error, content.local) from None
                yield RunningDnf(tools, content, recipe, directory, process=process, started_with=recipe)
            process.wait_until_ended()


@contextmanager
def _opened(fifo: Path) -> Iterator[int]:
    """A FIFO, opened for reading and writing, so that it needs no other end yet."""
    descriptor = os.open(fifo, os.O_RDWR)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _install_question(words: Sequence[str]) -> dict[str, Any] | None:
    """The question for dnf's arguments of an installation; None if there are arguments that are no question."""
    if "install" not in words:
        return None
    at = list(words).index("install")
    excludes: list[str] = []
    strict = True
    for option in words[:at]:
        name, _, value = option.partition("=")
        if name == "--exclude":
            excludes += value.split(",")
        elif option == "--setopt=strict=0":
            strict = False
        elif not option.startswith(("--setopt=plugins=", "--setopt=pluginpath=")):
            return None
    return {"kind": "install", "words": list(words[at + 1 :]), "excludes": excludes, "strict": strict}
