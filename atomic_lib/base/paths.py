"""The project's directories: the checkout, its parameters and notebooks, the builds, the cache."""

import os
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
BUILD = CHECKOUT / "build"
NOTEBOOKS = CHECKOUT / "notebooks"
PARAMS_DIRECTORY = CHECKOUT / "params"
RULES_DIRECTORY = PARAMS_DIRECTORY / "rules"


def cache_directory() -> Path:
    """The directory of downloads, tools tree and content: $WORKBOOK_CACHE, or $XDG_CACHE_HOME/atomic-workbook."""
    if os.environ.get("WORKBOOK_CACHE"):
        return Path(os.environ["WORKBOOK_CACHE"]).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "atomic-workbook"
