"""Tables of container images: what they share with their host, and what only one of the two has."""

from collections.abc import Mapping
from dataclasses import dataclass

from atomic_lib.measure.container.container_figures import ContainerFigures, Place
from atomic_lib.report.elements.blocks import Stack
from atomic_lib.report.elements.cells import Cell, missing, number, share
from atomic_lib.report.elements.table import Table, not_measured
from atomic_lib.report.elements.values import plural, quantity, version_of
from atomic_lib.report.text import methods
from atomic_lib.results.analysis.metrics import missing_reason
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult

_TITLES: Mapping[Place, str] = {
    "shared": "packages of both",
    "container": "packages of the container image only",
    "host": "packages of the host only",
}
_NO_CONTAINER = "the variant has no container image"


@dataclass(frozen=True)
class _Part:
    """A part of both: packages (None: files that no package owns), bytes and files, and the bytes that both have."""

    title: str
    packages: int | None
    files: int
    bytes: int
    shared_bytes: int | None


def container_image(result: VariantResult) -> Stack:
    """One variant: the tables of its container image."""
    return Stack((container_table(result), container_packages_table(result), container_files_table(result)))


def container_table(result: VariantResult) -> Table:
    """One variant: what its container image shares with the host."""
    made = result.container
    if made is None:
        return not_measured("Container image", missing_reason(result, _NO_CONTAINER))
    rows = tuple(
        (
            Cell(part.title),
            number(part.packages, "count", reason="not in a package"),
            number(part.files, "count"),
            number(part.bytes, "bytes"),
            number(part.shared_bytes, "bytes", reason="not in the image"),
            _shared_part(part),
        )
        for part in _parts(made)
    )
    notes = (
        f"{made.name}: manifest sha256:{made.digest}; layer (gzip) {quantity(made.layer_bytes, 'bytes')}, archive "
        f"{quantity(made.archive_bytes, 'bytes')}. {plural(made.same_files, 'file')} of packages of both "
        f"{'is' if made.same_files == 1 else 'are'} the same in both, {len(made.differences):,} not.",
    )
    records = tuple({"container": made.name, **vars(part)} for part in _parts(made))
    header = ("", "packages", "files", "bytes", "of these on the host already", "share")
    return Table(
        f"Container image: {made.name}", header, rows, records, notes, methods.CONTAINER,
        "../container_packages.csv", fixed=True,
    )  # fmt: skip


def container_packages_table(result: VariantResult) -> Table:
    """One variant: every package of its container image and of its host, and where it is."""
    made = result.container
    if made is None:
        return not_measured("Packages of the container image", missing_reason(result, _NO_CONTAINER))
    packages = sorted(made.packages, key=lambda one: (list(_TITLES).index(one.place), -one.bytes, one.name))
    rows = tuple(
        (
            Cell(package.name),
            Cell(_TITLES[package.place].removeprefix("packages of ")),
            number(package.bytes, "bytes"),
            number(package.shared_bytes, "bytes") if package.place != "host" else missing("not in the image"),
            number(package.files, "count"),
            Cell(version_of(package)),
        )
        for package in packages
    )
    header = ("package", "in", "bytes", "of these on the host already", "files", "version")
    return Table(
        f"Packages of {made.name} and of its host", header, rows, tuple(one.model_dump() for one in packages), (),
        methods.CONTAINER, "../container_packages.csv", "container-packages",
    )  # fmt: skip


def container_files_table(result: VariantResult) -> Table:
    """One variant: the files of packages of both that are not the same in both, and those unlike their package."""
    made = result.container
    if made is None:
        return not_measured("Files that differ", missing_reason(result, _NO_CONTAINER))
    rows = [(Cell(one.path), Cell(one.package), Cell(one.reason)) for one in made.differences]
    rows += [(Cell(line.split(maxsplit=1)[-1]), Cell(""), Cell(f"rpm --verify: {line}")) for line in made.deviations]
    records = tuple(one.model_dump() for one in made.differences)
    return Table(
        f"Files that differ between {made.name} and its host, or from their package", ("file", "package", "why"),
        tuple(rows), records, (), methods.CONTAINER, "../container_files.csv", "container-files",
        empty="None: every file is the same in both, and as its package has it.",
    )  # fmt: skip


def containers(study: StudyResult) -> Table:
    """The container image of every variant that has one: its bytes, and those that its host has already."""
    made = {result.variant: result.container for result in study.variants if result.container}
    if not made:
        return not_measured("Container images", _NO_CONTAINER)
    parts = {variant: _parts(figures) for variant, figures in made.items()}
    titles = [part.title for part in next(iter(parts.values()))]
    rows = tuple(
        (Cell(title), *(_part_cell(of_variant[place]) for of_variant in parts.values()))
        for place, title in enumerate(titles)
    )
    layers = (Cell("layer, compressed"), *(number(one.layer_bytes, "bytes") for one in made.values()))
    records = tuple({"variant": name, **vars(part)} for name, of_variant in parts.items() for part in of_variant)
    header = ("", *(f"{variant}: {figures.name}" for variant, figures in made.items()))
    return Table(
        "Container images", header, (*rows, layers), records, (), methods.CONTAINER, "container_packages.csv",
        fixed=True,
    )  # fmt: skip


def _parts(made: ContainerFigures) -> list[_Part]:
    parts = []
    for place, title in _TITLES.items():
        of_place = [package for package in made.packages if package.place == place]
        files, size = sum(one.files for one in of_place), sum(one.bytes for one in of_place)
        shared = None if place == "host" else sum(one.shared_bytes for one in of_place)
        parts.append(_Part(title, len(of_place), files, size, shared))
    unowned = _Part("files of the image that no package owns", None, made.unowned_files, made.unowned_bytes,
                    made.unowned_shared_bytes)  # fmt: skip
    of_image = [*parts[:2], unowned]
    whole = _Part(
        "whole image",
        sum(part.packages or 0 for part in of_image),
        sum(part.files for part in of_image),
        sum(part.bytes for part in of_image),
        sum(part.shared_bytes or 0 for part in of_image),
    )
    return [*parts, unowned, whole]


def _part_cell(part: _Part) -> Cell:
    count = "" if part.packages is None else plural(part.packages, "package")
    shared = "" if part.shared_bytes is None else f"{quantity(part.shared_bytes, 'bytes')} on the host already"
    return number(part.bytes, "bytes", note="; ".join(text for text in (count, shared) if text))


def _shared_part(part: _Part) -> Cell:
    if part.shared_bytes is None:
        return missing("not in the image")
    return share(part.shared_bytes, part.bytes) if part.bytes else missing("there are none")
