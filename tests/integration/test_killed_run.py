"""A run that is killed (SIGKILL) in the middle of two guests and a compose leaves nothing, and the next one goes on.

The run is a whole one, of a study of its own in a copy of the checkout, whose store has the results of this one. The
guests need not come up, and the compose waits for a scriptlet: it makes no boot of its own.
"""

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from atomic_lib.base import command
from atomic_lib.base.files import find_damage
from atomic_lib.base.paths import BUILD, CHECKOUT, cache_directory
from atomic_lib.base.store import Store
from atomic_lib.guest.vm.slots import MOST_SECONDS
from atomic_lib.image.uncompressed_disk import RAW_DISK
from atomic_lib.params.variant import load_variant
from atomic_lib.pipeline.recorded_build import record_build
from atomic_lib.pipeline.side_by_side.capacity import variants_at_once
from atomic_lib.results.result_files import read_variant_result
from atomic_lib.tools.tools_tree import open_tools
from tests.integration.tiny import make_rpm
from tests.pipeline.test_stopped import wait_until

pytestmark = pytest.mark.integration

GUEST, OTHER_GUEST, COMPOSED = "atomic-min", "atomic-min-nocloud", "endless"
MEMORY_MIB = 1024
STUDY = f"""
study: killed
title: It is killed
variants: [{GUEST}, {OTHER_GUEST}, {COMPOSED}]
baseline: {GUEST}
parameters: {{container: "", boots_uefi: 0, guest_memory_mib: {MEMORY_MIB}}}
"""
VARIANT = f"""
variant: {COMPOSED}
method: ostree
recipe: {COMPOSED}
agent: min-cloud-agent
local_rpms: own-rpms
local_rpms_trusted: true
"""
RECIPE = f"packages: [{COMPOSED}]\nselinux: false\nrecommends: false\n"
SCRIPTLET = ["/bin/busybox", "sleep", "1200"]
BUSYBOX = "for name in busybox sh; do install -D -m 0755 /usr/bin/busybox %{buildroot}/bin/$name; done"
COPIED = ("atomic_lib", "notebooks", "params", "requirements.lock")
START_SECONDS, GONE_SECONDS = 300, 30


@dataclass(frozen=True)
class Process:
    """A process, which its start (in ticks) tells apart from a later one of the same id."""

    pid: int
    parent: int
    started: str
    words: tuple[str, ...]

    @property
    def program(self) -> str:
        """The name that it was started by; a dead one has none."""
        return Path(self.words[0]).name if self.words else ""

    @property
    def in_sandbox(self) -> bool:
        """Whether it is a command's, rather than one of the workbook's own."""
        try:
            its = Path(f"/proc/{self.pid}/ns/pid").readlink()
        except FileNotFoundError:  # it has ended; of the workbook's own processes none does
            return True
        starts_one = any(Path(word).name == "confine.py" for word in self.words)
        return starts_one or its != Path("/proc/self/ns/pid").readlink()


def all_processes() -> Iterator[Process]:
    """The processes of this machine that are alive."""
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            words = (path / "cmdline").read_text().split("\0")[:-1]
            state, parent, *rest = (path / "stat").read_text().rpartition(") ")[2].split()
            if state not in "ZX":
                yield Process(int(path.name), int(parent), rest[17], tuple(words))


def family_of(pid: int) -> set[Process]:
    """A process with all its descendants."""
    alive = {process.pid: process for process in all_processes()}
    found = {pid} & alive.keys()
    while more := {one.pid for one in alive.values() if one.parent in found} - found:
        found |= more
    return {alive[one] for one in found}


def guests_of(family: set[Process]) -> set[int]:
    """The QEMUs of a run, by their ids."""
    return {one.pid for one in family if one.program == "qemu-system-x86_64"}


def in_the_middle(pid: int) -> set[Process]:
    """The processes of a run if two guests run, and a scriptlet of the compose; empty otherwise.

    A QEMU that only says what it can do is no guest: it has ended a second later.
    """
    guests = guests_of(family_of(pid))
    if len(guests) < 2:
        return set()
    time.sleep(1)
    family = family_of(pid)
    busy = len(guests & guests_of(family)) == 2 and any(list(one.words) == SCRIPTLET for one in family)
    return family if busy else set()


def left_of(family: set[Process], top: Path) -> list[Process]:
    """What is left of a run: its processes, and those that see a mount of something in its checkout."""
    known = {(process.pid, process.started) for process in family}
    left = []
    for process in all_processes():
        with suppress(OSError):  # it has ended, or is another user's
            mounts = Path(f"/proc/{process.pid}/mountinfo").read_text()
            if (process.pid, process.started) in known or str(top) in mounts:
                left.append(process)
    return left


@pytest.fixture(scope="module")
def top(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout with the study; its store has what is made of ``GUEST`` but for boots and raw disks."""
    if variants_at_once([load_variant(GUEST, overrides={"guest_memory_mib": MEMORY_MIB})] * 3) < 3:
        pytest.skip("this machine does not make three variants side by side")
    build = record_build(load_variant(GUEST, overrides={"container": ""}), tmp_path_factory.mktemp("record"))
    for step in (build.resolve, build.compose, build.explain, build.measure_image):
        step()
    top = tmp_path_factory.mktemp("killed") / "checkout"
    for name in COPIED:
        copy: Callable[[Path, Path], object] = shutil.copytree if (CHECKOUT / name).is_dir() else shutil.copyfile
        top.mkdir(exist_ok=True)
        copy(CHECKOUT / name, top / name)
    slots = top / "atomic_lib/guest/vm/slots.py"  # its guests do not wait for those of other tests
    slots.write_text(slots.read_text().replace(f"MOST_SECONDS = {MOST_SECONDS}", "MOST_SECONDS = 0"))
    for kind, text in (("variants", VARIANT), ("treefiles", RECIPE)):
        (top / "params" / kind / f"{COMPOSED}.yaml").write_text(text)
    (top / "params/studies/killed.yaml").write_text(STUDY)
    make_rpm(
        open_tools(cache_directory()), top / "own-rpms", COMPOSED, install=BUSYBOX, files="/bin/busybox\n/bin/sh",
        scriptlets=f"%post\n{' '.join(SCRIPTLET)}",
    )  # fmt: skip
    for path in Store(BUILD / "store").results():
        if path.parent.name not in ("boot", RAW_DISK.name):  # a run removes raw disks, and so do other tests
            link = top / "build/store" / path.parent.name / path.name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path)
    return top


@pytest.fixture
def temporary() -> Iterator[Path]:
    """The directory for temporary files of a run: short, as it holds sockets."""
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)


def environment(top: Path, temporary: Path) -> dict[str, str]:
    """The variables of a run, which enters a namespace of its own, as from a shell."""
    cache = str(cache_directory())
    return {"PYTHONPATH": str(top), "TMPDIR": str(temporary), "HOME": str(top), "WORKBOOK_CACHE": cache}


def words(*more: str) -> list[str]:
    """The command of a run, as ``./workbook`` starts it."""
    return [sys.executable, "-P", "-m", "atomic_lib", "run", "killed", *more]


@contextmanager
def running(top: Path, temporary: Path) -> Iterator[tuple[command.Background, set[Process]]]:
    """A run in the middle of two guests and a compose, and its processes."""
    log, family = top / "log", set[Process]()
    try:
        with command.running(words(), log=log, cwd=top, env=environment(top, temporary), stop_seconds=60) as run:
            deadline = time.monotonic() + START_SECONDS
            while not (family := in_the_middle(run.pid)) and run.poll() is None and time.monotonic() < deadline:
                time.sleep(0.1)
            assert family, (log.read_text(), [one.words for one in family_of(run.pid)])
            yield run, family
    finally:
        for process in left_of(family, top):  # of a test that failed
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)


def results(top: Path) -> set[Path]:
    return set(Store(top / "build/store").results())


def kept_results(top: Path) -> set[Path]:
    """The results that a run keeps: raw disks are made again on demand, and stay only while they are used."""
    return {path for path in results(top) if path.parent.name != RAW_DISK.name}


def require_nothing_left(family: set[Process], top: Path) -> None:
    """No process, no mount, and nothing half in the store; scratch directories wait for the next run."""
    wait_until(lambda: not left_of(family, top), GONE_SECONDS)
    assert left_of(family, top) == []
    own = [path for path in results(top) if not path.is_symlink()]
    assert {path.parent.name for path in own} & {"tree", "boot"} == set()
    assert [path for path in own if find_damage(path)] == []
    scratch = {path.name.partition("-")[0] for path in (top / "build/store/tmp").iterdir()}
    assert {"tree", "boot"} <= scratch


def test_of_a_killed_run_no_process_mount_or_half_result_is_left(top: Path, temporary: Path) -> None:
    with running(top, temporary) as (run, family):
        run.kill()
        run.wait()
        require_nothing_left(family, top)


def test_nor_of_one_whose_processes_are_all_killed_and_the_next_run_removes_the_rest(
    top: Path, temporary: Path
) -> None:
    with running(top, temporary) as (run, family):
        own = [one.pid for one in family if not one.in_sandbox]
        assert len(own) >= 7, "the run, and a worker and a kernel for each notebook"
        for number in (signal.SIGSTOP, signal.SIGKILL):  # stopped first, so that none of them can tidy up
            for pid in own:
                os.kill(pid, number)
        run.wait()
        require_nothing_left(family, top)
    assert [path.name for path in temporary.iterdir()], "scratch directories of notebooks"
    before = kept_results(top)
    more = ("--variant", GUEST, "--set", "last_stage=image")
    done = command.run(words(*more), cwd=top, env=environment(top, temporary), timeout_seconds=START_SECONDS)
    page = Path(done.stdout.strip())
    assert [path for path in (top / "build/runs").iterdir() if not path.is_symlink()] == [page.parent]
    assert [list(path.iterdir()) for path in (top / "build/store/tmp", temporary)] == [[], []]
    assert results(top) == kept_results(top) >= before
    stages = read_variant_result(page.parent / GUEST / "result.json").stages
    assert {(one.stage, one.reused) for one in stages} == {(name, True) for name in ("resolve", "compose", "image")}
