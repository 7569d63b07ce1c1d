"""min-cloud-agent as a process in a root of its own."""

import os
import shutil
from pathlib import Path

import pytest

import atomic_lib.content
from atomic_lib.base import command
from atomic_lib.base.command import CommandError, Completed
from atomic_lib.guest.vm.metadata_service import Instance, Sessions
from tests.served import served

AGENT = Path(atomic_lib.content.__path__[0], "min_cloud_agent", "min-cloud-agent")
SHELLS = [shell for shell in ("dash", "bash", "busybox sh") if shutil.which(shell.split()[0])]
KEY = "ssh-ed25519 AAAAC3Nza first@example"
OTHER = "ecdsa-sha2-nistp256 AAAAE2Vj second@example"


def agent(root: Path, url: str, *words: str, shell: str = "sh", seconds: int = 10) -> Completed:
    environment = {
        "PATH": f"{root}/programs:{os.environ['PATH']}",
        "MIN_CLOUD_AGENT_URL": url,
        "MIN_CLOUD_AGENT_ROOT": str(root),
        "MIN_CLOUD_AGENT_SECONDS": str(seconds),
    }
    return command.run([*shell.split(), AGENT, *words], env=environment, timeout_seconds=30)


def provision(root: Path, instance: Instance, sessions: Sessions = "required", shell: str = "sh") -> Completed:
    with served(instance, sessions) as service:
        return agent(root, service.url, shell=shell)


def refused(root: Path, instance: Instance) -> CommandError:
    with pytest.raises(CommandError) as caught:
        provision(root, instance)
    return caught.value


def program(root: Path, name: str, first: str, real: str | None) -> None:
    """Do something before a program starts."""
    path = root / "programs" / name
    path.parent.mkdir()
    path.write_text(f'#!/bin/sh\n{first}\nexec {real} "$@"\n')
    path.chmod(0o755)


def authorized(root: Path) -> str:
    return (root / "root/.ssh/authorized_keys").read_text()
