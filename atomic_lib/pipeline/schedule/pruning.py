"""``./workbook clean --keep N`` and ``run --keep N``: remove old runs, and the stored stages that only they used.

Old are all but the newest runs of each study. A run stays, however old it is, if a link points to it
(``latest-STUDY``) or its directory has a file named ``keep``. The history keeps the figures of removed runs.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from pathlib import Path

from atomic_lib.base.progress import say
from atomic_lib.base.run_lock import run_lock
from atomic_lib.base.store import KEY_LENGTH, Store
from atomic_lib.compose.tree import tree_key
from atomic_lib.image.oci.compressed_layer import COMPRESSED_LAYER
from atomic_lib.image.oci.host_image import HOST_IMAGE, LAYOUT
from atomic_lib.image.oci.layout import diff_ids
from atomic_lib.pipeline.notebooks import USES_FILE
from atomic_lib.results.result_files import RESULT_FILE
from atomic_lib.results.runs import finished_runs, remove_remainders, remove_run
from atomic_lib.tools.clean import agreed, freed_bytes, remove_completely

KEEP_FILE = "keep"
"""A run whose directory has this file is never removed by pruning: one that is published, or linked to."""
_RECORDED = {
    "resolve": ("rpm-set", "pulled-tree"), "compose": ("tree", "pulled-tree"), "image": ("image",),
    "container-resolve": ("rpm-set",), "container": ("container",),
}  # fmt: skip
"""The stages that a result names, and what the store calls them."""
_KEY = re.compile(rf"\b[0-9a-f]{{{KEY_LENGTH}}}\b")
_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")


def clean_old(build: Path, keep: int, *, confirmed: bool, wait: bool = False) -> int:
    """Show what ``prune`` would remove and, after confirmation, remove it; returns the exit status, 1 if not agreed.

    Raises WorkbookError while a run is in progress, unless it is to ``wait`` for its end.
    """
    with run_lock(build, "./workbook clean --keep", wait=wait):
        remove_remainders(build / "runs")
        old = old_runs(build / "runs", keep)
        stored = unused_results(build, old)
        for title, paths in (("old runs", old), ("stored stages that only they used", stored)):
            say(f"{freed_bytes(paths) / 1e6:9.1f} MB  {len(paths):4} {title}")
        if not (old or stored):
            return 0
        if not confirmed and not agreed():
            return 1
        _remove(stored, old)
    return 0


def prune(build: Path, keep: int) -> None:
    """Remove all but the ``keep`` newest runs of each study, and the stored stages that no other run used.

    The caller holds the run lock.
    """
    old = old_runs(build / "runs", keep)
    stored = unused_results(build, old) if old else []
    _remove(stored, old)
    if old:
        say(f"removed {len(old)} old runs, and {len(stored)} stored stages that only they used")


def _remove(stored: Iterable[Path], old: Iterable[Path]) -> None:
    """Remove stored stages, then the runs: what is left of the stages after an interruption is still named by a run."""
    for path in stored:
        remove_completely(path)
    for path in old:
        remove_run(path)


def old_runs(runs: Path, keep: int) -> list[Path]:
    """The runs to remove, oldest first."""
    linked = {path.resolve() for path in runs.glob("*") if path.is_symlink()}
    by_study: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(finished_runs(runs), key=lambda path: path.name):
        by_study[_study_in(path.name)].append(path)
    old = [path for paths in by_study.values() for path in paths[: len(paths) - keep]]
    return sorted(path for path in old if path.resolve() not in linked and not (path / KEEP_FILE).exists())


def unused_results(build: Path, old: Iterable[Path]) -> list[Path]:
    """The stored stages to remove with the runs ``old``.

    These are what the notebooks of a run of ``old`` used, or its results name, unless another run did so too, or it was
    made from what another run used; what was made from them: a stage whose inputs name the key of a removed one; and
    the compressed layers of removed images in layers that no other one has.
    """
    store, removed = Store(build / "store"), set(old)
    results = {path: _keys_in(path) for path in store.results()}
    named = _names_of(results)
    runs = [path for path in (build / "runs").glob("[!.]*") if not path.is_symlink()]
    kept = {path for run in (*runs, build / "variants") if run not in removed for path in _results_of(named, run)}
    gone = {path for run in removed for path in _results_of(named, run)} - kept
    while made_of := {path for path in gone if results[path] & _keys_of(kept)}:
        kept |= made_of
        gone -= made_of
    while made_of := {path for path, keys in results.items() if path not in gone | kept and keys & _keys_of(gone)}:
        gone |= made_of
    return sorted(gone | _layers_of_only(gone, store))


def _layers_of_only(gone: Set[Path], store: Store) -> set[Path]:
    """The compressed layers that only the images in ``gone`` have: the inputs of a layer name none of its images."""
    images = store.results(HOST_IMAGE.name)
    shared = {digest for image in images if image not in gone for digest in _layers_in(image)}
    own = {digest for image in images if image in gone for digest in _layers_in(image)} - shared
    layers = store.results(COMPRESSED_LAYER.name)
    return {layer for layer in layers if own.intersection(_DIGEST.findall(_text_of(layer / "key.json")))}


def _layers_in(image: Path) -> tuple[str, ...]:
    """The digests of an image's layers; none if it is damaged: it would be made again, and they with it."""
    try:
        return diff_ids(image / LAYOUT)
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return ()


def _results_of(named: Mapping[tuple[str, str], Path], run: Path) -> Iterator[Path]:
    """The stored stages of a run, finished or not: those that a result names, and those that its notebooks used.

    A run of an earlier version, and a notebook that was executed by hand, do not say what they used.
    """
    for file in run.glob(f"*/{RESULT_FILE}"):
        yield from _named_results(named, file)
    for uses in (run / USES_FILE, *run.glob(f"*/{USES_FILE}")):
        for line in _text_of(uses).splitlines():
            stage, _, key = line.partition("/")
            if (stage, key) in named:
                yield named[stage, key]


def _keys_of(paths: Iterable[Path]) -> set[str]:
    """What the inputs of other stages say for these: the key in the store, or that of a tree."""
    return {key for path in paths for key in (path.name, tree_key(path.name))}


def _names_of(results: Iterable[Path]) -> dict[tuple[str, str], Path]:
    """The stored stages by their names in results: stage and key. A tree is named by the key of what is in it."""
    named = {}
    for path in results:
        named[path.parent.name, path.name] = path
        named[path.parent.name, tree_key(path.name)] = path
    return named


def _named_results(named: Mapping[tuple[str, str], Path], file: Path) -> Iterator[Path]:
    """The stored stages that a ``result.json`` of any version of the workbook names; none if it is damaged."""
    try:
        for stage in json.loads(file.read_bytes())["stages"]:
            for name in _RECORDED.get(stage["stage"], ()):
                if (name, stage["key"]) in named:
                    yield named[name, stage["key"]]
    except (OSError, ValueError, KeyError, TypeError):
        return


def _keys_in(result: Path) -> set[str]:
    """All that looks like a key in the inputs of a stored stage."""
    return set(_KEY.findall(_text_of(result / "key.json")))


def _text_of(file: Path) -> str:
    """The text of a file; empty if it cannot be read."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _study_in(run: str) -> str:
    """The study in the name of a run, which is TIME-STUDY."""
    return run.split("Z-", 1)[-1]
