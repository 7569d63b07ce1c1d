"""The history's file: its schema and migrations, and what becomes of one that is locked, damaged or not ours."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.results.history import database
from atomic_lib.results.history.database import (
    APPLICATION_ID,
    migrate,
    open_history,
    read_history,
    schema_version,
    transaction,
)
from atomic_lib.results.history.migrations import MIGRATIONS

DOCUMENTATION = Path(__file__).parents[3] / "docs/history.md"
RUN = "INSERT INTO runs (run, study, title, baseline, created, status, whole) VALUES (?, 's', 't', 'b', 'c', 'ok', 1)"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "build/history.sqlite"


def columns(connection: sqlite3.Connection) -> dict[str, list[str]]:
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    return {name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})")] for name in tables}


def test_a_new_history_has_the_newest_schema_and_is_marked_as_ours(path: Path) -> None:
    with open_history(path) as history:
        assert schema_version(history) == len(MIGRATIONS)
        assert history.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    assert [file.name for file in path.parent.iterdir()] == ["history.sqlite"], "one file, nothing beside it"


def test_each_migration_leads_to_the_schema_of_a_new_history(path: Path) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as stepwise, open_history(path) as fresh:
        for version in range(1, len(MIGRATIONS) + 1):
            migrate(stepwise, MIGRATIONS[:version])
            assert schema_version(stepwise) == version
        assert columns(stepwise) == columns(fresh)


def test_a_migration_keeps_what_is_there_and_one_that_fails_changes_nothing(path: Path) -> None:
    with open_history(path) as history, transaction(history):
        history.execute(RUN, ("one",))
    good, bad = ("ALTER TABLE runs ADD COLUMN note TEXT",), ("CREATE TABLE extra (a)", "NOT SQL")
    with closing(sqlite3.connect(path, isolation_level=None)) as history:
        with pytest.raises(sqlite3.OperationalError):
            migrate(history, (*MIGRATIONS, bad))
        assert schema_version(history) == len(MIGRATIONS)
        assert "extra" not in columns(history)
        migrate(history, (*MIGRATIONS, good))
        assert schema_version(history) == len(MIGRATIONS) + 1
        assert history.execute("SELECT run, note FROM runs").fetchall() == [("one", None)]


def test_every_column_is_documented(path: Path) -> None:
    text = DOCUMENTATION.read_text()
    sections = dict(re.findall(r"^### `(\w+)`\n(.*?)(?=^### |\Z)", text, flags=re.MULTILINE | re.DOTALL))
    documented = {name: re.findall(r"^\| `(\w+)` \|", body, flags=re.MULTILINE) for name, body in sections.items()}
    with open_history(path) as history:
        assert documented == columns(history)
    assert f"schema version is {len(MIGRATIONS)}" in text


def test_a_transaction_writes_all_or_nothing(path: Path) -> None:
    with open_history(path) as history:
        with pytest.raises(sqlite3.IntegrityError), transaction(history):
            history.executemany(RUN, [("one",), ("one",)])
        assert history.execute("SELECT count(*) FROM runs").fetchone() == (0,)


def test_a_history_that_another_program_locks_is_one_clear_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "WAIT_SECONDS", 0.1)
    with open_history(path):
        pass
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(WorkbookError, match="the history is locked") as caught, open_history(path):
            pass
    assert str(path) in caught.value.hint


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def overwrite(path: Path) -> None:
    path.write_bytes(b"no database" * 1000)


def spoil_a_page(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:8192] = b"\xff" * 4096
    path.write_bytes(data)


def put_text_for_a_number(path: Path) -> None:
    change(path, "UPDATE runs SET memory_bytes = 'much'")


def put_bytes_for_a_text(path: Path) -> None:
    change(path, "UPDATE runs SET title = X'ff'")


def remove_what_others_belong_to(path: Path) -> None:
    change(path, "INSERT INTO builds (run, variant, status, passed, method, content, recipe, agent) VALUES"
                 " ('gone', 'v', 'ok', 1, 'ostree', 'c', 'r', 'a')")  # fmt: skip


def change(path: Path, statement: str) -> None:
    """Change the history as another program would, which does not know its rules."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()


@pytest.mark.parametrize(
    "damage",
    [cut, overwrite, spoil_a_page, put_text_for_a_number, put_bytes_for_a_text, remove_what_others_belong_to],
)
def test_a_damaged_history_is_one_clear_error(path: Path, damage: Callable[[Path], None]) -> None:
    with open_history(path) as history, transaction(history):
        for number in range(500):
            history.execute(RUN, (f"run {number}",))
    damage(path)
    with pytest.raises(WorkbookError, match="the history is damaged") as caught, open_history(path):
        pass
    assert "the next run makes it anew" in caught.value.hint


def test_a_foreign_database_and_a_newer_history_are_left_alone(path: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.sqlite"
    with closing(sqlite3.connect(foreign)) as other:
        other.execute("CREATE TABLE theirs (a)")
    with pytest.raises(WorkbookError, match="not a history of the workbook"), open_history(foreign):
        pass
    with open_history(path) as history:
        history.execute("PRAGMA user_version = 99")
    with pytest.raises(WorkbookError, match="has schema 99"), read_history(path):
        pass


def test_reading_makes_no_file_and_writes_nothing(path: Path) -> None:
    with read_history(path) as history:
        assert history.execute("SELECT count(*) FROM runs").fetchone() == (0,)
    assert not path.exists()
    with open_history(path):
        pass
    with pytest.raises(WorkbookError, match="cannot be read or written"), read_history(path) as history:
        history.execute(RUN, ("one",))


def test_a_history_of_an_earlier_schema_is_not_read_before_a_run_brought_it_up_to_date(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_history(path):
        pass
    monkeypatch.setattr(database, "MIGRATIONS", (*MIGRATIONS, ("CREATE TABLE later (a)",)))
    with pytest.raises(WorkbookError, match=r"this workbook reads") as caught, read_history(path):
        pass
    assert caught.value.hint == "any ./workbook run brings it up to date"


def test_what_sqlite_has_rolled_back_by_itself_does_not_hide_the_error(path: Path) -> None:
    """As on a full disk."""

    def fail(history: sqlite3.Connection) -> None:
        history.execute("ROLLBACK")
        raise KeyError

    with open_history(path) as history:
        with pytest.raises(KeyError), transaction(history):
            fail(history)
        assert not history.in_transaction
