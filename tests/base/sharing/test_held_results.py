"""Results that are removed once nothing uses them: never one that a process holds, however the process ends."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from atomic_lib.base.paths import CHECKOUT
from atomic_lib.base.sharing.held_results import hold, remove_unused
from atomic_lib.base.store import Store

OLD, NEW, NEWEST = (letter * 32 for letter in "abc")
_HOLDER = """
import sys, time
from pathlib import Path
from atomic_lib.base.sharing.held_results import hold
from atomic_lib.base.store import Store
hold(Store(Path(sys.argv[1])), "disk", sys.argv[2])
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with three results, made one after another."""
    store = Store(tmp_path)
    for number, key in enumerate((OLD, NEW, NEWEST)):
        path = store.path_of("disk", key)
        path.mkdir(parents=True)
        (path / "file").touch()
        os.utime(path, (number, number))
    return store


def left(store: Store) -> list[str]:
    return [path.name for path in store.results("disk")]


@contextmanager
def holder(store: Store, key: str) -> Iterator["subprocess.Popen[str]"]:
    """Another process that holds a result."""
    words = [sys.executable, "-P", "-c", _HOLDER, str(store.root), key]
    env = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    with subprocess.Popen(words, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_the_newest_results_stay(store: Store) -> None:
    remove_unused(store, "disk", keep=1)
    assert left(store) == [NEWEST]
    remove_unused(store, "disk")
    assert left(store) == []
    assert list((store.root / "tmp").iterdir()) == []


def test_what_another_process_holds_stays_until_it_is_killed(store: Store) -> None:
    with holder(store, OLD) as process:
        remove_unused(store, "disk")
        assert left(store) == [OLD]
        process.send_signal(signal.SIGKILL)
        process.wait()
        remove_unused(store, "disk")
        assert left(store) == []


def test_what_this_process_holds_stays(store: Store) -> None:
    assert hold(store, "disk", NEW)
    assert not hold(store, "disk", NEW), "it is held already"
    remove_unused(store, "disk")
    assert left(store) == [NEW]


def test_a_result_of_another_store_or_stage_is_not_held_with_it(store: Store, tmp_path: Path) -> None:
    assert hold(Store(tmp_path / "other"), "disk", NEW)
    assert hold(store, "tape", NEW)
    remove_unused(store, "disk")
    assert left(store) == []


def test_a_lock_that_was_removed_with_the_store_holds_nothing(store: Store) -> None:
    assert hold(store, "disk", OLD)
    (store.root / f"locks/use-disk-{OLD}").unlink()
    assert hold(store, "disk", OLD)
    remove_unused(store, "disk")
    assert left(store) == [OLD]


def test_who_wants_a_result_waits_until_it_is_removed(store: Store) -> None:
    (store.root / "locks").mkdir()
    held: list[bool] = []
    with open(store.root / f"locks/use-disk-{OLD}", "w") as removing:
        fcntl.flock(removing, fcntl.LOCK_EX)
        waiting = threading.Thread(target=lambda: held.append(hold(store, "disk", OLD)), daemon=True)
        waiting.start()
        waiting.join(0.2)
        assert held == []
    waiting.join(10)
    assert held == [True]
