"""The command lines of a cluster: what they accept, and that they refuse before anything starts."""

from pathlib import Path
from unittest.mock import Mock, call

import pytest

from atomic_lib.cli import main
from atomic_lib.pipeline.sweep import sweep_run
from atomic_lib.pipeline.sweep.cluster.address import ClusterAddress
from atomic_lib.pipeline.sweep.sweep_building import Amounts


@pytest.mark.parametrize(
    "words", [["sweep-worker", "tcp://192.0.2.7:1"], ["sweep-scheduler", "tcp://0.0.0.0:1"],
              ["sweep", "a.yaml", "--scheduler", "tcp://192.0.2.7:1"]],
)  # fmt: skip
def test_what_leaves_this_machine_must_be_encrypted(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 1
    assert "a connection to another machine must be encrypted" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["sweep-worker", "sweep-scheduler"])
def test_nothing_starts_if_it_is_only_installed(name: str) -> None:
    assert main([name, "--only-install"]) == 0


def test_a_sweep_is_told_its_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Mock(return_value=0)
    monkeypatch.setattr(sweep_run, "run_sweep", run)
    assert main(["sweep", "a.yaml", "--scheduler", "tcp://127.0.0.1:5"]) == 0
    assert main(["sweep", "a.yaml"]) == 0
    nothing = Amounts(0, 0)
    assert run.mock_calls == [
        call(Path("a.yaml"), {}, nothing, ClusterAddress("tcp://127.0.0.1:5", "127.0.0.1", 5)),
        call(Path("a.yaml"), {}, nothing, None),
    ]
