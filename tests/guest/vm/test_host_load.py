"""The host's processors: what is this boot's, and what is others' work."""

import os
import time
from pathlib import Path

import pytest

from atomic_lib.guest.vm.host_load import CpuReading, Patience, idle_cpu_seconds, other_busy_cpus, read_cpus


def process(proc: Path, number: int, parent: int, ticks: str, *, name: str = "x") -> None:
    (proc / str(number)).mkdir(parents=True)
    fields = f"S {parent} 1 1 0 -1 4194560 1 2 3 4 {ticks} 20 0 1 0 26 43442176"
    (proc / str(number) / "stat").write_text(f"{number} ({name}) {fields}\n")


def test_own_work_is_that_of_this_process_and_all_below_it(tmp_path: Path) -> None:
    own = os.getpid()
    (tmp_path / "stat").write_text("cpu  1000 100 400 9000 50 5 15 80 700 0\ncpu0 1 1 1\n")
    process(tmp_path, own, 1, "100 20 3 2")
    process(tmp_path, own + 1, own, "10 0 0 0", name="odd) (S 1 name")
    process(tmp_path, own + 2, own + 1, "1000 0 0 0", name="qemu-system-x86")
    process(tmp_path, own + 3, 1, "77777 0 0 0")
    reading = read_cpus(tmp_path)
    ticks = os.sysconf("SC_CLK_TCK")
    assert reading.own_seconds * ticks == pytest.approx(125 + 10 + 1000)
    assert reading.busy_seconds * ticks == pytest.approx(1600)
    assert idle_cpu_seconds(tmp_path) * ticks == pytest.approx(9050)


def test_the_real_proc_is_read() -> None:
    before = read_cpus()
    total = sum(range(2_000_000))
    after = read_cpus()
    assert total > 0
    assert after.own_seconds >= before.own_seconds > 0
    assert after.busy_seconds >= after.own_seconds - before.own_seconds


def test_the_others_share() -> None:
    before = CpuReading(10.0, 1000.0, 50.0)
    assert other_busy_cpus(before, CpuReading(110.0, 1180.0, 150.0)) == pytest.approx(0.8)
    assert other_busy_cpus(before, CpuReading(110.0, 1050.0, 150.0)) == 0.0
    assert other_busy_cpus(before, before) is None


def test_a_busy_host_stretches_a_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(os, "getloadavg", lambda: (1.0, 0.0, 0.0))
    patience = Patience(10)
    now = 6.0
    assert not patience.is_over()
    monkeypatch.setattr(os, "getloadavg", lambda: (8.0, 0.0, 0.0))
    now = 21.0  # a quarter of 15 s more
    assert not patience.is_over()
    now = 22.1
    assert patience.is_over()
