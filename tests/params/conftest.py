"""A directory of parameters: a base and two variants."""

from pathlib import Path

import pytest

BASE = "content: standin\nboots_bios: 1\n"
SMALL = "variant: small\nmethod: ostree\nrecipe: small\nagent: min-cloud-agent\n"


@pytest.fixture
def params(tmp_path: Path) -> Path:
    (tmp_path / "studies").mkdir()
    (tmp_path / "variants").mkdir()
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "variants/small.yaml").write_text(SMALL)
    (tmp_path / "variants/large.yaml").write_text(SMALL.replace("small", "large"))
    return tmp_path
