"""The traditional image boots under SELinux as well: cloud-docker, with the whole proof of life."""

from pathlib import Path

import pytest

from atomic_lib.params.variant import load_variant, parameter_values
from atomic_lib.pipeline.workbench import open_workbench
from atomic_lib.results.analysis.denial_reasons import unexplained
from atomic_lib.results.boot_result import Boot

pytestmark = pytest.mark.integration

CONFINEMENT = {
    "SELinux is enforcing",
    "a container is confined, with categories of its own",
    "a container cannot read the host's /etc/shadow",
    "the attempt is logged as a denial",
}


def require_enforcing(boot: Boot) -> None:
    """Every check of the boot passed, those of SELinux among them, and it denied nothing that nobody can explain."""
    assert {check.name for check in boot.checks} >= CONFINEMENT
    assert [check for check in boot.checks if not check.passed] == []
    assert boot.selinux_mode == "enforcing"
    assert boot.denials_lost == 0
    assert boot.denials is not None
    assert unexplained(boot.denials) == ()


def test_cloud_docker_boots_enforcing(tmp_path: Path) -> None:
    bench = open_workbench(parameter_values(load_variant("cloud-docker")), str(tmp_path))
    bench.boot(bench.build(bench.compose(bench.resolve())), new_boots=1)
    (boot,) = bench.record.result.boots
    require_enforcing(boot)
