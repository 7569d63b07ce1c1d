"""``./workbook equality``: compares a traditional root with an ostree deployment of the same packages."""

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import BUILD, CHECKOUT
from atomic_lib.formats.disk.file_system import FileSystem, read_file_system, root_of
from atomic_lib.measure.booted import AFTER_FILE, BOOTED, MACHINE_OWN, BootedRequest, below
from atomic_lib.measure.build_changes import changed_packages
from atomic_lib.measure.equality_rules import booted_rules, load_rules
from atomic_lib.measure.file_system_comparison import Comparison, compare
from atomic_lib.pipeline.build import Build, open_build
from atomic_lib.pipeline.pages.notebook_page import NotebookPage, publish_notebook
from atomic_lib.report.elements.blocks import Paragraph
from atomic_lib.report.elements.values import plural
from atomic_lib.results.equality_record import EqualityRecord, write_equality
from atomic_lib.tools.user_namespace import require_namespace

NOTEBOOK = CHECKOUT / "notebooks/equality.ipynb"
_NAMED = 5


def open_pair(traditional: str, ostree: str) -> tuple[Build, Build]:
    """The builds of both variants; raises WorkbookError as ``open_build`` does."""
    return open_build(traditional), open_build(ostree)


def compare_images(left: Build, right: Build) -> Comparison:
    """Compare the file systems of both images, by the rules in ``params/rules/equality.yaml``."""
    before, after = (root_of(read_file_system(build.image.raw_disk(build.context))) for build in (left, right))
    return compare(before, after, load_rules())


def compare_booted(left: Build, right: Build) -> Comparison:
    """Compare /etc, /var and the links into /var after the first boot of each image.

    Boots an image unless the store has its disk after a boot. Raises WorkbookError if a guest
    does not start or shut down in time.
    """
    before, after = (_machine_own(build) for build in (left, right))
    return compare(before, after, booted_rules())


def require_explained(left: Build, right: Build, *comparisons: Comparison | None) -> Paragraph:
    """The verdict as a sentence.

    Raises WorkbookError if the packages differ, or naming the first differences that no rule explains.
    """
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
            hint="fix the cause, or add a rule with the reason to params/rules/equality.yaml "
            "(after a boot: params/rules/equality-booted.yaml)",
            log="\n".join(map(str, unexplained[:_NAMED])),
        )
    paths = sum(comparison.paths[0] for comparison in made)
    explained = sum(len(comparison.differences) for comparison in made)
    return Paragraph(
        f"{names}: {plural(paths, 'path')} on both sides, {plural(explained, 'difference')}, each with its reason."
    )


def record_equality(left: Build, right: Build, comparison: Comparison, booted: Comparison | None) -> None:
    """Keep what was found about the two images, for release notes; not for images of other packages."""
    if changed_packages(left.rpm_set.lock, right.rpm_set.lock):
        return
    made = [one for one in (comparison, booted) if one]
    record = EqualityRecord(
        traditional=left.variant.variant,
        ostree=right.variant.variant,
        images=(left.image.sha256, right.image.sha256),
        paths=comparison.paths[0],
        differences=sum(len(one.differences) for one in made),
        unexplained=sum(len(one.unexplained) for one in made),
        booted=booted is not None,
    )
    write_equality(BUILD, record)


def run_equality(*, boot: bool) -> int:
    """Execute the notebook and write its page; returns the exit status, 1 if a difference is not explained.

    ``boot``: also boot both images and compare again. Raises WorkbookError unless the user is
    root, and while another run is in progress.
    """
    require_namespace()
    heading = "Not every difference has its reason, or the comparison failed"
    page = NotebookPage(NOTEBOOK, "equality", "Is it the same file system?", heading)
    return publish_notebook(page, {"boot": boot}, BUILD)


def _machine_own(build: Build) -> FileSystem:
    stored = BOOTED.get(BootedRequest(build.variant, build.image), build.context)
    return below(root_of(read_file_system(stored.path / AFTER_FILE)), *MACHINE_OWN)
