"""Describes the differences between two SQLite databases, row by row; between RPM databases, tag by tag.

Source of the format of RPM headers: rpm's documentation, manual/hregions and manual/tags (here without magic).
"""

import hashlib
import sqlite3
import struct
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

MAGIC = b"SQLite format 3\0"
_SHOWN_ROWS = 10
_PACKAGES = "Packages"
_TAGS = {1000: "NAME", 1001: "VERSION", 1002: "RELEASE", 1006: "BUILDTIME", 1008: "INSTALLTIME", 1029: "FILESTATES",
         1127: "INSTALLCOLOR", 1128: "INSTALLTID", 261: "SIGMD5", 267: "DSAHEADER", 268: "RSAHEADER",
         269: "SHA1HEADER", 273: "SHA256HEADER"}  # fmt: skip
_INTEGERS = {3: ">H", 4: ">I", 5: ">Q"}

Row = tuple[object, ...]
Tags = dict[int, int | str | bytes]
"""The values of a header by the number of the tag."""


def database_differences(left: bytes, right: bytes) -> Iterator[str]:
    """A line for each row that only one side has; raises sqlite3.Error if the data is not a database."""
    with tempfile.TemporaryDirectory() as scratch:
        one, other = (_tables(data, Path(scratch) / name) for data, name in ((left, "left"), (right, "right")))
    found = False
    for table in sorted({*one, *other}):
        for line in _table_differences(table, one, other):
            found = True
            yield line
    if not found:
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
    """A row as text; binary values as size and digest."""
    words = (
        f"<{len(value)} bytes, sha256 {hashlib.sha256(value).hexdigest()[:16]}>"
        if isinstance(value, bytes)
        else str(value)
        for value in row
    )
    return " | ".join(words)


def _package_differences(one: dict[str, list[Row]], other: dict[str, list[Row]]) -> Iterator[str]:
    """The packages of two RPM databases: their order, and the tags that differ."""
    left, right = ([(number, header_tags(blob)) for number, blob in _packages(side)] for side in (one, other))
    numbers = [{_name(tags): number for number, tags in side} for side in (left, right)]
    moved = [name for name, number in numbers[0].items() if numbers[1].get(name, number) != number]
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
                yield f"package {name}: tag {_TAGS.get(tag, '')} ({tag}): {_shown(a)} ≠ {_shown(b)}"
    yield from (f"package {name}: only in build B" for name in tags.keys() - numbers[0].keys())


def _packages(tables: dict[str, list[Row]]) -> Iterator[tuple[object, bytes]]:
    """Number and header of each package."""
    for number, blob in tables[_PACKAGES]:
        if not isinstance(blob, bytes):
            raise ValueError(f"package {number}: its header is not binary")
        yield number, blob


def _name(tags: Tags) -> str:
    return str(tags.get(1000, "without a name"))


def _shown(value: object) -> str:
    return shown_row((value,)) if value is not None else "none"


def header_tags(blob: bytes) -> Tags:
    """The tags of a header: integers and single strings decoded, other values as bytes."""
    count, size = struct.unpack_from(">II", blob)
    data = blob[8 + 16 * count : 8 + 16 * count + size]
    entries = [struct.unpack_from(">IIiI", blob, 8 + 16 * at) for at in range(count)]
    ends = sorted({offset for _, _, offset, _ in entries if offset >= 0} | {len(data)})
    found: Tags = {}
    for tag, kind, offset, number in entries:
        if offset < 0:
            continue
        if kind in _INTEGERS:
            form = f">{number}{_INTEGERS[kind][1]}"
            values = struct.unpack_from(form, data, offset)
            found[tag] = values[0] if number == 1 else repr(values)
        elif kind in (6, 9) and number == 1:
            found[tag] = data[offset : data.index(0, offset)].decode(errors="surrogateescape")
        else:
            found[tag] = data[offset : next((end for end in ends if end > offset), len(data))]
    return found
