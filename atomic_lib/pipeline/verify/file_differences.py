"""Describes the differences between two versions of a file, according to its format."""

import sqlite3
import tempfile
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.pipeline.verify import database_differences, initramfs_members
from atomic_lib.tools.sandbox import Bind, Tools

_MOST_LINES = 60
_DIFFOSCOPE_SECONDS = 120
_DIFFOSCOPE_BYTES = 20000


def content_differences(path: str, left: bytes, right: bytes, tools: Tools) -> list[str]:
    """The differences as lines, at most ``_MOST_LINES``; diffoscope describes formats that this module does not know.

    What cannot be read is reported as a line; this raises nothing.
    """
    lines = _differences(path, left, right, tools)
    more = len(lines) - _MOST_LINES
    return [*lines[:_MOST_LINES], *([f"{more} more lines"] if more > 0 else [])]


def _differences(path: str, left: bytes, right: bytes, tools: Tools) -> list[str]:
    try:
        if database_differences.is_database(left) and database_differences.is_database(right):
            return list(database_differences.database_differences(left, right))
        if initramfs_members.is_initramfs(path):
            return list(_member_differences(left, right, tools))
    except (sqlite3.Error, WorkbookError, ValueError) as error:
        return [f"not in the format that its name suggests: {error}", *_by_diffoscope(path, left, right, tools)]
    text = _as_text(left), _as_text(right)
    if text[0] is not None and text[1] is not None:
        return list(unified_diff(text[0].splitlines(), text[1].splitlines(), "A", "B", lineterm="", n=1))
    return _by_diffoscope(path, left, right, tools)


def _as_text(data: bytes) -> str | None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _member_differences(left: bytes, right: bytes, tools: Tools) -> Iterator[str]:
    one, other = initramfs_members.members_of(left, tools), initramfs_members.members_of(right, tools)
    differing = [name for name in sorted({*one, *other}) if one.get(name) != other.get(name)]
    yield from (f"member {name}: {one.get(name, 'none')} ≠ {other.get(name, 'none')}" for name in differing)
    if not differing:
        same = list(one) == list(other)
        yield "the same members, compressed differently" if same else "the same members in another order"


def _by_diffoscope(path: str, left: bytes, right: bytes, tools: Tools) -> list[str]:
    name = path.rpartition("/")[2] or "file"
    with tempfile.TemporaryDirectory() as scratch:
        for side, data in (("A", left), ("B", right)):
            (Path(scratch) / side).mkdir()
            (Path(scratch) / side / name).write_bytes(data)
        words = ["diffoscope", "--no-progress", "--no-default-limits", "--max-text-report-size", str(_DIFFOSCOPE_BYTES),
                 f"/mnt/files/A/{name}", f"/mnt/files/B/{name}"]  # fmt: skip
        try:
            tools.run(words, binds=[Bind(Path(scratch), "/mnt/files")], timeout_seconds=_DIFFOSCOPE_SECONDS)
        except CommandError as error:
            if error.status == 1 and error.stdout:
                return error.stdout.splitlines()
            return [_first_byte(left, right), f"diffoscope failed: {error.message.rpartition(': ')[2]}"]
    return [_first_byte(left, right)]


def _first_byte(left: bytes, right: bytes) -> str:
    at = next((at for at, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    return f"the first byte that differs is {at} of {len(left)} and {len(right)}"
