"""Kickstart commands for the disk: an image has one ext4 root file system, and what firmware needs beside it."""

from dataclasses import replace

from atomic_lib.recipe.kickstart.kickstart_accounts import Options, RefusedError, noted, single
from atomic_lib.recipe.recipe import Recipe

_PARTS = {
    "/boot": "it is in the root file system",
    "/boot/efi": "an image always has an EFI system partition of the size that it needs",
    "appleboot": "it is for other machines than those of this architecture",
    "prepboot": "it is for other machines than those of this architecture",
    "biosboot": "an image always has a BIOS boot partition",
    "swap": "an image has no swap",
}
"""What becomes of a partition that an image does not get."""
_VOLUMES = {"pv.": "LVM", "btrfs.": "btrfs", "raid.": "RAID", "logvol": "LVM", "btrfs": "btrfs", "raid": "RAID"}


def part(recipe: Recipe, given: Options) -> Recipe:
    """Set the size of the root file system. Like image builders, the last line for / counts."""
    mount_point = single(given.pop("mntpoint", None)) or ""
    if _leave_encryption(given):
        return recipe
    fstype, size_mib = given.pop("fstype", "") or "", given.pop("size", None)
    if mount_point != "/":
        given.clear()
        return noted(recipe, f"part {mount_point} has no effect: {_without_partition(mount_point, fstype)}")
    if fstype not in ("", "ext4"):
        recipe = noted(recipe, f"part / --fstype={fstype} has no effect: the root file system of an image is ext4")
    return _with_root_size(recipe, "part", size_mib, grows=given.pop("grow", False))


def logvol(recipe: Recipe, given: Options) -> Recipe:
    """Take the size of the root file system from a volume that an image does not get."""
    return _volume(recipe, "logvol", given)


def btrfs(recipe: Recipe, given: Options) -> Recipe:
    """Accept a volume or subvolume with a note."""
    return _volume(recipe, "btrfs", given)


def raid(recipe: Recipe, given: Options) -> Recipe:
    """Accept a RAID device with a note."""
    return _volume(recipe, "raid", given)


def _volume(recipe: Recipe, command: str, given: Options) -> Recipe:
    if _leave_encryption(given):
        return recipe
    mount_point, size_mib = single(given.pop("mntpoint", None)) or "", given.pop("size", None)
    grows = given.pop("grow", False)
    given.clear()
    recipe = noted(
        recipe,
        f"{command} {mount_point}".rstrip() + f": an image has no {_VOLUMES[command]}, but one ext4 root file system",
    )
    return _with_root_size(recipe, command, size_mib, grows=grows) if mount_point == "/" else recipe


def _with_root_size(recipe: Recipe, command: str, size_mib: int | None, *, grows: bool) -> Recipe:
    if size_mib is not None and size_mib < 0:
        raise RefusedError(f"--size={size_mib} is not a size in MiB")
    if not size_mib:
        return noted(recipe, f"{command} / without --size: the root file system has the variant's root_size_mib")
    if recipe.root_size_mib is not None:
        text = f"{command} / --size={size_mib} replaces the {recipe.root_size_mib} MiB of an earlier line"
        recipe = noted(recipe, text)
    if grows:
        text = (
            f"{command} / --grow: the root file system has the variant's root_size_mib, if that is more than {size_mib}"
        )
        recipe = noted(recipe, text)
    return replace(recipe, root_size_mib=size_mib, root_grows=grows)


def autopart(recipe: Recipe, given: Options) -> Recipe:
    """Accept any layout with a note: the size of the root file system is the variant's."""
    if _leave_encryption(given):
        return recipe
    given.pop("type", None)
    text = "autopart: an image has one ext4 root file system, of the variant's root_size_mib, and no LVM, btrfs or swap"
    return noted(recipe, text)


def _leave_encryption(given: Options) -> bool:
    """Whether a line asks for encryption; then these options remain, to be refused."""
    asked = [dest for dest in ("encrypted", "passphrase") if dest in given]
    for dest in [dest for dest in given if asked and dest not in asked]:
        del given[dest]
    return bool(asked)


def _without_partition(mount_point: str, fstype: str) -> str:
    for prefix, name in _VOLUMES.items():
        if prefix.endswith(".") and mount_point.startswith(prefix):
            return f"an image has no {name}, but one ext4 root file system"
    known = _PARTS.get(mount_point) or _PARTS.get(fstype)
    if known or mount_point.startswith("/"):
        return known or "it is a directory of the root file system"
    raise RefusedError(f"{mount_point}: is not a mount point; an image has one file system, /")
