"""Exceptions of any kind as the error that a user sees: one line, its cause, the next step."""

import errno
import os
import re
import signal
from collections.abc import Iterable
from pathlib import Path

from atomic_lib.base.errors import SetupError, WorkbookError, full_disk

MESSAGE_LENGTH = 500
LOG_LENGTH = 20_000
_FULL = {errno.ENOSPC, errno.EDQUOT}
_SETUP = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
_OS_ERROR = re.compile(r"\[Errno (\d+)\] ([^:\n]*)(?:: '([^'\n]*)')?")
_KERNEL_DIED = re.compile(r"Kernel died|Kernel didn't respond")
_MEMORY_HINT = (
    "if the machine ran out of memory, journalctl -k names the process; "
    "./workbook run continues from the finished stages"
)


def explained(error: Exception) -> WorkbookError:
    """The error for an exception; a SetupError if the variant is not its cause."""
    if isinstance(error, WorkbookError):
        return error
    if isinstance(error, OSError) and error.errno:
        return _os_error(error.errno, error.filename if isinstance(error.filename, str) else "")
    if _KERNEL_DIED.match(str(error)):
        return WorkbookError("the kernel of the notebook died", hint=_MEMORY_HINT)
    return _titled(WorkbookError, f"{type(error).__name__}: {error}")


def cell_failure(name: str, text: str) -> WorkbookError:
    """The error for an exception that a cell raised: ``name`` is its class, ``text`` its message.

    For a WorkbookError the text is that of ``str()``: message, log, next step.
    """
    if name in ("OSError", *(kind.__name__ for kind in OSError.__subclasses__())):
        found = _OS_ERROR.match(text)
        if found:
            return _os_error(int(found[1]), found[3] or "")
    if name == MemoryError.__name__:
        return WorkbookError("a cell ran out of memory", hint=_MEMORY_HINT)
    kind = SetupError if name == SetupError.__name__ else WorkbookError
    if name not in _names(WorkbookError):
        return _titled(kind, f"{name}: {text}")
    rest, _, hint = text.rpartition("\nNext step: ") if "\nNext step: " in text else (text, "", "")
    return _titled(kind, rest, hint)


def ended_process(what: str, status: int) -> WorkbookError:
    """The error for a process that ended without a result. ``status``: exit status, or minus the number of a signal."""
    cause = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with exit status {status}"
    return WorkbookError(f"the process of {what} {cause}", hint=_MEMORY_HINT)


def require_none(problems: Iterable[str], what: str) -> None:
    """Raises WorkbookError if a page shows problems: ``what`` they mean, the first one, and all as its log."""
    found = list(problems)
    if found:
        hint = "read the tables of the page; run again to see whether it repeats"
        raise WorkbookError(f"{what}: {found[0]}", hint=hint, log="\n".join(found))


def _os_error(number: int, path: str) -> WorkbookError:
    if number in _FULL:
        return full_disk(path or "a file could not be written", Path(path) if path else None)
    kind = SetupError if number in _SETUP else WorkbookError
    hint = "make it readable and writable for this user" if number in (errno.EACCES, errno.EPERM, errno.EROFS) else ""
    return kind(_line(f"{path}: {os.strerror(number)}" if path else os.strerror(number)), hint=hint if path else "")


def _titled(kind: type[WorkbookError], text: str, hint: str = "") -> WorkbookError:
    """The error whose message is the first line of a text, and whose log is the rest."""
    _, _, log = text.strip().partition("\n")
    return kind(_line(text), hint=_line(hint), log=log[-LOG_LENGTH:])


def _names(kind: type[WorkbookError]) -> set[str]:
    return {kind.__name__}.union(*map(_names, kind.__subclasses__()))


def _line(text: str) -> str:
    """The first line of a text, truncated if it is long."""
    line = text.strip().partition("\n")[0]
    return line if len(line) <= MESSAGE_LENGTH else f"{line[:MESSAGE_LENGTH]}…"
