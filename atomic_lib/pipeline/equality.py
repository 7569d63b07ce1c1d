"""A traditional root and an ostree deployment of one recipe, held against each other: as built, and once booted."""

import os
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import BUILD, CHECKOUT, cache_directory
from atomic_lib.base.progress import say
from atomic_lib.base.store import code_version
from atomic_lib.formats.disk.file_system import FileSystem, read_file_system, root_of
from atomic_lib.guest.timed_boot import BootRequest
from atomic_lib.measure.booted import AFTER_FILE, MACHINE_OWN, below, disk_after_boot
from atomic_lib.measure.build_changes import changed_packages
from atomic_lib.measure.comparison import Comparison, compare
from atomic_lib.measure.equality_rules import booted_rules, load_rules
from atomic_lib.pipeline.notebooks import Execution, execute_all
from atomic_lib.pipeline.questions import OpenVariant
from atomic_lib.report.elements.blocks import Alert, Paragraph
from atomic_lib.report.elements.values import plural
from atomic_lib.report.page.export import PageLink, export_html, remove_traces
from atomic_lib.results.runs import INDEX_FILE, link_newest, new_run, only_run
from atomic_lib.tools.accelerator import probe_accelerator
from atomic_lib.tools.tools_tree import open_tools

NOTEBOOK = CHECKOUT / "notebooks/equality.ipynb"
_NAMED = 5
_AFTER_BYTES = 2_000_000_000


def compare_images(left: OpenVariant, right: OpenVariant) -> Comparison:
    """The file systems of both finished images, unmounted, with the rules of the ostree model."""
    before, after = (root_of(read_file_system(opened.image.raw)) for opened in (left, right))
    return compare(before, after, load_rules())


def compare_booted(left: OpenVariant, right: OpenVariant) -> Comparison:
    """What each machine made its own in its first boot: /etc, /var and what links into /var.

    Boots both, where the store has no such disk yet. Raises WorkbookError for a guest that is
    not up, or not down, in time.
    """
    before, after = (_machine_own(opened) for opened in (left, right))
    return compare(before, after, booted_rules())


def require_explained(left: OpenVariant, right: OpenVariant, *comparisons: Comparison | None) -> Paragraph:
    """The verdict as a sentence; raises WorkbookError that names what has no reason."""
    names = f"{left.variant.variant} and {right.variant.variant}"
    packages = changed_packages(left.rpm_set.lock, right.rpm_set.lock)
    if packages:
        raise WorkbookError(
            f"{names}: {plural(len(packages), 'package')} not the same, the first is {packages[0].name}",
            hint="give both variants the same recipe and the same lock",
        )
    made = [comparison for comparison in comparisons if comparison]
    unexplained = [difference for comparison in made for difference in comparison.unexplained]
    if unexplained:
        raise WorkbookError(
            f"{names}: {plural(len(unexplained), 'difference')} without a reason",
            hint="repair what makes it, or write the rule with its reason into params/rules/equality.yaml "
            "(after a boot: params/rules/equality-booted.yaml)",
            log="\n".join(map(str, unexplained[:_NAMED])),
        )
    paths = sum(comparison.paths[0] for comparison in made)
    explained = sum(len(comparison.differences) for comparison in made)
    return Paragraph(
        f"{names}: {plural(paths, 'path')} on both sides, {plural(explained, 'difference')}, each with its reason."
    )


def run_equality(*, boot: bool) -> int:
    """Execute the notebook for its pair and publish its page; the exit status is 1 where anything is unexplained.

    ``boot``: also boot both and compare again. Raises WorkbookError for a user who is not
    root, or while another run is going on.
    """
    if os.geteuid() != 0:
        raise WorkbookError("composing needs root: owners, device nodes and labels of another system are written",
                            hint="sudo ./workbook equality")  # fmt: skip
    with only_run(BUILD, cache_directory()):
        open_tools(cache_directory())
        directory = new_run(BUILD / "runs", "equality")
        (problem,) = execute_all([Execution(NOTEBOOK, directory / NOTEBOOK.name, {"boot": boot})], workers=1)
        problem = problem.removeprefix("WorkbookError: ")
        page = _publish(directory, problem)
    if problem:
        say(f"error: {problem}")
    print(page)
    return 1 if problem else 0


def _machine_own(opened: OpenVariant) -> FileSystem:
    return below(root_of(read_file_system(_disk_after_boot(opened))), *MACHINE_OWN)


def _disk_after_boot(opened: OpenVariant) -> Path:
    """The disk after one boot, made once for an image: a boot again would be another first boot."""
    variant = opened.variant
    inputs = {
        "image": opened.image.key,
        "agent": variant.agent,
        "accelerator": variant.accelerator,
        "cpus": variant.guest_cpus,
        "memory_mib": variant.guest_memory_mib,
        "tools": opened.tools.key,
        "code": code_version("machine", "measure/booted.py"),
    }

    def make(directory: Path) -> None:
        accelerator = "tcg" if variant.accelerator == "tcg" else probe_accelerator(opened.tools).name
        request = BootRequest(
            "bios", accelerator, variant.guest_cpus, variant.guest_memory_mib, variant.boot_timeout_seconds,
            variant.agent,
        )  # fmt: skip
        disk_after_boot(opened.tools, opened.image.raw, request, directory)

    what = f"{variant.variant}: boot once and shut down"
    return opened.store.get_or_make("booted", inputs, make, what=what, need_bytes=_AFTER_BYTES).path / AFTER_FILE


def _publish(directory: Path, problem: str) -> Path:
    """Make the page of the executed notebook, and let ``latest-equality`` point to it."""
    page, notebook = directory / INDEX_FILE, directory / NOTEBOOK.name
    remove_traces(notebook)
    failed = Alert("Not every difference has its reason, or the comparison failed", problem) if problem else None
    study = directory.parent / "latest" / INDEX_FILE
    links = [PageLink("Equality", INDEX_FILE, current=True)]
    links += [PageLink("Latest run", "../latest/index.html")] if study.exists() else []
    export_html(notebook, page, "Is it the same file system?", links, [PageLink(notebook.name, notebook.name)], failed)
    link_newest(directory, "latest-equality")
    return page
