"""The benchmarks' own arithmetic: whose seconds and bytes they count, and what their tables say."""

import os
import sys
import time
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from benchmarks.__main__ import main
from benchmarks.candidates import CANDIDATES, CHANGED, FIRST, open_candidate
from benchmarks.compose_ratio import Round, ratio_section
from benchmarks.cost import Cost, costed, in_own_process
from benchmarks.figures import Section, megabytes, new_bytes, seconds, spread_text
from benchmarks.session import STAGES, Build, again_section, cost_section, disk_section
from tests.contexts import put_empty_tools

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
    held = b"x" * 700_000_000  # what the caller holds is none of its cost
    cost = in_own_process(60, orphaned_burner)
    assert len(held) == 700_000_000
    assert 0.3 <= cost.cpu_seconds < 3
    assert 60_000_000 < cost.peak_bytes < 600_000_000


def test_waiting_costs_no_processor_time() -> None:
    cost = in_own_process(60, idle)
    assert cost.wall_seconds >= 0.1
    assert cost.cpu_seconds < 0.09


def test_what_goes_wrong_in_a_process_of_its_own_is_told() -> None:
    with pytest.raises(WorkbookError, match="the stage failed") as caught:
        in_own_process(60, failing)
    assert caught.value.hint == "look at it"
    with pytest.raises(WorkbookError, match="dying: the process ended without a result"):
        in_own_process(60, dying)
    started = time.monotonic()
    with pytest.raises(WorkbookError, match=r"sleep: not done after 0\.1 s"):
        in_own_process(0.1, time.sleep, 50)
    assert time.monotonic() - started < 20


def test_a_file_with_several_names_counts_once_and_what_is_known_not_at_all(tmp_path: Path) -> None:
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


def test_spreads_name_median_least_and_most() -> None:
    assert spread_text([3.0, 1.0, 2.0], seconds) == "2.0 s (1.0 to 3.0)"
    assert spread_text([3.0], seconds) == "3.0 s"
    assert [megabytes(size) for size in (0, 400_000, 12_000_000)] == ["0 MB", "0.4 MB", "12 MB"]


def test_ratios_are_of_each_round() -> None:
    rounds = [Round(Cost(10, 8, 2**20), Cost(20, 12, 2**21)), Round(Cost(30, 8, 2**20), Cost(45, 16, 2**21))]
    section = ratio_section(rounds, "atomic-min")
    assert "n = 2" in section.title
    assert section.rows[0] == ("wall time", "20.0 s (10.0 to 30.0)", "32.5 s (20.0 to 45.0)", "1.75 (1.50 to 2.00)")
    assert section.rows[1][3] == "1.75 (1.50 to 2.00)"
    assert section.rows[2][1:] == ("1 MiB (1 to 1)", "2 MiB (2 to 2)", "2.00 (2.00 to 2.00)")
    assert section.data["compose_ratio"][0]["bare"]["wall_seconds"] == 10


def build(title: str, wall: float, **disk: int) -> Build:
    return Build(title, {stage: Cost(wall, wall / 2, 2**20) for stage in STAGES}, 3 * wall + 1, disk)


def test_the_tables_of_a_session_set_each_build_beside_the_first() -> None:
    first, second = build("one", 20, tree=10**8, image=10**9), build("two", 5, tree=10**7)
    rows = cost_section([first, second]).rows
    assert rows[1] == ("two", "5.0 s", "5.0 s", "5.0 s", "25 %", "15.0 s", "7.5 s", "1 MiB")
    assert again_section([second], first).rows == (
        ("two", "5.0 s", "5.0 s", "5.0 s", "15.0 s", "16.0 s", "25 %"),
    )  # fmt: skip
    disk = disk_section([first, second])
    assert disk.header == ("variant", "image", "tree", "all")
    assert disk.rows[1:] == (("two", "0 MB", "10 MB", "10 MB"), ("all", "1000 MB", "110 MB", "1110 MB"))


def test_markdown_has_as_many_cells_in_every_line() -> None:
    text = Section("A title", ("", "a", "b"), (("x", "1", "2"),), {}).markdown()
    assert text == "A title:\n\n|  | a | b |\n| --- | ---: | ---: |\n| x | 1 | 2 |\n"


def test_every_candidate_has_a_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_empty_tools(tmp_path / "cache")
    monkeypatch.setenv("WORKBOOK_CACHE", str(tmp_path / "cache"))
    first = open_candidate(FIRST, tmp_path / "store").recipe
    for candidate in (*CANDIDATES, CHANGED):
        build = open_candidate(candidate, tmp_path / "store")
        assert build.context.store.root == tmp_path / "store"
        assert build.recipe.packages
    assert set(open_candidate(CHANGED, tmp_path / "store").recipe.packages) - set(first.packages) == {"rsync"}


def test_without_root_nothing_is_started(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert main(["session"]) == 1
    assert "needs root" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--rounds", "0"], ["nothing"], ["--timeout", "x"]])
def test_words_that_make_no_sense_are_refused(words: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
