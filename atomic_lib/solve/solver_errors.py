"""What dnf's refusal to resolve means, with the file, line and next step."""

import re

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.dnf_run import Dnf
from atomic_lib.solve.why import explain_excluded


def solver_error(dnf: Dnf, error: CommandError) -> WorkbookError:
    if error.status != 1:  # anything else is not dnf's own verdict
        return error
    said = error.stdout + error.stderr
    source = dnf.recipe.files[0]
    unknown = re.search(r"No match for argument: (\S+)", said)
    if unknown:
        return WorkbookError(
            f"{_place_of(unknown[1], dnf.recipe)}: content {dnf.content.name!r} has no package {unknown[1]!r}",
            hint="correct the name, or add the package to the content",
        )
    unsigned = re.search(
        r".*(?:not signed|not correct for|[Pp]ublic key .*not installed|signature|check FAILED).*", said
    )
    if unsigned:
        return WorkbookError(
            f"{source}: a package's signature is missing, bad, or of a key that content {dnf.content.name!r} "
            f"does not name: {unsigned[0].strip()}",
            log=error.log,
            hint="do not install it: take the package from another mirror, or correct gpgkey= in the repository file",
        )
    if re.search(r"Error downloading|Curl error|Cannot download", said):
        return WorkbookError(
            f"{source}: a mirror of content {dnf.content.name!r} was not reached",
            log=error.log,
            hint="check the network, and run again: what was made is kept",
        )
    chain = explain_excluded(dnf.recipe, lambda words: dnf.run(words))
    if chain:
        return WorkbookError(
            f"{source}: {chain[-1]} is excluded, yet the recipe needs it: {' → '.join(chain)}",
            log=error.log,
            hint=f"leave {chain[0]} out, or take {chain[-1]} out of exclude-packages",
        )
    return WorkbookError(
        f"{source}: dnf found no solution for content {dnf.content.name!r}",
        log=error.log,
        hint="correct the package names, or add the packages to the content",
    )


def _place_of(package: str, recipe: Recipe) -> str:
    """``FILE:LINE`` of the recipe where a package is named."""
    word = re.compile(rf"(?<![\w.+-]){re.escape(package)}(?![\w.+-])")
    for file in recipe.files:
        for number, line in enumerate(file.read_text().splitlines(), start=1):
            if word.search(line.partition("#")[0]):
                return f"{file}:{number}"
    return str(recipe.files[0])
