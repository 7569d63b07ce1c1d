"""How many guests run at once."""

import os
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from atomic_lib.guest.vm import slots
from atomic_lib.guest.vm.slots import guest_slot


def in_other_thread(
    directory: Path, released: threading.Event, *, to_follow: int = 0
) -> tuple[threading.Thread, threading.Event]:
    """A thread that takes a slot and keeps it until ``released``; the second event is set once it has one."""
    taken = threading.Event()

    def hold() -> None:
        with guest_slot("tcg", directory, to_follow=to_follow):
            taken.set()
            released.wait(20)

    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    return thread, taken


@pytest.fixture(autouse=True)
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(slots, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr(slots, "idle_cpu_seconds", lambda: 0.0)


def test_a_third_guest_waits_until_one_ends(tmp_path: Path) -> None:
    first, second, third = (threading.Event() for _ in range(3))
    threads = [in_other_thread(tmp_path, released) for released in (first, second)]
    assert all(taken.wait(10) for _, taken in threads)
    threads.append(in_other_thread(tmp_path, third))
    assert not threads[2][1].wait(0.3)
    second.set()
    assert threads[2][1].wait(10)
    first.set()
    third.set()
    for thread, _ in threads:
        thread.join(10)


def test_most_to_follow_comes_first_and_then_the_longest_wait(tmp_path: Path) -> None:
    begun: list[str] = []
    held = [slot for slot in (slots._free_slot(tmp_path), slots._free_slot(tmp_path)) if slot]

    def boot(name: str, to_follow: int) -> None:
        with guest_slot("tcg", tmp_path, to_follow=to_follow):
            begun.append(name)

    waiting = [("first", 0), ("second", 0), ("with one more", 1), ("with two more", 2)]
    threads = [threading.Thread(target=boot, args=one, daemon=True) for one in waiting]
    for count, thread in enumerate(threads, start=1):
        thread.start()
        while len(list(tmp_path.glob("waits-*"))) < count:
            time.sleep(0.01)
    held[0].close()  # one slot only, so one after the other
    for thread in threads:
        thread.join(10)
    held[1].close()
    assert begun == ["with two more", "with one more", "first", "second"]
    assert list(tmp_path.glob("waits-*")) == []


def test_the_queue_is_in_the_order_of_arrival(tmp_path: Path) -> None:
    with slots._in_queue(tmp_path, 0) as first, slots._in_queue(tmp_path, 0) as second:
        assert first < second
        assert slots._is_next(first)
        assert not slots._is_next(second)


def test_who_died_waiting_keeps_nobody_back(tmp_path: Path) -> None:
    abandoned = tmp_path / "waits-0000-0-1-1"
    abandoned.touch()
    with guest_slot("tcg", tmp_path):
        assert not abandoned.exists()


def test_a_thread_that_has_a_slot_takes_no_second_one(tmp_path: Path) -> None:
    released = threading.Event()
    thread, taken = in_other_thread(tmp_path, released)
    assert taken.wait(10)
    with ExitStack() as guests:
        for _ in range(3):
            guests.enter_context(guest_slot("tcg", tmp_path))
    with guest_slot("tcg", tmp_path):
        assert slots._free_slot(tmp_path) is None
    released.set()
    thread.join(10)


def test_under_kvm_nobody_waits(tmp_path: Path) -> None:
    with guest_slot("kvm", tmp_path):
        assert list(tmp_path.iterdir()) == []


def test_who_waited_long_enough_starts_without_a_slot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "MOST_SECONDS", 0.05)
    held = [slot for slot in (slots._free_slot(tmp_path), slots._free_slot(tmp_path)) if slot]
    assert len(held) == 2
    with guest_slot("tcg", tmp_path):
        assert slots._free_slot(tmp_path) is None
        monkeypatch.setattr(slots, "MOST_SECONDS", 1e6)
        with guest_slot("tcg", tmp_path):  # nor does it wait again
            pass
    for slot in held:
        slot.close()


@pytest.mark.parametrize(("idle", "starts"), [(0.6, True), (0.4, False)])
def test_one_guest_more_starts_where_half_a_processor_is_idle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, idle: float, starts: bool
) -> None:
    monkeypatch.setattr(slots, "_IDLE_SECONDS", 0.05)
    monkeypatch.setattr(slots, "idle_cpu_seconds", lambda: time.monotonic() * idle)
    held = [slot for slot in (slots._free_slot(tmp_path), slots._free_slot(tmp_path)) if slot]
    released = threading.Event()
    thread, taken = in_other_thread(tmp_path, released)
    assert taken.wait(5 if starts else 0.3) == starts
    released.set()
    for slot in held:
        slot.close()
    thread.join(10)


def test_a_process_that_dies_gives_its_slot_back(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys\nfrom atomic_lib.guest.vm.slots import guest_slot\n"
        "with guest_slot('tcg', pathlib.Path(sys.argv[1])):\n    print('taken', flush=True)\n    sys.stdin.read()"
    )
    with slots._free_slot(tmp_path) or pytest.fail("there is no slot"):
        command = [sys.executable, "-P", "-c", code, str(tmp_path)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout
            assert process.stdout.readline() == b"taken\n"
            assert slots._free_slot(tmp_path) is None
            process.kill()
        slot = slots._free_slot(tmp_path)
        assert slot
        slot.close()
