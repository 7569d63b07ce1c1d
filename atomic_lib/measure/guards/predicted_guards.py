"""Which guards the packages alone break, before anything is composed, and because of what.

The packages' own files answer for dangerous rights; excluded and forbidden packages are answered by their names. What
scripts change, private keys and open ports need an image: those guards stay open.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from atomic_lib.measure.guards.guard_rules import GuardName, GuardRules
from atomic_lib.params.budgets import Budget
from atomic_lib.solve.explain.why import chain_text
from atomic_lib.solve.running_dnf.described import Rights
from atomic_lib.solve.running_dnf.prediction import Prediction

Verdict = Literal["holds", "broken", "open"]
_SET_UID_OR_GID = 0o6000


@dataclass(frozen=True)
class PredictedGuard:
    """A guard, whether it holds (``open``: only an image can tell), and a sentence for each reason."""

    title: str
    verdict: Verdict
    reasons: tuple[str, ...] = ()


def predicted_guards(
    prediction: Prediction, base: Prediction, rules: GuardRules, budget: Budget
) -> tuple[PredictedGuard, ...]:
    """All guards of a prediction; ``base`` is the unchanged recipe, whose excludes and ``budget`` must hold."""
    unknown = [name for name, one in sorted(prediction.described.items()) if one.rights is None]
    found = list(_rights(prediction))
    return (
        _of_packages("excluded packages stay out", base.recipe.excludes, prediction, "the recipe excludes none"),
        _of_packages("forbidden packages stay out", budget.forbidden_packages, prediction, "no budget forbids any"),
        *_limits(prediction, budget),
        _of_rights("set-uid", "no set-uid file without a reason", found, rules, unknown),
        _of_rights("world-writable", "nothing that everybody may write", found, rules, unknown),
        PredictedGuard("no private keys, open ports only for a reason", "open", ("only a built image can tell",)),
    )


def _of_packages(title: str, patterns: Iterable[str], prediction: Prediction, none: str) -> PredictedGuard:
    known = tuple(patterns)
    if not known:
        return PredictedGuard(title, "holds", (none,))
    back = [name for name in prediction.packages if any(fnmatchcase(name, pattern) for pattern in known)]
    back.sort(key=lambda name: (len(prediction.chains.get(name, ())), name))
    reasons = tuple(f"{name} is back, because {_chain(prediction, name)}" for name in back)
    return PredictedGuard(title, "broken" if back else "holds", reasons or (", ".join(known),))


def _chain(prediction: Prediction, name: str) -> str:
    chain = prediction.chains.get(name, ())
    if len(chain) < 2:
        return "the recipe names it" if chain else "dnf chose it"
    return chain_text(chain)


def _limits(prediction: Prediction, budget: Budget) -> Iterator[PredictedGuard]:
    figures = {"package_count": len(prediction.packages), "download_bytes": prediction.download_bytes}
    for name, value in figures.items():
        limit = getattr(budget, name)
        if limit is not None:
            verdict: Verdict = "holds" if value <= limit else "broken"
            yield PredictedGuard(f"{name} within its budget", verdict, (f"{value:,} of {limit:,}",))


def _rights(prediction: Prediction) -> Iterator[tuple[str, Rights]]:
    for name, one in sorted(prediction.described.items()):
        for rights in one.rights or ():
            yield name, rights


def _of_rights(
    guard: GuardName, title: str, found: Iterable[tuple[str, Rights]], rules: GuardRules, unknown: list[str]
) -> PredictedGuard:
    mine = [(name, one) for name, one in found if _guard_of(one) == guard and not rules.reason(guard, one.path)]
    reasons = [
        f"{one.path} of {name} ({one.mode:04o} {one.owners}{one.capabilities and ' '}{one.capabilities})"
        for name, one in mine
    ]
    if mine:
        return PredictedGuard(title, "broken", tuple(reasons))
    if unknown:
        return PredictedGuard(title, "open", (f"the files of {len(unknown)} packages are not on this machine yet",))
    return PredictedGuard(title, "holds", ("by the files of the packages",))


def _guard_of(rights: Rights) -> GuardName:
    return "set-uid" if rights.capabilities or rights.mode & _SET_UID_OR_GID else "world-writable"
