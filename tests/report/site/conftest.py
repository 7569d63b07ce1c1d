"""A build directory with runs of three days."""

from pathlib import Path

import pytest

from tests.report.site.site_factory import JQ, add, variant


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """Three good runs; from the second day on, atomic-min has jq."""
    build = tmp_path / "build"
    base = variant("cloud-docker")
    add(build, 1, base, variant("atomic-min"))
    add(build, 2, base, variant("atomic-min", JQ))
    add(build, 3, base, variant("atomic-min", JQ))
    return build
