"""Sentences about provisioning methods."""

from atomic_lib.report.elements.values import quantity
from atomic_lib.results.analysis.provisioning import BUSY, SCRIPT, TREE, SameSource, data_source_of, same_sources
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult

_SOURCES = {
    "ec2": "metadata service",
    "nocloud": "NoCloud disc",
    "ignition": "config over fw_cfg",
    "credentials": "SMBIOS tables",
}
_WHERE = {TREE: "in the tree", BUSY: "of processor time", SCRIPT: "until the script is finished"}


def source_of(result: VariantResult) -> str:
    """Where the variant's guests find their data, in words."""
    return _SOURCES.get(data_source_of(result), "metadata service")


def same_source_sentences(study: StudyResult) -> tuple[tuple[str, str], ...]:
    """What min-cloud-agent costs against cloud-init where both had their data from the same source."""
    return tuple(
        (
            f"Both with the same data source ({source_of(found.small)}).",
            f"{found.small.variant} against {found.large.variant}: {_differences(found)}.",
        )
        for found in same_sources(study)
    )


def _differences(found: SameSource) -> str:
    return ", ".join(
        f"{quantity(abs(value), cost.unit)} {'less' if value < 0 else 'more'} {_WHERE[cost]}"
        for cost, value in found.differences
    )
