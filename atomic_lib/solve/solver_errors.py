"""Turns dnf's errors into errors that name file, line and next step."""

import re

from atomic_lib.base.command import LONGEST_LINE, CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.content.dnf import index_problem
from atomic_lib.recipe.origins import place_of
from atomic_lib.solve.dnf_run import Dnf
from atomic_lib.solve.explain.why import explain_excluded


def solver_error(dnf: Dnf, error: CommandError) -> WorkbookError:
    """The reason why dnf could not resolve or download packages; ``error`` itself if dnf did not end normally."""
    if error.status != 1:  # dnf's status for errors of its own
        return error
    output = error.stdout + error.stderr
    source = dnf.recipe.files[0]
    unknown = dict.fromkeys(re.findall(r"No match for argument: (.*\S)", output))
    if unknown:
        return WorkbookError(
            "\n".join(
                f"{place_of(name, dnf.recipe)}: content {dnf.content.name!r} has no package {name!r}"
                for name in unknown
            ),
            hint=f"correct the name{'s' if len(unknown) > 1 else ''}, or choose another content (--content NAME)",
        )
    hidden = re.search(r"All matches were filtered out by exclude filtering for argument: (.*\S)", output)
    if hidden and dnf.locked is not None and hidden[1] not in dnf.recipe.excludes:
        return WorkbookError(
            f"{place_of(hidden[1], dnf.recipe)}: content {dnf.content.name!r} has {hidden[1]!r} only in a version "
            "that is not locked, or in one of lockfile-repos",
            hint="add the package to the lockfile, or its repository to repos",
        )
    unsigned = re.search(
        r".*(?:not signed|not correct for|[Pp]ublic key .*not installed|signature|Problem opening|check FAILED).*",
        output,
    )
    if unsigned:
        return WorkbookError(
            f"{source}: a package's signature is missing, invalid, or made with a key that content "
            f"{dnf.content.name!r} does not list: {unsigned[0].strip()}",
            log=error.log,
            hint="do not install it: use another mirror, or correct gpgkey= in the repository file",
        )
    key = re.search(r"^(?:Status code|Curl error).*", output, flags=re.M)  # of all else, dnf says first what it is
    if key:
        return WorkbookError(
            f"{source}: a key of content {dnf.content.name!r} cannot be had: {key[0]}",
            log=error.log,
            hint="correct gpgkey= in the repository file, or check the network and run again",
        )
    if re.search(r"Error downloading|Curl error|Cannot download", output):
        mirrors = re.findall(r"^\[MIRROR\] (.*)", output, flags=re.M)
        problem = f": {mirrors[-1]}" if mirrors else index_problem(output)
        gone = "Status code: 404" in problem
        check = "run again, with the packages that the mirrors have now" if gone else "check the network and run again"
        return WorkbookError(
            f"{source}: content {dnf.content.name!r}: a download failed{problem}",
            log=error.log,
            hint=f"{check}; finished stages are kept",
        )
    chain = explain_excluded(dnf.recipe, lambda words: dnf.run(words))
    if chain:
        return WorkbookError(
            f"{source}: {chain[-1]} is excluded, but the recipe requires it: {' → '.join(chain)}",
            log=error.log,
            hint=f"leave {chain[0]} out, or remove {chain[-1]} from exclude-packages",
        )
    return WorkbookError(
        f"{source}: dnf found no solution for content {dnf.content.name!r}{reason_of(error.log)}",
        log=error.log,
        hint="read dnf's reason above, and leave out one of the packages that conflict",
    )


def reason_of(output: str) -> str:
    """The last line of dnf's own error, which names the packages, after ": "; empty if there is none."""
    lines = [line.strip().removeprefix("- ") for line in output.splitlines()]
    told = [line for line in lines if line and line != "Error:" and not line.startswith("(try to add ")]
    return f": {told[-1][:LONGEST_LINE]}" if told else ""
