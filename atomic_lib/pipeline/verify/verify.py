"""``./workbook verify``: builds each variant twice under different conditions, and compares them bit for bit."""

import json
import os
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from atomic_lib import __version__
from atomic_lib.base import command
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import BUILD, CHECKOUT, cache_directory
from atomic_lib.base.progress import say, step
from atomic_lib.base.store import remove_tree, run_lock
from atomic_lib.params.study_file import load_study, study_variants
from atomic_lib.params.variant import Variant, load_variant, parameter_values
from atomic_lib.pipeline.verify import rebuild
from atomic_lib.pipeline.verify.conditions import Conditions, hostile, other_language, require_in_force, usual
from atomic_lib.pipeline.verify.differences import explain
from atomic_lib.pipeline.verify.directories import make_cold_cache, other_place
from atomic_lib.pipeline.verify.rebuild import Built, Task
from atomic_lib.pipeline.verify.show import shown
from atomic_lib.results.record import git_revision
from atomic_lib.results.verification import Verification, write_verification
from atomic_lib.solve.lockfile import read_requested_lock
from atomic_lib.tools import user_namespace
from atomic_lib.tools.tools_tree import open_tools
from atomic_lib.tools.user_namespace import require_namespace

DIFFERENCES_FILE = "differences.txt"
_BUILD_SECONDS = 3600
_PASSED_ON = ("HOME", "XDG_CACHE_HOME", "WORKBOOK_CACHE", "WORKBOOK_MIRROR")


def verify(names: Sequence[str], *, lock: str = "", cold_cache: bool = True) -> int:
    """Verify the named variants, or those of the default study; returns the exit status, 1 if one differs.

    ``lock``: build from exactly these packages. ``cold_cache``: the second build also
    rebuilds the content. Raises WorkbookError if a parameter is not accepted or a build fails.
    """
    variants = _variants(names, {"lock": str(Path(lock).absolute())} if lock else {})
    require_namespace()
    cache, same = cache_directory(), True
    with run_lock(BUILD), other_place(BUILD) as directory:
        open_tools(cache)
        other_cache = cache
        if cold_cache:
            other_cache = directory / "cache"
            make_cold_cache(cache, other_cache)
        for variant in variants:
            found, text = verify_variant(
                variant, cache=cache, other_cache=other_cache, other_store=directory / "store", results=BUILD / "verify"
            )
            write_verification(BUILD / "verify" / f"{variant.variant}.json", found)
            print(shown(found) + text, flush=True)
            same = same and found.same
    return 0 if same else 1


def _variants(names: Sequence[str], overrides: Mapping[str, object]) -> list[Variant]:
    if names:
        variants = [load_variant(name, overrides=overrides) for name in dict.fromkeys(names)]
    else:
        variants = study_variants(load_study("default"), overrides=overrides)
    for variant in variants:
        if variant.lock:
            read_requested_lock(CHECKOUT / variant.lock)
    return variants


def verify_variant(
    variant: Variant, *, cache: Path, other_cache: Path, other_store: Path, results: Path
) -> tuple[Verification, str]:
    """Build a variant twice and compare; returns the result, and a text that names the differences.

    ``results/VARIANT`` is the directory of the first build. If the builds differ, it keeps both images.
    """
    own = results / variant.variant
    remove_tree(own)
    own.mkdir(parents=True)
    first = usual(own / "store", cache)
    second = hostile(other_store, other_cache, cold_cache=other_cache != cache, language=other_language())
    started = datetime.now(UTC)
    try:
        one = _build(variant, first, own)
        other = _build(variant, second, own, lock=one.paths["lock"])
        require_in_force(second, other.conditions, one.conditions)
        found = _compared(variant, one, other, started)
        text = "" if found.same else _explained(variant, found, one, other, own)
    finally:
        for store in (own / "store", other_store):
            remove_tree(store)
    if found.same:
        remove_tree(own)
    return found, text


def _build(variant: Variant, conditions: Conditions, own: Path, lock: str = "") -> Built:
    """Build in a child process under the given conditions. The child ends if this process ends."""
    name = conditions.name
    task, result, log = (own / f"{name}.{end}" for end in ("task.json", "json", "log"))
    parameters = parameter_values(variant)
    if variant.lock:
        parameters["lock"] = str(CHECKOUT / variant.lock)
    task.write_text(json.dumps(asdict(Task(parameters, conditions, lock))))
    passed_on = {key: os.environ[key] for key in _PASSED_ON if key in os.environ}
    python = [sys.executable, "-P", "-m"]
    line = [*python, user_namespace.__name__, *python, rebuild.__name__, str(task), str(result)]
    log.touch()
    with step(f"{variant.variant}: build {name} from scratch"), _progress_shown(log):
        try:
            command.run(
                line, cwd=CHECKOUT, env={**passed_on, "PYTHONPATH": str(CHECKOUT), **conditions.environment},
                network=True, timeout_seconds=_BUILD_SECONDS, log=log, shown=["build", name],
            )  # fmt: skip
        except command.CommandError as error:
            raise WorkbookError(
                f"{variant.variant}: build {name} failed", log=error.log, hint=f"see the whole log in {log}"
            ) from None
    return Built(**json.loads(result.read_text()))


@contextmanager
def _progress_shown(log: Path, every_seconds: float = 0.5) -> Iterator[None]:
    """Show the progress lines that a child process writes to ``log``."""
    done = threading.Event()

    def follow() -> None:
        with open(log, encoding="utf-8", errors="replace") as file:
            last = False
            while not last:
                last = done.wait(every_seconds)
                for line in file:
                    if line.startswith(("→", "✓", "✗", "!")):
                        say(f"  {line.rstrip()}")

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _compared(variant: Variant, one: Built, other: Built, started: datetime) -> Verification:
    def pairs(name: str) -> dict[str, tuple[str | None, str | None]]:
        left, right = getattr(one, name), getattr(other, name)
        return {key: (left.get(key), right.get(key)) for key in {**left, **right}}

    checksums = pairs("checksums")
    return Verification(
        variant=variant.variant,
        when=f"{started:%Y-%m-%dT%H:%M:%SZ}",
        same=all(left == right for left, right in checksums.values()),
        checksums=checksums,
        # a condition of only one build was not varied
        conditions={name: pair for name, pair in pairs("conditions").items() if None not in pair},
        keys=pairs("keys"),
        versions=one.versions,
        provenance={"atomic_lib_version": __version__, "git_revision": git_revision(CHECKOUT)},
        seconds=(one.seconds, other.seconds),
    )


def _explained(variant: Variant, found: Verification, one: Built, other: Built, own: Path) -> str:
    """The differences in short; writes the full text and both images to ``own``."""
    with step(f"{variant.variant}: find the differences"):
        explanation = explain(found, one, other, open_tools(cache_directory()))
        (own / DIFFERENCES_FILE).write_text(explanation.full)
        for name, built in (("A", one), ("B", other)):
            command.run(["cp", "--sparse=always", built.paths["raw"], own / f"{name}.raw"])
            command.run(["cp", built.paths["qcow2"], own / f"{name}.qcow2"])
    return f"{explanation.short}\nAll differences: {own / DIFFERENCES_FILE}; both images are in the same directory.\n"
