"""A calendar event of systemd as the five fields of a crontab line, for hosts without systemd's user manager.

Formats: systemd.time(7), crontab(5).
"""

import re

from atomic_lib.base.errors import WorkbookError

_SHORTHANDS = {
    "hourly": "0 * * * *",
    "daily": "0 0 * * *",
    "weekly": "0 0 * * 1",
    "monthly": "0 0 1 * *",
    "yearly": "0 0 1 1 *",
    "annually": "0 0 1 1 *",
}
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EVENT = re.compile(r"(?:([A-Za-z,.]+) )?(?:\*-\*-(\*|\d{1,2}) )?(\d{1,2}):(\d{2})(?::00)?")


def cron_fields(calendar: str) -> str:
    """The crontab fields of a calendar event, such as ``daily``, ``03:30``, ``Mon..Fri 06:00`` or ``*-*-1 04:00``.

    Raises WorkbookError for an event that crontab(5) cannot express, or that this function does not know.
    """
    if fields := _SHORTHANDS.get(calendar):
        return fields
    found = _EVENT.fullmatch(calendar)
    days = _days(found[1]) if found else None
    if found is None or days is None or int(found[3]) > 23 or int(found[4]) > 59:
        raise _refused(calendar)
    date = found[2] or "*"
    if date != "*" and (not 1 <= int(date) <= 31 or days != "*"):
        raise _refused(calendar)  # cron runs on either of day and date, systemd on both
    return f"{int(found[4])} {int(found[3])} {date if date == '*' else int(date)} * {days}"


def _days(text: str | None) -> str | None:
    """``Mon..Fri,Sun`` as ``1-5,7``; ``*`` for every day, None if it is not a list of days."""
    if text is None:
        return "*"
    parts = []
    for part in text.lower().split(","):
        ends = [_DAYS.index(word[:3]) + 1 if word[:3] in _DAYS else 0 for word in part.split("..")]
        if len(ends) > 2 or 0 in ends or ends != sorted(ends):
            return None
        parts.append("-".join(map(str, ends)))
    return ",".join(parts)


def _refused(calendar: str) -> WorkbookError:
    return WorkbookError(
        f"--on-calendar {calendar}: not accepted on a host without systemd's user manager, where cron has to do it",
        hint=f"accepted: {', '.join(_SHORTHANDS)}, 03:30, 'Mon..Fri 06:00', '*-*-1 04:00'; cron has no time zones",
    )
