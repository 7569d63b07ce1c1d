"""Menus and boot entries as ostree writes them, and damaged ones."""

import pytest

from atomic_lib.measure.power_cuts.boot_menu import MenuEntry, bls_entry, commit_of, menu_entries

MENU = """\
TIMEOUT 10
PROMPT 1

DEFAULT Two (ostree:0)
LABEL One (ostree:1)
\tKERNEL /boot/ostree/own-1/vmlinuz
\tINITRD /boot/ostree/own-1/initramfs
\tAPPEND root=UUID=1 rw ostree=/ostree/boot.1/own/1/0
LABEL Two (ostree:0)
\tKERNEL /boot/ostree/own-2/vmlinuz
\tINITRD /boot/ostree/own-2/initramfs
\tAPPEND ostree=/ostree/boot.1/own/2/0 rw
"""
ONE = MenuEntry(
    "One (ostree:1)", "/boot/ostree/own-1/vmlinuz", "/boot/ostree/own-1/initramfs", "/ostree/boot.1/own/1/0"
)
TWO = MenuEntry(
    "Two (ostree:0)", "/boot/ostree/own-2/vmlinuz", "/boot/ostree/own-2/initramfs", "/ostree/boot.1/own/2/0"
)


def test_the_default_entry_is_first() -> None:
    assert menu_entries(MENU) == [TWO, ONE]
    assert menu_entries(MENU.replace("DEFAULT Two (ostree:0)", "DEFAULT Three")) == [ONE, TWO]


@pytest.mark.parametrize("line", ["KERNEL /boot/ostree/own-2/vmlinuz", "INITRD /boot/ostree/own-2/initramfs",
                                  "ostree=/ostree/boot.1/own/2/0"])  # fmt: skip
def test_an_entry_without_one_of_its_parts_is_none(line: str) -> None:
    assert menu_entries(MENU.replace(line, "")) == [ONE]


@pytest.mark.parametrize("text", ["", "\0" * 4096, "DEFAULT x\n", "LABEL\n"])
def test_what_is_no_menu_has_no_entries(text: str) -> None:
    assert menu_entries(text) == []


def test_a_boot_entry_is_read() -> None:
    text = "title One\nversion 1\noptions rw ostree=/ostree/boot.1/own/1/0\nlinux /vmlinuz\ninitrd /initramfs\n"
    assert bls_entry(text) == MenuEntry("One", "/vmlinuz", "/initramfs", "/ostree/boot.1/own/1/0")
    assert bls_entry(text.replace("initrd /initramfs\n", "")) is None
    assert bls_entry("\0" * 100) is None


def test_the_commit_of_a_deployment() -> None:
    assert commit_of(f"/ostree/deploy/own/deploy/{'a' * 64}.0") == "a" * 64
    assert commit_of(f"/ostree/deploy/own/deploy/{'a' * 64}.0/etc") is None
    assert commit_of("/ostree/deploy/own") is None
    assert commit_of(None) is None
