"""A build with its record: the steps of the variant notebook, each recorded in ``result.json``."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import BUILD, CHECKOUT
from atomic_lib.base.progress import NOTED, passed, say
from atomic_lib.measure.build_changes import CHANGED_FILES
from atomic_lib.measure.classes import default_class_rules
from atomic_lib.measure.guards.image_guards import require_no_private_key
from atomic_lib.params.study_file import chosen_variant
from atomic_lib.params.variant import Variant
from atomic_lib.pipeline.boots import Boots
from atomic_lib.pipeline.build import Build
from atomic_lib.results.history.database import HISTORY_FILE, read_history
from atomic_lib.results.history.previous_builds import changes_since, previous_build
from atomic_lib.results.record import VariantRecord, without_paths
from atomic_lib.results.sbom.sbom_document import write_sbom
from atomic_lib.results.variant_result import VariantResult
from atomic_lib.results.verification import read_verification
from atomic_lib.solve.explain.without import Departure
from atomic_lib.solve.lock import LOCK_FILE
from atomic_lib.solve.selection import matching
from atomic_lib.tools.context import open_context
from atomic_lib.tools.tools_tree import tool_versions
from atomic_lib.tools.user_namespace import require_namespace

_T = TypeVar("_T")


@dataclass(frozen=True)
class RecordedBuild:
    """A variant's build, with its record in ``directory``. Each step returns the result so far.

    A step that fails raises WorkbookError; the record then says which stage failed and why.
    """

    build: Build
    directory: Path
    record: VariantRecord

    @property
    def variant(self) -> Variant:
        """The variant that is built."""
        return self.build.variant

    def resolve(self) -> VariantResult:
        """Resolve the packages, or take those of the lock; writes ``lock.json`` beside the result."""
        self._stage("recipe", lambda: self.build.whole_recipe)
        self._stage("content", lambda: self.build.content)
        recipe = self.build.recipe
        rpm_set = self._stage("resolve", lambda: self.build.rpm_set)
        shutil.copyfile(rpm_set.directory.parent / LOCK_FILE, self.directory / LOCK_FILE)
        tools = self.build.context.tools
        self.record.add_packages(recipe, rpm_set, tools.key, tool_versions(tools))
        passed(f"{self.variant.variant}: resolve")
        return self.record.result

    def compose(self) -> VariantResult:
        """Compose the tree and measure its footprint."""
        tree = self._stage("compose", lambda: self.build.tree)
        self.record.add_tree(self.build.rpm_set, tree)
        passed(f"{self.variant.variant}: compose")
        return self.record.result

    def explain(self) -> VariantResult:
        """Find out why each package is in the tree, and what the tree would lose with each optional class."""
        self.record.add_reasons(self._stage("why", lambda: self.build.chains))
        if self.build.recipe.ostree_source:
            return self.record.result  # what was not resolved cannot be resolved without a package
        for rule in default_class_rules().rules:
            names = matching(rule.choice, self.build.package_names)
            if names:
                self.record.add_departure(rule.name, rule.title, self._departure(names))
        return self.record.result

    def build_container(self) -> VariantResult:
        """Make the container image and compare it with the tree; does nothing if the variant has none."""
        if packages := self._stage("container-resolve", lambda: self.build.container_packages):
            self.record.add_container_packages(packages.rpm_set)
        image = self._stage("container", lambda: self.build.container)
        figures = self._stage("container", lambda: self.build.container_figures)
        if image and figures:
            self.record.add_container(image, figures)
            place = image.directory.relative_to(CHECKOUT) if image.directory.is_relative_to(CHECKOUT) else "the store"
            name = f"{self.variant.variant}: {image.name}"
            say(f"{NOTED} {name} is in {place}: oci (OCI layout) and image.tar (docker load)")
        return self.record.result

    def measure_image(self) -> VariantResult:
        """Build the disk image, measure it, and write the SBOM; only the SBOM if the variant stops after its tree.

        Raises WorkbookError if the image has a private key that no rule in ``params/rules/guards.yaml`` explains.
        """
        if self.variant.last_stage == "tree":
            self._stage("sbom", self._write_sbom)
            self.record.finish()
            return self.record.result
        image = self._stage("image", lambda: self.build.image)
        footprint = self._stage("image-footprint", lambda: self.build.image_footprint)
        verified = read_verification(BUILD / "verify" / f"{self.variant.variant}.json")
        self.record.add_image(image, footprint, verified)
        if labels := self._stage("labels", lambda: self.build.labels):
            self.record.add_labels(labels)
        guards = self._stage("guards", lambda: self.build.guards)
        self.record.add_guards(guards)
        self._stage("guards", lambda: require_no_private_key(guards, self.variant.variant))
        self._stage("sbom", self._write_sbom)
        passed(f"{self.variant.variant}: image")
        if self.variant.last_stage == "image":
            self.record.finish()
        return self.record.result

    def compare_with_earlier(self) -> VariantResult:
        """Compare with the variant's previous build in the history, if there is one.

        Raises WorkbookError if the history cannot be read.
        """
        result, context = self.record.result, self.build.context
        (self.directory / CHANGED_FILES).unlink(missing_ok=True)
        with read_history(BUILD / HISTORY_FILE) as history:
            earlier = previous_build(history, self.directory.parent.name, result)
        lock = self.build.rpm_set.lock
        changes = changes_since(earlier, result, lock, context, directory=self.directory) if earlier else None
        self.record.add_release(changes)
        return self.record.result

    def boot(self, new_boots: int) -> VariantResult:
        """Record the variant's boots: the stored ones, and at most ``new_boots`` new ones.

        Raises WorkbookError if a guest never answers or fails its proof of life; ``directory`` then has its console
        log.
        """
        if self.variant.last_stage == "boot":
            self._stage("boot", lambda: self._boots.make(self.record, new_boots))
        return self.record.result

    @cached_property
    def _boots(self) -> Boots:
        build = self.build
        return Boots(self.variant, build.whole_recipe.selinux, build.image, build.context, self.directory)

    def _write_sbom(self) -> None:
        self.record.add_licenses(self.build.licenses)
        write_sbom(self.directory, self.record.result, self.build.rpm_set.lock)

    def _departure(self, names: list[str]) -> Departure:
        return self._stage("what-leaves", lambda: self.build.without(names))

    def _stage(self, name: str, work: Callable[[], _T]) -> _T:
        try:
            return work()
        except WorkbookError as error:
            for part in ("message", "hint", "log"):  # the page of the notebook shows them, too
                setattr(error, part, without_paths(getattr(error, part), self.variant))
            self.record.fail(name, error)
            raise


def open_recorded_build(values: Mapping[str, object], output_directory: str = "") -> RecordedBuild:
    """The build that a notebook's parameters select; other names in ``values`` are ignored.

    ``variant`` names the file to load or, with ``study``, a variant or cell of that study. The other
    parameters override it unless they are None. ``output_directory`` is relative to the checkout;
    empty: ``build/variants/VARIANT``.

    Raises WorkbookError, before anything is written, if there is no such file, a parameter is not
    accepted or contradicts the file, or the user is not root.
    """
    overrides = {name: values[name] for name in Variant.model_fields if values.get(name) is not None}
    variant = chosen_variant(str(overrides.pop("variant", "")), str(values.get("study") or ""), overrides)
    return record_build(variant, CHECKOUT / (output_directory or f"build/variants/{variant.variant}"))


def record_build(variant: Variant, directory: Path) -> RecordedBuild:
    """A build of ``variant`` with its record in ``directory``, which is created.

    Raises WorkbookError unless the user is root, before anything is written, and as ``open_context`` does.
    """
    require_namespace()
    directory.mkdir(parents=True, exist_ok=True)
    shown = directory.relative_to(CHECKOUT) if directory.is_relative_to(CHECKOUT) else directory
    say(f"{NOTED} {variant.variant}: results go to {shown}")
    record = VariantRecord(variant, directory, CHECKOUT)
    try:
        context = open_context()
    except WorkbookError as error:
        record.fail("tools", error)
        raise
    return RecordedBuild(Build(variant, context), directory, record)
