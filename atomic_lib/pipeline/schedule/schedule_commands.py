"""The commands ``schedule``, ``unschedule`` and ``publish``, which stay outside of the namespace.

The first two talk to systemd, the third one writes where only the user may.
"""

import argparse
from pathlib import Path
from typing import Any

SCHEDULE_NAMES = ("schedule", "unschedule", "publish")


def add_schedule_commands(commands: Any) -> None:
    """Add the parsers of the commands to argparse's sub-parsers; each sets ``call``, which runs the command."""
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
    begin.add_argument("--publish", metavar="DIR", help="after a successful run, publish the site of all runs as DIR")
    begin.set_defaults(call=_schedule)
    end = commands.add_parser("unschedule", help="end the schedule of a study")
    end.set_defaults(call=_unschedule)
    _add_publish(commands.add_parser("publish", help="publish the site of all runs: pages, downloads, an Atom feed"))
    for parser in (begin, end):
        parser.add_argument("--study", default="default", metavar="NAME", help="params/studies/NAME.yaml (default)")
        parser.add_argument("--dry-run", action="store_true", help="show what would be done, and change nothing")


def _add_publish(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("directory", metavar="DIR", help="a new or empty directory, or a site that was published there")
    parser.add_argument("--images", action="store_true", help="with the disk images of the latest run of each study")
    parser.set_defaults(call=_publish)


def whole_number(word: str) -> int:
    """An argument that is a whole number of at least 1."""
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"{word!r} is not accepted: must be a whole number of at least 1")
    return int(word)


def _schedule(options: argparse.Namespace) -> int:
    from atomic_lib.pipeline.schedule.scheduler import Schedule, schedule

    site = str(Path(options.publish).absolute()) if options.publish else ""
    return schedule(Schedule(options.study, options.on_calendar, options.keep, site), dry_run=options.dry_run)


def _unschedule(options: argparse.Namespace) -> int:
    from atomic_lib.pipeline.schedule.scheduler import unschedule

    return unschedule(options.study, dry_run=options.dry_run)


def _publish(options: argparse.Namespace) -> int:
    from atomic_lib.pipeline.schedule.publishing import publish

    return publish(Path(options.directory).absolute(), images=options.images)
