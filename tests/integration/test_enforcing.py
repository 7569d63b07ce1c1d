"""The traditional image boots under SELinux as well: cloud-docker, with the whole proof of life."""

from pathlib import Path

import pytest

from atomic_lib.guest.boot_record import Boot
from atomic_lib.params.variant import load_variant
from atomic_lib.pipeline.recorded_build import record_build
from atomic_lib.results.analysis.denial_reasons import unexplained

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
    (boot,) = record_build(load_variant("cloud-docker"), tmp_path).boot(1).boots
    require_enforcing(boot)
