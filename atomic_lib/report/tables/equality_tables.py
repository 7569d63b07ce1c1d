"""Tables of two file systems held against each other: as a proof of equality, or as the way to the next release."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from atomic_lib.formats.disk.attributes import LABEL
from atomic_lib.formats.disk.file_system import FileSystem
from atomic_lib.measure.build_changes import PackageChange
from atomic_lib.measure.comparison import Comparison, Difference, shown
from atomic_lib.report.page.elements import Cell, Paragraph, Stack, Table, missing, number, plural, verdict

HOW = (
    "Read from the finished disk images, unmounted; of an ostree image its deployment with its /var and /boot. "
    "Compared are path, type, mode, owner and group by number and name, size, sha256 of the content, link target, "
    "hard links, device numbers, SELinux label, capabilities and other attributes; times are not."
)
BOOTED_HOW = (
    "Each image booted once through BIOS, provisioned by a metadata service as in a cloud, left until systemd had "
    "settled, shut down in order; then its disk was read, unmounted. Compared is what a machine writes to: /etc, /var, "
    "what links into /var, and what declares it; of each path what is compared of the images."
)
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
        ("of them the same in everything", comparison.equal_paths),
        ("differences", len(comparison.differences)),
        ("explained by a rule", len(comparison.differences) - unexplained),
    )  # fmt: skip
    rows = [(Cell(title), number(count, "count")) for title, count in figures]
    rows.append((Cell("unexplained"), verdict(unexplained == 0, str(unexplained))))
    notes = [f"{plural(side.outside, 'path')} of the disk of {name} are outside its deployment: ostree's repository "
             f"and what is above the deployment." for name, side in ((left, comparison.left), (right, comparison.right))
             if side.outside]  # fmt: skip
    records = tuple({"figure": title, "count": count} for title, count in (*figures, ("unexplained", unexplained)))
    return Table(
        f"{left} and {right}: is it the same file system?", ("", "count"), tuple(rows), records, tuple(notes), HOW,
        anchor="equality", fixed=True,
    )  # fmt: skip


def explained_table(comparison: Comparison) -> Table:
    """What each rule explains, with an example and its reason; rules that explain nothing are named."""
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
    notes = (f"Rules that explain nothing here: {', '.join(unused)}.",) if unused else ()
    header = ("rule", "differences", "the first one", "reason")
    return Table("Explained by the ostree model", header, rows, records, notes, empty="No rule explains anything.")


def unexplained_table(comparison: Comparison, left: str = "left", right: str = "right") -> Table:
    """Each difference that no rule explains, by name."""
    found = comparison.unexplained
    rows = tuple((Cell(shown(one.path)), Cell(one.kind), _value(one.left), _value(one.right)) for one in found[:SHOWN])
    notes = (f"and {len(found) - SHOWN} more, all in the table's data",) if len(found) > SHOWN else ()
    return Table(
        f"Unexplained: {plural(len(found), 'difference')}", ("path", "what", left, right), rows,
        tuple(map(_record, found)), notes, empty="Nothing: every difference has its reason.",
    )  # fmt: skip


def after_boot(comparison: Comparison | None, left: str, right: str) -> Stack:
    """The comparison after the first boot of both, or what would make it where there is none."""
    if comparison is None:
        return Stack((Paragraph("Not booted. With boot set to true (./workbook equality --boot) both are."),))
    tables = {
        "booted": replace(counts_table(comparison, left, right), caption="After the first boot: is it still the same?"),
        "booted-unexplained": unexplained_table(comparison, left, right),
        "booted-explained": replace(explained_table(comparison), caption="Explained, after the first boot"),
    }
    return Stack(tuple(replace(table, anchor=name, how=BOOTED_HOW) for name, table in tables.items()))


def labels_table(comparison: Comparison, left: str, right: str) -> Table:
    """How many paths of each side have which SELinux type, where the numbers differ, and how many have no label."""
    before, after = _types(comparison.left), _types(comparison.right)
    differing = [one for one in comparison.differences if one.kind == "label"]
    rows = [
        (Cell("paths on both sides with another label"), missing(""), number(len(differing), "count")),
        (Cell("paths without a label"), number(before[""], "count"), number(after[""], "count")),
    ]
    names = sorted(name for name in {*before, *after} if name and before[name] != after[name])
    rows += [(Cell(name), number(before[name], "count"), number(after[name], "count")) for name in names]
    records = tuple({"type": name, left: before[name], right: after[name]} for name in sorted({*before, *after}))
    notes = ("SELinux types that as many paths have on both sides are left out; the table's data has them.",)
    return Table("Labels", ("", left, right), tuple(rows), records, notes, fixed=True)


def packages_changed_table(changes: Sequence[PackageChange]) -> Table:
    """The packages that changed from one build to the next."""
    rows = tuple((Cell(one.name), _value(one.before), _value(one.after)) for one in changes)
    records = tuple({"package": one.name, "before": one.before, "after": one.after} for one in changes)
    caption = f"Packages: {plural(len(changes), 'change')}"
    return Table(
        caption, ("package", "before", "after"), rows, records, anchor="packages-changed",
        empty="The packages are the same.",
    )  # fmt: skip


def _types(side: FileSystem) -> Counter[str]:
    """How many paths have each SELinux type; the type of a path without a label is empty."""
    labels = [entry.attributes.get(LABEL, "") for entry in side.entries.values()]
    return Counter(label.split(":")[2] if label.count(":") > 2 else label for label in labels)


def _record(difference: Difference) -> dict[str, object]:
    return {name: shown(value) for name, value in vars(difference).items()}


def _value(text: str) -> Cell:
    return Cell(clipped(shown(text))) if text else missing("none")


def clipped(text: str) -> str:
    """A text short enough for a cell."""
    return text if len(text) <= _TEXT_MOST else f"{text[: _TEXT_MOST - 1]}…"
