"""The history: one SQLite file of every run, and of every build in it. ``docs/history.md`` describes its tables.

It is the only record of earlier builds, and outlives the directories of the runs. What it holds comes from
these directories, so a history that was lost or damaged is made anew from those that are still there.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.results.history.migrations import MIGRATIONS

HISTORY_FILE = "history.sqlite"
"""The name of the history's file, in the build directory."""
APPLICATION_ID = 0x4157_4B42
"""Marks the file as the workbook's ("AWKB"): https://www.sqlite.org/pragma.html#pragma_application_id"""
WAIT_SECONDS = 20.0
"""How long to wait for another program that writes to the history."""
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_NO_ACCESS = frozenset({
    sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOMEM,
})  # fmt: skip


_TYPES = {"TEXT": ("text", "null"), "INTEGER": ("integer", "null"), "REAL": ("real", "integer", "null")}
"""The types of the values that a column may have, by its own: SQLite keeps a value of any."""
_COLUMNS = (
    "SELECT m.name, c.name, c.type FROM sqlite_schema AS m, pragma_table_info(m.name) AS c"
    f" WHERE m.type = 'table' AND c.type IN ({', '.join(map(repr, _TYPES))})"
)


@contextmanager
def open_history(path: Path) -> Iterator[sqlite3.Connection]:
    """The history to write to. It is created if missing, and brought to this version's schema.

    Raises WorkbookError, here and in the block, if another program keeps it locked for WAIT_SECONDS, if it
    is damaged or cannot be written, or if a newer version of the workbook wrote it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _errors_of(path), closing(_connect(str(path), WAIT_SECONDS)) as connection:
        _require_own(connection, path)
        _require_undamaged(connection, path)
        migrate(connection)
        yield connection


@contextmanager
def read_history(path: Path) -> Iterator[sqlite3.Connection]:
    """The history to read from; an empty one if there is none yet.

    Raises WorkbookError, here and in the block, as ``open_history`` does.
    """
    if not path.exists():
        with closing(_connect(":memory:", 0)) as empty:
            migrate(empty)
            yield empty
        return
    with _errors_of(path), closing(_connect(f"{path.absolute().as_uri()}?mode=ro", WAIT_SECONDS)) as connection:
        _require_own(connection, path)
        if schema_version(connection) < len(MIGRATIONS):
            raise WorkbookError(
                f"{path}: the history has schema {schema_version(connection)}, this workbook reads {len(MIGRATIONS)}",
                hint="any ./workbook run brings it up to date",
            )
        yield connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write all of the block, or nothing of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:  # on a full disk, SQLite has rolled back by itself
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def schema_version(connection: sqlite3.Connection) -> int:
    """The version of the schema that the file has; 0 for an empty one."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
    """Bring a history to the newest schema, all steps in one transaction; after an error, it is as it was."""
    if schema_version(connection) >= len(migrations):
        return
    with transaction(connection):
        for statements in migrations[schema_version(connection) :]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(migrations)}")


def _connect(name: str, wait_seconds: float) -> sqlite3.Connection:
    connection = sqlite3.connect(name, timeout=wait_seconds, isolation_level=None, uri=name.startswith("file:"))
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _require_own(connection: sqlite3.Connection, path: Path) -> None:
    """Raise WorkbookError for a database of another program, or of a newer version of the workbook."""
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    marked = connection.execute("PRAGMA application_id").fetchone()[0]
    if tables and marked != APPLICATION_ID:
        raise WorkbookError(f"{path}: is a database, but not a history of the workbook", hint="move the file away")
    if schema_version(connection) > len(MIGRATIONS):
        raise WorkbookError(
            f"{path}: the history has schema {schema_version(connection)}; this workbook knows up to {len(MIGRATIONS)}",
            hint="use the newer version of the workbook that wrote it, or move the file away",
        )


def _require_undamaged(connection: sqlite3.Connection, path: Path) -> None:
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise _damaged(path, str(found))
    orphan = connection.execute("PRAGMA foreign_key_check").fetchone()
    if orphan:
        raise _damaged(path, f"a row of {orphan[0]} belongs to one of {orphan[2]} that is missing")
    for table, column, declared in connection.execute(_COLUMNS).fetchall():
        types = _TYPES[declared]
        marks = ", ".join("?" * len(types))
        query = f'SELECT typeof("{column}") FROM "{table}" WHERE typeof("{column}") NOT IN ({marks}) LIMIT 1'
        other = connection.execute(query, types).fetchone()
        if other:
            raise _damaged(path, f"{table}.{column} has a value of type {other[0]}, not {types[0]}")


@contextmanager
def _errors_of(path: Path) -> Iterator[None]:
    """Turn errors of SQLite into WorkbookErrors that name the file and the next step."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _BUSY:
            raise WorkbookError(
                f"{path}: the history is locked: another program is writing to it",
                hint=f"close that program; to find it: fuser {path}",
            ) from None
        if code in _NO_ACCESS:
            raise WorkbookError(
                f"{path}: the history cannot be read or written: {error}",
                hint="check the owner and the mode of the file and its directory, and the free disk space",
            ) from None
        raise _damaged(path, str(error)) from None


def _damaged(path: Path, what: str) -> WorkbookError:
    return WorkbookError(
        f"{path}: the history is damaged: {' '.join(what.split())}",
        hint=f"mv {path} {path}.damaged; the next run makes it anew from the runs in {path.parent / 'runs'}",
    )
