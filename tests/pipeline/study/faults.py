"""A checkout with one good run of a whole study, the faults that are put into the next run, and what must hold after.

The study is a real one. The notebook of one of its variants is really executed where the fault is one of notebooks,
kernels or processes; elsewhere its execution is a call. All others leave the result that a real one would.
"""

import json
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pytest

from atomic_lib import cli
from atomic_lib.base import command, errors
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.progress import is_progress
from atomic_lib.base.store import Store, file_sha256
from atomic_lib.pipeline import notebooks
from atomic_lib.pipeline.failures import explained
from atomic_lib.pipeline.notebooks import Execution
from atomic_lib.pipeline.schedule import publishing
from atomic_lib.pipeline.study import study_run
from atomic_lib.results.history import database
from atomic_lib.results.history.database import read_history
from tests.contexts import mounts_below
from tests.pipeline.small_notebooks import notebook
from tests.pipeline.study.rounds import Rounds, put_checkout, put_execution

STUDY, VICTIM = "boot-times", "atomic-min"
"""A study of three variants without fallbacks, and the variant that gets the fault."""
BUILD_MIB = 64
PARAMETERS = 'variant: str = ""\nstudy: str = ""\noutput_directory: str = ""\nnew_boots: int = 0\n'


@dataclass
class Place:
    """A checkout whose build directory is a small file system of its own."""

    top: Path

    @property
    def build(self) -> Path:
        return self.top / "build"

    @property
    def store(self) -> Store:
        return Store(self.build / "store")

    def store_image(self) -> None:
        """Make an image of 8 MiB, or take the stored one; in ``build/made`` there is a line for each that is made."""

        def make(directory: Path) -> None:
            (directory / "disk.raw").write_bytes(bytes(range(256)) * 2**15)
            with open(self.top / "made", "a") as file:
                file.write("image\n")

        self.store.get_or_make("image", {"of": VICTIM}, make, what=f"{VICTIM}: build the image")

    def wait(self) -> None:
        """Be in the middle of a stage until the process is stopped."""

        def make(directory: Path) -> None:
            (directory / "half").touch()
            (self.top / "waiting").touch()
            time.sleep(300)

        self.store.get_or_make("tree", {"of": "nothing"}, make, what=f"{VICTIM}: compose the tree")

    def fill(self, left_kib: int) -> None:
        """Fill the disk of the build directory up to ``left_kib``."""
        status = os.statvfs(self.build)
        size = status.f_bavail * status.f_frsize - left_kib * 1024
        with open(self.build / "filler", "ab") as file:
            file.write(bytes(max(size, 0)))

    def run(self, *words: str) -> int:
        """``./workbook run STUDY WORD…`` in this process; returns the exit status."""
        return cli.main(["run", STUDY, *words])


Call = Callable[[Place], object]


@dataclass(frozen=True)
class Fault:
    """A fault, and the one line that says what happened.

    ``words``: more words of the command. ``before``: done before the run; ``after``: taken back after it. ``cells``:
    what the variant's notebook does; ``comparing``: what that of the comparison does. ``call``: what is done in place
    of an executed notebook; ``publishing``, ``recording``: done before the page is made, and before the history is
    written. ``status``: of the command; it is 0 only where the damage is repaired.
    """

    name: str
    line: str
    words: tuple[str, ...] = ()
    before: Call | None = None
    after: Call | None = None
    cells: Sequence[str] | None = None
    tag: str = "parameters"
    text: str = ""
    comparing: Sequence[str] | None = None
    call: Call | None = None
    publishing: Call | None = None
    recording: Call | None = None
    cell_seconds: int = 120
    status: int = 1


@dataclass
class Executions(Rounds):
    """In place of executed notebooks, of which those with the fault are really executed."""

    place: Place
    fault: Fault
    outcomes: dict[str, WorkbookError | str] = field(default_factory=dict)
    executed: list[tuple[object, object]] = field(default_factory=list)

    def _execute(self, execution: Execution) -> WorkbookError | None:
        victim = execution.parameters.get("variant") == VICTIM
        comparison = "variant" not in execution.parameters
        fault = self.fault
        cells = fault.cells if victim else fault.comparing if comparison else None
        if cells is not None or (victim and fault.text):
            return self._really(execution, cells or ())
        if comparison and fault.publishing:
            fault.publishing(self.place)
        if victim and fault.call:
            try:
                fault.call(self.place)
            except Exception as error:
                return explained(error)
        return super()._execute(execution)

    def _really(self, execution: Execution, cells: Sequence[str]) -> WorkbookError | None:
        parameters = PARAMETERS if "variant" in execution.parameters else 'run_directory: str = ""\n'
        made = notebook([parameters, *cells])
        made["cells"][0]["metadata"]["tags"] = [self.fault.tag]
        path = self.place.top / "notebooks" / execution.notebook.name
        path.write_text(self.fault.text or json.dumps(made))
        own = replace(execution, notebook=path, cell_seconds=self.fault.cell_seconds)
        return notebooks.execute_all([own], workers=1)[0]


def put_in_place(place: Place, patch: pytest.MonkeyPatch) -> None:
    """Have this process run studies in the checkout."""
    put_checkout(patch, place.top)
    patch.setattr(errors, "BUILD", place.build)
    patch.setattr(database, "WAIT_SECONDS", 0.1)
    patch.setattr(publishing, "publish", partial(publishing.publish, build=place.build))


@contextmanager
def checkout_with_a_good_run(top: Path, patch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A checkout with small notebooks, of whose study there is a good run."""
    from tests.contexts import put_empty_tools

    place = Place(top / "checkout")
    for name in ("notebooks", "build"):
        (place.top / name).mkdir(parents=True)
    put_empty_tools(top / "cache")
    patch.setenv("WORKBOOK_CACHE", str(top / "cache"))
    put_in_place(place, patch)
    command.run(["mount", "-t", "tmpfs", "-o", f"size={BUILD_MIB}m", "tmpfs", place.build])
    try:
        with executions(place, Fault("none", "", call=Place.store_image)):
            assert place.run() == 0
        yield place
    finally:
        command.run(["umount", "--lazy", place.build])


@contextmanager
def executions(place: Place, fault: Fault) -> Iterator[Executions]:
    """Put the fault's notebooks and calls in their places."""
    with pytest.MonkeyPatch.context() as patch:
        made = Executions(place, fault)
        put_execution(patch, made)
        if fault.recording:
            record, before = study_run._record, fault.recording
            patch.setattr(study_run, "_record", lambda *words: (before(place), record(*words)))
        yield made


@dataclass(frozen=True)
class Whole:
    """What a fault must leave as it is: the good run, its place in the history, its link, and what is mounted."""

    link: str
    files: dict[str, str]
    rows: list[tuple[object, ...]]
    mounts: list[str]
    scratch: list[str]

    @classmethod
    def of(cls, place: Place, run: str = "") -> "Whole":
        link = os.readlink(place.build / f"runs/latest-{STUDY}")
        run = run or link
        files = files_of(place.build / "runs" / run)
        with read_history(place.build / "history.sqlite") as history:
            rows = history.execute("SELECT * FROM runs JOIN builds USING (run) WHERE run = ?", (run,)).fetchall()
        scratch = sorted(map(str, place.store.root.glob("tmp/*"))) + sorted(
            map(str, Path(tempfile.gettempdir()).glob(f"workbook-notebook-{os.getpid()}-*"))
        )
        return cls(link, files, rows, mounts_below(place.build.parent), scratch)


def files_of(top: Path) -> dict[str, str]:
    """The sha256 of each file below a directory, by its path."""
    files = (path for path in sorted(top.rglob("*")) if path.is_file())
    return {str(path.relative_to(top)): file_sha256(path) for path in files}


def processes_of(top: Path) -> list[str]:
    """The command lines of processes that have the cache of the checkout in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            environment, line = (path / "environ").read_bytes(), (path / "cmdline").read_bytes()
            own = os.fsencode(f"WORKBOOK_CACHE={top}") in environment and int(path.name) != os.getpid()
            if own and line and b"resource_tracker" not in line:  # Python's own, which ends with this process
                found.append(line.replace(b"\0", b" ").decode(errors="replace"))
    return found


def gone_in_time(top: Path, seconds: float = 10.0) -> list[str]:
    """The processes of the checkout that still run after a moment."""
    deadline = time.monotonic() + seconds
    while (left := processes_of(top)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def lines_about(said: str, line: str) -> list[str]:
    """The lines of a run's output, without its progress, that match."""
    return [one for one in said.splitlines() if re.search(line, one) and not (is_progress(one) and one[0] in "→✓·■")]
