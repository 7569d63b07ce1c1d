"""A build with its record: what a notebook does step by step, each step kept in ``result.json``."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import BUILD, CHECKOUT
from atomic_lib.base.privileges import require_root
from atomic_lib.base.progress import say
from atomic_lib.measure.build_changes import CHANGED_FILES
from atomic_lib.measure.classes import default_class_rules
from atomic_lib.params.study_file import chosen_variant
from atomic_lib.params.variant import Variant
from atomic_lib.pipeline.boots import Boots
from atomic_lib.pipeline.build import Build
from atomic_lib.results.files import VariantResult
from atomic_lib.results.history import changes_since, earlier_build
from atomic_lib.results.record import VariantRecord
from atomic_lib.results.verification import read_verification
from atomic_lib.solve.selection import matching
from atomic_lib.solve.without import Departure
from atomic_lib.tools.context import open_context
from atomic_lib.tools.tools_tree import tool_versions

_T = TypeVar("_T")


@dataclass(frozen=True)
class RecordedBuild:
    """One variant's build, its record in ``directory``. Each step returns the result as it stands after it.

    A step that fails raises WorkbookError, and the record says which stage failed and why.
    """

    build: Build
    directory: Path
    record: VariantRecord

    @property
    def variant(self) -> Variant:
        """The variant that is built."""
        return self.build.variant

    def resolve(self) -> VariantResult:
        """The packages, resolved or as the lock says; ``lock.json`` is put beside the result."""
        recipe = self._stage("recipe", lambda: self.build.recipe)
        self._stage("content", lambda: self.build.content)
        rpm_set = self._stage("resolve", lambda: self.build.rpm_set)
        shutil.copyfile(rpm_set.directory.parent / "lock.json", self.directory / "lock.json")
        tools = self.build.context.tools
        self.record.add_packages(recipe, rpm_set, tools.key, tool_versions(tools))
        return self.record.result

    def compose(self) -> VariantResult:
        """The composed tree and its footprint."""
        tree = self._stage("compose", lambda: self.build.tree)
        self.record.add_tree(self.build.rpm_set, tree)
        return self.record.result

    def explain(self) -> VariantResult:
        """Why each package of the composed tree is in it, and what would leave with each class that can."""
        self.record.add_reasons(self._stage("why", lambda: self.build.chains))
        for rule in default_class_rules().rules:
            names = matching(rule.choice, self.build.package_names)
            if names:
                self.record.add_departure(rule.name, rule.title, self._departure(names))
        return self.record.result

    def measure_image(self) -> VariantResult:
        """The disk image and its footprint; nothing for a variant that goes no further than its tree."""
        if self.variant.last_stage == "tree":
            self.record.finish()
            return self.record.result
        image = self._stage("image", lambda: self.build.image)
        footprint = self._stage("image-footprint", lambda: self.build.image_footprint)
        verified = read_verification(BUILD / "verify" / f"{self.variant.variant}.json")
        self.record.add_image(image, footprint, verified)
        if labels := self._stage("labels", lambda: self.build.labels):
            self.record.add_labels(labels)
        if self.variant.last_stage == "image":
            self.record.finish()
        return self.record.result

    def compare_with_earlier(self) -> VariantResult:
        """What changed since the variant's earlier build in ``build/runs``, if there is one."""
        result, context = self.record.result, self.build.context
        (self.directory / CHANGED_FILES).unlink(missing_ok=True)
        earlier = earlier_build(BUILD / "runs", self.directory.parent, result)
        lock = self.build.rpm_set.lock
        changes = changes_since(earlier, result, lock, self.directory, context) if earlier else None
        self.record.add_release(changes)
        return self.record.result

    def boot(self, new_boots: int) -> VariantResult:
        """The boots that the variant asks for: those already made, and at most ``new_boots`` made now.

        Counted ones come after all others. Raises WorkbookError when a guest never answers or
        fails its proof of life; the console log is then in ``directory``.
        """
        if self.variant.last_stage == "boot":
            self._stage("boot", lambda: self._boots.make(self.record, new_boots))
        return self.record.result

    @cached_property
    def _boots(self) -> Boots:
        build = self.build
        return Boots(self.variant, build.recipe.selinux, build.image, build.context, self.directory)

    def _departure(self, names: list[str]) -> Departure:
        return self._stage("what-leaves", lambda: self.build.without(names))

    def _stage(self, name: str, work: Callable[[], _T]) -> _T:
        try:
            return work()
        except WorkbookError as error:
            self.record.fail(name, error)
            raise


def open_recorded_build(values: Mapping[str, object], output_directory: str = "") -> RecordedBuild:
    """The build that a notebook's parameters choose; names in ``values`` that are no parameters are not looked at.

    ``variant`` names the file (or, with ``study``, the study's cell) that is loaded; other parameters
    are overrides of it, where they are not None. ``output_directory`` is relative to the checkout;
    empty: ``build/variants/VARIANT``.

    Raises WorkbookError before anything is written: a name without a file, a parameter that is wrong or
    contradicts the file, a user who is not root.
    """
    overrides = {name: values[name] for name in Variant.model_fields if values.get(name) is not None}
    variant = chosen_variant(str(overrides.pop("variant", "")), str(values.get("study") or ""), overrides)
    return record_build(variant, CHECKOUT / (output_directory or f"build/variants/{variant.variant}"))


def record_build(variant: Variant, directory: Path) -> RecordedBuild:
    """A build of ``variant`` with its record in ``directory``, which is made.

    Raises WorkbookError for a user who is not root, before anything is written, and what ``open_context`` raises.
    """
    require_root("./workbook run, or sudo ./workbook lab")
    directory.mkdir(parents=True, exist_ok=True)
    shown = directory.relative_to(CHECKOUT) if directory.is_relative_to(CHECKOUT) else directory
    say(f"{variant.variant}: results go to {shown}")
    record = VariantRecord(variant, directory, CHECKOUT)
    try:
        context = open_context()
    except WorkbookError as error:
        record.fail("tools", error)
        raise
    return RecordedBuild(Build(variant, context), directory, record)
