"""How a command starts: in the workbook's namespace, with copies of what that does not see, or outside of it."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.progress import say
from atomic_lib.cli import command_parser, main, recipes_in
from atomic_lib.pipeline.failures import explained
from atomic_lib.pipeline.recipe_files.recipe_commands import NAMES
from atomic_lib.pipeline.schedule.schedule_commands import SCHEDULE_NAMES
from atomic_lib.tools.user_namespace import enter, is_inside


def start(words: Sequence[str]) -> int:
    """Enter the workbook's namespace and run one command; returns the exit status, as ``main``.

    JupyterLab stays outside, because its kernels enter. So do commands that only read, talk to systemd or publish;
    ``doctor`` does where the host does not allow it. SystemExit carries the status 2.
    """
    if not (is_inside() or (words and words[0] in ("lab", *NAMES, *SCHEDULE_NAMES)) or _publishes(words)):
        try:
            enter([sys.executable, "-P", "-m", "atomic_lib", *with_copies(words)])
        except WorkbookError as error:
            if words[:1] != ["doctor"]:
                say(f"error: {error}")
                return 1
        except OSError as error:
            say(f"error: {explained(error)}")
            return 1
    return main(words, execute)


def _publishes(words: Sequence[str]) -> bool:
    """Whether a run is to be published: only the run itself is made in the namespace."""
    return words[:1] == ["run"] and any(word.partition("=")[0] == "--publish" for word in words)


def with_copies(words: Sequence[str]) -> list[str]:
    """The words of a command, followed by the copies of the recipes and the lock that they name, made here.

    The namespace does not see all that the user may read: not the directories that only the host's root may enter,
    nor what the user may read as a member of a group.

    Raises WorkbookError as ``study_of_recipes`` does, and SystemExit for words that are not accepted.
    """
    if words[:1] == ["test"]:
        return list(words)
    options = command_parser().parse_args(words)
    added = []
    if recipes := recipes_in(options):
        from atomic_lib.pipeline.recipe_files.own_recipes import study_of_recipes

        added.append(f"--copies={study_of_recipes(recipes)}")
    if os.path.isfile(lock := vars(options).get("lock") or ""):
        from atomic_lib.pipeline.recipe_files.own_recipes import copied_lock

        added.append(f"--lock={copied_lock(Path(lock))}")
    at = words.index("--") if "--" in words else len(words)
    return [*words[:at], *added, *words[at:]]


def execute(words: Sequence[str]) -> int:
    """The exit status of another command of ours, in the namespace."""
    from atomic_lib.pipeline.schedule.publishing import in_child

    if is_inside():
        return main(words)
    return in_child(lambda: enter([sys.executable, "-P", "-m", "atomic_lib", *with_copies(words)]))
