"""A chain of versions of a host, and what each update costs: as layers, as loose objects, and at least."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from atomic_lib.base.errors import WorkbookError
from atomic_lib.content.rebuilt_rpms import Rebuild, rebuilt_rpms
from atomic_lib.guest.layers.layer_update import LayerUpdate, LayerVersions, layer_update
from atomic_lib.guest.layers.object_chain import ObjectUpdate, ObjectVersions, object_updates
from atomic_lib.image.oci.host_image import HostImage, layers_made_again
from atomic_lib.image.oci.layout import components_in
from atomic_lib.params.variant import variant_from
from atomic_lib.pipeline.build import Build, open_build
from atomic_lib.pipeline.failures import require_none
from atomic_lib.pipeline.layers.built_image import image_of
from atomic_lib.pipeline.layers.rebuildable_packages import rebuildable_packages
from atomic_lib.pipeline.update.variant_update import version_of
from atomic_lib.report.elements.blocks import Paragraph
from atomic_lib.report.elements.values import plural


@dataclass(frozen=True)
class ImageLayer:
    """A layer of an image; ``components``: the packages or other parts that it is made of."""

    components: tuple[str, ...]
    size_bytes: int


@dataclass(frozen=True)
class ChainStep:
    """The update to one version; ``rebuilt``: the packages that it brings."""

    version: str
    rebuilt: tuple[str, ...]
    layers: LayerUpdate
    objects: ObjectUpdate
    changed: tuple[ImageLayer, ...]


@dataclass(frozen=True)
class VersionChain:
    """Version 1 of a variant, and ``count`` versions in all. The first access to a stage makes it.

    Each version has the packages of the one before, of which some are rebuilt: ``packages`` of them, which ``seed``
    draws; none is drawn twice. All else is the same.
    """

    first: Build
    count: int
    packages: int
    seed: int

    @cached_property
    def drawn(self) -> tuple[tuple[str, ...], ...]:
        """The packages that each version but the first rebuilds.

        Raises WorkbookError if there are too few.
        """
        names = rebuildable_packages(self.first.context.tools, self.first.rpm_set)
        needed = self.packages * (self.count - 1)
        if needed > len(names):
            raise WorkbookError(
                f"{self.first.variant.variant}: {needed} packages are to be rebuilt, and only {len(names)} can be",
                hint="fewer --packages, or fewer --versions",
            )
        sample = random.Random(self.seed).sample(names, needed)
        return tuple(tuple(sorted(sample[at : at + self.packages])) for at in range(0, needed, self.packages))

    @cached_property
    def builds(self) -> tuple[Build, ...]:
        """The builds of all versions."""
        later = (self._later(number) for number in range(2, self.count + 1))
        return (self.first, *later)

    @cached_property
    def images(self) -> tuple[HostImage, ...]:
        """The images of all versions, each with the packages grouped as in the one before."""
        images = [image_of(self.first)]
        for build in self.builds[1:]:
            images.append(image_of(build, images[-1]))
        return tuple(images)

    @cached_property
    def steps(self) -> tuple[ChainStep, ...]:
        """The updates, in their order."""
        context, versions = self.first.context, tuple(version_of(build) for build in self.builds)
        objects = object_updates(ObjectVersions(self.first.variant.variant, versions), context)
        pairs = zip(pairwise(self.images), self.drawn, objects, strict=True)
        return tuple(
            ChainStep(
                after.request.version, rebuilt, layer_update(LayerVersions(before, after), context), update,
                changed_layers(before, after),
            )
            for (before, after), rebuilt, update in pairs
        )  # fmt: skip

    @property
    def layers(self) -> tuple[ImageLayer, ...]:
        """The layers of version 1, in their order."""
        return tuple(ImageLayer(components_in(one), one["size"]) for one in self.images[0].manifest["layers"])

    @cached_property
    def made_again(self) -> tuple[bool, ...]:
        """For each layer of version 1, whether it is the same if it is made once more."""
        again, first = layers_made_again(self.images[0], self.first.context), self.images[0].layers
        return tuple(one == other for one, other in zip(again, first, strict=True))

    def _later(self, number: int) -> Build:
        """The build of a version, with all that was rebuilt until then."""
        names = {name for group in self.drawn[: number - 1] for name in group}
        rpms = self.first.rpm_set
        files = (rpms.directory / package.file_name for package in rpms.lock.packages if package.name in names)
        directory = rebuilt_rpms(tuple(Rebuild(file, programs=True) for file in files), self.first.context)
        own = {"version": str(number), "local_rpms": str(directory), "local_rpms_trusted": True}
        return Build(variant_from({**self.first.variant.model_dump(), **own}), self.first.context)


def changed_layers(before: HostImage, after: HostImage) -> tuple[ImageLayer, ...]:
    """The new layers of an image, the largest first."""
    new = (layer for layer in after.manifest["layers"] if layer["digest"] not in before.layers)
    changed = (ImageLayer(components_in(layer), layer["size"]) for layer in new)
    return tuple(sorted(changed, key=lambda one: (-one.size_bytes, one.components)))


def open_chain(variant: str, versions: int, packages: int, seed: int) -> VersionChain:
    """The chain of a variant of ``params/variants``.

    Raises WorkbookError for fewer than two versions or one package, for a variant that has no commits of a treefile or
    RPMs of the user's own, and as ``open_build`` does.
    """
    if versions < 2 or packages < 1:
        raise WorkbookError(
            f"{versions} versions with {packages} packages: nothing would be updated",
            hint="at least 2 --versions and 1 of --packages",
        )
    first = open_build(variant)
    if first.variant.method != "ostree" or first.whole_recipe.ostree_source:
        raise WorkbookError(f"{variant}: has no commit of a treefile", hint="name an ostree variant: atomic-min")
    if first.variant.local_rpms:
        raise WorkbookError(
            f"{variant}: local_rpms: later versions have RPMs of their own in their place", hint="leave it empty"
        )
    return VersionChain(first, versions, packages, seed)


def require_layers(chain: VersionChain) -> Paragraph:
    """The verdict as a sentence; raises WorkbookError naming what was not as predicted, or not made the same again."""
    name = chain.first.variant.variant
    require_none(_problems(chain), f"{name}: not as predicted")
    layers = sum(step.layers.measured.bytes for step in chain.steps)
    least = sum(step.layers.least_bytes for step in chain.steps)
    return Paragraph(
        f"{name}: {plural(len(chain.steps), 'update')} pulled {layers:,} bytes of layers, "
        f"{layers / least:.2f} times the least possible; all {len(chain.made_again)} layers of version 1 are the same "
        "if they are made again."
    )


def _problems(chain: VersionChain) -> Iterator[str]:
    differing = chain.made_again.count(False)
    if differing:
        yield f"{plural(differing, 'layer')} of version 1 differ if they are made again"
    for step in chain.steps:
        updates: tuple[tuple[str, LayerUpdate | ObjectUpdate], ...] = (
            ("layers", step.layers), ("loose objects", step.objects),
        )  # fmt: skip
        yield from (
            f"version {step.version}: {title}: {one.measured.bytes} bytes, {one.predicted.bytes} predicted"
            for title, one in updates
            if not one.same_files or one.measured != one.predicted
        )
