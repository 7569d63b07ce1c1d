"""``./workbook doctor --check``: compares the content of all stored files with their checksums. Changes nothing."""

import json
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from atomic_lib.base.files import find_damage
from atomic_lib.base.progress import step
from atomic_lib.base.store import Store, file_sha256
from atomic_lib.tools.doctor import Finding

_SUDO = "if root created it: sudo ./workbook doctor --check"


def check_files(cache: Path, build: Path, damaged_downloads: Sequence[Path]) -> list[Finding]:
    """What is damaged in the store, the cache and the runs, and what to do; one line with a mark if nothing is.

    ``damaged_downloads``: the files of apt that are known to be damaged.
    """
    with step("compare all stored files with their checksums"):
        results = [path for store in (Store(build / "store"), Store(cache)) for path in store.results()]
        named = [*sorted(cache.glob("rpms/*.rpm")), *sorted(cache.glob("keys/*.asc"))]
        records = [path for form in _RECORDS for path in sorted(build.glob(form)) if path.is_file()]
        damage = [
            *_checked(_check_result, results),
            *_checked(_check_named, named),
            *(_damaged(str(path), "the next download replaces it") for path in damaged_downloads),
            *_checked(_check_record, records),
        ]
    counts = f"{len(results)} results, {len(named)} cached RPMs and keys, {len(records)} files of runs"
    return damage or [Finding("stored files", f"{counts}: all undamaged")]


_RECORDS = ("runs/*/*.json", "runs/*/*/*.json", "verify/*.json", "equality/*.json", "store/failed-boots/*/*.json")
"""Files that have no checksum, except for locks, which have one inside: they must at least be JSON."""


def _damaged(what: str, advice: str) -> Finding:
    return Finding("damaged", what, "missing", advice)


def _checked(check: Callable[[Path], Iterator[Finding]], paths: Iterable[Path]) -> Iterator[Finding]:
    for path in paths:
        try:
            yield from check(path)
        except PermissionError as error:
            yield Finding("not checked", f"{error.filename}: permission denied", "missing", _SUDO)
        except OSError as error:
            yield _damaged(f"{path}: cannot be read: {error.strerror}", f"sudo rm {shlex.quote(str(path))}")


def _check_result(path: Path) -> Iterator[Finding]:
    damage = find_damage(path, all_content=True)
    if damage:
        more = f" (and {len(damage) - 1} more)" if len(damage) > 1 else ""
        advice = f"sudo rm -r {shlex.quote(str(path))}; the next run that needs it makes it again"
        yield _damaged(f"{path}: {damage[0]}{more}", advice)


def _check_named(path: Path) -> Iterator[Finding]:
    """Compare a file with the sha256 that is its name."""
    if file_sha256(path) != path.stem:
        yield _damaged(f"{path}: its content was changed", "the next run that needs it fetches it again")


def _check_record(path: Path) -> Iterator[Finding]:
    try:
        json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        yield _damaged(f"{path}: it is no JSON", "remove it, and run the study again: comparisons pass this run over")
