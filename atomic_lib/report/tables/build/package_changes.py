"""What left and what came in between the baseline and another variant, in packages and bytes.

The parts add up exactly to the difference of the two trees.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from atomic_lib.report.text import methods
from atomic_lib.measure.classes import default_class_rules
from atomic_lib.results.variant_result import PackageSize, StudyResult, VariantResult
from atomic_lib.report.page.elements import Cell, Details, Stack, Table, missing, plural, quantity, signed

NAMED = 8


@dataclass(frozen=True)
class Changes:
    """The way from the baseline's tree to a variant's.

    ``resized_bytes``: the difference of the packages that both have (other files kept, another
    version). ``unowned_bytes``: the difference of the files that no package owns.
    """

    left: tuple[PackageSize, ...]
    came_in: tuple[PackageSize, ...]
    resized: int
    resized_bytes: int
    unowned_bytes: int

    @property
    def total_bytes(self) -> int:
        """The difference of the two trees."""
        return _sum(self.came_in) - _sum(self.left) + self.resized_bytes + self.unowned_bytes


def changes_between(base: VariantResult, result: VariantResult) -> Changes | None:
    """The changes from ``base`` to ``result``; None where one of the trees was not measured."""
    if base.tree_bytes is None or result.tree_bytes is None or not base.packages or not result.packages:
        return None
    before, after = _bytes_by_name(base.packages), _bytes_by_name(result.packages)
    both = before.keys() & after.keys()
    return Changes(
        left=_largest_first(package for package in base.packages if package.name not in after),
        came_in=_largest_first(package for package in result.packages if package.name not in before),
        resized=sum(before[name] != after[name] for name in both),
        resized_bytes=sum(after[name] - before[name] for name in both),
        unowned_bytes=(result.tree_bytes - sum(after.values())) - (base.tree_bytes - sum(before.values())),
    )


def changes(study: StudyResult) -> Stack:
    """Where the difference to the baseline comes from, and which packages left and came in, by class."""
    base = study.variant(study.baseline)
    found = [(result, changes_between(base, result) if base else None) for result in study.others()]
    folded = [Details(f"{result.variant}: packages by class", _by_class(result, c)) for result, c in found if c]
    return Stack((_overview(study, found), *folded))


def _overview(study: StudyResult, found: Sequence[tuple[VariantResult, Changes | None]]) -> Table:
    kinds: tuple[tuple[str, Callable[[Changes], Cell]], ...] = (
        ("packages that left", lambda c: _counted(len(c.left), -_sum(c.left))),
        ("packages that came in", lambda c: _counted(len(c.came_in), _sum(c.came_in))),
        ("packages with another size", lambda c: _counted(c.resized, c.resized_bytes)),
        ("files that no package owns", lambda c: Cell(signed(c.unowned_bytes, "bytes"), kind="number")),
        ("whole tree", lambda c: Cell(signed(c.total_bytes, "bytes"), kind="number")),
    )
    rows = []
    for title, cell in kinds:
        rows.append((Cell(title), *(cell(c) if c else missing(_reason(study, result)) for result, c in found)))
    records = tuple(_record(result, c) for result, c in found if c)
    header = (f"against {study.baseline}", *(result.variant for result, _ in found))
    return Table(
        "Where the difference comes from",
        header,
        tuple(rows),
        records,
        (),
        methods.TREE,
        "packages.csv",
        feet=1,
        fixed=True,
    )


def _by_class(result: VariantResult, found: Changes) -> Table:
    rules = default_class_rules()
    names = sorted({package.class_ for package in (*found.left, *found.came_in)}, key=rules.order_of)
    rows = []
    for name in names:
        left = [package for package in found.left if package.class_ == name]
        came_in = [package for package in found.came_in if package.class_ == name]
        net_bytes = _sum(came_in) - _sum(left)
        net = Cell(signed(net_bytes, "bytes"), kind="number", value=net_bytes)
        rows.append((Cell(rules.title_of(name)), net, _named(left), _named(came_in)))
    records = tuple(
        {"change": change, **package.model_dump()}
        for change, packages in (("left", found.left), ("came in", found.came_in))
        for package in packages
    )
    return Table(
        f"What left and came in, {result.variant}", ("class", "sum", "left", "came in"), tuple(rows), records, (),
        methods.TREE, "packages.csv",
    )  # fmt: skip


def _named(packages: Sequence[PackageSize]) -> Cell:
    """The largest packages by name; the rest as a count."""
    if not packages:
        return Cell("nothing")
    text = ", ".join(f"{package.name} {quantity(package.bytes, 'bytes')}" for package in packages[:NAMED])
    rest = packages[NAMED:]
    return Cell(text, f"and {plural(len(rest), 'package')} more, {quantity(_sum(rest), 'bytes')}" if rest else "")


def _counted(count: int, size_bytes: int) -> Cell:
    return Cell(signed(size_bytes, "bytes"), plural(count, "package"), "number")


def _reason(study: StudyResult, result: VariantResult) -> str:
    return f"failed: {result.error.stage}" if result.error else f"no figures here or in {study.baseline}"


def _record(result: VariantResult, found: Changes) -> dict[str, object]:
    return {
        "variant": result.variant,
        "left": len(found.left),
        "left_bytes": _sum(found.left),
        "came_in": len(found.came_in),
        "came_in_bytes": _sum(found.came_in),
        "resized": found.resized,
        "resized_bytes": found.resized_bytes,
        "unowned_bytes": found.unowned_bytes,
        "total_bytes": found.total_bytes,
    }


def _bytes_by_name(packages: Iterable[PackageSize]) -> dict[str, int]:
    """Several packages of one name (two kernels, two architectures) count together."""
    sizes: dict[str, int] = {}
    for package in packages:
        sizes[package.name] = sizes.get(package.name, 0) + package.bytes
    return sizes


def _largest_first(packages: Iterable[PackageSize]) -> tuple[PackageSize, ...]:
    return tuple(sorted(packages, key=lambda package: (-package.bytes, package.name)))


def _sum(packages: Iterable[PackageSize]) -> int:
    return sum(package.bytes for package in packages)
