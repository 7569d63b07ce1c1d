"""The benchmarks' own arithmetic: whose seconds and bytes they count, and what their tables show."""

import os
import sys
import time
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.store import Store
from atomic_lib.tools import user_namespace
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Tools
from benchmarks.__main__ import main, measured_now
from benchmarks.builds import CHANGED, FIRST, REQUESTS, STAGES, open_build
from benchmarks.compose_ratio import Composed, Least, Round, in_turn, mkosi_tables, ratio_table
from benchmarks.cost import Cost, costed, in_own_process
from benchmarks.disk_usage import new_bytes
from benchmarks.measured import Source
from benchmarks.mkosi_image import MadeByMkosi
from benchmarks.successive_builds import TimedBuild, cost_table, disk_table

SOURCE = Source(command="`python -m benchmarks`")
BURN = "import time\nx = bytearray(60_000_000)\nwhile time.process_time() < 0.3: pass"


def orphaned_burner() -> Cost:
    """A command whose own parent ends before it, as bubblewrap does."""
    line = f"{sys.executable} -c '{BURN}' & exit 0"
    return costed(os.spawnlp, os.P_WAIT, "sh", "sh", "-c", line)[1]


def idle() -> Cost:
    """Nothing but time."""
    return costed(time.sleep, 0.1)[1]


def failing() -> None:
    """An error as a stage raises it."""
    raise WorkbookError("the stage failed", hint="look at it")


def dying() -> None:
    """A process that is killed."""
    os._exit(9)


def test_time_and_memory_of_a_command_count_even_if_its_parent_ended_first() -> None:
    held = b"x" * 700_000_000  # memory of the caller does not count
    cost = in_own_process(60, orphaned_burner)
    assert len(held) == 700_000_000
    assert 0.3 <= cost.cpu_seconds < 3
    assert 60_000_000 < cost.peak_bytes < 600_000_000


def test_waiting_costs_no_processor_time() -> None:
    cost = in_own_process(60, idle)
    assert cost.wall_seconds >= 0.1
    assert cost.cpu_seconds < 0.09


def test_errors_of_a_process_of_its_own_are_raised() -> None:
    with pytest.raises(WorkbookError, match="the stage failed") as caught:
        in_own_process(60, failing)
    assert caught.value.hint == "look at it"
    with pytest.raises(WorkbookError, match="dying: the process ended without a result"):
        in_own_process(60, dying)
    started = time.monotonic()
    with pytest.raises(WorkbookError, match=r"sleep: not done after 0\.1 s"):
        in_own_process(0.1, time.sleep, 50)
    assert time.monotonic() - started < 20


def test_a_file_with_several_names_counts_once_and_a_known_one_not_at_all(tmp_path: Path) -> None:
    store, cache = tmp_path / "store", tmp_path / "cache"
    for path in (store / "tree/one", store / "image/one", store / "locks", cache):
        path.mkdir(parents=True)
    (cache / "a.rpm").write_bytes(b"r" * 100_000)
    (store / "tree/one/a.rpm").hardlink_to(cache / "a.rpm")
    (store / "image/one/disk").write_bytes(b"d" * 50_000)
    (store / "tree/one/link").hardlink_to(store / "image/one/disk")
    (store / "locks/one").write_text("x")
    known: set[tuple[int, int]] = set()
    new_bytes(cache, known)
    first = new_bytes(store, known)
    assert set(first) == {"tree", "image"}
    assert 50_000 <= first["image"] < 80_000
    assert first["tree"] < 20_000
    (store / "tree/two").mkdir()
    (store / "tree/two/disk").hardlink_to(store / "image/one/disk")
    (store / "tree/two/more").write_bytes(b"m" * 30_000)
    assert 30_000 <= new_bytes(store, known)["tree"] < 50_000
    assert new_bytes(store, known) == {}


def test_holes_take_no_disk(tmp_path: Path) -> None:
    (tmp_path / "image").mkdir()
    with open(tmp_path / "image/raw", "wb") as file:
        file.truncate(10**9)
    assert sum(new_bytes(tmp_path, set()).values()) < 100_000


def test_ratios_are_of_each_round() -> None:
    dracut, commit, image = Cost(5, 4, 2**19), Cost(5, 4, 2**22), Cost(10, 9, 2**20)
    rounds = [
        Round(Least(Cost(10, 8, 2**20), dracut, commit), Composed(Cost(20, 12, 2**21), image)),
        Round(Least(Cost(30, 8, 2**20), dracut, commit), Composed(Cost(45, 16, 2**21), image)),
    ]
    table = ratio_table(rounds, "atomic-min", SOURCE)
    assert "n = 2" in table.caption
    rows = [row[1:] for row in table.rows]
    assert rows.pop(1) == ((5, 5), (4, 4), (2**19, 2**19))
    assert rows.pop(1) == ((5, 5), (4, 4), (2**22, 2**22))
    assert rows[0] == ((10, 30), (8, 8), (2**20, 2**20))
    assert rows[1] == ((20, 40), (16, 16), (2**22, 2**22))
    assert rows[2] == ((20, 45), (12, 16), (2**21, 2**21))
    assert rows[3] == ("1.75 (1.50 to 2.00)", "1.75 (1.50 to 2.00)", "2.00 (2.00 to 2.00)")
    assert rows[4] == ("1.06 (1.00 to 1.12)", "0.88 (0.75 to 1.00)", "0.50 (0.50 to 0.50)")
    assert rows[5] == ((30, 55), (21, 25), (2**21, 2**21))
    assert rows[6] == ("1.44 (1.38 to 1.50)", "1.44 (1.31 to 1.56)", "0.50 (0.50 to 0.50)")
    assert "| our compose | 32.5 s (20.0 to 45.0) | 14.0 s (12.0 to 16.0) | 2 MiB (2 to 2) |" in table.markdown()


def test_mkosi_has_a_table_only_if_it_was_measured() -> None:
    zero, image = Cost(1, 1, 1), Cost(10, 8, 2**20)
    least, ours = Least(zero, zero, zero), Composed(Cost(20, 16, 2**20), image)
    assert mkosi_tables([Round(least, ours)], "atomic-min", SOURCE) == []
    mkosi = [MadeByMkosi("25.3-7", Cost(wall, 48, 2**21), Cost(15, 12, 2**22)) for wall in (60, 45)]
    (table,) = mkosi_tables([Round(least, ours, one) for one in mkosi], "atomic-min", SOURCE)
    assert "by mkosi 25.3-7, and ours" in table.caption
    rows = [row[1:] for row in table.rows]
    assert rows[0] == ((60, 45), (48, 48), (2**21, 2**21))
    assert rows[1] == ((75, 60), (60, 60), (2**22, 2**22))
    assert rows[2] == ((30, 30), (24, 24), (2**20, 2**20))
    assert rows[3] == ("0.58 (0.50 to 0.67)", "0.50 (0.50 to 0.50)", "0.50 (0.50 to 0.50)")
    assert rows[4] == ("0.45 (0.40 to 0.50)", "0.40 (0.40 to 0.40)", "0.25 (0.25 to 0.25)")
    assert rows[5] == ((3, 3), (3, 3), (1, 1))


def test_each_round_begins_with_another_way() -> None:
    assert [in_turn(["ours", "least", "mkosi"], number) for number in range(4)] == [
        ["ours", "least", "mkosi"],
        ["least", "mkosi", "ours"],
        ["mkosi", "ours", "least"],
        ["ours", "least", "mkosi"],
    ]


def timed(title: str, wall: float, **disk: int) -> TimedBuild:
    return TimedBuild(title, {stage: Cost(wall, wall / 2, 2**20) for stage in STAGES}, disk)


def test_each_build_is_compared_with_the_first_one() -> None:
    first, second = timed("one", 20, tree=10**8, image=10**9), timed("two", 5, tree=10**7)
    table = cost_table([first, second], [timed("nothing changed", 1)], SOURCE)
    assert table.rows[1] == ("two", 5, 5, 5, 25, 15, 7.5, 2**20)
    assert table.rows[2][0] == "one again, nothing changed"
    assert table.rows[2][4] == 5
    disk = disk_table([first, second], SOURCE)
    assert [column.title for column in disk.columns] == ["variant", "image", "tree", "all"]
    assert disk.rows == (("one", 10**9, 10**8, 11 * 10**8), ("two", 0, 10**7, 10**7))


def test_every_build_request_has_a_recipe(tmp_path: Path) -> None:
    context = Context(Tools(tmp_path, "key"), tmp_path / "cache", Store(tmp_path / "store"))
    first = open_build(FIRST, context).whole_recipe
    for request in REQUESTS:
        assert open_build(request, context).whole_recipe.packages
    assert set(open_build(CHANGED, context).whole_recipe.packages) - set(first.packages) == {"rsync"}


def test_the_source_describes_this_machine() -> None:
    source = measured_now("a command")
    assert source.machine is not None
    assert source.machine.startswith(f"{os.cpu_count()} CPUs (")
    assert source.load_1m is not None


def test_outside_of_the_namespace_nothing_is_started(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(user_namespace, "is_inside", lambda: False)
    assert main(["successive"]) == 1
    assert "needs a namespace" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--rounds", "0"], ["nothing"], ["--timeout", "x"], ["successive", "--mkosi"]])
def test_wrong_arguments_are_refused(words: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
