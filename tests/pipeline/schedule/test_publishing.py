"""Publication after a run: what is done in which order, and what a failure leaves."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from atomic_lib import entry
from atomic_lib.base.errors import SetupError, WorkbookError
from atomic_lib.base.run_lock import run_lock
from atomic_lib.pipeline.schedule import publishing
from atomic_lib.pipeline.schedule.publishing import in_child, publish, run_and_publish
from atomic_lib.pipeline.schedule.scheduler import Schedule
from atomic_lib.report.site import site
from tests.report.site.site_factory import BREACH, add, sketch, variant


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    sketch(monkeypatch)
    add(tmp_path / "build", 1, variant("cloud-docker"))
    return tmp_path / "build"


def test_the_link_moves_to_the_run_that_heads_the_site(build: Path, tmp_path: Path) -> None:
    assert publish(tmp_path / "site", build=build) == 0
    link = build / "runs/latest-default"
    assert os.readlink(link) == "2026-11-01T03-00-00Z-default"
    add(build, 2, variant("cloud-docker"), breaches=[BREACH.model_copy(update={"variant": "cloud-docker"})])
    assert publish(tmp_path / "site", build=build) == 0
    assert os.readlink(link) == "2026-11-01T03-00-00Z-default"


def test_a_publication_that_fails_leaves_the_link_and_names_a_full_disk(
    build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(tmp_path / "site", build=build)
    before = (tmp_path / "site/index.html").read_bytes()
    add(build, 2, variant("cloud-docker"))

    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(site, "write_feed", full)
    with pytest.raises(SetupError, match="is full"):
        publish(tmp_path / "site", build=build)
    assert os.readlink(build / "runs/latest-default") == "2026-11-01T03-00-00Z-default"
    assert (tmp_path / "site/index.html").read_bytes() == before


@pytest.mark.parametrize(
    ("status", "done", "result"),
    [
        (0, ["run", "publish", "clean"], 0),
        (1, ["run", "clean"], 1),
        (2, ["run"], 2),
        (143, ["run"], 143),
    ],
)
def test_a_run_is_published_and_then_old_ones_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, done: Sequence[str], result: int
) -> None:
    happened = []

    def execute(words: Sequence[str]) -> int:
        happened.append(words[0])
        return status if words[0] == "run" else 0

    monkeypatch.setattr(publishing, "publish", lambda directory: happened.append("publish"))
    assert run_and_publish(["run"], tmp_path, 30, execute) == result
    assert happened == done


def test_old_runs_stay_if_publication_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Path) -> None:
        raise WorkbookError("no site")

    happened: list[str] = []

    def execute(words: Sequence[str]) -> int:
        happened.append(words[0])
        return 0

    monkeypatch.setattr(publishing, "publish", fail)
    with pytest.raises(WorkbookError, match="no site"):
        run_and_publish(["run"], tmp_path, 30, execute)
    assert happened == ["run"]


def test_a_directory_that_cannot_be_published_is_named_before_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(_: object) -> int:
        raise AssertionError

    (tmp_path / "page.html").touch()
    with pytest.raises(WorkbookError, match="is not empty, and not a site"):
        run_and_publish(["run"], tmp_path, None, never)
    with pytest.raises(WorkbookError, match=r"page\.html: is a file"):
        run_and_publish(["run"], tmp_path / "page.html", None, never)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(WorkbookError, match=f"{tmp_path}: cannot be written"):
        run_and_publish(["run"], tmp_path / "new/site", None, never)


def test_a_directory_that_cannot_be_published_does_not_wait_for_a_run(tmp_path: Path) -> None:
    (tmp_path / "page.html").touch()
    with run_lock(tmp_path / "build", "./workbook run"), pytest.raises(WorkbookError, match="is not empty"):
        publish(tmp_path, build=tmp_path / "build")


@pytest.mark.parametrize("form", [["--publish", "DIR"], ["--publish=DIR"]], ids=len)
def test_the_run_itself_is_told_not_to_move_the_link(monkeypatch: pytest.MonkeyPatch, form: Sequence[str]) -> None:
    seen = []

    def see(words: Sequence[str], directory: Path, keep: int | None, _: object) -> int:
        seen.append((words, directory.name, keep))
        return 0

    monkeypatch.setattr(publishing, "run_and_publish", see)
    assert entry.start(["run", "default", *form, "--keep", "3"]) == 0
    assert seen == [(["run", "default", "--to-be-published", "--keep", "3"], "DIR", 3)]


def test_a_child_is_a_program_whose_status_is_returned() -> None:
    words = [sys.executable, "-c", "import sys; sys.exit(7)"]
    assert in_child(lambda: os.execv(words[0], words)) == 7
    killed = [sys.executable, "-c", "import os; os.kill(os.getpid(), 15)"]
    assert in_child(lambda: os.execv(killed[0], killed)) == 143


def test_a_schedule_publishes_where_it_is_told_to() -> None:
    assert Schedule("default", "daily", 30, "/srv/site").words[-2:] == ["--publish", "/srv/site"]
    assert "--publish" not in Schedule("default", "daily", 30).words
