"""``python -m benchmarks.mutants``: put one error at a time into a copy of the code, and see whether a unit test fails.

An error that no test sees has *survived*. The errors are in ``mutants.yaml``.
"""

import argparse
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from atomic_lib.base import command
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import CHECKOUT
from atomic_lib.params.schema import Name, ParamsModel, read_yaml_mapping, validated
from atomic_lib.tools.user_namespace import enter, is_inside

MUTANTS_FILE = Path(__file__).with_suffix(".yaml")
SURVIVORS_MOST = 3
TIMEOUT_SECONDS = 600
_PASSED_ON = ("HOME", "WORKBOOK_NAMESPACE", "XDG_CACHE_HOME", "WORKBOOK_CACHE", "WORKBOOK_MIRROR")
# pytest's exit statuses: some tests failed; the tests could not be collected, because a module cannot be imported.
_FAILED = (1, 2)
_FIRST_FAILURE = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.MULTILINE)

Word = Literal["survived", "killed", "killed (time-out)"]


class Mutant(ParamsModel):
    """An error: ``after`` in place of ``before``, which occurs once in ``file``.

    ``tests`` are the files or folders of unit tests that should see it. Paths are relative to the checkout.
    """

    name: Name
    file: str
    before: str = Field(min_length=1)
    after: str
    tests: tuple[str, ...] = Field(min_length=1, strict=False)

    def put_into(self, text: str) -> str:
        """The text of the file with the error; raises WorkbookError unless ``before`` occurs once in it."""
        found = text.count(self.before)
        if found != 1:
            raise WorkbookError(
                f"{self.name}: before: occurs {found} times in {self.file}, not once",
                hint=f"the code has changed: change the entry in {MUTANTS_FILE.name}, too",
            )
        return text.replace(self.before, self.after)


class MutantList(ParamsModel):
    """The content of ``mutants.yaml``."""

    mutants: tuple[Mutant, ...] = Field(min_length=1, strict=False)

    @model_validator(mode="after")
    def _has_each_name_once(self) -> "MutantList":
        twice = [name for name, count in Counter(mutant.name for mutant in self.mutants).items() if count > 1]
        if twice:
            raise ValueError(f"mutants: {twice[0]!r} is there twice")
        return self


@dataclass(frozen=True)
class Verdict:
    """What the tests said. ``seen_by``: the test that failed; empty if none did, or at a time-out."""

    word: Word
    seen_by: str = ""


@dataclass(frozen=True)
class Outcome:
    """What the tests said of a mutant, and how long they took."""

    mutant: Mutant
    run: Verdict
    seconds: float

    @property
    def survived(self) -> bool:
        """Whether no test saw the mutant."""
        return self.run.word == "survived"

    def __str__(self) -> str:
        line = f"{self.run.word:<17}  {self.seconds:6.1f} s  {self.mutant.name}"
        return f"{line}: {self.run.seen_by}" if self.run.seen_by else line


def main(words: Sequence[str] | None = None) -> int:
    """Try the mutants; the exit status is 1 if more than ``SURVIVORS_MOST`` survive."""
    options = _parser().parse_args(words)
    try:
        mutants = chosen(load_mutants(), options.names)
        outcomes = []
        for outcome in try_mutants(mutants, CHECKOUT):
            print(outcome, flush=True)
            outcomes.append(outcome)
    except WorkbookError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    survivors = [outcome for outcome in outcomes if outcome.survived]
    print(f"killed {len(outcomes) - len(survivors)} of {len(outcomes)}")
    return 1 if len(survivors) > SURVIVORS_MOST else 0


def load_mutants(path: Path = MUTANTS_FILE) -> tuple[Mutant, ...]:
    """The mutants in a file; raises WorkbookError naming the file and what of it is not accepted."""
    return validated(MutantList, read_yaml_mapping(path), str(path), {}).mutants


def chosen(mutants: Sequence[Mutant], names: Sequence[str]) -> list[Mutant]:
    """The mutants with these names, or all if there are no names; raises WorkbookError for an unknown name."""
    unknown = sorted(set(names) - {mutant.name for mutant in mutants})
    if unknown:
        raise WorkbookError(f"no mutant {unknown[0]!r} in {MUTANTS_FILE.name}")
    return [mutant for mutant in mutants if not names or mutant.name in names]


def try_mutants(
    mutants: Sequence[Mutant], checkout: Path, *, timeout_seconds: float = TIMEOUT_SECONDS
) -> Iterator[Outcome]:
    """Try one mutant after the other in a copy of the checkout's tracked files, each for at most ``timeout_seconds``.

    Raises WorkbookError if the tests of a mutant do not pass, or do not run, without it.
    """
    with tempfile.TemporaryDirectory(prefix="mutants-") as scratch:
        copy = Path(scratch) / "checkout"
        copy_tracked_files(checkout, copy)
        passed: set[tuple[str, ...]] = set()
        for mutant in mutants:
            if mutant.tests not in passed:
                without = run_tests(copy, mutant.tests, TIMEOUT_SECONDS)
                if without.word != "survived":
                    failed = without.seen_by or f"no end within {TIMEOUT_SECONDS} s"
                    raise WorkbookError(f"{mutant.name}: fails without the mutant, too: {failed}")
                passed.add(mutant.tests)
            yield _try_mutant(mutant, copy, timeout_seconds)


def _try_mutant(mutant: Mutant, copy: Path, timeout_seconds: float) -> Outcome:
    path = copy / mutant.file
    text = path.read_text(encoding="utf-8")
    path.write_text(mutant.put_into(text), encoding="utf-8")
    started = time.monotonic()
    try:
        run = run_tests(copy, mutant.tests, timeout_seconds)
    finally:
        path.write_text(text, encoding="utf-8")
    return Outcome(mutant, run, time.monotonic() - started)


def run_tests(copy: Path, tests: Sequence[str], timeout_seconds: float) -> Verdict:
    """Run unit tests in a copy of the checkout until one fails.

    Raises WorkbookError if pytest cannot run them: a path does not exist, or contains no test.
    """
    line = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-m", "not integration",
            f"--basetemp={copy.parent / 'pytest'}", *tests]  # fmt: skip
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    # Kernels of notebooks would import an installed package. Python would take a compiled file for current if its
    # source has the same size and second as before.
    env = {**passed_on, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        command.run(line, cwd=copy, env=env, timeout_seconds=timeout_seconds, shown=["pytest", *tests])
    except command.CommandError as error:
        if error.status is None:
            return Verdict("killed (time-out)")
        if error.status not in _FAILED:
            raise
        failed = _FIRST_FAILURE.search(error.stdout)
        return Verdict("killed", failed[1] if failed else "")
    return Verdict("survived")


def copy_tracked_files(checkout: Path, target: Path) -> None:
    """Copy the files that Git tracks in ``checkout``, as they are now, to the new directory ``target``."""
    # A checkout may belong to another user than the one that runs this.
    trust = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    names = command.run(["git", "-C", checkout, "ls-files", "-z"], env=trust).stdout
    target.mkdir()
    command.run(["cp", "--archive", "--parents", "--target-directory", target, "--", *names.split("\0")[:-1]],
                cwd=checkout)  # fmt: skip


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.mutants",
        description="Put one error at a time into a copy of the code, and see whether a unit test fails. Exit status 1 "
        f"if more than {SURVIVORS_MOST} errors survive. Takes about 10 minutes.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="try only these mutants (default: all)")
    return parser


if __name__ == "__main__":
    if is_inside():  # as the tests are
        sys.exit(main())
    enter([sys.executable, "-m", "benchmarks.mutants", *sys.argv[1:]])
