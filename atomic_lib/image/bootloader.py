"""GRUB for BIOS and UEFI on one disk, without grub-install.

Both loaders contain the modules that they need. They find the root file system by its UUID,
first on the disk that they were loaded from, and load its ``/boot/grub/grub.cfg``. Sources:
GRUB's manual (grub-mkimage, images, search, probe, load_env), grub-setup's ``boot.h`` and ``diskboot`` offsets.
"""

import struct
from pathlib import Path

from atomic_lib.tools.sandbox import Bind, Tools

BIOS_BOOT_SECTOR = 2048
_BOOT_IMAGE_CODE_BYTES = 440
_KERNEL_SECTOR_OFFSET = 0x5C
_BOOT_DRIVE_CHECK_OFFSET = 0x66
_BLOCKLIST_OFFSET = 0x1F4
_MODULES = [
    *("part_gpt", "ext2", "search", "search_fs_uuid", "normal", "configfile", "linux", "syslinuxcfg", "test"),
    *("echo", "ls", "cat", "sleep", "serial", "terminal", "reboot", "halt", "probe", "regexp"),
]
_ENVIRONMENT_MODULE = "loadenv"
_ENVIRONMENT_BYTES = 1024
# Without a disk: GRUB takes the one that it was loaded from.
_PREFIX = "(,gpt3)/boot/grub"
_EARLY = """\
search --no-floppy --fs-uuid {uuid} --hint $root --set=root
set prefix=($root)/boot/grub
configfile $prefix/grub.cfg
"""
# The kernel would mount one of two file systems with the same UUID, and nothing says which.
_MENU_UNLESS_COPIED = """\
for other in (*); do
  if [ "$other" != "($root)" -a -e $other/boot/grub/grub.cfg ]; then
    probe --set=found --fs-uuid $other
    if [ "$found" = "{uuid}" ]; then set copy=$other; fi
  fi
done
if [ -n "$copy" ]; then
  echo "Not started: ($root) and $copy both have the UUID {uuid}."
  menuentry "Not started: $copy is a copy of ($root). Detach one, then restart." {{ reboot }}
else
{menu}fi
"""
_TERMINAL = """\
serial --unit=0 --speed=115200
terminal_input serial console
terminal_output serial console
"""
# ostree rewrites the entries of /boot/loader/syslinux.cfg at each deployment. On BIOS, GRUB
# converts them to commands for a 16-bit boot, which the kernel does not need.
_OSTREE_COMMANDS = """\
function linux16 { linux "$@"; }
function initrd16 { initrd "$@"; }
"""
_OSTREE_MENU = """\
syslinux_source -s -r / -c / /boot/loader/syslinux.cfg
"""
# A boot configuration of ostree is proven by two files: the health check writes them, and ostree makes one of their
# directories anew when it changes what is booted. Without them, each boot takes one from the counter; with none left
# the second entry is booted. GRUB does not calculate, hence a line for each number. See docs/updates.md.
_TRIAL = """\
load_env boot_counter
for number in 0 1; do
  if [ -e /boot/loader/proven.$number -a -e /ostree/boot.$number/proven ]; then set proven=$number; fi
done
if [ -z "$proven" ]; then
  if [ "$boot_counter" = 0 ]; then set default=1
{steps}  else set boot_counter={left}
  fi
  save_env boot_counter
fi
"""
_STEP = """\
  elif [ "$boot_counter" = {count} ]; then set boot_counter={left}
"""


def early_configuration(uuid: str) -> str:
    """What GRUB runs first: finds the root file system by its UUID, preferably on GRUB's own disk."""
    return _EARLY.format(uuid=uuid)


def ostree_menu(uuid: str, trial_boots: int = 0) -> str:
    """grub.cfg for an ostree sysroot; the menu shows the deployments in ostree's own boot configuration.

    ``trial_boots``: how often a deployment that is not proven is booted before the second one is, at most 9; 0: without
    end. Starts nothing if GRUB sees a second file system with the UUID of the root.
    """
    menu = _OSTREE_MENU + (_trial(trial_boots) if trial_boots else "")
    return _TERMINAL + _OSTREE_COMMANDS + _MENU_UNLESS_COPIED.format(uuid=uuid, menu=menu)


def _trial(boots: int) -> str:
    steps = "".join(_STEP.format(count=count, left=count - 1) for count in range(1, boots))
    return _TRIAL.format(steps=steps, left=boots - 1)


def empty_environment() -> str:
    """GRUB's environment block without a variable. Source of the format: GRUB's manual, "Environment block"."""
    return "# GRUB Environment Block\n".ljust(_ENVIRONMENT_BYTES, "#")


def ostree_configuration_head(timeout_seconds: int) -> str:
    """The first lines of syslinux.cfg, which ostree keeps; without PROMPT, GRUB would not show a menu."""
    return f"TIMEOUT {timeout_seconds * 10}\nPROMPT 1\n"


def traditional_menu(uuid: str, kver: str, arguments: str, timeout_seconds: int) -> str:
    """grub.cfg for a traditional root, which has one kernel.

    Starts nothing if GRUB sees a second file system with the UUID of the root.
    """
    entry = f"  linux /boot/vmlinuz-{kver} {arguments}\n  initrd /boot/initramfs-{kver}.img\n"
    menu = f'set timeout={timeout_seconds}\nmenuentry "{kver}" {{\n{entry}}}\n'
    return _TERMINAL + _MENU_UNLESS_COPIED.format(uuid=uuid, menu=menu)


def boot_entry(kver: str, arguments: str, version: str) -> str:
    """The BLS entry of a traditional root, for tools that read it; GRUB uses its own menu.

    Source of the format: the Boot Loader Specification, type 1 entries.
    """
    return (
        f"title Cloud Image {version}\nversion {kver}\nlinux /boot/vmlinuz-{kver}\n"
        f"initrd /boot/initramfs-{kver}.img\noptions {arguments}\n"
    )


def make_loaders(tools: Tools, directory: Path, uuid: str, *, counts: bool = False) -> tuple[bytes, bytes, Path]:
    """The code of the boot sector, the core image for the BIOS boot partition, and the path of the EFI program.

    ``uuid``: of the root file system. ``counts``: whether they count boots. Raises CommandError if grub-mkimage fails.
    """
    modules = [*_MODULES, *([_ENVIRONMENT_MODULE] if counts else [])]
    (directory / "early.cfg").write_text(early_configuration(uuid))
    binds = [Bind(directory, "/mnt/loader", writable=True)]
    for form, drivers, name in (("i386-pc", ["biosdisk"], "core.img"), ("x86_64-efi", ["efi_gop"], "BOOTX64.EFI")):
        tools.run(
            ["grub-mkimage", f"--format={form}", f"--output=/mnt/loader/{name}", f"--prefix={_PREFIX}",
             "--config=/mnt/loader/early.cfg", *drivers, *modules],
            binds=binds,
        )  # fmt: skip
    boot = (tools.root / "usr/lib/grub/i386-pc/boot.img").read_bytes()
    core = (directory / "core.img").read_bytes()
    return boot_sector_code(boot), placed_core(core), directory / "BOOTX64.EFI"


def boot_sector_code(boot_image: bytes) -> bytes:
    """GRUB's boot.img with the position of the core image, without its partition table."""
    code = bytearray(boot_image[:_BOOT_IMAGE_CODE_BYTES])
    struct.pack_into("<Q", code, _KERNEL_SECTOR_OFFSET, BIOS_BOOT_SECTOR)
    code[_BOOT_DRIVE_CHECK_OFFSET : _BOOT_DRIVE_CHECK_OFFSET + 2] = b"\x90\x90"
    return bytes(code)


def placed_core(core_image: bytes) -> bytes:
    """GRUB's core.img with the position of its second sector, where its first sector finds the rest."""
    core = bytearray(core_image)
    struct.pack_into("<Q", core, _BLOCKLIST_OFFSET, BIOS_BOOT_SECTOR + 1)
    return bytes(core)
