"""The version of the first commit with a prefix, by rpm-ostree's table."""

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.treefile_rules.version_prefix import first_version

EPOCH = 1735689600
"""2025-01-01."""


@pytest.mark.parametrize(
    ("prefix", "suffix", "version"),
    [
        ("22", ".", "22"),
        ("22.1", "-", "22.1"),
        ("22.<date:%Y>", ".", "22.2025.0"),
        ("22.<date:%Y>.1", ".", "22.2025.1.0"),
        ("41.<date:%Y%m%d>.dev", ".", "41.20250101.dev.0"),
        ("41.<date:%Y%m%d>", "-", "41.20250101-0"),
        ("<date:%y>.<date:%j>", ".", "25.001.0"),
    ],
)
def test_a_date_is_that_of_the_epoch_and_a_zero_follows(prefix: str, suffix: str, version: str) -> None:
    assert first_version(prefix, suffix, EPOCH) == version


@pytest.mark.parametrize(
    "prefix", ["22.<date:%E>", "22.<date:%>", "22.<date:%A>", "22.<time:%Y>", "22 1", "22.<date: >"]
)
def test_what_makes_no_version_is_refused(prefix: str) -> None:
    with pytest.raises(WorkbookError, match="not accepted"):
        first_version(prefix, ".", EPOCH)
