"""What ./workbook starts before there is a Python environment."""

import sys

from atomic_lib import make_tools
from atomic_lib.base import command
from atomic_lib.base.paths import CHECKOUT


def test_it_needs_the_standard_library_only() -> None:
    words = [sys.executable, "-S", "-P", "-c", f"import {make_tools.__name__}"]  # -S: no packages of the environment
    command.run(words, env={"PYTHONPATH": str(CHECKOUT)})
