"""``python -m benchmarks.relations``: dpkg's verdict on every relation of the suite against rpm's on its translation.

A relation (``foo (>= 1.0)``) is compared by the packages that meet it: for dpkg as Debian Policy, chapter 7, says, for
rpm as its manual on dependencies does. Versions are compared by the programs themselves: ``dpkg --compare-versions``
and rpm's ``rpm.vercmp``.
"""

import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.content.definition import DebianContent, load_definition
from atomic_lib.content.standin.control import DebianPackage, Relation, provide_tags
from atomic_lib.content.standin.debs import Apt, update_index
from atomic_lib.content.standin.versions import rpm_evr
from atomic_lib.tools.context import open_context
from atomic_lib.tools.sandbox import Bind, Tools
from atomic_lib.tools.user_namespace import enter, is_inside
from benchmarks.__main__ import measured_now
from benchmarks.docs import publish
from benchmarks.measured import Column, MeasuredTable, Source

Bound = tuple[str, str, str]
"""A version, an operator of Debian, and the version that it is compared with."""
Pair = tuple[str, str]
Dpkg = Callable[[Sequence[Bound]], Sequence[bool]]
"""Whether each bound holds, to dpkg."""
Rpm = Callable[[Sequence[Pair]], Sequence[int]]
"""-1, 0 or 1 for each pair: whether rpm takes the first version for older, equal or newer."""

_DPKG = """\
while read -r version operator bound; do
    dpkg --compare-versions "$version" "$operator" "$bound"
    echo $?
done
"""
_RPM = '%{lua: for line in io.lines("/mnt/pairs") do io.stdout:write(rpm.vercmp(line:match("(%S+) (%S+)")), "\\n") end}'
_HOLDS: Mapping[str, Callable[[int], bool]] = {
    "<<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    "=": lambda order: order == 0,
    ">=": lambda order: order >= 0,
    ">>": lambda order: order > 0,
}
_TO_RPM = {"<": "<<", "<=": "<=", "=": "=", ">=": ">=", ">": ">>"}


@dataclass(frozen=True)
class Comparison:
    """``relations``: different ones. ``bounds``: different versions that they set against those of packages.

    ``unlike``: the relations that dpkg and rpm take for met by other packages. ``unlike_as_written``: the bounds on
    which they disagree if versions are not encoded.
    """

    packages: int
    relations: int
    bounds: int
    unlike: tuple[Relation, ...]
    unlike_as_written: int

    def table(self, source: Source) -> MeasuredTable:
        """The figures as a table of the documentation."""
        return MeasuredTable(
            name="relations",
            caption="Relations of the whole suite, by the verdicts of dpkg and rpm",
            source=source,
            columns=(Column(title=""), Column(title="number", format="count")),
            rows=(
                ("packages", self.packages),
                ("different relations", self.relations),
                ("…on which dpkg and rpm disagree", len(self.unlike)),
                ("different bounds against versions of packages", self.bounds),
                ("…on which they disagree if the versions are as Debian writes them", self.unlike_as_written),
            ),
        )


def compare(packages: Sequence[DebianPackage], dpkg: Dpkg, rpm: Rpm) -> Comparison:
    """Compare all relations of the packages that become tags of RPMs; ``dpkg`` and ``rpm`` run these programs."""
    relations = sorted({relation for package in packages for relation in _relations(package)}, key=str)
    debian, rpms = _debian_versions(packages), _rpm_versions(packages)
    bounds = sorted(
        {
            (version, relation.operator, relation.version)
            for relation in relations
            for _, version in debian.get(relation.name, ())
            if relation.operator and version
        }
    )
    pairs = sorted(
        {
            (evr, wanted)
            for name, _, wanted in map(_capability, relations)
            for _, evr in rpms.get(name, ())
            if wanted and evr
        }
    )
    held, order = dict(zip(bounds, dpkg(bounds), strict=True)), dict(zip(pairs, rpm(pairs), strict=True))
    unlike = [
        relation
        for relation in relations
        if set(_met_by_debian(relation, debian, held)) != set(_met_by_rpm(relation, rpms, order))
    ]
    written = rpm([(rpm_evr(version), rpm_evr(bound)) for version, _, bound in bounds])
    wrong = [bound for bound, result in zip(bounds, written, strict=True) if _HOLDS[bound[1]](result) != held[bound]]
    return Comparison(len(packages), len(relations), len(bounds), tuple(unlike), len(wrong))


def _relations(package: DebianPackage) -> Iterator[Relation]:
    for group in (*package.requires, *package.recommends, package.conflicts):
        yield from group


Versions = Mapping[str, Sequence[tuple[str, str]]]
"""Who has a name, and in which version (empty: in none)."""


def _debian_versions(packages: Iterable[DebianPackage]) -> Versions:
    found: dict[str, list[tuple[str, str]]] = {}
    for package in packages:
        own = f"{package.name} {package.debian_version}"
        found.setdefault(package.name, []).append((own, package.debian_version))
        for relation in package.provides:
            found.setdefault(relation.name, []).append((own, relation.version))
    return found


def _rpm_versions(packages: Iterable[DebianPackage]) -> Versions:
    found: dict[str, list[tuple[str, str]]] = {}
    for package in packages:
        own = f"{package.name} {package.debian_version}"
        found.setdefault(package.name, []).append((own, rpm_evr(package.debian_version)))
        for tag in provide_tags(package):
            name, _, evr = tag.partition(" = ")
            found.setdefault(name, []).append((own, evr))
    return found


def _capability(relation: Relation) -> tuple[str, str, str]:
    """Name, Debian's operator and version of the relation as rpm has it; empty if it has no version."""
    name, *bound = relation.capability.split(" ")
    return (name, _TO_RPM[bound[0]], bound[1]) if bound else (name, "", "")


def _met_by_debian(relation: Relation, versions: Versions, held: Mapping[Bound, bool]) -> Iterator[str]:
    for package, version in versions.get(relation.name, ()) if not relation.architecture else ():
        if not relation.operator or (version and held[version, relation.operator, relation.version]):
            yield package


def _met_by_rpm(relation: Relation, versions: Versions, order: Mapping[Pair, int]) -> Iterator[str]:
    name, operator, wanted = _capability(relation)
    for package, evr in versions.get(name, ()):
        # to rpm, what is provided without a version meets every bound
        if not operator or not evr or _HOLDS[operator](order[evr, wanted]):
            yield package


def dpkg_verdicts(tools: Tools, bounds: Sequence[Bound]) -> list[bool]:
    """Whether each bound holds, to the tools tree's dpkg; raises WorkbookError for what it takes for no version."""
    lines = "".join(f"{' '.join(bound)}\n" for bound in bounds)
    statuses = tools.run(["sh", "-c", _DPKG], input=lines).stdout.split()
    wrong = [bound for bound, status in zip(bounds, statuses, strict=True) if status not in ("0", "1")]
    if wrong:
        raise WorkbookError(f"dpkg cannot compare {' '.join(wrong[0])}")
    return [status == "0" for status in statuses]


def rpm_order(tools: Tools, pairs: Sequence[Pair]) -> list[int]:
    """The order of each pair of versions, to the tools tree's rpm."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "pairs"
        file.write_text("".join(f"{one} {two}\n" for one, two in pairs))
        return [
            int(word) for word in tools.run(["rpm", "--eval", _RPM], binds=[Bind(file, "/mnt/pairs")]).stdout.split()
        ]


def main(arguments: Sequence[str]) -> int:
    """Compare the relations of stand-in content's suite; the exit status is 1 if dpkg and rpm disagree on one."""
    try:
        definition, context = load_definition("standin"), open_context()
        assert isinstance(definition, DebianContent)
        source = measured_now("`python -m benchmarks.relations`")
        apt = Apt(context.tools, definition, context.cache / "apt")
        with context.shared.locked("apt", "state"):
            update_index(apt)
            index = apt.read_index()
        packages = [index.package(file) for file in index.paragraphs]
        found = compare(
            packages,
            lambda bounds: dpkg_verdicts(context.tools, bounds),
            lambda pairs: rpm_order(context.tools, pairs),
        )
        print(found.table(source).markdown())
        for relation in found.unlike:
            print(f"{relation.name} ({relation.operator} {relation.version}): {relation.capability}")
        if "--docs" in arguments:
            publish([found.table(source)])
    except WorkbookError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 1 if found.unlike else 0


if __name__ == "__main__":
    if is_inside():
        sys.exit(main(sys.argv[1:]))
    enter([sys.executable, "-m", "benchmarks.relations", *sys.argv[1:]])
