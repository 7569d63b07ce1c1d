"""What the children of a process leave is adopted, and ended."""

from collections.abc import Callable

from atomic_lib.base.command import Completed

PROGRAM = """
import os
from pathlib import Path
from atomic_lib.base import command
from atomic_lib.base.signals import adopt_orphans
from atomic_lib.pipeline.side_by_side.orphans import end_descendants
adopt_orphans()
left = Path("/proc", command.run(["sh", "-c", "setsid sleep 300 >/dev/null 2>&1 & echo $!"]).stdout.strip())
print(left.joinpath("stat").read_text().rpartition(") ")[2].split()[1] == str(os.getpid()))
end_descendants()
print(left.exists())
"""


def test_a_process_whose_parent_has_ended_is_adopted_and_killed(run_python: Callable[..., Completed]) -> None:
    assert run_python(PROGRAM).stdout.split() == ["True", "False"]
