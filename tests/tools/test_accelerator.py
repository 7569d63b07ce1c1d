"""The test guest that tells which accelerator works."""

import os
from pathlib import Path

import pytest

from atomic_lib.base.paths import cache_directory
from atomic_lib.tools import accelerator
from atomic_lib.tools.accelerator import boot_failure, boot_sector, kvm_refusal, probe_accelerator, probe_argv
from atomic_lib.tools.sandbox import Tools
from atomic_lib.tools.tools_tree import open_tools


def test_the_boot_sector_is_one() -> None:
    sector = boot_sector()
    assert len(sector) == 512
    assert sector[510:] == b"\x55\xaa"
    assert sector[0x6F:0x77] == bytes(8)  # the first descriptor is empty
    assert sector[0x45:0x4A] == bytes.fromhex("0f01167f7c")  # lgdt is given what follows here
    assert sector[0x7F:0x85] == bytes.fromhex("0f006f7c0000")
    assert not any(sector[0x85:510])


def test_the_probe_differs_by_accelerator_only() -> None:
    kvm, tcg = probe_argv("kvm", "/d"), probe_argv("tcg", "/d")
    assert {(a, b) for a, b in zip(kvm, tcg, strict=True) if a != b} == {("kvm", "tcg"), ("host", "max,-svm")}


def test_without_a_device_kvm_is_refused_with_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerator, "KVM_DEVICE", tmp_path / "kvm")
    nowhere = Tools(tmp_path, "none")
    assert kvm_refusal(nowhere) == f"there is no {tmp_path}/kvm"


@pytest.fixture(scope="module")
def tools() -> Tools:
    if os.geteuid() != 0:
        pytest.skip("the tools tree is made by root only")
    return open_tools(cache_directory())


@pytest.mark.integration
def test_a_guest_boots_under_tcg(tools: Tools) -> None:
    assert boot_failure(tools, "tcg") == ""


@pytest.mark.integration
def test_the_probe_gives_a_reason(tools: Tools, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert probe_accelerator(tools).reason
    monkeypatch.setattr(accelerator, "KVM_DEVICE", tmp_path / "kvm")
    found = probe_accelerator(tools)
    assert (found.name, found.reason) == ("tcg", f"there is no {tmp_path}/kvm")


@pytest.mark.integration
def test_a_disk_without_code_is_a_guest_that_does_not_run(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerator, "boot_sector", lambda: bytes(512))
    monkeypatch.setitem(accelerator.PROBE_SECONDS, "tcg", 2.0)
    assert boot_failure(tools, "tcg") == "a test guest did not run within 2 s"
