"""The kernel of notebooks: ipykernel, which reads how to connect to it also as the root of the namespace."""

import os
import sys
from pathlib import Path

import pytest

from atomic_lib.pipeline.lab import kernel_process


@pytest.mark.parametrize(("user", "inside"), [(1000, False), (0, True), (0, False)])
def test_ipykernel_gets_all_words_and_hosts_root_a_copy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, user: int, inside: bool
) -> None:
    file, entered = tmp_path / "kernel.json", list[list[str]]()
    file.write_text("how to connect")
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(kernel_process, "is_inside", lambda: inside)
    monkeypatch.setattr(kernel_process, "enter", entered.append)
    kernel_process.start("-f", str(file), "--ext=own")
    ((*words, connection, last),) = entered
    assert (words, last) == ([sys.executable, "-m", "ipykernel_launcher", "-f"], "--ext=own")
    assert Path(connection).read_text() == "how to connect"
    assert (connection == str(file)) == (user != 0 or inside)
