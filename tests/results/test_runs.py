"""The directories of runs."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.sharing.held_results import hold
from atomic_lib.base.store import Store
from atomic_lib.results import runs


def test_two_runs_in_one_second_have_directories_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = [4, 4, 4, 4, 4, 5]

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Clock":
            return cls(2026, 1, 2, 3, 4, moments.pop(0), tzinfo=tz)

    monkeypatch.setattr(runs, "datetime", Clock)
    made = [runs.new_run(tmp_path, "default").name for _ in range(2)]
    assert made == ["2026-01-02T03-04-04Z-default", "2026-01-02T03-04-05Z-default"]


def test_a_clock_behind_the_newest_run_is_refused_unless_it_is_a_little(tmp_path: Path) -> None:
    for hours, refused in ((-1, False), (0, False), (1, True)):
        name = f"{datetime.now(UTC) + timedelta(hours=hours):%Y-%m-%dT%H-%M-%SZ}-other"
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").touch()
        if refused:
            with pytest.raises(WorkbookError, match=f"but run {name} was made before"):
                runs.new_run(tmp_path, "default")
        else:
            assert runs.new_run(tmp_path, "default").is_dir()


def test_a_run_cut_off_is_removed_by_the_next_one(tmp_path: Path) -> None:
    top = tmp_path / "runs"
    for name in ("cut-off/atomic-min", "whole"):
        (top / name).mkdir(parents=True)
    (top / "whole/index.html").touch()
    (top / "latest").symlink_to("whole")
    assert runs.remove_unfinished(top) is None, "nobody knows when it began"
    assert sorted(path.name for path in top.iterdir()) == ["latest", "whole"]
    assert [path.name for path in runs.finished_runs(top)] == ["whole"]


def test_the_link_goes_to_the_newest_run(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        runs.link_newest(tmp_path / name, "latest")
    assert (tmp_path / "latest").resolve() == tmp_path / "second"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "latest", "second"]


def test_a_run_knows_since_when_the_runs_were_interrupted_that_it_resumes(tmp_path: Path) -> None:
    first = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    (tmp_path / "2026-01-02T03-04-05Z-default").mkdir()
    assert runs.remove_unfinished(tmp_path) == first.timestamp()
    second = runs.new_run(tmp_path, "default", first.timestamp())
    assert runs.resumed_since(second) == first.timestamp()
    assert runs.remove_unfinished(tmp_path) == first.timestamp(), "that of the first, though the second is cut off too"
    assert runs.remove_unfinished(tmp_path) is None
    assert runs.resumed_since(runs.new_run(tmp_path, "default")) is None


@pytest.mark.parametrize("fails", [False, True])
def test_no_raw_disk_that_nothing_uses_is_left_after_a_run(tmp_path: Path, fails: bool) -> None:
    store = Store(tmp_path / "store")
    used, unused = (store.path_of("raw-disk", letter * 32) for letter in "ab")
    hold(store, "raw-disk", used.name)
    with suppress(ValueError), runs.only_run(tmp_path, tmp_path / "cache", "./workbook run default"):
        for path in (used, unused):
            path.mkdir(parents=True)
        if fails:
            raise ValueError
    assert (used.exists(), unused.exists()) == (True, False)
