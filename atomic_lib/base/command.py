"""Runs external commands: argument lists, no shell, a clean environment. Nothing else imports ``subprocess``."""

import os
import select
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from atomic_lib.base.errors import WorkbookError, full_disk_of_command

Background = subprocess.Popen[bytes]
"""A command that runs in the background; ``poll()`` returns None as long as it runs."""

SHOWN_LINES = 20
LONGEST_LINE = 500
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NETWORK_VARIABLES = ("http_proxy", "https_proxy", "no_proxy")


class CommandError(WorkbookError):
    """A command could not be started, failed, or exceeded its time limit.

    ``status`` is the exit status (negative: killed by that signal), or None
    when the command never started or was stopped at its time limit.
    """

    def __init__(self, message: str, *, hint: str = "", log: str = "") -> None:
        super().__init__(message, hint=hint, log=log)
        self.status: int | None = None
        self.stdout = ""
        self.stderr = ""


@dataclass(frozen=True)
class Completed:
    """What a successful command wrote."""

    stdout: str
    stderr: str


def clean_environment(extra: Mapping[str, str] | None = None, *, network: bool = False) -> dict[str, str]:
    """An environment that does not depend on the caller's: PATH, C.UTF-8, UTC.

    ``network`` passes on the proxy variables, for commands that download.
    """
    environment = {"PATH": _PATH, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": "/nonexistent"}
    if network:
        for name in _NETWORK_VARIABLES:
            for variant in (name, name.upper()):
                if variant in os.environ:
                    environment[variant] = os.environ[variant]
    environment.update(extra or {})
    return environment


def _shown(words: Sequence[str | os.PathLike[str]]) -> str:
    """The command as a shell line, truncated if it is long."""
    line = shlex.join(os.fspath(word) for word in words)
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…"


def _name(words: Sequence[str | os.PathLike[str]]) -> str:
    """The name of a command, without its directory."""
    return Path(words[0]).name


def last_lines(text: str, count: int = SHOWN_LINES) -> str:
    """The last ``count`` lines of ``text``."""
    return "\n".join(text.rstrip().splitlines()[-count:])


def run(
    argv: Sequence[str | os.PathLike[str]],
    *,
    input: str | bytes | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    network: bool = False,
    timeout_seconds: float | None = None,
    log: Path | None = None,
    hint: str = "",
    shown: Sequence[str | os.PathLike[str]] = (),
    writes_to: Sequence[Path] = (),
) -> Completed:
    """Run ``argv``, wait for it and return its output.

    ``log``: a file to append both streams to as they come, for long commands; ``stdout``
    and ``stderr`` of the result are then empty. ``shown``: the words that an error shows
    instead of ``argv``, where ``argv`` is mostly a wrapper such as bubblewrap. ``writes_to``: directories whose file
    systems the command can have filled, besides those that the workbook writes to.

    Raises CommandError if the command is not found, exits with a status other than 0, or
    exceeds ``timeout_seconds`` (then the whole process group is killed). Raises SetupError if it
    failed because a file system is full.
    """
    words = [os.fspath(word) for word in argv]
    with ExitStack() as files:
        out: IO[bytes] = files.enter_context(open(log, "ab")) if log else _scratch_file(files)
        err = out if log else _scratch_file(files)
        source = None if input is None else _scratch_file(files, input.encode() if isinstance(input, str) else input)
        process = _start(words, cwd, clean_environment(env, network=network), source, out, err)
        status = _run_group(process, timeout_seconds)
        stdout, stderr = ("", "") if log else (_content(out), _content(err))
    if status == 0:
        return Completed(stdout, stderr)
    evidence = _tail(log) if log else (stderr.strip() or stdout)
    directories = [path for path in (cwd, log and log.parent, *writes_to) if path]
    if status is not None and (full := full_disk_of_command(_name(shown or words), evidence, directories)):
        raise full
    cause = f"stopped after {timeout_seconds:g} s" if status is None else f"exit status {status}"
    error = CommandError(f"{_shown(shown or words)}: {cause}", hint=hint, log=last_lines(evidence))
    error.status, error.stdout, error.stderr = status, stdout, stderr
    raise error


@contextmanager
def running(
    argv: Sequence[str | os.PathLike[str]],
    *,
    log: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    network: bool = False,
    stop_seconds: float = 5.0,
) -> Iterator[Background]:
    """Run a command in the background, with both streams appended to ``log``, until the block ends.

    Leaving the block sends SIGTERM to the process group, and SIGKILL after ``stop_seconds`` to
    processes that are still running.
    """
    words = [os.fspath(word) for word in argv]
    with open(log, "ab") as sink:
        process = _start(words, cwd, clean_environment(env, network=network), None, sink, sink)
    try:
        yield process
    finally:
        _stop(process, stop_seconds)


def _start(
    words: list[str],
    cwd: Path | None,
    env: Mapping[str, str],
    source: IO[bytes] | None,
    out: IO[bytes],
    err: IO[bytes],
) -> Background:
    try:
        return subprocess.Popen(
            words,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL if source is None else source,
            stdout=out,
            stderr=err,
            start_new_session=True,
            umask=0o022,  # otherwise file modes would depend on the caller's umask
        )
    except OSError as error:
        if error.filename == words[0] and isinstance(error, FileNotFoundError):
            hint = "./workbook doctor shows which tools are missing"
            raise CommandError(f"{words[0]}: command not found", hint=hint) from None
        raise CommandError(f"{_shown(words)}: cannot be started: {error}") from None


def _run_group(process: Background, timeout_seconds: float | None) -> int | None:
    """Wait for the process, then kill its group. Returns the exit status, or None at the time limit."""
    try:
        in_time = _wait_unreaped(process, timeout_seconds)
    except BaseException:
        _stop(process, 2)
        raise
    _stop(process, 0)
    return process.returncode if in_time else None


def _stop(process: Background, grace_seconds: float) -> None:
    """End the process group: SIGTERM, and SIGKILL after ``grace_seconds``."""
    try:
        if grace_seconds and not _wait_unreaped(process, 0):
            _signal_group(process, signal.SIGTERM)
            _wait_unreaped(process, grace_seconds)
    finally:
        # Even if the leader has ended: it is not reaped yet, so its group ID cannot have been reused.
        _signal_group(process, signal.SIGKILL)
        process.wait()


def _wait_unreaped(process: Background, seconds: float | None) -> bool:
    """Whether the process ends within ``seconds`` (None: no limit). Does not reap it."""
    if process.returncode is not None:
        return True
    descriptor = os.pidfd_open(process.pid)
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(None if seconds is None else seconds * 1000))
    finally:
        os.close(descriptor)


def _signal_group(process: Background, number: signal.Signals) -> None:
    # A caller of ``running`` may have reaped the leader; its group ID may then belong to another group.
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)


def _scratch_file(files: ExitStack, data: bytes = b"") -> IO[bytes]:
    file: IO[bytes] = files.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - closed with ``files``
    file.write(data)
    file.seek(0)
    return file


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def _tail(path: Path, size_bytes: int = 65536) -> str:
    with open(path, "rb") as file:
        file.seek(max(0, path.stat().st_size - size_bytes))
        return file.read().decode(errors="replace")
