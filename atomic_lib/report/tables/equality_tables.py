"""Tables of two file systems compared: whether they are equal, or what changed from one build to the next."""

from collections.abc import Sequence
from dataclasses import replace

from atomic_lib.measure.build_changes import Change
from atomic_lib.measure.file_system_comparison import Comparison, Difference, label_types, shown
from atomic_lib.report.elements.blocks import Paragraph, Stack
from atomic_lib.report.elements.cells import Cell, missing, number, verdict
from atomic_lib.report.elements.table import Table
from atomic_lib.report.elements.values import plural
from atomic_lib.report.text import methods

SHOWN = 200
_TEXT_MOST = 120


def counts_table(comparison: Comparison, left: str, right: str) -> Table:
    """How many paths were compared, how many differ, and how many differences a rule explains; the names of both."""
    both, left_paths, right_paths = comparison.paths
    unexplained = len(comparison.unexplained)
    figures = (
        (f"paths of {left}", left_paths),
        (f"paths of {right}, as its deployment shows them" if comparison.right.outside else f"paths of {right}",
         right_paths),
        ("paths on both sides", both),
        ("of which equal in everything", comparison.equal_paths),
        ("differences", len(comparison.differences)),
        ("explained by a rule", len(comparison.differences) - unexplained),
    )  # fmt: skip
    rows = [(Cell(title), number(count, "count")) for title, count in figures]
    rows.append((Cell("unexplained"), verdict(unexplained == 0, str(unexplained))))
    sides = ((left, comparison.left), (right, comparison.right))
    notes = tuple(
        f"{plural(side.outside, 'path')} of the disk of {name} are outside its deployment: ostree's repository and the "
        "directories above the deployment."
        for name, side in sides
        if side.outside
    )
    records = tuple({"figure": title, "count": count} for title, count in (*figures, ("unexplained", unexplained)))
    caption = f"{left} and {right}: is it the same file system?"
    how = methods.FILE_SYSTEMS
    return Table(caption, ("", "count"), tuple(rows), records, notes, how, anchor="equality", fixed=True)


def explained_table(comparison: Comparison) -> Table:
    """The differences that each rule explains, with an example and the reason; unused rules are named."""
    used = [(rule, comparison.explained_by(rule)) for rule in comparison.rules]
    rows = tuple(
        (Cell(rule.rule), number(len(found), "count"), Cell(clipped(str(found[0]))), Cell(rule.reason))
        for rule, found in used
        if found
    )
    records = tuple(
        {"rule": rule.rule, **_record(difference), "reason": rule.reason}
        for rule, found in used
        for difference in found
    )
    unused = [rule.rule for rule in comparison.unused_rules]
    notes = (f"Unused rules: {', '.join(unused)}.",) if unused else ()
    header = ("rule", "differences", "first difference", "reason")
    return Table("Explained by the ostree model", header, rows, records, notes, empty="No rule explains a difference.")


def unexplained_table(comparison: Comparison, left: str = "left", right: str = "right") -> Table:
    """Each difference that no rule explains, by name."""
    found = comparison.unexplained
    rows = tuple((Cell(shown(one.path)), Cell(one.kind), _value(one.left), _value(one.right)) for one in found[:SHOWN])
    notes = (f"and {len(found) - SHOWN} more, all in the data of the table",) if len(found) > SHOWN else ()
    return Table(
        f"Unexplained: {plural(len(found), 'difference')}", ("path", "what", left, right), rows,
        tuple(map(_record, found)), notes, empty="None: a rule explains every difference.",
    )  # fmt: skip


def after_boot(comparison: Comparison | None, left: str, right: str) -> Stack:
    """The comparison after the first boot of both, or how to make it where there is none."""
    if comparison is None:
        return Stack((Paragraph("Not booted. Set boot to true (./workbook equality --boot) to boot both."),))
    tables = {
        "booted": replace(counts_table(comparison, left, right), caption="After the first boot: are they still equal?"),
        "booted-unexplained": unexplained_table(comparison, left, right),
        "booted-explained": replace(explained_table(comparison), caption="Explained, after the first boot"),
    }
    return Stack(tuple(replace(table, anchor=name, how=methods.FILE_SYSTEMS_BOOTED) for name, table in tables.items()))


def labels_table(comparison: Comparison, left: str, right: str) -> Table:
    """How many paths of each side have which SELinux type, where the numbers differ, and how many have no label."""
    before, after = label_types(comparison.left), label_types(comparison.right)
    differing = [one for one in comparison.differences if one.kind == "label"]
    rows = [
        (Cell("paths on both sides with another label"), missing(""), number(len(differing), "count")),
        (Cell("paths without a label"), number(before[""], "count"), number(after[""], "count")),
    ]
    names = sorted(name for name in {*before, *after} if name and before[name] != after[name])
    rows += [(Cell(name), number(before[name], "count"), number(after[name], "count")) for name in names]
    records = tuple({"type": name, left: before[name], right: after[name]} for name in sorted({*before, *after}))
    notes = ("SELinux types with the same count on both sides are left out here; the data of the table has them.",)
    return Table("Labels", ("", left, right), tuple(rows), records, notes, fixed=True)


def packages_changed_table(changes: Sequence[Change]) -> Table:
    """The packages that changed from one build to the next."""
    rows = tuple((Cell(one.name), _value(one.before), _value(one.after)) for one in changes)
    records = tuple({"package": one.name, "before": one.before, "after": one.after} for one in changes)
    caption = f"Packages: {plural(len(changes), 'change')}"
    return Table(
        caption, ("package", "before", "after"), rows, records, anchor="packages-changed",
        empty="The packages are the same.",
    )  # fmt: skip


def _record(difference: Difference) -> dict[str, object]:
    return {name: shown(value) for name, value in vars(difference).items()}


def _value(text: str) -> Cell:
    return Cell(clipped(shown(text))) if text else missing("none")


def clipped(text: str) -> str:
    """A text short enough for a cell."""
    return text if len(text) <= _TEXT_MOST else f"{text[: _TEXT_MOST - 1]}…"
