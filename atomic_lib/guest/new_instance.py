"""A guest on its first boot as a new instance, with a key and a secret of its own."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from atomic_lib.base.model import Agent, DataSource
from atomic_lib.guest.evidence.guest_queries import Secret, new_secret
from atomic_lib.guest.vm.data_source import provide_instance
from atomic_lib.guest.vm.metadata_service import MetadataService
from atomic_lib.guest.vm.qemu import BOOT_MOUNT, Disk, Guest, Machine, start_guest
from atomic_lib.guest.vm.ssh import Deadline, Key, one_boot_key, wait_for_banner
from atomic_lib.tools.sandbox import Tools

KEY_PATH = "/openssh-key"
"""What a guest asks the metadata service for to get its key: the end of the path."""
_USER_DATA_PATH = "/user-data"
_KEY_INSTALL_SECONDS = 3.0
_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class NewInstance:
    """How to provide a guest with its data.

    ``ports``: TCP ports of the guest that the host reaches, beside ssh's. ``updates``: whether a server of updates
    listens on ``UPDATES_SOCKET`` in the directory of the boot.
    """

    data_source: DataSource
    agent: Agent
    ports: tuple[int, ...] = ()
    updates: bool = False


@dataclass(frozen=True)
class StartedInstance:
    """A guest that was switched on, and what it gets: only from there can it know ``secret`` and the public ``key``."""

    guest: Guest
    key: Key
    secret: Secret
    service: MetadataService | None

    def wait_for_login(self, check: Deadline) -> float:
        """Wait until a login can succeed; returns how many seconds after the start sshd answered. ``check`` raises once
        that takes too long.
        """
        wait_for_banner(self.guest, check)
        banner_seconds = time.monotonic() - self.guest.started
        if self.service:
            wait_for_key(self.service, check)
        return banner_seconds


@contextmanager
def start_instance(
    tools: Tools, disk: Disk, machine: Machine, new: NewInstance, directory: Path
) -> Iterator[StartedInstance]:
    """Boot ``disk`` on ``machine`` as a new instance; guest and key are gone after the block. See ``start_guest``."""
    secret = new_secret()
    with one_boot_key(tools, directory) as key:
        instance = secret.instance(key.public, new.agent)
        source = provide_instance(new.data_source, instance, tools, directory=directory, seen_as=BOOT_MOUNT)
        with source as provided:
            reachable = replace(provided, ports=new.ports, updates=new.updates)
            with start_guest(tools, disk, machine, reachable, directory) as guest:
                yield StartedInstance(guest, key, secret, provided.service)


def wait_for_key(service: MetadataService, check: Deadline) -> None:
    """Wait until the agent has installed the key: a login before that cannot succeed.

    min-cloud-agent asks for user-data after that. cloud-init holds sshd back until then,
    so nothing is lost by waiting a moment if the order is different.
    """
    while True:
        served = service.answered(KEY_PATH, 200)
        asked = service.answered(_USER_DATA_PATH, 200, 404)
        if served and (asked[-1:] > served[:1] or time.monotonic() > served[0] + _KEY_INSTALL_SECONDS):
            return
        check()
        time.sleep(_POLL_SECONDS)
