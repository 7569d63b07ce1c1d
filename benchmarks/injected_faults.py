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
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from atomic_lib.base import command
from atomic_lib.base.paths import CHECKOUT, cache_directory
from atomic_lib.base.progress import is_progress
from atomic_lib.base.store import remove_tree
from atomic_lib.tools.user_namespace import enter, is_inside
from benchmarks.fault_list import FAULTS, Fault, Place

RUN = [sys.executable, "-P", "-m", "atomic_lib", "run", "--variant", "atomic-min", "--set", "last_stage=image"]
RUN_SECONDS = 900
LINES_MOST = 40


@dataclass
class Outcome:
    """What was wrong after a fault; nothing if it passed."""

    name: str
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0
    line: str = ""


def main(words: Sequence[str]) -> int:
    """Put the faults; prints one line for each. Returns 0 if all passed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.injected_faults", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="faults whose names contain it; without: all")
    names = parser.parse_args(words).names
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background of a shell ignores it
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
    latest = os.path.realpath(place.top / "build/runs/latest-default")
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
    plain = [one for one in text.splitlines() if not is_progress(one)]
    checks = {
        f"exit status {status}, not {fault.status}": status != fault.status,
        f"nothing said of it: {text[-300:]!r}": not said,
        "a traceback": "Traceback" in text,
        f"{len(plain)} lines": len(plain) > LINES_MOST,
        "latest moved": bool(status) and os.path.realpath(place.top / "build/runs/latest-default") != latest,
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
    directory = place.top / "params/treefiles"
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
