"""Compose, build, boot and compare variants of the Fedora Atomic Cloud Image."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas  # type: ignore[import-untyped]

__version__ = "0.1.0"


def load_results(run_directory: str | Path = "build/runs/latest-default") -> "dict[str, pandas.DataFrame]":
    """The figures of a run as pandas tables by name: ``figures``, ``packages``, ``boots`` and others.

    ``docs/tables.md`` describes every column with its data type and unit. A relative path starts at the checkout.

    Raises WorkbookError naming the file that is missing or damaged.
    """
    from atomic_lib.base.paths import CHECKOUT
    from atomic_lib.results.tables.load_tables import load_tables

    return load_tables(CHECKOUT / run_directory)
