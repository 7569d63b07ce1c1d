"""GRUB placed by hand: the numbers its code reads, and the menus it shows."""

import re
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.image.bootloader import (
    boot_entry,
    boot_sector_code,
    early_configuration,
    empty_environment,
    make_loaders,
    ostree_configuration_head,
    ostree_menu,
    placed_core,
    traditional_menu,
)
from atomic_lib.tools.sandbox import Tools

BOOT_IMAGE = bytes(range(256)) * 2
UUID = "27fd2e8e-a159-5cf0-ad92-c9188c68e08b"


def differing(before: bytes, after: bytes) -> set[int]:
    return {index for index, (one, other) in enumerate(zip(before, after, strict=False)) if one != other}


def test_the_boot_sector_leads_to_the_core_image() -> None:
    code = boot_sector_code(BOOT_IMAGE)
    assert struct.unpack_from("<Q", code, 92) == (2048,)
    assert code[102:104] == b"\x90\x90"


def test_the_boot_sector_ends_before_the_partition_table_and_is_otherwise_as_it_was() -> None:
    code = boot_sector_code(BOOT_IMAGE)
    assert len(code) == 440
    assert differing(BOOT_IMAGE, code) <= {*range(92, 100), 102, 103}


def test_the_core_image_leads_to_its_own_second_sector() -> None:
    image = bytes([7]) * 30_000
    core = placed_core(image)
    assert struct.unpack_from("<Q", core, 500) == (2049,)
    assert len(core) == len(image)
    assert differing(image, core) == set(range(500, 508))


def test_the_menu_of_a_traditional_root_boots_its_kernel() -> None:
    lines = [line.strip() for line in traditional_menu(UUID, "6.12.1", f"root=UUID={UUID} quiet", 3).splitlines()]
    assert f"linux /boot/vmlinuz-6.12.1 root=UUID={UUID} quiet" in lines
    assert "initrd /boot/initramfs-6.12.1.img" in lines
    assert "set timeout=3" in lines


def test_the_entry_beside_it_says_the_same() -> None:
    text = boot_entry("6.12.1", f"root=UUID={UUID} quiet", "41.2")
    fields = dict(line.split(" ", 1) for line in text.splitlines())
    assert fields == {
        "title": "Cloud Image 41.2",
        "version": "6.12.1",
        "linux": "/boot/vmlinuz-6.12.1",
        "initrd": "/boot/initramfs-6.12.1.img",
        "options": f"root=UUID={UUID} quiet",
    }


def test_the_menu_of_an_ostree_sysroot_names_no_deployment() -> None:
    menu = ostree_menu(UUID)
    assert "/boot/loader/syslinux.cfg" in menu
    assert "vmlinuz" not in menu
    assert 'function linux16 { linux "$@"; }' in menu


def test_the_loader_finds_its_root_by_uuid_on_its_own_disk_first() -> None:
    search = early_configuration(UUID).splitlines()[0].split()
    assert search[search.index("--fs-uuid") + 1] == UUID
    assert search[search.index("--hint") + 1] == "$root"
    assert "label" not in early_configuration(UUID)


@pytest.mark.parametrize(
    ("menu", "start"),
    [(ostree_menu(UUID), "syslinux_source"), (traditional_menu(UUID, "6.12.1", "quiet", 3), "linux ")],
)
def test_a_menu_starts_nothing_beside_a_second_file_system_with_the_roots_uuid(menu: str, start: str) -> None:
    look, _, rest = menu.partition('if [ -n "$copy" ]; then\n')
    refusal, _, ordinary = rest.partition("else\n")
    assert f'if [ "$found" = "{UUID}" ]; then set copy=$other; fi' in look
    assert start in ordinary
    assert start not in look + refusal
    assert "timeout" not in refusal
    assert ordinary.endswith("\nfi\n")


@pytest.mark.parametrize(("seconds", "line"), [(0, "TIMEOUT 0"), (1, "TIMEOUT 10"), (30, "TIMEOUT 300")])
def test_syslinux_counts_in_tenths_of_a_second(seconds: int, line: str) -> None:
    assert ostree_configuration_head(seconds).splitlines()[0] == line


def next_boot(root: Path, boots: int) -> str:
    """The entry that GRUB would choose now; its own commands are replaced by those of a shell."""
    menu = ostree_menu(UUID, boots).partition("syslinux_source")[2].partition("\n")[2].removesuffix("fi\n")
    script = re.sub(r"(^|\s)set (\w+)=", r"\1\2=", menu).replace("-e /", f"-e {root}/")
    commands = (
        f"load_env() {{ [ ! -e {root}/counter ] || read -r boot_counter <{root}/counter; }}\n"
        f'save_env() {{ echo "$boot_counter" >{root}/counter; }}\ndefault=0\n'
    )
    words = ["sh", "-euc", f"boot_counter= proven=\n{commands}{script}\necho $default"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def sysroot(tmp_path: Path) -> Path:
    """The second boot configuration of an ostree sysroot, not proven."""
    for directory in ("boot/loader.1", "boot/loader.0", "ostree/boot.1.0", "ostree/boot.0.1"):
        (tmp_path / directory).mkdir(parents=True)
    (tmp_path / "boot/loader").symlink_to("loader.1")
    (tmp_path / "ostree/boot.1").symlink_to("boot.1.0")
    (tmp_path / "ostree/boot.0").symlink_to("boot.0.1")
    return tmp_path


@pytest.mark.parametrize("boots", [1, 2, 3, 9])
def test_a_trial_has_so_many_boots_and_then_the_second_entry_is_booted(sysroot: Path, boots: int) -> None:
    assert [next_boot(sysroot, boots) for _ in range(boots + 3)] == ["0"] * boots + ["1"] * 3


def test_boots_of_a_proven_configuration_are_not_counted(sysroot: Path) -> None:
    (sysroot / "boot/loader.1/proven.1").touch()
    (sysroot / "ostree/boot.1.0/proven").touch()
    assert [next_boot(sysroot, 2) for _ in range(5)] == ["0"] * 5
    assert not (sysroot / "counter").exists()


@pytest.mark.parametrize(
    "proofs",
    [
        ("boot/loader.1/proven.1", "ostree/boot.1.1/proven"),
        ("boot/loader.0/proven.1", "ostree/boot.1.0/proven"),
        ("boot/loader.0/proven.0", "ostree/boot.0.1/proven"),
        ("boot/loader.1/proven.0", "ostree/boot.1.0/proven"),
    ],
    ids=["another set of deployments", "another loader", "the last configuration", "another number"],
)
def test_the_proof_of_another_configuration_does_not_count(sysroot: Path, proofs: tuple[str, ...]) -> None:
    (sysroot / "ostree/boot.1.1").mkdir()
    for proof in proofs:
        (sysroot / proof).touch()
    assert [next_boot(sysroot, 2) for _ in range(3)] == ["0", "0", "1"]


def test_without_the_parameter_nothing_is_counted() -> None:
    assert "boot_counter" not in ostree_menu(UUID)
    assert ostree_menu(UUID, 0) == ostree_menu(UUID)


def test_the_environment_is_one_block_without_a_variable() -> None:
    text = empty_environment()
    assert len(text) == 1024
    assert text.partition("\n")[0] == "# GRUB Environment Block"
    assert set(text.partition("\n")[2]) == {"#"}


@dataclass(frozen=True)
class GrubTools(Tools):
    """Tools whose grub-mkimage makes a core image of zeros, and remembers what it was asked for."""

    asked: list[list[str]] = field(default_factory=list)

    def run(self, words: Sequence[Any], **options: Any) -> Any:
        """Make the image."""
        self.asked.append(list(words))
        (options["binds"][0].source / "core.img").write_bytes(bytes(4096))


@pytest.mark.parametrize("counts", [False, True])
def test_a_loader_can_write_its_environment_only_where_it_counts(tmp_path: Path, counts: bool) -> None:
    boot = tmp_path / "root/usr/lib/grub/i386-pc/boot.img"
    boot.parent.mkdir(parents=True)
    boot.write_bytes(BOOT_IMAGE)
    tools = GrubTools(tmp_path / "root", "key")
    make_loaders(tools, tmp_path, UUID, counts=counts)
    assert ["loadenv" in words for words in tools.asked] == [counts, counts]
