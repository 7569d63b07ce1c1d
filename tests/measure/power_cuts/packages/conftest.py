"""The disk of a machine with packages, which every test of a module reads."""

import pytest

from tests.measure.power_cuts.packages.package_machine import PackageMachine, make_package_machine


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> PackageMachine:
    return make_package_machine(tmp_path_factory.mktemp("machine"))
