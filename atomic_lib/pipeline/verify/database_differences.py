"""The differences between two SQLite databases by row; between two RPM databases by tag."""

import hashlib
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from atomic_lib.formats.rpm_tags import NAME, TAG_NAMES, TagValue, read_tags

_MAGIC = b"SQLite format 3\0"
_SHOWN_ROWS = 10
_PACKAGES = "Packages"

Row = tuple[Any, ...]


def is_database(data: bytes) -> bool:
    """Whether data begins as a SQLite database does."""
    return data.startswith(_MAGIC)


def database_differences(left: bytes, right: bytes) -> Iterator[str]:
    """The rows that only one side has; raises sqlite3.Error where one is not a database."""
    with tempfile.TemporaryDirectory() as scratch:
        one, other = (_tables(data, Path(scratch) / name) for data, name in ((left, "left"), (right, "right")))
    told = False
    for table in sorted({*one, *other}):
        for line in _table_differences(table, one, other):
            told = True
            yield line
    if not told:
        yield "the same rows in the same order, stored differently"


def _tables(data: bytes, path: Path) -> dict[str, list[Row]]:
    path.write_bytes(data)
    with closing(sqlite3.connect(path)) as database:
        database.text_factory = lambda raw: raw.decode(errors="surrogateescape")
        names = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: database.execute(f'SELECT * FROM "{name}"').fetchall() for name in names}


def _table_differences(table: str, one: dict[str, list[Row]], other: dict[str, list[Row]]) -> Iterator[str]:
    if table not in one or table not in other:
        yield f"table {table}: only in build {'A' if table in one else 'B'}"
        return
    left, right = one[table], other[table]
    if left == right:
        return
    if table == _PACKAGES:
        yield from _package_differences(one, other)
        return
    first, second = Counter(left), Counter(right)
    alone = [("A", [row for row in first if first[row] > second[row]]),
             ("B", [row for row in second if second[row] > first[row]])]  # fmt: skip
    for name, rows in alone:
        head = f"table {table}: only in build {name}: "
        yield from (head + shown_row(row) for row in rows[:_SHOWN_ROWS])
        if len(rows) > _SHOWN_ROWS:
            yield f"{head}{len(rows) - _SHOWN_ROWS} more rows"
    if not any(rows for _, rows in alone):
        yield f"table {table}: the same rows in another order"


def shown_row(row: Row) -> str:
    """A row as text, with digests of binary values."""
    words = (
        f"<{len(value)} bytes, sha256 {hashlib.sha256(value).hexdigest()[:16]}>"
        if isinstance(value, bytes)
        else str(value)
        for value in row
    )
    return " | ".join(words)


def _package_differences(one: dict[str, list[Row]], other: dict[str, list[Row]]) -> Iterator[str]:
    """The order of packages in two RPM databases, and the tags that differ."""
    left, right = ([(number, read_tags(blob)) for number, blob in side[_PACKAGES]] for side in (one, other))
    places = [{_name(tags): number for number, tags in side} for side in (left, right)]
    moved = [name for name, number in places[0].items() if places[1].get(name, number) != number]
    if moved:
        yield f"packages in another order: {', '.join(moved[:_SHOWN_ROWS])}"
    tags = {_name(header): header for _, header in right}
    for _, header in left:
        name = _name(header)
        if name not in tags:
            yield f"package {name}: only in build A"
            continue
        for tag in sorted({*header, *tags[name]}):
            a, b = header.get(tag), tags[name].get(tag)
            if a != b:
                yield f"package {name}: tag {TAG_NAMES.get(tag, '')} ({tag}): {_shown(a)} ≠ {_shown(b)}"
    yield from (f"package {name}: only in build B" for name in tags.keys() - places[0].keys())


def _name(tags: dict[int, TagValue]) -> str:
    return str(tags.get(NAME, "without a name"))


def _shown(value: TagValue | None) -> str:
    return shown_row((value,)) if value is not None else "none"
