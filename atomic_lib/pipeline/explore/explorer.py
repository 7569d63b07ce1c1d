"""A session that answers what choices would change of a variant: dnf solves, nothing is composed."""

import atexit
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import CHECKOUT, PARAMS_DIRECTORY
from atomic_lib.content.comps import Comps
from atomic_lib.content.demand import Demand
from atomic_lib.content.repositories import Content, open_content
from atomic_lib.measure.guards.guard_rules import load_guard_rules
from atomic_lib.measure.guards.predicted_guards import PredictedGuard, predicted_guards
from atomic_lib.params.budgets import Budget, load_budgets
from atomic_lib.params.variant import Variant
from atomic_lib.pipeline.build import local_rpms_of
from atomic_lib.pipeline.explore.choices import (
    AGENTS,
    RUNTIME_NAMES,
    Choices,
    changed_recipe,
    excluded_names,
    part_file,
    require_counterparts,
)
from atomic_lib.pipeline.notebooks import remove_abandoned
from atomic_lib.pipeline.recipe_files.own_recipes import is_recipe, variants_named
from atomic_lib.recipe.load import load_recipe, read_recipe
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.recipe.recipe_demand import recipe_demand
from atomic_lib.recipe.standin_recipe import standin_recipe
from atomic_lib.report.text.content_words import STANDIN_NOTICE
from atomic_lib.solve.explain.why import Chain
from atomic_lib.solve.running_dnf.described import Described
from atomic_lib.solve.running_dnf.prediction import PredictedChanges, Prediction, predict
from atomic_lib.solve.running_dnf.solver_process import RunningDnf, running_dnf
from atomic_lib.tools.context import Context, open_context
from atomic_lib.tools.user_namespace import require_namespace


@dataclass(frozen=True)
class Exploration:
    """The answer: what the choices change, which guards they break, and how long it took.

    ``notes``: that sizes are not Fedora's, what of the recipe the content cannot do, and what of the variant the answer
    leaves out.
    """

    variant: Variant
    choices: Choices
    changes: PredictedChanges
    guards: tuple[PredictedGuard, ...]
    notes: tuple[str, ...]
    seconds: float

    @property
    def after(self) -> Prediction:
        """The packages with the choices."""
        return self.changes.after

    def why(self, package: str, *, limit: int = 5) -> tuple[Chain, ...]:
        """The chains to a package, the shortest first; raises WorkbookError if it is not in the set."""
        return self.after.why(package, limit=limit)


@dataclass
class _Opened:
    """A content with a running dnf. ``demand``: what it was opened for; stand-in content has nothing else.

    ``stack``: what closes it.
    """

    content: Content
    demand: Demand
    dnf: RunningDnf
    names: frozenset[str]
    comps: tuple[Comps, ...]
    stack: ExitStack
    described: dict[str, Described] = field(default_factory=dict)
    predicted: dict[tuple[object, ...], Prediction] = field(default_factory=dict)

    def suffices(self, demand: Demand) -> bool:
        """Whether nothing that ``demand`` asks for can be missing only because it was not asked for."""
        if not self.content.stands_in:
            return True
        known = {*self.demand.words, *self.names}
        return (
            all(word in known for word in demand.words)
            and set(demand.groups) <= set(self.demand.groups)
            and set(self.demand.excludes) <= set(demand.excludes)
            and demand.weak_dependencies <= self.demand.weak_dependencies
        )


class Explorer:
    """Questions about one variant. The first answer loads the content, which takes some seconds; later ones do not.

    Close it, or use it as a context manager: dnf runs until then, or until the program ends.
    """

    def __init__(self, variant: Variant, context: Context, params: Path = PARAMS_DIRECTORY) -> None:
        self.variant, self.context, self.params = variant, context, params
        self.whole_recipe = load_recipe(variant, params)
        if self.whole_recipe.ostree_source:
            raise WorkbookError(
                f"{variant.variant}: its packages are those of a commit, so nothing resolves them",
                hint="explore the recipe that the commit was composed from",
            )
        self._budget = load_budgets(params).get(variant.variant, Budget())
        self._rules = load_guard_rules()
        self._opened: list[_Opened] = []
        atexit.register(self.close)

    def __enter__(self) -> "Explorer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all that runs for this session."""
        for opened in self._opened:
            opened.stack.close()
        self._opened.clear()
        atexit.unregister(self.close)

    def answer(
        self,
        *,
        add: Sequence[str] = (),
        exclude: Sequence[str] = (),
        documentation: bool | None = None,
        weak_dependencies: bool | None = None,
        agent: str | None = None,
        runtime: str | None = None,
        content: str | None = None,
    ) -> Exploration:
        """What these choices would change of the variant; None: as the variant has it.

        ``add`` and ``exclude``: names of packages, groups with a leading ``@``, and to exclude, shell patterns.

        Raises WorkbookError for what is not accepted, is not in the content, or has no solution.
        """
        return self.explore(
            Choices(tuple(add), tuple(exclude), documentation, weak_dependencies, agent, runtime, content)
        )

    def explore(self, choices: Choices) -> Exploration:
        """As ``answer``, of ``Choices``."""
        started = time.monotonic()
        choices.check()
        recipe = changed_recipe(self.whole_recipe, self.variant, choices, self.params)
        name = choices.content or self.variant.content
        self._open(self.variant.content, self._demand(self.whole_recipe))  # what a compose of it uses
        opened = self._open(name, self._demand(recipe))
        after = self._prediction(opened, recipe, choices)
        if after is None:  # stand-in content was made without what the recipe excludes
            opened = self._open(name, replace(self._demand(recipe), excludes=()))
            after = self._prediction(opened, recipe, choices)
        assert after is not None
        before = self._base(opened, name)
        guards = predicted_guards(after, before, self._rules, self._budget)
        standin = (STANDIN_NOTICE,) if opened.content.stands_in else ()
        notes = (*standin, *_left_out(self.variant), *after.recipe.notes[len(recipe.notes) :])
        changes = PredictedChanges(before, after)
        return Exploration(self.variant, choices, changes, guards, notes, time.monotonic() - started)

    def names(self) -> list[str]:
        """What can be added: the names of packages that were loaded so far, and the groups with their ``@``."""
        self._open(self.variant.content, self._demand(self.whole_recipe))
        opened = self._opened[-1]
        groups = {f"@{name}" for one in opened.comps for name in one.groups}
        return [*sorted(groups), *sorted(opened.names)]

    def contents(self) -> list[str]:
        """The names of all contents that packages can come from."""
        return sorted(path.stem for path in (self.params / "content").glob("*.yaml"))

    def _base(self, opened: _Opened, content: str) -> Prediction:
        """The unchanged variant, by its own content where that is the one that is asked."""
        demand = self._demand(self.whole_recipe)
        own = self._open(self.variant.content, demand)
        chosen = opened if content == self.variant.content and opened.suffices(demand) else own
        found = self._prediction(chosen, self.whole_recipe, Choices())
        assert found is not None
        return found

    def _prediction(self, opened: _Opened, recipe: Recipe, choices: Choices) -> Prediction | None:
        """What ``recipe`` resolves to; None if the content may lack packages because the recipe excludes them."""
        content = opened.content
        if content.stands_in:
            require_counterparts(choices, content)
            recipe = standin_recipe(recipe, content.missing, content.name)
        excluded = excluded_names(choices, opened.comps)
        key = (recipe, excluded)
        if key not in opened.predicted:
            try:
                found = predict(replace(opened.dnf, recipe=recipe), opened.comps, opened.described, excluded=excluded)
            except WorkbookError:
                if content.stands_in and opened.demand.excludes:
                    return None
                raise
            opened.predicted[key] = found
        return opened.predicted[key]

    def _demand(self, recipe: Recipe) -> Demand:
        return recipe_demand(recipe, local=local_rpms_of(self.variant))

    def _open(self, name: str, demand: Demand) -> _Opened:
        """A content that has all that ``demand`` asks for, with a running dnf: a new one if it is not usable."""
        self._end_unusable()
        for number, opened in enumerate(self._opened):
            if opened.content.name == name and opened.suffices(demand):
                if not opened.dnf.process.usable:
                    self._opened[number] = self._opened_with(name, opened.demand)
                return self._opened[number]
        if self._opened:
            demand = self._wide(name, demand)
        self._opened.append(self._opened_with(name, demand))
        return self._opened[-1]

    def _end_unusable(self) -> None:
        """End each dnf that has not answered or has ended; what its content was opened for stays known."""
        for opened in self._opened:
            if not opened.dnf.process.usable:
                opened.stack.close()

    def _opened_with(self, name: str, demand: Demand) -> _Opened:
        """A content made for ``demand``, with a new dnf."""
        content = open_content(name, self.context, demand, self.params)
        with ExitStack() as stack:
            dnf = stack.enter_context(running_dnf(self.context.tools, content, self.whole_recipe_for(content)))
            names = frozenset(dnf.run(["-q", "repoquery", "--qf", "%{name}"]).split())
            comps = tuple(content.comps(self.context.tools))
            return _Opened(content, demand, dnf, names, comps, stack.pop_all())

    def _wide(self, name: str, demand: Demand) -> Demand:
        """A demand for all that was asked for so far, and for every agent and runtime, so that few contents are made.

        Nothing is excluded from it: what a recipe excludes, dnf hides.
        """
        others = [opened.demand for opened in self._opened if opened.content.name == name]
        parts = [read_recipe(path) for word in (*AGENTS, *RUNTIME_NAMES) if (path := part_file(word, self.params))]
        words = [word for one in (*others, demand) for word in one.words]
        words += [word for part in parts for word in part.packages]
        groups = [group for one in (*others, demand) for group in one.groups]
        return replace(
            demand,
            words=tuple(dict.fromkeys(words)),
            groups=tuple(dict.fromkeys(groups)),
            excludes=(),
            weak_dependencies=True,
        )

    def whole_recipe_for(self, content: Content) -> Recipe:
        """The variant's recipe with the repositories that it uses of ``content``."""
        return standin_recipe(self.whole_recipe, (), content.name) if content.stands_in else self.whole_recipe


def _left_out(variant: Variant) -> tuple[str, ...]:
    """What the answer does not follow of the variant's parameters."""
    if not variant.lock:
        return ()
    return (f"lock: {variant.lock} is not followed: dnf resolves the packages to their newest versions.",)


def open_explorer(name: str) -> Explorer:
    """A session about a variant in ``params/variants``, or a recipe, by its path relative to the checkout.

    Raises WorkbookError for an unknown variant or a bad recipe, and outside of the workbook's namespace.
    """
    variant = variants_named([str(CHECKOUT / name) if is_recipe(name) else name])[0]
    require_namespace()
    remove_abandoned()
    return Explorer(variant, open_context())
