"""What a notebook or a driver works with: the tools tree, the store, and one call for each stage."""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import BUILD, CHECKOUT, cache_directory
from atomic_lib.base.progress import say
from atomic_lib.base.store import Store
from atomic_lib.compose.tree import Tree, compose_tree
from atomic_lib.content.repositories import Content, open_content
from atomic_lib.guest.boot_record import Boot, StoredBoot
from atomic_lib.guest.counted.counted_boot import CountedBoot
from atomic_lib.image.disk import Image, build_image
from atomic_lib.measure.build_changes import CHANGED_FILES
from atomic_lib.measure.classes import default_class_rules
from atomic_lib.measure.image_footprint import image_footprint
from atomic_lib.measure.labels import image_labels
from atomic_lib.params.variant import Variant, variant_from
from atomic_lib.pipeline.boots import Boots, wanted_boots
from atomic_lib.pipeline.questions import OpenVariant
from atomic_lib.recipe.load import load_recipe
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.results.history import changes_since, earlier_build
from atomic_lib.results.record import VariantRecord
from atomic_lib.results.verification import read_verification
from atomic_lib.solve.lock import read_lock
from atomic_lib.solve.resolve import RpmSet, resolve_rpm_set
from atomic_lib.solve.why import shortest_chains
from atomic_lib.solve.without import matching
from atomic_lib.tools.tools_tree import Tools, open_tools, tool_versions

_T = TypeVar("_T")


@dataclass(frozen=True)
class Workbench:
    """One variant at work: its stages in order, each result kept in the store, the record in ``directory``."""

    variant: Variant
    directory: Path
    cache: Path
    store: Store

    @cached_property
    def tools(self) -> Tools:
        """The tools tree, made first if need be."""
        return self._stage("tools", lambda: open_tools(self.cache))

    @cached_property
    def recipe(self) -> Recipe:
        """The variant's recipe."""
        return self._stage("recipe", lambda: load_recipe(self.variant))

    @cached_property
    def content(self) -> Content:
        """Where the variant's packages come from."""
        return self._stage("content", lambda: open_content(self.variant.content, self.tools, self.cache))

    @cached_property
    def record(self) -> VariantRecord:
        """What is known of the variant so far, written as ``result.json`` after each stage."""
        return VariantRecord(self.variant, self.directory, CHECKOUT)

    def resolve(self) -> RpmSet:
        """The packages, resolved or as the lock says; ``lock.json`` is put beside the result."""
        lock = CHECKOUT / self.variant.lock if self.variant.lock else None
        recipe, content = self.recipe, self.content  # before the stage: each is one of its own
        rpm_set = self._stage(
            "resolve",
            lambda: resolve_rpm_set(
                recipe, content, self.tools, self.cache, self.store, name=self.variant.variant, lock_file=lock
            ),
        )
        shutil.copyfile(rpm_set.directory.parent / "lock.json", self.directory / "lock.json")
        self.record.add_packages(self.recipe, rpm_set, self.tools.key, tool_versions(self.tools))
        return rpm_set

    def compose(self, rpm_set: RpmSet) -> Tree:
        """The composed tree and its footprint."""
        tree = self._stage(
            "compose",
            lambda: compose_tree(self.variant, self.recipe, self.content, rpm_set, self.tools, self.store),
        )
        self.record.add_tree(rpm_set, tree)
        return tree

    def explain(self, rpm_set: RpmSet) -> OpenVariant:
        """Why each package of the composed tree is in it, and what would leave with each class that can."""
        asked = OpenVariant(self.variant, self.recipe, self.content, rpm_set, self.tools, self.store)
        chains = self._stage("why", lambda: shortest_chains(asked.graph, asked.entries))
        self.record.add_reasons(chains)
        for rule in default_class_rules().rules:
            names = sorted(matching(rule.choice, (package.name for package in rpm_set.lock.packages)))
            if names:
                departure = self._stage("what-leaves", partial(asked.without, names))
                self.record.add_departure(rule.name, rule.title, departure)
        return asked

    def build(self, tree: Tree) -> Image | None:
        """The disk image; None for a variant that goes no further than its tree."""
        if self.variant.last_stage == "tree":
            self.record.finish()
            return None
        image = self._stage(
            "image",
            lambda: build_image(self.variant, self.recipe, self.content, tree, self.tools, self.store),
        )
        names = [package.name for package in self.record.result.packages]
        footprint = self._stage("image-footprint", lambda: image_footprint(image, tree, names, self.store))
        verified = read_verification(BUILD / "verify" / f"{self.variant.variant}.json")
        self.record.add_image(image, footprint, verified)
        if self.recipe.selinux != "disabled":
            self.record.add_labels(self._stage("labels", lambda: image_labels(image, self.tools, self.store)))
        if self.variant.last_stage == "image":
            self.record.finish()
        return image

    def compare_with_earlier(self) -> None:
        """What changed since the variant's earlier build in ``build/runs``, if there is one, for the record."""
        result = self.record.result
        (self.directory / CHANGED_FILES).unlink(missing_ok=True)
        earlier = earlier_build(BUILD / "runs", self.directory.parent, result)
        lock = read_lock(self.directory / "lock.json")
        self.record.add_release(changes_since(earlier, result, lock, self.directory, self.store) if earlier else None)

    def boot(self, image: Image | None, *, new_boots: int) -> Sequence[Boot | CountedBoot]:
        """The boots that the variant asks for: those already made, and at most ``new_boots`` made now.

        Counted ones come after all others. Raises WorkbookError when a guest never answers or
        fails its proof of life; the console log is then in ``directory``.
        """
        if image is None or self.variant.last_stage != "boot":
            return []
        boots = Boots(self.variant, self.recipe.selinux, image, self.tools, self.store, self.directory, CHECKOUT)
        timed: list[StoredBoot] = []
        counted: list[CountedBoot] = []
        missing = 0
        for wanted in wanted_boots(self.variant):
            try:
                made = self._stage("boot", partial(boots.get_or_make, wanted, may_make=new_boots > 0))
            except WorkbookError:
                # what was measured stays in the record, also of the boot that failed its proof of life
                timed.extend(boots.failed(wanted))
                self.record.add_boots(timed, counted, None)
                raise
            if made is None:
                missing += 1
                continue
            new_boots -= not made.reused
            if wanted.firmware:
                timed.append(boots.timed(made, wanted))
            else:
                counted.append(boots.counted(made, wanted))
        self.record.add_boots(timed, counted, missing)
        return [*(stored.boot for stored in timed), *counted]

    def _stage(self, name: str, work: Callable[[], _T]) -> _T:
        try:
            return work()
        except WorkbookError as error:
            self.record.fail(name, error)
            raise


def open_workbench(values: Mapping[str, Any], output_directory: str) -> Workbench:
    """A workbench for the variant that ``values`` describes; other names in ``values`` are not looked at.

    ``output_directory`` is relative to the checkout; empty: ``build/variants/VARIANT``.

    Raises WorkbookError naming the parameter that is wrong, or for a user who is not root.
    """
    known = {name: values[name] for name in Variant.model_fields if name in values}
    variant = variant_from(known, f"parameters of {known.get('variant', 'the variant')}")
    if os.geteuid() != 0:
        raise WorkbookError(
            "composing needs root: owners, device nodes and labels of another system are written",
            hint="sudo ./workbook run, or sudo ./workbook lab",
        )
    output_directory = output_directory or f"build/variants/{variant.variant}"
    directory = CHECKOUT / output_directory
    directory.mkdir(parents=True, exist_ok=True)
    say(f"{variant.variant}: results go to {output_directory}")
    return Workbench(variant, directory, cache_directory(), Store(BUILD / "store"))
