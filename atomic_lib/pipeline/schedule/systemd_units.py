"""The timer and the service of a scheduled study, as texts: systemd.service(5), systemd.timer(5), systemd.time(7)."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from atomic_lib.base.errors import WorkbookError


def unit_name(study: str, checkout: Path) -> str:
    """The name of both units, without their endings: one per study and checkout."""
    return f"atomic-workbook-{study}-{hashlib.sha256(bytes(checkout)).hexdigest()[:8]}"


def service_text(study: str, words: Sequence[str], environment: Mapping[str, str]) -> str:
    """The service that runs the shell script ``words`` once, with these variables besides the manager's own.

    Bash is named as the program, because systemd accepts few special characters in the path of a program.
    """
    variables = [f"Environment={_quoted(f'{name}={value}')}" for name, value in environment.items()]
    lines = [
        "[Unit]",
        f"Description=Atomic workbook: run the study {study} if anything has changed",
        "",
        "[Service]",
        "Type=oneshot",
        *variables,
        # dollar signs are of variables here, but not in Environment=
        f"ExecStart=/bin/bash {' '.join(_quoted(word).replace('$', '$$') for word in words)}",
    ]
    return "\n".join(lines) + "\n"


def timer_text(study: str, calendar: str) -> str:
    """The timer. ``Persistent``: a run that was missed because the machine was off is made up for at the next start."""
    lines = [
        "[Unit]",
        f"Description=Atomic workbook: {study}, {calendar.replace('%', '%%')}",
        "",
        "[Timer]",
        f"OnCalendar={calendar.replace('%', '%%')}",
        "Persistent=true",
        "",
        "[Install]",
        "WantedBy=timers.target",
    ]
    return "\n".join(lines) + "\n"


def _quoted(word: str) -> str:
    """A word in quotes; percent signs would be specifiers."""
    if not word.isprintable():
        raise WorkbookError(f"{word!r}: a unit file cannot hold this path", hint="move the checkout, or rename it")
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'
