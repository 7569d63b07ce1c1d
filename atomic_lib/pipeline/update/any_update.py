"""The update of any variant: of commits by ostree, or of packages by dnf."""

from atomic_lib.guest.update.update_evidence import DownloadFigures
from atomic_lib.guest.update.update_ways import UpdateWay
from atomic_lib.params.study_file import chosen_variant
from atomic_lib.pipeline.build import open_build
from atomic_lib.pipeline.update.package_update import PackageUpdate, open_package_update, require_packages
from atomic_lib.pipeline.update.variant_update import VariantUpdate, open_update, require_atomic
from atomic_lib.pipeline.update.version_changes import named_changes
from atomic_lib.report.elements.blocks import Paragraph


def open_any_update(variant: str, changes: str, study: str = "") -> VariantUpdate | PackageUpdate:
    """The update of a variant of ``params/variants`` or, with ``study``, as that study has it.

    ``changes``: as ``named_changes`` reads them.

    Raises WorkbookError as ``chosen_variant``, ``open_update`` and ``open_package_update`` do.
    """
    first = chosen_variant(variant, study)
    if first.method == "ostree":
        return open_update(first, changes)
    return open_package_update(open_build(first), named_changes(changes))


def whole_image(update: VariantUpdate | PackageUpdate) -> UpdateWay:
    """A machine that is replaced instead: the compressed disk of version 2, which is built for it.

    The locks predict that of version 1, and the RPM files that version 2 has more.
    """
    before, after = update.before, update.after
    more = after.rpm_set.download_bytes - before.rpm_set.download_bytes
    image = DownloadFigures(requests=1, bytes=after.image.compressed_bytes)
    return UpdateWay("whole image", image, from_locks_bytes=before.image.compressed_bytes + more)


def require_as_predicted(update: VariantUpdate | PackageUpdate) -> Paragraph:
    """The verdict as a sentence; raises WorkbookError as ``require_atomic`` and ``require_packages`` do."""
    return require_atomic(update) if isinstance(update, VariantUpdate) else require_packages(update)
