"""The pipeline of a variant, from its parameters to its image: lazy stages, each made once and stored.

All builds use it: notebooks, ``why`` and ``without``, ``verify``, ``equality`` and studies.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import CHECKOUT
from atomic_lib.base.progress import say
from atomic_lib.compose.pulled.pulled_tree import pull_tree, pulled_tree
from atomic_lib.compose.tree import Tree, TreeRequest, compose_tree, default_ref
from atomic_lib.content.demand import Demand
from atomic_lib.content.local_rpms import LocalRpms
from atomic_lib.content.repositories import Content, content_without_packages, open_content
from atomic_lib.formats.rpm_licenses import read_licenses
from atomic_lib.image.disk import Image, build_image
from atomic_lib.image.image_files import ImageFiles
from atomic_lib.image.oci.container_image import ContainerImage, ContainerRequest, build_container
from atomic_lib.image.oci.host_packages import ContainerPackages, resolve_beside_host
from atomic_lib.image.sysroot import ImageRequest
from atomic_lib.measure.classes import ClassRules, default_class_rules
from atomic_lib.measure.container.container_comparison import ComparisonRequest, compare_with_host
from atomic_lib.measure.container.container_figures import ContainerFigures
from atomic_lib.measure.footprint import Footprint, measure_footprint
from atomic_lib.measure.guards.image_guards import Guard, image_guards
from atomic_lib.measure.image_footprint import ImageFootprint, image_footprint
from atomic_lib.measure.labels import Labels, image_labels
from atomic_lib.params.variant import Variant, load_variant
from atomic_lib.recipe.load import load_container_recipe, load_recipe
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.recipe.recipe_demand import recipe_demand
from atomic_lib.recipe.standin_recipe import standin_recipe
from atomic_lib.solve.explain.graph import Graph, Link, graph_of
from atomic_lib.solve.explain.why import Chain, entries_of, shortest_chains, why
from atomic_lib.solve.explain.without import Departure, what_leaves
from atomic_lib.solve.resolve import resolve_rpm_set
from atomic_lib.solve.rpm_set import RpmSet
from atomic_lib.tools.confinement.limits import Limits
from atomic_lib.tools.context import Context, open_context
from atomic_lib.tools.user_namespace import require_namespace

CLASS_PREFIX = "class:"


@dataclass(frozen=True)
class Build:
    """A variant and the stages of its build. The first access to a stage makes it.

    A stage that fails raises WorkbookError; the results of previous stages stay in the store.
    """

    variant: Variant
    context: Context

    @cached_property
    def whole_recipe(self) -> Recipe:
        """The variant's recipe, as it is written."""
        return load_recipe(self.variant)

    @property
    def demand(self) -> Demand:
        """What the recipe asks of its content."""
        return recipe_demand(self.whole_recipe, strict=self.variant.strict, local=local_rpms_of(self.variant))

    @cached_property
    def content(self) -> Content:
        """The repositories of the variant's packages; none if it deploys a commit."""
        if self.whole_recipe.ostree_source:
            return content_without_packages(self.variant.content)
        return open_content(self.variant.content, self.context, self.demand)

    @cached_property
    def recipe(self) -> Recipe:
        """The variant's recipe, without what stand-in content has no counterpart for; that is said first."""
        recipe, content = self.whole_recipe, self.content
        if self.variant.ostree_variant:
            return with_commit_of(recipe, Build(load_variant(self.variant.ostree_variant), self.context))
        if not content.stands_in:
            return recipe
        adapted = standin_recipe(recipe, content.missing, content.name, strict=self.variant.strict)
        for note in adapted.notes[len(recipe.notes) :]:
            say(f"! {self.variant.variant}: {note}")
        return adapted

    @cached_property
    def rpm_set(self) -> RpmSet:
        """The packages, resolved or from the variant's lock, with their files; or those of the commit to deploy."""
        return self.packages_by(self.variant.lock)

    def packages_by(self, lock: str) -> RpmSet:
        """The packages by a lock file; if it is empty, those that the recipe resolves to now."""
        lock_file = CHECKOUT / lock if lock else None
        if source := self.recipe.ostree_source:
            return pull_tree(source, self.variant, self.context, lock_file=lock_file).rpm_set
        return resolve_rpm_set(self.recipe, self.content, self.context, name=self.variant.variant, lock_file=lock_file)

    @cached_property
    def graph(self) -> Graph:
        """The dependency graph of the packages; raises WorkbookError if nothing was resolved."""
        self.require_resolved()
        return graph_of(self.rpm_set, self.context.tools, weak_dependencies=self.recipe.weak_dependencies)

    @cached_property
    def entries(self) -> tuple[Link, ...]:
        """The packages that the recipe names, directly or through groups."""
        return entries_of(self.graph, self.recipe, self.content.comps(self.context.tools))

    @cached_property
    def chains(self) -> Mapping[str, Chain]:
        """The shortest chain from the recipe to each package, by package name; none to those of a pulled commit."""
        if self.recipe.ostree_source:
            return {}
        return shortest_chains(self.graph, self.entries)

    @cached_property
    def tree(self) -> Tree:
        """The composed tree, or that of the commit that is pulled."""
        if source := self.recipe.ostree_source:
            commit = self.rpm_set.lock.commit
            return pulled_tree(source, self.variant, self.context, commit=commit).tree
        request = TreeRequest(self.variant, self.recipe, self.content, self.rpm_set)
        return compose_tree(request, with_limits(self.context, self.variant))

    @cached_property
    def footprint(self) -> Footprint:
        """The size of the composed tree, by package."""
        return measure_footprint(self.tree.entries(), self.tree.owners(), self.package_names)

    @cached_property
    def licenses(self) -> Mapping[str, str]:
        """The licence of each package, as its RPM states it, by NEVRA; none of packages of a pulled commit."""
        return read_licenses(self.context.tools, self.rpm_set.directory)

    @cached_property
    def image(self) -> Image:
        """The disk image."""
        request = ImageRequest(self.variant, self.recipe, self.content, self.tree)
        return build_image(request, with_limits(self.context, self.variant))

    @cached_property
    def image_footprint(self) -> ImageFootprint:
        """The size of the disk image, by package and part."""
        return image_footprint(self.image, self.tree, self.package_names, self.context)

    @cached_property
    def image_files(self) -> ImageFiles:
        """The files of the disk image, for what looks at all of them."""
        return ImageFiles(self.image, self.context)

    @cached_property
    def labels(self) -> Labels | None:
        """The image's labels, checked against its own policy; None if SELinux is disabled."""
        return None if self.recipe.selinux == "disabled" else image_labels(self.image_files, self.context)

    @cached_property
    def guards(self) -> tuple[Guard, ...]:
        """Private keys and dangerous rights in the image, with the reason of each that is allowed."""
        return image_guards(self.image_files, self.context)

    @cached_property
    def container(self) -> ContainerImage | None:
        """The container image that is made of the same RPM files; None if the variant has none."""
        request = self.container_request
        return build_container(request, with_limits(self.context, self.variant)) if request else None

    @cached_property
    def container_figures(self) -> ContainerFigures | None:
        """The container image, compared with the tree; None if the variant has none."""
        if not (self.container and self.container_packages):
            return None
        container, host = self.container_packages.rpm_set.lock, self.rpm_set.lock
        return compare_with_host(ComparisonRequest(self.container, self.tree, container, host), self.context)

    @property
    def container_request(self) -> ContainerRequest | None:
        """What the container image is made of; None if the variant has none."""
        variant, made = self.variant, self.container_packages
        return ContainerRequest(variant.container, variant.version, variant.source_date_epoch, made) if made else None

    @cached_property
    def container_packages(self) -> ContainerPackages | None:
        """The packages of the container image, with their files; None if the variant has none."""
        variant = self.variant
        if not variant.container:
            return None
        recipe = load_container_recipe(variant)

        def adapted() -> tuple[Recipe, Content]:
            demand = recipe_demand(recipe, strict=variant.strict, local=local_rpms_of(variant))
            content = open_content(variant.content, self.context, demand)
            if not content.stands_in:
                return recipe, content
            return standin_recipe(recipe, content.missing, content.name, strict=variant.strict), content

        name = f"{variant.variant}, {variant.container}"
        return resolve_beside_host(recipe, self.content, self.rpm_set, self.context, name=name, adapted=adapted)

    @property
    def package_names(self) -> list[str]:
        """The names of the packages."""
        return [package.name for package in self.rpm_set.lock.packages]

    @property
    def sizes(self) -> Mapping[str, tuple[int, int]]:
        """Bytes and files of each package in the composed tree, by name."""
        return {name: (owned.bytes, owned.files) for name, owned in self.footprint.packages.items()}

    @property
    def generated(self) -> tuple[int, int]:
        """Bytes and files of the composed tree that no package owns."""
        unowned = self.footprint.unowned
        return sum(entry.size_bytes for entry in unowned), len(unowned)

    def why(self, name: str, *, limit: int = 5) -> tuple[Chain, ...]:
        """The chains to a package, the shortest first; raises WorkbookError if it is not in the set."""
        return why(self.graph, self.entries, name, limit=limit)

    def without(self, words: Sequence[str]) -> Departure:
        """How the set changes if packages are not installed: names, shell patterns, ``@group`` or ``class:NAME``.

        Raises WorkbookError as ``what_leaves`` does, and for a class that is unknown or empty.
        """
        self.require_resolved()
        names = [name for word in words for name in classes_expanded(word, self.package_names, default_class_rules())]
        return what_leaves(names, self.context, recipe=self.recipe, content=self.content, rpm_set=self.rpm_set)

    def require_resolved(self) -> None:
        """Raise WorkbookError if the packages were not resolved, but are those of a commit."""
        if source := self.whole_recipe.ostree_source:
            raise WorkbookError(
                f"{source.source}: ostreesetup: the packages are those of a commit, so nothing says why they are in it",
                hint="ask about the recipe that the commit was composed from",
            )


def open_build(variant: str | Variant) -> Build:
    """The build of a variant, which is a name in ``params/variants`` or a ``Variant``.

    Raises WorkbookError for an unknown variant, outside of the workbook's namespace, and as ``open_context`` does.
    """
    loaded = load_variant(variant) if isinstance(variant, str) else variant
    require_namespace()
    return Build(loaded, open_context())


def local_rpms_of(variant: Variant) -> LocalRpms | None:
    """The variant's RPMs of the user's own, ``local_rpms`` with ``local_rpms_key``; None if it has none."""
    if not variant.local_rpms:
        return None
    keys = CHECKOUT / variant.local_rpms_key if variant.local_rpms_key else None
    return LocalRpms(CHECKOUT / variant.local_rpms, keys)


def with_commit_of(recipe: Recipe, build: Build) -> Recipe:
    """The recipe of a kickstart with ``ostreesetup``, so that it deploys the commit that another build composes."""
    if recipe.ostree_source is None:
        return recipe
    ref, name = default_ref(build.variant, build.recipe), build.variant.variant
    source = replace(recipe.ostree_source, ref=ref, pulled_from=f"file://{build.tree.repo}")
    note = f"ostreesetup: the commit is that of variant {name} ({ref}), not that of {recipe.ostree_source.ref}"
    return replace(recipe, ref=ref, ostree_source=source, notes=(*recipe.notes, note))


def with_limits(context: Context, variant: Variant) -> Context:
    """The context in which the variant's own limits hold for scriptlets and scripts; they are no part of any key."""
    limits = Limits(
        variant.script_timeout_seconds, variant.script_processes, variant.script_memory_mib,
        variant.script_file_size_mib, variant.script_open_files,
    )  # fmt: skip
    return replace(context, tools=replace(context.tools, limits=limits))


def classes_expanded(word: str, names: Sequence[str], rules: ClassRules) -> list[str]:
    """The word itself, or for ``class:NAME`` the packages in ``names`` of this class in ``params/rules/classes.yaml``.

    Raises WorkbookError for a class that is unknown or has no packages here.
    """
    if not word.startswith(CLASS_PREFIX):
        return [word]
    chosen = word.removeprefix(CLASS_PREFIX)
    known = [rule.name for rule in rules.rules]
    if chosen not in known:
        raise WorkbookError(f"no class {chosen!r}", hint=f"classes: {', '.join(known)}")
    found = [name for name in names if rules.class_of_package(name) == chosen]
    if not found:
        raise WorkbookError(f"no package of the set is of class {chosen!r}", hint="choose another class")
    return found
