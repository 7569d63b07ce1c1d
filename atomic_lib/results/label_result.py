"""The check of an image's labels as it is kept in a result, and as rows."""

from atomic_lib.measure.labels import Labels as LabelCheck
from atomic_lib.measure.ownership import readable
from atomic_lib.results.variant_result import ExplainedLabels, Labels, VariantResult, WrongLabel

_WRONG_NAMED = 500
"""How many paths with a wrong label are named: an image without any labels has tens of thousands."""


LABEL_FIELDS = ("variant", "verdict", "exception", "paths", "path", "label", "wanted", "reason")


def labels_result(check: LabelCheck) -> Labels:
    """The check of an image's labels as it is kept in a result."""
    explained = []
    for name, reason in check.reasons.items():
        paths = [one.path for one in check.findings if one.exception == name]
        if paths:
            example = readable(paths[0])
            explained.append(ExplainedLabels(exception=name, reason=reason, paths=len(paths), example=example))
    wrong = [WrongLabel(path=readable(one.path), label=one.label, wanted=one.wanted) for one in check.wrong]
    return Labels(
        policy=check.policy,
        checked=check.checked,
        right=check.right,
        unlabelled=len(check.unlabelled),
        unknown=len(check.unknown),
        explained=tuple(explained),
        wrong_paths=len(wrong),
        wrong=tuple(wrong[:_WRONG_NAMED]),
    )


def label_rows(result: VariantResult) -> tuple[tuple[str, str, int, str, str, str, str], ...]:
    """One row for what is right, for each exception (``path`` is an example), and for each wrong path."""
    labels = result.labels
    if labels is None:
        return ()
    return (
        ("right", "", labels.right, "", "", "", ""),
        *(("explained", one.exception, one.paths, one.example, "", "", one.reason) for one in labels.explained),
        *(("wrong", "", 1, one.path, one.label, one.wanted, "") for one in labels.wrong),
    )
