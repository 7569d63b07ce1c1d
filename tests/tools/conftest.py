"""A host of a test's own."""

import os
import pwd
import shutil
from pathlib import Path

import pytest

from atomic_lib.tools import subordinate_ids


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host with newuidmap and no settings; its /etc and /proc/sys are below the path."""
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "dnf" else f"/usr/bin/{name}")
    monkeypatch.setattr(subordinate_ids, "HOST", tmp_path)
    me = pwd.getpwuid(os.getuid()).pw_name
    for file in ("subuid", "subgid"):
        path = tmp_path / "etc" / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"other:100000:65536\n{me}:165536:65536\n")
    return tmp_path
