"""``./workbook schedule`` and ``unschedule``: a study that runs at set times, by systemd's user manager or by cron."""

import os
import pwd
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base import command
from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import write_text
from atomic_lib.base.paths import CHECKOUT
from atomic_lib.base.progress import say
from atomic_lib.params.study_file import load_study
from atomic_lib.pipeline.schedule.cron import cron_fields
from atomic_lib.pipeline.schedule.systemd_units import service_text, timer_text, unit_name

_PASSED_ON = ("WORKBOOK_CACHE", "WORKBOOK_MIRROR", "XDG_CACHE_HOME", "http_proxy", "https_proxy", "no_proxy")
"""Variables that the scheduled command needs as they are now."""

_OF_THE_USER = ("DBUS_SESSION_BUS_ADDRESS", "HOME", "TZ", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR")
"""Variables by which systemctl finds the user's manager, its units and the time zone."""


@dataclass(frozen=True)
class Schedule:
    """A study to run at the times of ``calendar``, systemd's calendar event; the ``keep`` newest runs stay.

    ``site``: the absolute path of the directory in which the site of all runs is published; empty for none.
    """

    study: str
    calendar: str
    keep: int
    site: str = ""

    @property
    def name(self) -> str:
        """The name of its units, without their endings."""
        return unit_name(self.study, CHECKOUT)

    @property
    def words(self) -> list[str]:
        """The command that it runs."""
        options = ["--wait", "--if-changed", "--keep", str(self.keep)]
        options += ["--publish", self.site] if self.site else []
        return [str(CHECKOUT / "workbook"), "--no-install", "run", self.study, *options]

    def units(self, environment: Mapping[str, str]) -> dict[str, str]:
        """The texts of its unit files, by name."""
        return {
            f"{self.name}.service": service_text(self.study, self.words, environment),
            f"{self.name}.timer": timer_text(self.study, self.calendar),
        }


def schedule(wanted: Schedule, *, dry_run: bool) -> int:
    """Write and enable the timer of a study, or print a line for a crontab; returns the exit status.

    ``dry_run``: show the files and the commands, and change nothing. Raises WorkbookError for a study that does not
    load, and for times that systemd or cron do not accept.
    """
    load_study(wanted.study)
    if not _has_user_manager():
        return _print_cron_line(wanted)
    say(f"next run: {_next_run(wanted.calendar)}")
    directory, units = unit_directory(), wanted.units(_passed_on())
    enable = [_systemctl("daemon-reload"), _systemctl("enable", "--now", f"{wanted.name}.timer")]
    linger = [] if _lingers() else [["loginctl", "enable-linger"]]
    if dry_run:
        for name, text in units.items():
            print(f"# {directory / name}\n{text}")
        for words in (*enable, *linger):
            print(shlex.join(words))
        return 0
    for name, text in units.items():
        write_text(directory / name, text, mode=0o600)  # the address of a proxy may have a password
    for words in enable:
        _run(words)
    for words in linger:
        _enable_linger(words)
    say(f"scheduled: {wanted.study}, {wanted.calendar}; ./workbook unschedule --study {wanted.study} ends it")
    say(f"what it does: journalctl --user --unit {wanted.name}")
    return 0


def unschedule(study: str, *, dry_run: bool) -> int:
    """Disable the timer of a study and remove its units; returns the exit status.

    A run in progress goes on. Raises WorkbookError if the study has no timer of this checkout.
    """
    name = unit_name(study, CHECKOUT)
    files = [unit_directory() / f"{name}{ending}" for ending in (".timer", ".service")]
    present = [file for file in files if file.exists()]
    if not present:
        raise WorkbookError(
            f"study {study!r} of this checkout has no timer: {files[0]}: no such file",
            hint="if it runs by cron, remove its line: crontab -e",
        )
    disable = _systemctl("disable", "--now", f"{name}.timer")
    if dry_run:
        for words in (disable, ["rm", *map(str, present)], _systemctl("daemon-reload")):
            print(shlex.join(words))
        return 0
    _run(disable)
    for file in present:
        file.unlink()
    _run(_systemctl("daemon-reload"))
    say(f"no longer scheduled: {study}")
    return 0


def unit_directory() -> Path:
    """Where the user's units are: systemd.unit(5)."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd/user"


def _print_cron_line(wanted: Schedule) -> int:
    log = CHECKOUT / f"schedule-{wanted.study}.log"
    # lines of their own: on the command line, all users could read the password of a proxy
    variables = [f"{name}={value}" for name, value in _passed_on().items()]
    line = f"{cron_fields(wanted.calendar)} {shlex.join(wanted.words)} >>{shlex.quote(str(log))} 2>&1"
    if odd := [text for text in (*variables, line) if not text.isprintable()]:
        raise WorkbookError(f"{odd[0]!r}: a crontab cannot hold this", hint="change the variable, or move the checkout")
    say("This host has no systemd user manager for you. What to add to your crontab (crontab -e):")
    print("\n".join((*variables, line.replace("%", r"\%"))))  # a percent sign would end the command
    say("cron uses the time zone of the host, and does not make up for times at which the machine was off.")
    return 0


def _next_run(calendar: str) -> str:
    """When systemd would start it next, in the time zone of the host unless the event names one."""
    if not calendar.isprintable() or calendar.startswith("-"):
        raise WorkbookError(f"--on-calendar {calendar!r}: not a calendar event", hint="for example daily")
    try:
        shown = _run(["systemd-analyze", "calendar", calendar])
    except CommandError as error:
        raise WorkbookError(
            f"--on-calendar {calendar}: systemd does not accept it: {error.log.strip()}",
            hint="for example: daily, 'Mon..Fri 06:00', '*-*-* 03:30 Europe/Berlin'; see systemd.time(7)",
        ) from None
    found = re.search(r"^ *Next elapse: (.+)$", shown, flags=re.MULTILINE)
    if found is None or found[1] == "never":
        raise WorkbookError(f"--on-calendar {calendar}: is in the past", hint="for example daily")
    return found[1]


def _enable_linger(words: Sequence[str]) -> None:
    """Have the user's manager run without a login; say how, if this user may not."""
    try:
        _run(words)
    except CommandError:
        say(f"! it runs only while you are logged in; to change that: sudo loginctl enable-linger {_user()}")


def _lingers() -> bool:
    try:
        return _run(["loginctl", "show-user", _user(), "--property=Linger", "--value"]).strip() == "yes"
    except CommandError:
        return False


def _has_user_manager() -> bool:
    try:
        _run(_systemctl("show-environment"))
    except CommandError:
        return False
    return True


def _run(words: Sequence[str]) -> str:
    """The output of a command that talks to systemd, in the language and the time zone of the user."""
    passed = {name: os.environ[name] for name in _OF_THE_USER if name in os.environ}
    passed.setdefault("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}")  # su(1) and cron(8) do not set it
    passed.setdefault("TZ", ":/etc/localtime")
    return command.run(words, env=passed, timeout_seconds=60).stdout


def _systemctl(*words: str) -> list[str]:
    return ["systemctl", "--user", *words]


def _user() -> str:
    return pwd.getpwuid(os.getuid()).pw_name


def _passed_on() -> dict[str, str]:
    return {name: os.environ[name] for name in _PASSED_ON if os.environ.get(name)}
