"""``python -m benchmarks.injected_faults [NAME…]``: put one fault at a time into real runs of a copy of the checkout.

Each run composes ``atomic-min`` up to its image. A fault passes if the run ends with the right exit status, says what
happened in a few lines without a traceback, and leaves no process, mount or published result; and if the next run
succeeds with the same image and leaves no temporary file.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from atomic_lib.base import command
from atomic_lib.base.paths import CHECKOUT, cache_directory
from atomic_lib.base.store import remove_tree
from atomic_lib.tools.user_namespace import enter, is_inside

RUN = [sys.executable, "-P", "-m", "atomic_lib", "run", "--variant", "atomic-min", "--set", "last_stage=image"]
RUN_SECONDS = 900
LINES_MOST = 40
_SIGNAL_STATUS = 128
_TREE, _LAYER, _IMAGE = ("tree", "image"), ("layer", "tree", "image"), ("image",)
SMALL_LIMITS = ("script_memory_mib=300", "script_processes=60", "script_timeout_seconds=60", "script_file_size_mib=600")


@dataclass(frozen=True)
class Place:
    """A copy of the checkout, with a build directory of its own."""

    top: Path

    @property
    def store(self) -> Path:
        """The store of the copy."""
        return self.top / "build/store"

    def results(self, *stages: str) -> list[Path]:
        """The stored results of some stages."""
        return [path for stage in stages for path in sorted((self.store / stage).glob("*"))]

    def one(self, pattern: str) -> Path:
        """The first file in the store that matches; the largest of them."""
        return max((path for path in self.store.glob(pattern) if path.is_file()), key=lambda path: path.stat().st_size)


Change = Callable[[Place], None]


@dataclass(frozen=True)
class Fault:
    """A fault: what is changed before a run, and what happens at a line of its progress.

    ``again``: the stages that the run makes anew. ``status``: its exit status. ``said``: a pattern of its output.
    """

    name: str
    said: str
    status: int = 1
    again: tuple[str, ...] = ()
    before: Change | None = None
    at: str = ""
    kill: signal.Signals | None = None
    victim: str = ""
    recipe: str = ""
    settings: tuple[str, ...] = ()
    after: Change | None = None


@dataclass
class Outcome:
    """What was wrong after a fault; nothing if it passed."""

    name: str
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0
    line: str = ""


def _stops() -> list[Fault]:
    """The driver is killed, or told to stop, at each step; its kernel or its notebook's process is killed."""
    steps = [("resolve packages", ("rpm-set", *_TREE)), ("install the layer", _LAYER), ("install 12 packages", _TREE),
             ("configure the tree", _TREE), ("commit", _TREE), ("deploy", _IMAGE), ("write the disk", _IMAGE),
             ("compress", _IMAGE)]  # fmt: skip
    killed = [Fault(f"kill -9 at: {at}", "", -9, again, at=at, kill=signal.SIGKILL) for at, again in steps]
    told = [
        Fault(f"{kill.name} at: {at}", f"stopped by {kill.name}", _SIGNAL_STATUS + kill, again, at=at, kill=kill)
        for kill, (at, again) in ((signal.SIGTERM, steps[1]), (signal.SIGTERM, steps[6]), (signal.SIGINT, steps[2]),
                                  (signal.SIGINT, steps[7]), (signal.SIGHUP, steps[4]))
    ]  # fmt: skip
    others = [
        Fault(f"kill -9 of {what} at: {at}", "ended|killed|died|SIGKILL", 1, _TREE, at=at, kill=signal.SIGKILL,
              victim=pattern)
        for what, pattern, at in (("the kernel", "ipykernel_launcher", "install 12 packages"),
                                  ("the notebook's process", "multiprocessing.spawn", "commit"))
    ]  # fmt: skip
    return [*killed, *told, *others]


def _cut(pattern: str, size_bytes: int = 100) -> Change:
    def change(place: Place) -> None:
        os.truncate(place.one(pattern), size_bytes)

    return change


def _flip(pattern: str) -> Change:
    def change(place: Place) -> None:
        path = place.one(pattern)
        with open(path, "r+b") as file:
            file.seek(path.stat().st_size // 2)
            byte = file.read(1)
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte[0] ^ 1]))

    return change


def _delete(pattern: str) -> Change:
    return lambda place: place.one(pattern).unlink()


def _damages() -> list[Fault]:
    """A stored result is damaged; the run names it and makes it anew."""
    changes = {
        "an RPM of the set is cut": _cut("rpm-set/*/rpms/*.rpm"),
        "an RPM of the set has another byte": _flip("rpm-set/*/rpms/*.rpm"),
        "the lock is cut": _cut("rpm-set/*/lock.json"),
        "a file of the layer is cut": _cut("layer/*/root/usr/bin/*"),
        "a file of the layer is gone": _delete("layer/*/root/usr/bin/*"),
        "the initramfs has another byte": _flip("initramfs/*/initramfs.img"),
        "tree.json is cut": _cut("tree/*/tree.json", 20),
        "owners.json is cut": _cut("tree/*/owners.json"),
        "an object of the commit has another byte": _flip("tree/*/repo/objects/*/*.file"),
        "an object of the commit is gone": _delete("tree/*/repo/objects/*/*.dirtree"),
        "a byte of the raw disk is another": _flip("image/*/disk.raw"),
        "the raw disk is cut": _cut("image/*/disk.raw", 100_000_000),
        "the qcow2 is cut": _cut("image/*/disk.qcow2"),
        "image.json is cut": _cut("image/*/image.json", 20),
        "entries.jsonl is cut": _cut("image/*/entries.jsonl", 1000),
    }
    # a damaged input is only seen by what uses it
    again = {"layer": _TREE, "initramfs": _TREE, "RPM": _TREE}
    return [
        Fault(name, "damaged|made again", 0, next((stages for word, stages in again.items() if word in name), ()),
              before=change)
        for name, change in changes.items()
    ]  # fmt: skip


def _recipes() -> list[Fault]:
    """A recipe is hostile, or its script is."""
    deep, bomb = (
        "[" * 200 + "]" * 200,
        "a: &a [x, x]\n"
        + "".join(
            f"{name}: &{name} [{', '.join([f'*{other}'] * 20)}]\n"
            for other, name in zip("abcdefgh", "bcdefghi", strict=True)
        ),
    )
    texts = {
        "includes a file of the host": ("include: /etc/shadow\n", "outside of the recipe's directory"),
        "includes a parent": ("include: ../../../../etc/passwd\n", "outside of the recipe's directory"),
        "includes a device": ("include: own-zero\n", "outside|not a regular file"),
        "includes a FIFO": ("include: own-fifo\n", "not a regular file"),
        "includes itself": ("include: own.yaml\n", "include cycle|included twice"),
        "has a null byte in a name": ('include: "a\\0b"\n', "null byte"),
        "is a bomb of aliases": (bomb, "not supported|alias"),
        "is nested": (f"packages: {deep}\n", "list of strings|nested"),
        "has an option for a package": ("ref: own\npackages: ['--setopt=reposdir=/etc']\n", "option|not a package"),
        "has a control character": ('packages: ["a\\u001b[31m"]\n', "control character"),
        "is not text": ("packages: \udcff\udcfe\n", "not UTF-8"),
    }
    scripts = {
        "bombs with forks": (":() { :|: & }; :", r"script_processes|script failed"),
        "takes all memory": ("head -c 3G /dev/zero | tail", r"script_memory_mib"),
        "never ends": ("sleep 100000", r"script_timeout_seconds"),
        "fills the disk": ("cat /dev/zero >/var/big", r"script_file_size_mib"),
        "fails": ("exit 3", r"script failed"),
    }
    links = "ln -sf /etc/hostname /usr/lib/tmpfiles.d/rpm-ostree-1-autovar.conf\nmkfifo /usr/lib/tmpfiles.d/own.conf"
    return [
        *(Fault(f"a recipe {name}", said, recipe=text) for name, (text, said) in texts.items()),
        *(Fault(f"a script {name}", said, recipe=_with_script(text), settings=SMALL_LIMITS)
          for name, (text, said) in scripts.items()),
        Fault("a script leaves links and FIFOs", "", 0, recipe=_with_script(links)),
    ]  # fmt: skip


def _with_script(text: str) -> str:
    lines = "".join(f"    {line}\n" for line in text.splitlines())
    return f"include: atomic-min.yaml\npostprocess:\n  - |\n    #!/bin/bash\n{lines}"


def _disks() -> list[Fault]:
    """The build directory's disk is full at some point."""

    def small(mib: int) -> Change:
        def change(place: Place) -> None:
            remove_tree(place.store / "tmp")
            (place.store / "tmp").mkdir()
            command.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", place.store / "tmp"])

        return change

    def unmount(place: Place) -> None:
        command.run(["umount", "--lazy", place.store / "tmp"])

    return [
        Fault(f"the disk has {mib} MiB", "full|free", again=again, before=small(mib), after=unmount)
        for mib, again in ((20, ("rpm-set", *_TREE)), (200, _LAYER), (120, _TREE), (300, _IMAGE))
    ]


FAULTS = (*_stops(), *_damages(), *_recipes(), *_disks())


def main(words: Sequence[str]) -> int:
    """Put the faults; prints one line for each. Returns 0 if all passed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.injected_faults", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="faults whose names contain it; without: all")
    names = parser.parse_args(words).names
    chosen = [fault for fault in FAULTS if not names or any(name in fault.name for name in names)]
    with tempfile.TemporaryDirectory(prefix="faults-", dir=CHECKOUT / "build") as scratch:
        place = _copy(Path(scratch))
        reference = _image(place, _run(place, RUN)[1])
        outcomes = []
        for fault in chosen:
            outcome = _put(place, fault, reference)
            outcomes.append(outcome)
            mark = f"✗ {'; '.join(outcome.wrong)}" if outcome.wrong else "✓"
            print(f"{mark} {fault.name} ({outcome.seconds:.0f} s): {outcome.line}", flush=True)
    failed = [outcome.name for outcome in outcomes if outcome.wrong]
    print(f"{len(outcomes) - len(failed)} of {len(outcomes)} passed" + (f"; failed: {failed}" if failed else ""))
    return 1 if failed else 0


def _copy(scratch: Path) -> Place:
    listing = command.run(["git", "-c", f"safe.directory={CHECKOUT}", "-C", CHECKOUT, "ls-files", "-z"]).stdout
    for name in listing.split("\0"):
        if name and (CHECKOUT / name).is_file():
            (scratch / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, scratch / name)
    return Place(scratch)


def _run(place: Place, line: Sequence[str], fault: Fault | None = None) -> tuple[int, str]:
    """Run the workbook of the copy; returns its exit status, and all that it wrote."""
    log = place.top / "log"
    env = {**os.environ, "PYTHONPATH": str(place.top), "WORKBOOK_CACHE": str(cache_directory())}
    with open(log, "wb") as sink:
        process = subprocess.Popen(line, cwd=place.top, env=env, stdout=sink, stderr=sink, start_new_session=True)
        deadline = time.monotonic() + RUN_SECONDS
        acted = not (fault and fault.at)
        while process.poll() is None and time.monotonic() < deadline:
            if not acted and fault and f": {fault.at}" in log.read_text(errors="replace"):
                time.sleep(0.5)
                _strike(place, process.pid, fault)
                acted = True
            time.sleep(0.05)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            raise TimeoutError(f"{line}: still running after {RUN_SECONDS} s")
    return process.returncode, log.read_text(errors="replace")


def _strike(place: Place, driver: int, fault: Fault) -> None:
    found = [pid for pid in _processes(place) if fault.victim in _command_line(pid)] if fault.victim else [driver]
    for pid in found:
        os.kill(pid, fault.kill or signal.SIGKILL)


def _put(place: Place, fault: Fault, reference: str) -> Outcome:
    """Put one fault, and let the next run heal it."""
    outcome, started = Outcome(fault.name), time.monotonic()
    for path in place.results(*fault.again):
        remove_tree(path)
    latest = os.path.realpath(place.top / "build/runs/latest")
    line = [*RUN, *(word for setting in fault.settings for word in ("--set", setting))]
    if fault.recipe:
        _write_recipe(place, fault.recipe)
        line[line.index("atomic-min")] = "own"
    if fault.before:
        fault.before(place)
    status, text = _run(place, line, fault)
    if fault.after:
        fault.after(place)
    said = [one for one in text.splitlines() if re.search(fault.said, one)] if fault.said else [""]
    outcome.line = said[-1][:160] if said else ""
    plain = [one for one in text.splitlines() if not one.startswith(("→", "✓", "✗"))]
    checks = {
        f"exit status {status}, not {fault.status}": status != fault.status,
        f"nothing said of it: {text[-300:]!r}": not said,
        "a traceback": "Traceback" in text,
        f"{len(plain)} lines": len(plain) > LINES_MOST,
        "latest moved": bool(status) and os.path.realpath(place.top / "build/runs/latest") != latest,
        "a mount is left": str(place.top) in Path("/proc/mounts").read_text(),
        "a process is left": bool(_left(place)),
    }
    outcome.wrong += [text for text, wrong in checks.items() if wrong]
    if fault.recipe and "postprocess" not in fault.recipe:  # nothing was stored, so there is nothing to heal
        outcome.seconds = time.monotonic() - started
        return outcome
    status, text = _run(place, RUN)
    if status or _image(place, text) != reference:
        outcome.wrong.append(f"the next run: exit status {status}: {text[-300:]!r}")
    left = [*(place.store / "tmp").iterdir(), *_abandoned()]
    if left:
        outcome.wrong.append(f"left after the next run: {left}")
    outcome.seconds = time.monotonic() - started
    return outcome


def _abandoned() -> list[Path]:
    """Scratch directories of notebooks whose process has ended."""
    found = Path(tempfile.gettempdir()).glob("workbook-notebook-*-*")
    return [path for path in found if not Path("/proc", path.name.split("-")[2]).exists()]


def _write_recipe(place: Place, text: str) -> None:
    directory = place.top / "params/treefiles/standin"
    (directory / "own.yaml").write_text(text, encoding="utf-8", errors="surrogateescape")
    for name in ("own-fifo", "own-zero"):
        (directory / name).unlink(missing_ok=True)
    os.mkfifo(directory / "own-fifo")
    (directory / "own-zero").symlink_to("/dev/zero")
    variant = (place.top / "params/variants/atomic-min.yaml").read_text()
    variant = re.sub(r"(?m)^variant:.*", "variant: own", variant)
    (place.top / "params/variants/own.yaml").write_text(re.sub(r"(?m)^recipe:.*", "recipe: own", variant))
    study = place.top / "params/studies/default.yaml"
    if "- own" not in study.read_text():
        study.write_text(re.sub(r"(?m)^(\s*)- atomic-min$", r"\g<0>\n\1- own", study.read_text()))


def _image(place: Place, text: str) -> str:
    """The sha256 of the image of a run, by the path of the page that it printed last; empty if there is none."""
    pages = [line for line in text.splitlines() if line.endswith("index.html")]
    results = (
        [json.loads(path.read_text()) for path in Path(pages[-1]).parent.glob("atomic-min/result.json")]
        if pages
        else []
    )
    return str(results[0]["image_sha256"]) if results else ""


def _left(place: Place) -> list[int]:
    """The processes of the copy that still run after a moment."""
    deadline = time.monotonic() + 20
    while (found := _processes(place)) and time.monotonic() < deadline:
        time.sleep(0.2)
    return found


def _processes(place: Place) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            environment = (path / "environ").read_bytes()
        except OSError:
            continue
        if os.fsencode(f"PYTHONPATH={place.top}") in environment and int(path.name) != os.getpid():
            found.append(int(path.name))
    return found


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


if __name__ == "__main__":
    if is_inside():
        sys.exit(main(sys.argv[1:]))
    enter([sys.executable, "-m", "benchmarks.injected_faults", *sys.argv[1:]])
