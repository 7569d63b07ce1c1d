"""Some variants of a sweep, made: their packages installed, which checks the predicted bytes, or built and booted."""

import json
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from atomic_lib.base.errors import SetupError, WorkbookError
from atomic_lib.base.progress import say
from atomic_lib.base.run_lock import machine_lock
from atomic_lib.base.stage import Stage
from atomic_lib.compose.chroot import Installroot
from atomic_lib.compose.install import Installation, install
from atomic_lib.compose.rpm_database import DatabaseFile, file_owners, packaged_files
from atomic_lib.compose.tree import recipe_inputs
from atomic_lib.compose.tree_access.walk import Entry, walk_tree
from atomic_lib.content.repositories import Content
from atomic_lib.formats.rpm_headers import read_headers
from atomic_lib.guest.boot_record import BOOT_FILE
from atomic_lib.guest.boot_stages import COUNTED_BOOT, ImageBoot
from atomic_lib.guest.counted.counted_boot import read_counted_boot
from atomic_lib.measure.footprint import measure_footprint
from atomic_lib.params.sweep_file import SweepCell
from atomic_lib.pipeline.build import Build
from atomic_lib.pipeline.side_by_side.capacity import variants_at_once
from atomic_lib.pipeline.sweep.sweep_solving import SweepContent
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.results.sweep_result import BuiltVariant, SolvedVariant, SweepRow
from atomic_lib.solve.explain.without import reduced_recipe
from atomic_lib.tools.context import Context
from atomic_lib.tools.memory import in_memory


@dataclass(frozen=True)
class Amounts:
    """Of how many variants the packages are installed, and how many are built and booted; 0: of none."""

    compose: int = 0
    boot: int = 0


NOTHING_MADE = Amounts()


@dataclass(frozen=True)
class CellBuild(Build):
    """The build of a cell, from the sweep's own content, by the recipe that the solution left."""

    cell_recipe: Recipe
    cell_content: Content

    @cached_property
    def content(self) -> Content:
        """The content of all cells."""
        return self.cell_content

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe with the cell's choices."""
        return self.cell_recipe


def composed_names(rows: Sequence[SweepRow], count: int) -> list[str]:
    """The base, and more solved variants, drawn at random but always the same ones: ``count`` together, or all."""
    solved = [row.variant for row in rows if not row.solved.error]
    others = [name for name in solved if name != rows[0].variant]
    first = [name for name in solved[:1] if name == rows[0].variant][:count]
    return [*first, *random.Random(0).sample(others, min(count - len(first), len(others)))]


def booted_names(rows: Sequence[SweepRow], count: int) -> list[str]:
    """The base, and so many more solved variants, from the smallest to the largest at equal ranks of their bytes."""
    base = rows[0]
    solved = sorted(
        (row for row in rows[1:] if not row.solved.error), key=lambda row: (row.solved.installed_bytes, row.variant)
    )
    first = [] if base.solved.error else [base.variant][:count]
    wanted = min(count - len(first), len(solved))
    places = [round(place * (len(solved) - 1) / max(wanted - 1, 1)) for place in range(wanted)]
    return [*first, *(solved[place].variant for place in places)]


def with_built(
    rows: Sequence[SweepRow], build_of: Callable[[str], CellBuild], amounts: Amounts, evidence: Path
) -> tuple[SweepRow, ...]:
    """The rows, some of them with what was composed and booted; ``build_of``: the build of a variant, by its name.

    As many are made side by side as processors and memory allow: the figures do not depend on the load. A variant that
    cannot be made has its error in its row. Raises SetupError for a fault of the setup.
    """
    booted = booted_names(rows, amounts.boot)
    builds = {name: build_of(name) for name in dict.fromkeys((*composed_names(rows, amounts.compose), *booted))}

    def make(number: int, name: str) -> BuiltVariant:
        say(f"· {name}: {number} of {len(builds)} variants to compose{', and to boot' if name in booted else ''}")
        return _built(builds[name], evidence / name if name in booted else None)

    with ThreadPoolExecutor(variants_at_once([build.variant for build in builds.values()])) as side_by_side:
        made = dict(zip(builds, side_by_side.map(make, range(1, len(builds) + 1), builds), strict=True))
    return tuple(replace(row, built=made.get(row.variant)) for row in rows)


def cell_build(cell: SweepCell, content: SweepContent, solved: SolvedVariant, context: Context) -> CellBuild:
    """The build of a solved cell."""
    request = content.request(cell)
    recipe = reduced_recipe(request.recipe, request.excluded, solved.removed, ())
    return CellBuild(cell.variant.model_copy(update={"variant": cell.name}), context, recipe, content.content)


def _built(build: CellBuild, evidence: Path | None) -> BuiltVariant:
    built = BuiltVariant()
    try:
        installed = json.loads((INSTALLED.get(build, build.context).path / "installed.json").read_text())
        built = replace(built, **installed)
        if evidence is not None:
            built = replace(built, image_bytes=build.image.allocated_bytes)
            evidence.mkdir(parents=True, exist_ok=True)
            boot = ImageBoot(build.variant, build.recipe.selinux, build.image, evidence, None, 1)
            counted = read_counted_boot(COUNTED_BOOT.get(boot, build.context).path / BOOT_FILE)
            built = replace(built, boot_seconds=counted.busy_seconds)
    except SetupError:
        raise
    except WorkbookError as error:
        say(f"! {build.variant.variant}: {error.message}")
        built = replace(built, error=error.message)
    return built


def _inputs(build: CellBuild, _: Context) -> dict[str, object]:
    content = build.content
    return {
        "recipe": recipe_inputs(build.recipe),
        "lock": build.rpm_set.lock.sha256,
        "words": build.rpm_set.words,
        "content": [content.name, content.releasever, content.key_urls],
        "source_date_epoch": build.variant.source_date_epoch,
    }


def _install(build: CellBuild, context: Context, directory: Path) -> None:
    """Install the packages of a cell into a root in memory, and keep the bytes of all their files."""
    with machine_lock(context.cache, _title(build)), in_memory(directory / "composed") as composed:
        tree = Installroot(context.tools, composed / "root", build.variant.source_date_epoch)
        headers = read_headers(tree.tools, build.rpm_set.directory)
        installation = Installation(build.recipe, build.content, build.rpm_set, headers)
        install(tree, installation, context, name=build.variant.variant, log=directory / "install.log")
        entries = list(walk_tree(tree.root))
        footprint = measure_footprint(entries, file_owners(tree), build.package_names)
        changed_bytes = _changed_bytes(entries, packaged_files(tree.tools, tree.root))
    composed_bytes = sum(owned.bytes for owned in footprint.packages.values())
    installed = {"composed_bytes": composed_bytes, "changed_bytes": changed_bytes}
    (directory / "installed.json").write_text(json.dumps(installed))


def _changed_bytes(entries: Iterable[Entry], packaged: Mapping[str, Sequence[DatabaseFile]]) -> dict[str, int]:
    """By how much each file of one package is larger than the package has it, by path; where it has another size."""
    found = {}
    for entry in entries:
        of_path = packaged.get(entry.path, ())
        if len(of_path) == 1 and entry.size_bytes != of_path[0].size_bytes:
            found[entry.path] = entry.size_bytes - of_path[0].size_bytes
    return found


def _title(build: CellBuild) -> str:
    return f"{build.variant.variant}: install the packages and measure their files"


INSTALLED = Stage("installed-bytes", _install, _inputs, title=_title)
