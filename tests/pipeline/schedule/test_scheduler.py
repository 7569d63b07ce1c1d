"""A study at set times: the units and the crontab line, and what is said and done with and without a user manager."""

import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from atomic_lib.base import command
from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import CHECKOUT
from atomic_lib.pipeline.schedule import scheduler
from atomic_lib.pipeline.schedule.cron import cron_fields
from atomic_lib.pipeline.schedule.scheduler import Schedule, schedule, unschedule
from atomic_lib.pipeline.schedule.systemd_units import service_text, timer_text, unit_name

ODD = Path('/home/a user/100% "sure" $HOME\\n')
NEXT = "  Original form: daily\n    Next elapse: Sun 2026-11-29 00:00:00 CET\n"


class Host:
    """In place of systemd's commands: answers by the first words of a command; what has none fails."""

    def __init__(self, answers: dict[str, str]) -> None:
        self.answers = answers
        self.ran: list[str] = []

    def __call__(self, words: Sequence[str]) -> str:
        line = shlex.join(words)
        self.ran.append(line)
        for beginning, answer in self.answers.items():
            if line.startswith(beginning):
                return answer
        raise CommandError(f"{line}: exit status 1", log="Access denied")


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Host:
    """A host with a user manager, whose user lingers not yet, but may."""
    made = Host({"systemctl": "", "systemd-analyze": NEXT, "loginctl show": "no\n", "loginctl enable": ""})
    monkeypatch.setattr(scheduler, "_run", made)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in scheduler._PASSED_ON:
        monkeypatch.delenv(name, raising=False)
    return made


def units(tmp_path: Path) -> list[Path]:
    return sorted(tmp_path.glob("systemd/user/*"))


def test_the_units_are_written_and_the_timer_is_enabled(
    host: Host, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert schedule(Schedule("default", "daily", 30), dry_run=False) == 0
    service, timer = units(tmp_path)
    assert (service.suffix, timer.suffix) == (".service", ".timer")
    assert "OnCalendar=daily\nPersistent=true\n" in timer.read_text()
    assert '"run" "default" "--wait" "--if-changed" "--keep" "30"\n' in service.read_text()
    assert host.ran[-3:] == [
        "systemctl --user daemon-reload", f"systemctl --user enable --now {timer.name}", "loginctl enable-linger",
    ]  # fmt: skip
    told = capsys.readouterr().err
    assert "next run: Sun 2026-11-29 00:00:00 CET" in told
    assert "unschedule --study default" in told


def test_a_dry_run_shows_all_and_changes_nothing(
    host: Host, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert schedule(Schedule("default", "daily", 5), dry_run=True) == 0
    shown = capsys.readouterr().out
    assert units(tmp_path) == []
    assert not [line for line in host.ran if "enable" in line or "reload" in line]
    for part in ("OnCalendar=daily", "ExecStart=", "systemctl --user enable --now", "loginctl enable-linger"):
        assert part in shown


def test_a_user_who_may_not_linger_is_told_how_and_one_who_does_is_left_alone(
    host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    del host.answers["loginctl enable"]
    assert schedule(Schedule("default", "daily", 30), dry_run=False) == 0
    assert "only while you are logged in; to change that: sudo loginctl enable-linger" in capsys.readouterr().err
    host.answers["loginctl show"] = "yes\n"
    host.ran.clear()
    assert schedule(Schedule("default", "daily", 30), dry_run=False) == 0
    assert "loginctl enable-linger" not in host.ran


def test_what_systemd_refuses_and_an_unknown_study_change_nothing(host: Host, tmp_path: Path) -> None:
    del host.answers["systemd-analyze"]
    with pytest.raises(WorkbookError, match="systemd does not accept it: Access denied"):
        schedule(Schedule("default", "dayly", 30), dry_run=False)
    with pytest.raises(WorkbookError, match="not a calendar event"):
        schedule(Schedule("default", "daily\nOnBootSec=1", 30), dry_run=False)
    host.answers["systemd-analyze"] = "Next elapse: never\n"
    with pytest.raises(WorkbookError, match="is in the past"):
        schedule(Schedule("default", "2020-01-01", 30), dry_run=False)
    with pytest.raises(WorkbookError, match="no such file"):
        schedule(Schedule("defualt", "daily", 30), dry_run=False)
    assert units(tmp_path) == []


def test_unschedule_disables_and_removes_what_schedule_wrote(host: Host, tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match="has no timer"):
        unschedule("default", dry_run=False)
    schedule(Schedule("default", "daily", 30), dry_run=False)
    schedule(Schedule("factors", "weekly", 30), dry_run=False)
    assert unschedule("default", dry_run=True) == 0
    assert len(units(tmp_path)) == 4
    assert unschedule("default", dry_run=False) == 0
    assert [path.name.split("-")[2] for path in units(tmp_path)] == ["factors", "factors"]
    name = unit_name("default", CHECKOUT)
    assert host.ran[-2:] == [f"systemctl --user disable --now {name}.timer", "systemctl --user daemon-reload"]


def test_without_a_user_manager_a_crontab_line_is_printed(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    host.answers.clear()
    monkeypatch.setattr(scheduler, "CHECKOUT", ODD)
    monkeypatch.setenv("WORKBOOK_MIRROR", "http://mirror.example/debian")
    assert schedule(Schedule("default", "Mon..Fri 06:30", 30), dry_run=False) == 0
    printed = capsys.readouterr()
    variable, line = printed.out.strip().splitlines()
    assert variable == "WORKBOOK_MIRROR=http://mirror.example/debian"
    assert line.startswith("30 6 * * 1-5 ")
    assert "%" not in line.replace(r"\%", "")
    words = shlex.split(line.replace(r"\%", "%"))
    assert words[5:11] == [f"{ODD}/workbook", "--no-install", "run", "default", "--wait", "--if-changed"]
    assert "does not make up for times at which the machine was off" in printed.err
    assert units(tmp_path) == []
    monkeypatch.setenv("WORKBOOK_MIRROR", "http://mirror.example/\n* * * * * other")
    with pytest.raises(WorkbookError, match="a crontab cannot hold this"):
        schedule(Schedule("default", "Mon..Fri 06:30", 30), dry_run=False)


@pytest.mark.parametrize(
    ("calendar", "fields"),
    [
        ("hourly", "0 * * * *"), ("daily", "0 0 * * *"), ("weekly", "0 0 * * 1"), ("monthly", "0 0 1 * *"),
        ("03:30", "30 3 * * *"), ("*-*-* 04:05:00", "5 4 * * *"), ("Mon..Fri 06:00", "0 6 * * 1-5"),
        ("Sat,Sunday 23:59", "59 23 * * 6,7"), ("*-*-15 00:00", "0 0 15 * *"),
    ],
)  # fmt: skip
def test_calendar_events_become_crontab_fields(calendar: str, fields: str) -> None:
    assert cron_fields(calendar) == fields


@pytest.mark.parametrize(
    "calendar",
    ["", "dayly", "24:00", "12:60", "06:00 Europe/Berlin", "Fri..Mon 06:00", "Mon *-*-15 06:00", "*-*-32 06:00",
     "*-*-* 06:00:30", "Foo 06:00", "daily\n", "* * * * *"],
)  # fmt: skip
def test_what_cron_cannot_express_is_refused(calendar: str) -> None:
    with pytest.raises(WorkbookError, match="not accepted on a host without") as caught:
        cron_fields(calendar)
    assert "Mon..Fri 06:00" in caught.value.hint


def test_units_of_two_checkouts_have_names_of_their_own() -> None:
    assert unit_name("default", Path("/a")) != unit_name("default", Path("/b"))


def test_percent_signs_and_quotes_are_no_specifiers_and_end_no_word() -> None:
    text = service_text("default", ['/100%/"own"/$HOME/workbook', "run"], {"WORKBOOK_CACHE": "/a%b $"})
    assert r'ExecStart=/bin/bash "/100%%/\"own\"/$$HOME/workbook" "run"' in text.splitlines()
    assert 'Environment="WORKBOOK_CACHE=/a%%b $"' in text.splitlines()


def test_a_path_that_no_unit_can_hold_is_refused() -> None:
    with pytest.raises(WorkbookError, match="a unit file cannot hold this path"):
        service_text("default", ["/home/new\nline/workbook"], {})


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_reads_the_units_as_they_are_meant(tmp_path: Path) -> None:
    program = tmp_path / '100% "sure" $HOME' / "workbook"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (tmp_path / "own.service").write_text(service_text("default", [str(program), "run"], {"WORKBOOK_CACHE": "/a b%"}))
    (tmp_path / "own.timer").write_text(timer_text("default", "Mon..Fri 06:00 Europe/Berlin"))
    environment = {"SYSTEMD_UNIT_PATH": f"{tmp_path}:"}
    told = command.run(["systemd-analyze", "verify", tmp_path / "own.service", tmp_path / "own.timer"], env=environment)
    assert str(tmp_path) not in told.stderr
    (tmp_path / "own.timer").write_text(timer_text("default", "dayly"))
    with pytest.raises(CommandError):
        command.run(["systemd-analyze", "verify", tmp_path / "own.timer"], env=environment)
