"""The UUIDs of a disk image: derived from its name, so that every build of it has the same ones."""

import uuid

from atomic_lib.params.variant import Variant

_NAMESPACE = uuid.UUID("6b8e2f8e-6c0a-4b0e-9d8e-0d2f3a5c7e11")


def fixed_uuid(variant: Variant, role: str) -> str:
    """A UUID that depends only on the disk's name, its version and its role."""
    return str(uuid.uuid5(_NAMESPACE, f"{variant.disk_name or variant.variant}/{variant.version}/{role}"))


def root_uuid(variant: Variant) -> str:
    """The UUID of the root file system, by which boot loader, kernel and fstab find it."""
    return fixed_uuid(variant, "filesystem")
