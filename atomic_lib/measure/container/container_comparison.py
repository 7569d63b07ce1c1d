"""A container image compared with the host that it is made for: packages, files, and the bytes that the host has.

Packages are compared by NEVRA and by the digests in both RPM databases; files by what they are in both trees.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.stage import Stage
from atomic_lib.compose.pulled.pulled_tree import checked_out
from atomic_lib.compose.rpm_database import DatabaseFile, packaged_files
from atomic_lib.compose.tree import Tree
from atomic_lib.compose.tree_access.links import Links
from atomic_lib.compose.tree_access.ownership import readable
from atomic_lib.compose.tree_access.tree_files import TreeFiles
from atomic_lib.compose.tree_access.walk import Entry
from atomic_lib.image.oci.container_image import ContainerImage
from atomic_lib.measure.container.container_figures import ContainerFigures, FileDifference, Place, PlacedPackage
from atomic_lib.measure.footprint import Footprint, Owned, measure_footprint
from atomic_lib.solve.lock import Lock, LockedPackage
from atomic_lib.tools.context import Context
from atomic_lib.tools.memory import in_memory
from atomic_lib.tools.sandbox import Tools

Packaged = Mapping[tuple[str, str], frozenset[str]]
"""The sha256 of files by the name of their package and path; several where several builds of the name have the path."""
_RESULT = "comparison.json"


@dataclass(frozen=True)
class ComparisonRequest:
    """A container image to compare with the tree of its host, and the locks of both."""

    image: ContainerImage
    tree: Tree
    container: Lock
    host: Lock


@dataclass(frozen=True)
class Sizes:
    """The packages of a comparison, and the files of the image that no package owns: all, and those of the host too."""

    packages: tuple[PlacedPackage, ...]
    unowned: Owned
    unowned_shared: Owned


def compare_with_host(request: ComparisonRequest, context: Context) -> ContainerFigures:
    """The comparison; made first if it is not in the store.

    Raises WorkbookError if the two RPM databases have different digests for a file of the same package.
    """
    text = (COMPARISON.get(request, context).path / _RESULT).read_text()
    return ContainerFigures.model_validate_json(text)


def _inputs(request: ComparisonRequest, _: Context) -> dict[str, object]:
    locks = [request.container.sha256, request.host.sha256]
    return {"image": request.image.key, "tree": request.tree.key, "locks": locks}


def _make(request: ComparisonRequest, context: Context, directory: Path) -> None:
    image, tree = request.image, request.tree
    shared = frozenset(one.name for one in request.container.packages) & {one.name for one in request.host.packages}
    packaged = of_packages(image.packaged(), shared)
    with _host_root(tree, context.tools, directory) as root:
        same = same_paths(image, tree, TreeFiles(root))
        require_one_database(packaged, of_packages(packaged_files(context.tools, root), shared))
        count, differences = compare_files(packaged, image, tree, TreeFiles(root))
    made = sizes(request, same)
    figures = ContainerFigures(
        name=image.name,
        key=image.key,
        digest=image.digest,
        archive_sha256=image.archive_sha256,
        archive_bytes=image.archive_bytes,
        layer_bytes=image.layer_bytes,
        same_files=count,
        differences=differences,
        deviations=tuple(readable(line) for line in image.deviations),
        packages=made.packages,
        unowned_bytes=made.unowned.bytes,
        unowned_files=made.unowned.files,
        unowned_shared_bytes=made.unowned_shared.bytes,
    )
    (directory / _RESULT).write_text(figures.model_dump_json())


COMPARISON = Stage(
    "container-comparison", _make, _inputs, title=lambda request: f"{request.image.name}: compare with the host"
)


@contextmanager
def _host_root(tree: Tree, tools: Tools, directory: Path) -> Iterator[Path]:
    """The files of a tree; those of a commit in memory, and without owners and labels."""
    if tree.commit is None:
        yield tree.root
        return
    with in_memory(directory / "host") as memory:
        yield checked_out(tools, tree.repo, tree.commit, memory)


def host_path(path: str, tree: Tree) -> str:
    """The path on the host, in its tree, of a path of a container image."""
    return f"/usr{path}" if tree.method == "ostree" and path.startswith("/etc/") else path


def same_paths(image: ContainerImage, tree: Tree, host: TreeFiles) -> frozenset[str]:
    """The paths of the image's files and links that the host has with the same content."""
    found, digests = set(), image.digests()
    on_host = {entry.path: entry for entry in tree.entries()}
    for entry in image.entries():
        other = on_host.get(host_path(entry.path, tree))
        if other is None or (other.type, other.size_bytes) != (entry.type, entry.size_bytes):
            continue
        is_link = entry.type == "link" and entry.target == other.target
        if is_link or (entry.type == "file" and host.sha256(other.path.lstrip("/")) == digests[entry.path]):
            found.add(entry.path)
    return frozenset(found)


def of_packages(database: Mapping[str, Sequence[DatabaseFile]], names: frozenset[str]) -> Packaged:
    """The digests of each file of the packages ``names``."""
    found = defaultdict(set)
    for path, rows in database.items():
        for row in rows:
            if row.package in names:
                found[row.package, path].add(row.sha256)
    return {key: frozenset(digests) for key, digests in found.items()}


def require_one_database(container: Packaged, host: Packaged) -> None:
    """Raise WorkbookError naming a file of which the container's RPM database has a digest that the host's has not."""
    others = [key for key, digests in sorted(container.items()) if key in host and not digests <= host[key]]
    if others:
        package, path = others[0]
        raise WorkbookError(
            f"{package}: {readable(path)}: the RPM databases of the container and of the host have different digests "
            f"({len(others)} files differ)",
            hint="./workbook clean builds, then run again",
        )


def compare_files(
    packaged: Packaged, image: ContainerImage, tree: Tree, host: TreeFiles
) -> tuple[int, tuple[FileDifference, ...]]:
    """How many packaged files are the same in both, and those that are not."""
    digests, entries = image.digests(), image.entries()
    links = Links({entry.path: entry.target for entry in entries if entry.type == "link"})
    same, different = 0, []
    for (package, path), of_package in sorted(packaged.items()):
        real = links.real(path)
        place = host_path(real, tree).lstrip("/")
        on_host = host.sha256(place) if host.has_file(place) else None
        if digests.get(real) == on_host:  # both may have lost it
            same += on_host is not None
            continue
        reason = why_different(of_package, digests.get(real), on_host)
        different.append(FileDifference(path=readable(path), package=package, reason=reason))
    return same, tuple(different)


def why_different(packaged: frozenset[str], container: str | None, host: str | None) -> str:
    """Why a file is not the same in both, by the digests of the package and of both files; None: not there."""
    if container is None:
        return "only on the host"
    if host is None:
        return "only in the container"
    if packaged & {container, host}:
        return "changed on the host" if container in packaged else "changed in the container"
    return "changed in both"


def sizes(request: ComparisonRequest, same: frozenset[str]) -> Sizes:
    """The packages with their sizes, and the files of the image that no package owns; ``same``: as ``same_paths``."""
    image, tree = request.image, request.tree
    names = [package.name for package in request.container.packages]
    entries, owners = image.entries(), image.owners()
    whole = measure_footprint(entries, owners, names)
    # links of directories lead to the paths that packages name
    kept = [entry for entry in entries if entry.type == "directory" or entry.path in same]
    on_host = measure_footprint(kept, owners, names)
    host = measure_footprint(tree.entries(), tree.owners(), (package.name for package in request.host.packages))
    packages = tuple(_placed(request, whole, on_host, host))
    return Sizes(packages, _unowned(whole.unowned), _unowned(on_host.unowned))


def _unowned(entries: tuple[Entry, ...]) -> Owned:
    return sum((Owned(entry.size_bytes, 1) for entry in entries), Owned())


def _placed(
    request: ComparisonRequest, whole: Footprint, on_host: Footprint, host: Footprint
) -> Iterator[PlacedPackage]:
    """Every package of both locks; of several builds of one name, the first has the files of all."""
    of_container, of_host = (
        {(package.nevra, package.sha256): package for package in lock.packages}
        for lock in (request.container, request.host)
    )
    counted: set[str] = set()
    for key, package in of_container.items():
        place: Place = "shared" if key in of_host else "container"
        first = package.name not in counted
        counted.add(package.name)
        size, shared = (one.packages[package.name] if first else Owned() for one in (whole, on_host))
        yield _package(package, place, size, shared.bytes)
    for key, package in of_host.items():
        if key not in of_container:
            size = Owned() if package.name in counted else host.packages[package.name]
            counted.add(package.name)
            yield _package(package, "host", size, 0)


def _package(package: LockedPackage, place: Place, size: Owned, shared_bytes: int) -> PlacedPackage:
    return PlacedPackage(
        name=package.name, epoch=package.epoch, version=package.version, release=package.release, arch=package.arch,
        vendor=package.vendor, place=place, bytes=size.bytes, files=size.files, shared_bytes=shared_bytes,
    )  # fmt: skip
