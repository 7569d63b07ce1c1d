"""The record of one timed boot, and the file ``boot.json`` that keeps it."""

from pathlib import Path

from pydantic import Field

from atomic_lib.base.model import Accelerator, Count, Firmware, Model, WallSeconds, read_model
from atomic_lib.guest.evidence.proof_of_life import Evidence
from atomic_lib.guest.vm.host_load import BootHost

BOOT_FILE = "boot.json"
_AGAIN = "remove the directory: the next run boots the image again"


class Boot(Evidence):
    """One boot of one image that came to a login.

    ``started``: UTC, ISO 8601. ``warm_up``: not counted in medians. ``alone``: whether no other build or boot of
    the workbook ran beside it; None: not recorded. ``console_log``: a path relative to the run's directory.
    """

    index: Count
    warm_up: bool = False
    started: str | None = None
    firmware: Firmware
    accelerator: Accelerator
    cpus: Count | None = None
    memory_mib: Count | None = None
    alone: bool | None = None
    ssh_login_seconds: WallSeconds | None = None
    host: BootHost = BootHost()
    console_log: str | None = None


class StoredBoot(Model):
    """The content of ``boot.json``. ``unit_files``: the path of each unit's file, from which its package follows."""

    boot: Boot
    unit_files: dict[str, str] = Field(default_factory=dict)


def read_boot(path: Path) -> StoredBoot:
    """Read ``boot.json``. Raises WorkbookError naming the first key that is wrong."""
    return read_model(StoredBoot, path, hint=_AGAIN)
