"""Merges the values of an included treefile into those of the one that includes it, by rpm-ostree's rules."""

from atomic_lib.recipe.treefile_keys import Values
from atomic_lib.recipe.treefile_rules.value_types import LISTS

_MAPS = frozenset({"add-commit-metadata", "metadata", "repovars"})
_JOINED = frozenset({*LISTS, "add-files", "remove-from-packages", "repo-packages"} - {"container-cmd"})


def merge(own: Values, included: Values) -> Values:
    """The values of both: lists are joined, the included entries first; own single values and map entries win."""
    result = {**included, **own}
    for key in own.keys() & included.keys():
        if key in _JOINED:
            result[key] = [*included[key], *own[key]]
        elif key in _MAPS:
            result[key] = {**included[key], **own[key]}
    if "repo-packages" in result:
        result["repo-packages"] = _last_wins(result["repo-packages"])
    return result


def _last_wins(entries: list[tuple[str, list[str]]]) -> list[tuple[str, list[str]]]:
    """The entries without a package that a later one gets from its own repository."""
    seen: set[str] = set()
    kept: list[tuple[str, list[str]]] = []
    for repo, packages in reversed(entries):
        own = [name for name in packages if name not in seen]
        seen.update(packages)
        kept = [(repo, own), *kept] if own else kept
    return kept
