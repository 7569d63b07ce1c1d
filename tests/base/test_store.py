"""Results by content: published whole or not at all, made once, found again."""

import errno
import json
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from atomic_lib.base import command, errors, files
from atomic_lib.base.errors import SetupError, WorkbookError
from atomic_lib.base.files import file_digest, find_damage
from atomic_lib.base.store import USES_VARIABLE, Store, file_sha256, key_of, remove_tree, require_space, set_aside
from tests.flips import flip

INPUTS = {"variant": "a", "size": 1, "list": [1, 2]}
# Makes one result slowly; "reached" shows that it is in the middle of it.
SLOW = """
import sys, time
from pathlib import Path
from atomic_lib.base.store import Store
top = Path(sys.argv[1])
def make(directory):
    (directory / "half").write_text("half")
    with open(top / "made", "a") as file:
        file.write("once\\n")
    (top / "reached").touch()
    time.sleep(float(sys.argv[2]))
    (directory / "whole").write_text("whole")
stored = Store(top / "store").get_or_make("stage", {"a": 1}, make, what="slow")
print(stored.reused)
"""


def write_file(directory: Path) -> None:
    (directory / "file").write_text("content")


def refuse(_: Path) -> None:
    raise AssertionError("made again")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def test_made_once_and_found_again(store: Store) -> None:
    first = store.get_or_make("stage", INPUTS, write_file, what="test")
    second = store.get_or_make("stage", INPUTS, refuse, what="test")
    assert (first.reused, second.reused) == (False, True)
    assert first.path == second.path == store.path_of("stage", key_of(INPUTS))
    assert (first.path / "file").read_text() == "content"
    assert second.seconds == pytest.approx(first.seconds, abs=0.001)


def test_a_digest_that_is_known_is_not_computed_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def make(directory: Path) -> dict[str, str]:
        write_file(directory)
        (directory / "known").write_text("content")
        return {"known": file_digest(directory / "known")}

    def noted(path: Path) -> str:
        read.append(path.name)
        return file_digest(path)

    read: list[str] = []
    monkeypatch.setattr(files, "file_digest", noted)
    path = store.get_or_make("stage", INPUTS, make, what="test").path
    assert "known" not in read
    assert "file" in read
    assert find_damage(path) == []
    (path / "known").write_text("CONTENT")
    assert find_damage(path) == ["known: its content was changed"]


def test_what_a_process_uses_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, uses, key = Store(tmp_path / "store"), tmp_path / "uses", key_of(INPUTS)
    monkeypatch.setenv(USES_VARIABLE, str(uses))
    assert store.find("stage", INPUTS) is None
    assert not uses.exists()
    for _ in range(2):
        store.get_or_make("stage", INPUTS, write_file, what="stage")
    assert store.find("stage", INPUTS)
    assert uses.read_text() == 3 * f"stage/{key}\n"


def test_is_seen_only_when_whole(store: Store) -> None:
    def make(directory: Path) -> None:
        write_file(directory)
        assert not store.path_of("stage", key_of(INPUTS)).exists()

    store.get_or_make("stage", INPUTS, make, what="test")
    assert list((store.root / "tmp").iterdir()) == []


def test_the_callers_umask_does_not_reach_the_result_and_is_back_afterwards(store: Store) -> None:
    before = os.umask(0o077)
    try:
        made = store.get_or_make("stage", INPUTS, write_file, what="test")
        assert os.umask(0o077) == 0o077
    finally:
        os.umask(before)
    assert (made.path / "file").stat().st_mode & 0o777 == 0o644


def test_failure_publishes_nothing_and_the_next_try_succeeds(store: Store) -> None:
    def fail(directory: Path) -> None:
        write_file(directory)
        raise WorkbookError("no")

    with pytest.raises(WorkbookError, match="no"):
        store.get_or_make("stage", INPUTS, fail, what="test")
    assert list(store.root.rglob("file")) == []
    assert not store.get_or_make("stage", INPUTS, write_file, what="test").reused


@pytest.mark.parametrize(
    "changed",
    [{**INPUTS, "variant": "b"}, {**INPUTS, "size": 2}, {**INPUTS, "list": [2, 1]}, {**INPUTS, "more": None}],
)
def test_any_input_changes_the_key(changed: dict[str, object]) -> None:
    assert key_of(changed) != key_of(INPUTS)


def empty(path: Path) -> None:
    for file in path.iterdir():
        file.unlink()


def replace_by_a_file(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.touch()


DAMAGE: dict[str, Callable[[Path], object]] = {
    "a byte flipped": lambda path: flip(path / "file"),
    "cut": lambda path: os.truncate(path / "file", 3),
    "removed": lambda path: (path / "file").unlink(),
    "added": lambda path: (path / "other").touch(),
    "the manifest cut": lambda path: os.truncate(path / "manifest", 80),
    "key.json cut": lambda path: os.truncate(path / "key.json", 10),
    "key.json removed": lambda path: (path / "key.json").unlink(),
    "all removed": empty,
    "no directory": replace_by_a_file,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_what_is_damaged_is_named_set_aside_and_made_again(
    store: Store, damage: Callable[[Path], object], capsys: pytest.CaptureFixture[str]
) -> None:
    path = store.get_or_make("stage", INPUTS, write_file, what="test").path
    damage(path)
    assert store.find("stage", INPUTS) is None
    capsys.readouterr()
    healed = store.get_or_make("stage", INPUTS, write_file, what="test")
    assert not healed.reused
    assert (healed.path / "file").read_text() == "content"
    named = [line for line in capsys.readouterr().err.splitlines() if line.startswith("!")]
    assert len(named) == 1
    assert f"test: the stored result is damaged, so it is made again: {path}" in named[0]
    assert path.with_name(f"{path.name}.damaged").exists()
    assert store.get_or_make("stage", INPUTS, refuse, what="test").reused


def test_damage_in_one_result_does_not_stop_another(store: Store) -> None:
    one, other = {**INPUTS, "variant": "b"}, {**INPUTS, "variant": "c"}
    for inputs in (INPUTS, one):
        store.get_or_make("stage", inputs, write_file, what="test")
    for kept in (b'{"inputs": {"variant"', b"{}", b"[]", b'{"inputs": 1}', b"\xff\xfe"):
        (store.path_of("stage", key_of(INPUTS)) / "key.json").write_bytes(kept)
        assert store.most_similar("stage", other)[0] == ["variant"]
        assert store.get_or_make("stage", one, refuse, what="test").reused
    (store.path_of("stage", key_of(INPUTS)) / "key.json").unlink()
    assert not store.get_or_make("stage", other, write_file, what="test").reused


def test_a_changed_time_alone_is_no_damage(store: Store) -> None:
    path = store.get_or_make("stage", INPUTS, write_file, what="test").path
    for file in path.iterdir():
        os.utime(file, (0, 0))
    assert store.get_or_make("stage", INPUTS, refuse, what="test").reused


def test_damage_twice_keeps_the_last_only_and_it_is_no_result(store: Store) -> None:
    path = store.get_or_make("stage", INPUTS, write_file, what="test").path
    for size_bytes in (1, 2):
        os.truncate(path / "file", size_bytes)
        store.get_or_make("stage", INPUTS, write_file, what="test")
    aside = path.with_name(f"{path.name}.damaged")
    assert sorted(path.parent.iterdir()) == [path, aside]
    assert (aside / "file").stat().st_size == 2
    assert store.results() == store.results("stage") == [path]


def test_what_a_user_may_not_read_is_not_called_damaged(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    path = store.get_or_make("stage", INPUTS, write_file, what="test").path

    def deny(_: Path) -> list[str]:
        raise PermissionError(13, "Permission denied", str(path / "root"))

    monkeypatch.setattr("atomic_lib.base.store.find_damage", deny)
    with pytest.raises(WorkbookError, match="root: permission denied") as caught:
        store.get_or_make("stage", INPUTS, refuse, what="test")
    assert "sudo" in caught.value.hint
    assert path.is_dir()


def test_set_aside_takes_files_and_what_is_gone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    for text in ("one", "two"):
        file.write_text(text)
        set_aside(file, "damaged RPM", ["a", "b"])
    set_aside(tmp_path / "none", "damaged RPM")
    assert (tmp_path / "file.damaged").read_text() == "two"
    assert [path.name for path in tmp_path.iterdir()] == ["file.damaged"]
    assert capsys.readouterr().err.startswith(f"! damaged RPM: {file}: a (and 1 more); kept as file.damaged\n")


def test_a_key_is_long_enough_that_no_two_are_equal_by_chance() -> None:
    assert re.fullmatch("[0-9a-f]{32}", key_of(INPUTS))


def test_order_of_inputs_does_not_change_the_key() -> None:
    assert key_of(dict(reversed(INPUTS.items()))) == key_of(INPUTS)


def test_what_differs_from_the_most_similar_is_named(store: Store) -> None:
    assert store.most_similar("stage", INPUTS)[0] == []
    store.get_or_make("stage", INPUTS, write_file, what="test")
    store.get_or_make("stage", {"variant": "b", "size": 9, "list": []}, write_file, what="test")
    assert store.most_similar("stage", {**INPUTS, "size": 2})[0] == ["size"]
    assert store.most_similar("stage", {**INPUTS, "added": 1})[0] == ["added"]
    assert store.most_similar("stage", INPUTS)[0] == []


def test_two_processes_make_it_once(tmp_path: Path, run_python: Callable[..., command.Completed]) -> None:
    line = [sys.executable, "-c", SLOW, str(tmp_path), "0.5"]
    checkout = str(Path(__file__).parents[2])
    with command.running(line, log=tmp_path / "log", env={"PYTHONPATH": checkout}) as other:
        wait_until((tmp_path / "reached").exists)
        assert run_python(SLOW, str(tmp_path), "0").stdout == "True\n"
        assert other.wait(10) == 0
    assert (tmp_path / "made").read_text() == "once\n"


def test_kill_in_the_middle_leaves_nothing_published(
    tmp_path: Path, run_python: Callable[..., command.Completed]
) -> None:
    store = Store(tmp_path / "store")
    line = [sys.executable, "-c", SLOW, str(tmp_path), "60"]
    checkout = str(Path(__file__).parents[2])
    with command.running(line, log=tmp_path / "log", env={"PYTHONPATH": checkout}) as process:
        wait_until((tmp_path / "reached").exists)
        process.kill()
        assert process.wait(10) == -9
    assert not store.path_of("stage", key_of({"a": 1})).exists()
    assert list(store.root.rglob("half")) != []
    store.remove_abandoned()
    assert list(store.root.rglob("half")) == []
    assert run_python(SLOW, str(tmp_path), "0").stdout == "False\n"


def test_a_scratch_directory_goes_with_its_block_and_else_with_what_is_abandoned(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store.scratch("key") as directory:
        assert directory.parent == store.root / "tmp"
        store.remove_abandoned()
        assert directory.is_dir()
    assert not directory.exists()
    monkeypatch.setattr(os, "getpid", lambda: 2**22 + 1)
    with store.scratch("key") as directory:
        store.remove_abandoned()
        assert not directory.exists()


def test_remove_abandoned_leaves_work_that_goes_on(store: Store) -> None:
    def make(directory: Path) -> None:
        store.remove_abandoned()
        write_file(directory)

    assert (store.get_or_make("stage", INPUTS, make, what="test").path / "file").exists()


def test_too_little_space_stops_before_work(store: Store) -> None:
    with pytest.raises(WorkbookError, match=r"big step needs 1000000000\.0 GB .* are free") as caught:
        store.get_or_make("stage", INPUTS, refuse, what="big step", need_bytes=10**18)
    assert "clean" in caught.value.hint
    require_space(store.root, 1, "small step")


def test_remove_tree_does_not_follow_links(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "keep").touch()
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "link").symlink_to(outside)
    remove_tree(tree)
    assert not tree.exists()
    assert (outside / "keep").exists()


def test_file_sha256(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert file_sha256(tmp_path / "empty").startswith("e3b0c44298fc1c14")


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_full_disk_is_that_of_the_store_if_it_is_the_fullest(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def make(_: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")  # as write(2) says it: without a path

    monkeypatch.setattr(errors, "_free_bytes", lambda path: 0 if path.is_relative_to(store.root) else 10**9)
    monkeypatch.setattr(errors, "_mount_point", lambda path: path)
    with pytest.raises(SetupError, match=rf"^compose: the file system at {store.root}/tmp/stage-\S+ is full: 0.0 MB"):
        store.get_or_make("stage", INPUTS, make, what="compose")


def test_a_step_says_how_long_the_most_similar_result_took_unless_code_or_tools_changed(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    def put(seconds: float | None = None, **inputs: object) -> str:
        made = store.get_or_make("stage", inputs, lambda _: None, what="compose")
        record = json.loads((made.path / "key.json").read_text())
        (made.path / "key.json").write_text(json.dumps({**record, "seconds": seconds or record["seconds"]}))
        return capsys.readouterr().err.splitlines()[0]

    assert put(60.0, variant="a", code=1) == "→ compose"
    assert put(90.0, variant="b", packages=1, code=1) == "→ compose (changed: packages, variant), about 60 s"
    assert put(variant="a", packages=1, code=1) == "→ compose (changed: packages), about 60 s"
    assert put(variant="b", packages=1, code=2) == "→ compose (changed: code)"
