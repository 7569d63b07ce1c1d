"""The commands ``schedule`` and ``unschedule``, which talk to systemd and so stay outside of the namespace."""

import argparse
from typing import Any

SCHEDULE_NAMES = ("schedule", "unschedule")


def add_schedule_commands(commands: Any) -> None:
    """Add the parsers of both commands to argparse's sub-parsers; each sets ``call``, which runs the command."""
    begin = commands.add_parser(
        "schedule",
        help="run a study at set times, by a systemd timer or by cron",
        epilog="Each time it resolves the content anew, does nothing if lock, code and parameters are what they were, "
        "else runs the study and removes old runs.",
    )
    begin.add_argument(
        "--on-calendar",
        required=True,
        metavar="EVENT",
        help="when: a calendar event of systemd.time(7), such as daily or 'Mon..Fri 06:00 Europe/Berlin'",
    )
    begin.add_argument("--keep", type=whole_number, default=30, metavar="N", help="how many runs of a study stay (30)")
    begin.set_defaults(call=_schedule)
    end = commands.add_parser("unschedule", help="end the schedule of a study")
    end.set_defaults(call=_unschedule)
    for parser in (begin, end):
        parser.add_argument("--study", default="default", metavar="NAME", help="params/studies/NAME.yaml (default)")
        parser.add_argument("--dry-run", action="store_true", help="show what would be done, and change nothing")


def whole_number(word: str) -> int:
    """An argument that is a whole number of at least 1."""
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"{word!r} is not accepted: must be a whole number of at least 1")
    return int(word)


def _schedule(options: argparse.Namespace) -> int:
    from atomic_lib.pipeline.schedule.scheduler import Schedule, schedule

    return schedule(Schedule(options.study, options.on_calendar, options.keep), dry_run=options.dry_run)


def _unschedule(options: argparse.Namespace) -> int:
    from atomic_lib.pipeline.schedule.scheduler import unschedule

    return unschedule(options.study, dry_run=options.dry_run)
