"""Guards that the packages alone can break."""

from pathlib import Path

from atomic_lib.measure.guards.guard_rules import load_guard_rules
from atomic_lib.measure.guards.predicted_guards import PredictedGuard, predicted_guards
from atomic_lib.params.budgets import Budget
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.explain.graph import Package
from atomic_lib.solve.running_dnf.described import Described, Rights
from atomic_lib.solve.running_dnf.prediction import Prediction
from atomic_lib.solve.solver import Solved

REQUIRES = {"app": ("python3",), "python3": (), "tool": ()}


def prediction(
    *entries: str, excludes: tuple[str, ...] = (), rights: dict[str, tuple[Rights, ...] | None] | None = None
) -> Prediction:
    """A prediction of these entries, and of what they require."""
    names = {*entries, *(name for entry in entries for name in REQUIRES[entry])}
    described = {
        name: Described(
            Package(name, frozenset(REQUIRES[name]), frozenset({name})), "", (), (rights or {}).get(name, ())
        )
        for name in names
    }
    packages = {name: Solved(name, f"{name}-0:1-1.noarch", 10, 20) for name in names}
    return Prediction(Recipe((Path("r.yaml"),), entries, excludes=excludes), packages, described, ())


def found(
    after: Prediction, *, budget: Budget | None = None, excludes: tuple[str, ...] = ()
) -> dict[str, PredictedGuard]:
    base = prediction("tool", excludes=excludes)
    return {one.title: one for one in predicted_guards(after, base, load_guard_rules(), budget or Budget())}


def test_python_is_back_because_something_requires_it() -> None:
    guards = found(prediction("app", "tool"), excludes=("python3*",), budget=Budget(forbidden_packages=("python3",)))
    for title in ("excluded packages stay out", "forbidden packages stay out"):
        assert guards[title].verdict == "broken"
        assert guards[title].reasons == ("python3 is back, because app (recipe) → python3 (requires)",)


def test_what_is_named_by_the_recipe_says_so() -> None:
    guards = found(prediction("python3"), excludes=("python3*",))
    assert guards["excluded packages stay out"].reasons == ("python3 is back, because the recipe names it",)


def test_without_anything_excluded_or_forbidden_the_guards_hold() -> None:
    guards = found(prediction("app"))
    assert {guard.verdict for guard in guards.values()} == {"holds", "open"}


def test_a_set_uid_file_needs_a_reason() -> None:
    allowed = Rights("/usr/bin/sudo", 0o4755, "file", "root:root", "")
    other = Rights("/usr/bin/rootme", 0o4755, "file", "root:root", "")
    title = "no set-uid file without a reason"
    assert found(prediction("tool", rights={"tool": (allowed,)}))[title].verdict == "holds"
    broken = found(prediction("tool", rights={"tool": (allowed, other)}))[title]
    assert broken.verdict == "broken"
    assert broken.reasons == ("/usr/bin/rootme of tool (4755 root:root)",)


def test_what_everybody_may_write_is_another_guard() -> None:
    writable = Rights("/usr/share/x", 0o777, "file", "root:root", "")
    guards = found(prediction("tool", rights={"tool": (writable,)}))
    assert guards["nothing that everybody may write"].verdict == "broken"
    assert guards["no set-uid file without a reason"].verdict == "holds"


def test_files_that_are_not_here_leave_the_guard_open() -> None:
    guards = found(prediction("tool", rights={"tool": None}))
    assert guards["no set-uid file without a reason"].verdict == "open"


def test_a_budget_of_packages() -> None:
    title = "package_count within its budget"
    assert found(prediction("tool"), budget=Budget(package_count=1))[title].verdict == "holds"
    assert found(prediction("app"), budget=Budget(package_count=1))[title].verdict == "broken"
