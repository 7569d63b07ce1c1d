"""The service of the initramfs that lets no root be mounted of which there is a copy: what udev knows decides."""

import os
import shutil
from pathlib import Path

import pytest

import atomic_lib.compose
from atomic_lib.base import command
from atomic_lib.base.command import CommandError

PROGRAM = Path(atomic_lib.compose.__path__[0], "initramfs_files", "require-one-root")
UUID = "0b5bcd4c-5c2b-5f0a-9d2e-6f1f6d1f7a11"
SHELLS = [shell for shell in ("dash", "bash", "busybox sh") if shutil.which(shell.split()[0])]


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A machine with one root, another partition, and a disc; udevadm says when it was called."""
    for name in ("proc", "run/udev/data", "sys/dev/block", "programs"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "proc/cmdline").write_text(f"BOOT_IMAGE=/vmlinuz root=UUID={UUID} rw quiet *\n")
    (tmp_path / "programs/udevadm").write_text(f'#!/bin/sh\necho "$*" >>{tmp_path}/settled\nexit 1\n')
    (tmp_path / "programs/udevadm").chmod(0o755)
    add_device(tmp_path, "254:3", "vda3", UUID)
    add_device(tmp_path, "254:2", "vda2", "1234-5678")
    add_device(tmp_path, "11:0", "sr0", None)
    (tmp_path / "run/udev/data/c13:64").write_text(f"E:ID_FS_UUID={UUID}\n")
    return tmp_path


def add_device(top: Path, number: str, name: str, uuid: str | None) -> Path:
    """A block device, as udev's database and sysfs show it."""
    lines = (
        [f"S:disk/by-uuid/{uuid}", "I:1234", f"E:ID_FS_UUID={uuid}", f"E:ID_FS_UUID_ENC={uuid}"] if uuid else ["I:1"]
    )
    (top / "run/udev/data" / f"b{number}").write_text("\n".join([*lines, "G:systemd"]) + "\n")
    device = top / "sys/dev/block" / number
    (device / "holders").mkdir(parents=True)
    (device / "uevent").write_text(f"MAJOR=254\nDEVNAME={name}\nDEVTYPE=partition\n")
    return device


def run(top: Path, shell: str = "sh") -> str:
    """Standard error; raises CommandError where the root must not be mounted."""
    environment = {"PATH": f"{top}/programs:{os.environ['PATH']}"}
    return command.run([*shell.split(), PROGRAM, top], env=environment, timeout_seconds=30).stderr


@pytest.mark.parametrize("shell", SHELLS)
def test_one_root_is_mounted_once_udev_knows_all_disks(top: Path, shell: str) -> None:
    assert run(top, shell) == ""
    assert (top / "settled").read_text() == "settle --timeout=30\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_a_copy_is_refused_and_both_are_named(top: Path, shell: str) -> None:
    add_device(top, "254:19", "vdb3", UUID)
    with pytest.raises(CommandError) as caught:
        run(top, shell)
    assert caught.value.status == 1
    assert f"have the UUID {UUID} of the root: /dev/vdb3 /dev/vda3." in caught.value.stderr


def test_a_device_that_another_one_is_made_of_does_not_count(top: Path) -> None:
    for number, name in (("8:3", "sda3"), ("8:19", "sdb3")):
        (add_device(top, number, name, UUID) / "holders/dm-0").mkdir()
    assert run(top) == ""


@pytest.mark.parametrize("word", ["", "root=LABEL=root", "root=/dev/vda3", "xroot=UUID=1234-5678"])
def test_a_root_without_a_uuid_is_not_looked_for(top: Path, word: str) -> None:
    (top / "proc/cmdline").write_text(f"rw {word} quiet")
    add_device(top, "254:19", "vdb3", UUID)
    assert run(top) == ""
    assert not (top / "settled").exists()
