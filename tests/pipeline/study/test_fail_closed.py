"""Faults put into a run of a whole study: each ends it with one line and status 1, and leaves the good run whole."""

import os
import signal
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from atomic_lib.base import command
from atomic_lib.base.run_lock import run_lock
from atomic_lib.guest.counted.counted_boot import wait_for_report
from atomic_lib.tools.user_namespace import is_inside
from tests.conftest import CHECKOUT
from tests.pipeline.study.faults import (
    STUDY,
    VICTIM,
    Fault,
    Place,
    Whole,
    checkout_with_a_good_run,
    executions,
    files_of,
    gone_in_time,
    lines_about,
)
from tests.pipeline.test_stopped import wait_until
from tests.report.site.site_factory import sketch

pytestmark = pytest.mark.skipif(not is_inside(), reason="mounts a file system: ./workbook test")
FAILED = f"^error: {VICTIM} failed at notebook: "
DRIVER = """
import sys
from pathlib import Path
import pytest
from tests.pipeline.study.faults import Fault, Place, executions, put_in_place
place = Place(Path(sys.argv[1]))
with pytest.MonkeyPatch.context() as patch, executions(place, Fault("stopped", "", call=Place.wait)):
    put_in_place(place, patch)
    sys.exit(place.run())
"""
OPENED: list[object] = []
"""What a fault holds until it is taken back."""


def guest_that_hangs(place: Place) -> None:
    """A guest whose QEMU runs, and which never reports."""
    directory = place.top / "guest"
    directory.mkdir(exist_ok=True)
    with command.running(["sleep", "300"], log=directory / "qemu.log") as process:
        wait_for_report(process, directory, 0.5)


def compose_on_a_full_disk(place: Place) -> None:
    place.fill(9 * 1024)  # enough for the page of the run
    place.store.get_or_make("tree", {}, lambda path: _write(path / "root", 12), what=f"{VICTIM}: compose the tree")


def image_on_a_full_disk(place: Place) -> None:
    place.fill(9 * 1024)
    words = ["dd", "if=/dev/zero", "of=disk.raw", "bs=1M", "count=12"]

    def make(directory: Path) -> None:
        command.run(words, cwd=directory)

    place.store.get_or_make("image", {"of": "a full disk"}, make, what="build the image")


def _write(path: Path, mib: int) -> None:
    path.write_bytes(bytes(mib * 2**20))


def remove_filler(place: Place) -> None:
    (place.build / "filler").unlink()


def cut_image(place: Place) -> None:
    for path in place.store.results("image"):
        os.truncate(path / "disk.raw", 1000)


def flip_image(place: Place) -> None:
    for path in place.store.results("image"):
        with open(path / "disk.raw", "r+b") as file:
            file.seek(4_000_000)
            file.write(b"\xff")


def cut_key(place: Place) -> None:
    for path in place.store.results("image"):
        os.truncate(path / "key.json", 10)


def cut_result(place: Place) -> None:
    (run,) = (path for path in (place.build / "runs").iterdir() if not (path / "index.html").exists())
    os.truncate(run / VICTIM / "result.json", 100)


def lock_history(place: Place) -> None:
    other = sqlite3.connect(place.build / "history.sqlite", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    OPENED.append(other)


def close_all(_: Place) -> None:
    while OPENED:
        OPENED.pop().close()  # type: ignore[attr-defined]  # connections and files


def damage_history(place: Place) -> None:
    (place.build / "history.whole").write_bytes((place.build / "history.sqlite").read_bytes())
    with open(place.build / "history.sqlite", "r+b") as file:
        file.write(b"damaged" * 1000)


def restore_history(place: Place) -> None:
    (place.build / "history.whole").replace(place.build / "history.sqlite")


def start_other_run(place: Place) -> None:
    other = run_lock(place.build, "./workbook run other")
    other.__enter__()
    OPENED.append(type("Held", (), {"close": lambda _: other.__exit__(None, None, None)})())


def put_run_of_tomorrow(place: Place) -> None:
    run = place.build / f"runs/{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H-%M-%SZ}-other"
    run.mkdir()
    (run / "index.html").touch()


def remove_run_of_tomorrow(place: Place) -> None:
    for path in (place.build / "runs").glob("*-other"):
        (path / "index.html").unlink()
        path.rmdir()


FULL = r"the file system at /\S+/build is full: \S+ \wB of 67.1 MB are free"
BEFORE_ANYTHING = (
    Fault("an unknown parameter", "^error: override: unknown key 'boots_bois'", words=("--set", "boots_bois=1")),
    Fault("a mistyped value", "^error: override: boots_bios: 'two' is not accepted", words=("--set", "boots_bios=two")),
    Fault("a parameter with a hostile name", r"^error: override: unknown key '\$\(id\)'", words=("--set", "$(id)=1")),
    Fault("a parameter named like a method", "^error: override: unknown key '__class__'",
          words=("--set", "__class__=1")),
    Fault("a parameter that colours the terminal", r"^error: override: unknown key '\\x1b\[31m'",
          words=("--set", "\x1b[31m=1")),
    Fault("a variant with a path as its name", r"^error: --variant \.\./\.\./etc: study 'boot-times' has no such",
          words=("--variant", "../../etc")),
    Fault("a damaged history", r"^error: \S+/history.sqlite: the history is damaged: ", before=damage_history,
          after=restore_history),
    Fault("a locked history", r"^error: \S+/history.sqlite: the history is locked: ", before=lock_history,
          after=close_all),
    Fault("two runs at once", r"^error: ./workbook run other \(process \d+, since \S+\) is in progress",
          before=start_other_run, after=close_all),
    Fault("a clock that was set back", r"^error: the clock of this machine says \S+, but run \S+-other was made",
          before=put_run_of_tomorrow, after=remove_run_of_tomorrow),
)  # fmt: skip
IN_NOTEBOOKS = (
    Fault("the kernel is killed", f"{FAILED}the kernel of the notebook died",
          cells=["import os; os.kill(os.getpid(), 9)"]),
    Fault("papermill is killed", f"{FAILED}the process of variant.ipynb was killed by SIGKILL",
          cells=["import os, time; os.kill(os.getppid(), 9); time.sleep(300)"]),
    Fault("a cell that never ends", f"{FAILED}notebooks/variant.ipynb: a cell took more than 2 s, and was stopped",
          cells=["import time; time.sleep(300)"], cell_seconds=2),
    Fault("no memory is left", f"{FAILED}a cell ran out of memory",
          cells=["import resource; resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31)); bytes(2**32)"]),
    Fault("2 MB of output", f"{FAILED}notebooks/variant.ipynb: its cells print more than 1048576 characters",
          cells=["for _ in range(20): print('y' * 100_000)"]),
    Fault("no cell for the parameters", f"{FAILED}notebooks/variant.ipynb: has no cell tagged 'parameters'",
          cells=["1"], tag="parameter"),
    Fault("the last cell is not reached", f"{FAILED}notebooks/variant.ipynb: ended after 2 of 3 cells",
          cells=["raise SystemExit", "1"]),
    Fault("the last cell is gone", f"{FAILED}notebooks/variant.ipynb left no result", cells=["1"]),
    Fault("a notebook that is cut off", f"{FAILED}notebooks/variant.ipynb: not a notebook: ", text='{"cells": ['),
    Fault("the kernel is killed while the page is made", "^error: notebooks/compare.ipynb failed: the kernel of the",
          comparing=["import os; os.kill(os.getpid(), 9)"]),
)  # fmt: skip
IN_THE_RUN = (
    Fault("a guest that hangs", f"{FAILED}the counted boot did not report within 0.5 s: its kernel wrote nothing",
          call=guest_that_hangs),
    Fault("a full disk in compose", f"{FAILED}{VICTIM}: compose the tree: {FULL}", call=compose_on_a_full_disk,
          after=remove_filler),
    Fault("a full disk in a command that makes the image", f"{FAILED}dd: {FULL}", call=image_on_a_full_disk,
          after=remove_filler),
    Fault("a full disk in the report", f"^error: .*{FULL}", publishing=lambda place: place.fill(64),
          after=remove_filler),
    Fault("a full disk in the history", r"^error: \S+/history.sqlite: the history cannot be read or written: database "
          "or disk is full", recording=lambda place: place.fill(0), after=remove_filler),
    Fault("the history is locked at the end", r"^error: \S+/history.sqlite: the history is locked",
          recording=lock_history, after=close_all),
    Fault("a stored image that is cut", "^! .*is damaged, so it is made again: .*disk.raw: has 1000 bytes",
          before=cut_image, call=Place.store_image, status=0),
    Fault("a stored image with another byte", "^! .*is damaged, so it is made again: .*disk.raw: its content was ch",
          before=flip_image, call=Place.store_image, status=0),
    Fault("a stored key that is cut", "^! .*is damaged, so it is made again: .*key.json: has 10 bytes", before=cut_key,
          call=Place.store_image, status=0),
)  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with (
        pytest.MonkeyPatch.context() as patch,
        checkout_with_a_good_run(tmp_path_factory.mktemp("closed"), patch) as made,
    ):
        yield made


@pytest.mark.parametrize("fault", [*BEFORE_ANYTHING, *IN_NOTEBOOKS, *IN_THE_RUN], ids=lambda fault: fault.name)
def test_a_fault_ends_the_run_with_one_line_and_leaves_the_good_run_whole(
    place: Place, fault: Fault, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = Whole.of(place)
    runs = {path.name for path in (place.build / "runs").iterdir()}
    if fault.before:
        fault.before(place)
    with executions(place, fault) as made:
        status = place.run(*fault.words)
    said = capfd.readouterr()
    if fault.after:
        fault.after(place)
    assert status == fault.status
    assert len(lines_about(said.err, fault.line)) == 1, said.err
    assert "Traceback" not in said.err + said.out
    after = Whole.of(place, whole.link)
    if status:
        assert after == whole
    else:
        assert after.files == whole.files
        assert (place.top / "made").read_text().count("image") > 1
    assert gone_in_time(place.top.parent / "cache") == []
    if fault in BEFORE_ANYTHING:
        assert made.executed == []
        assert {path.name for path in (place.build / "runs").iterdir()} == runs


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP], ids=lambda number: number.name)
def test_of_a_driver_that_is_stopped_nothing_is_published_and_the_next_run_removes_the_rest(
    place: Place, number: signal.Signals
) -> None:
    whole = Whole.of(place)
    (place.top / "waiting").unlink(missing_ok=True)
    env = {"PYTHONPATH": str(CHECKOUT), "WORKBOOK_NAMESPACE": os.environ["WORKBOOK_NAMESPACE"],
           "WORKBOOK_CACHE": os.environ["WORKBOOK_CACHE"]}  # fmt: skip
    log = place.top / "log"
    with command.running([sys.executable, "-P", "-c", DRIVER, str(place.top)], log=log, env=env) as driver:
        assert wait_until((place.top / "waiting").exists), log.read_text()
        driver.send_signal(number)
        assert driver.wait(60) == (-9 if number == signal.SIGKILL else 128 + number)
    said = log.read_text()
    assert "Traceback" not in said
    assert lines_about(said, "^stopped by SIGHUP$") == (["stopped by SIGHUP"] if number == signal.SIGHUP else [])
    assert replace(Whole.of(place), scratch=[]) == replace(whole, scratch=[])
    assert gone_in_time(place.top.parent / "cache") == []


def test_a_full_disk_while_the_site_is_published_leaves_the_site_before_and_the_link(
    place: Place, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    sketch(monkeypatch)
    disk, site = place.top / "www", place.top / "www/site"
    disk.mkdir()
    command.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk])
    try:
        with executions(place, Fault("none", "", call=Place.store_image)):
            assert place.run("--publish", str(site)) == 0
            whole, files = Whole.of(place), files_of(disk)
            assert "site/index.html" in files
            (disk / "filler").write_bytes(bytes(os.statvfs(disk).f_bavail * os.statvfs(disk).f_bsize - 8192))
            capfd.readouterr()
            assert place.run("--publish", str(site)) == 1
        said = capfd.readouterr().err
        (disk / "filler").unlink()
        assert len(lines_about(said, rf"^error: publish {site}: the file system at {disk} is full: ")) == 1, said
        assert (Whole.of(place), files_of(disk)) == (whole, files)
    finally:
        command.run(["umount", "--lazy", disk])


def test_after_all_faults_a_run_succeeds_and_nothing_of_them_is_left(place: Place) -> None:
    with executions(place, Fault("none", "", call=Place.store_image)):
        assert place.run() == 0
    assert os.readlink(place.build / f"runs/latest-{STUDY}") == max(
        path.name for path in (place.build / "runs").iterdir() if path.name.endswith(STUDY) and not path.is_symlink()
    )
    assert list(place.store.root.glob("tmp/*")) == []
    assert [path for path in (place.build / "runs").iterdir() if not (path / "index.html").exists()] == []
