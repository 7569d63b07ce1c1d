"""``./workbook verify``: builds each variant twice under different conditions, and compares them bit for bit."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from atomic_lib import __version__
from atomic_lib.base import command
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import BUILD, CHECKOUT, cache_directory
from atomic_lib.base.progress import step
from atomic_lib.base.run_lock import run_lock
from atomic_lib.base.store import remove_tree
from atomic_lib.params.study_file import load_study, study_variants
from atomic_lib.params.variant import Variant, parameter_values
from atomic_lib.pipeline.namespace_process import run_module
from atomic_lib.pipeline.recipe_files.own_recipes import variants_named
from atomic_lib.pipeline.verify import rebuild
from atomic_lib.pipeline.verify.conditions import Conditions, hostile, other_language, require_in_force, usual
from atomic_lib.pipeline.verify.differences import explain
from atomic_lib.pipeline.verify.directories import other_place
from atomic_lib.pipeline.verify.rebuild import Built, Task
from atomic_lib.pipeline.verify.show import shown
from atomic_lib.results.record import git_revision
from atomic_lib.results.verification import Verification, write_verification
from atomic_lib.solve.rpm_ostree.lockfile import read_requested_lock
from atomic_lib.tools.tools_tree import open_tools
from atomic_lib.tools.user_namespace import outer_root, require_namespace

DIFFERENCES_FILE = "differences.txt"
_BUILD_SECONDS = 3600


def verify(
    words: Sequence[str],
    *,
    overrides: Mapping[str, object] | None = None,
    copies: Path | None = None,
    cold_cache: bool = True,
) -> int:
    """Verify variants, by name or by the path of a recipe, or those of the default study.

    Returns the exit status, 1 if one differs. ``overrides``: parameters for all of them. ``copies``: as for
    ``variants_named``. ``cold_cache``: the second build also rebuilds the content. Raises WorkbookError if a
    parameter is not accepted or a build fails.
    """
    variants = _variants(words, copies, overrides)
    require_namespace()
    cache, same = cache_directory(), True
    with run_lock(BUILD, "./workbook verify"), other_place(BUILD) as directory:
        open_tools(cache)
        other_cache = directory / "cache" if cold_cache else cache
        for variant in variants:
            found, text = verify_variant(
                variant, cache=cache, other_cache=other_cache, other_store=directory / "store", results=BUILD / "verify"
            )
            write_verification(BUILD / "verify" / f"{variant.variant}.json", found)
            print(shown(found) + text, flush=True)
            same = same and found.same
    return 0 if same else 1


def _variants(words: Sequence[str], copies: Path | None, overrides: Mapping[str, object] | None) -> list[Variant]:
    if words:
        variants = variants_named(words, copies, overrides)
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
    second = hostile(other_store, other_cache, cold_cache=other_cache != cache, language=other_language(),
                     other_ids=outer_root() != 0)  # fmt: skip
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
    task.write_text(json.dumps(asdict(Task(parameters, conditions, lock, str(cache_directory())))))
    with step(f"{variant.variant}: build {name} from scratch"):
        try:
            run_module(
                rebuild.__name__, [task, result], log=log, timeout_seconds=_BUILD_SECONDS, shown=["build", name],
                environment=conditions.environment, other_ids=conditions.other_ids,
            )  # fmt: skip
        except command.CommandError as error:
            raise WorkbookError(
                f"{variant.variant}: build {name} failed", log=error.log, hint=f"see the whole log in {log}"
            ) from None
    return Built(**json.loads(result.read_text()))


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
