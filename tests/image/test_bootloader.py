"""GRUB placed by hand: the numbers its code reads, and the menus it shows."""

import struct

import pytest

from atomic_lib.image.bootloader import (
    boot_entry,
    boot_sector_code,
    early_configuration,
    ostree_configuration_head,
    ostree_menu,
    placed_core,
    traditional_menu,
)

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
