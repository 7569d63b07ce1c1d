"""Where a guest finds its key, host name and script: the same data by one of four data sources.

ec2: a metadata service. nocloud: a disc labelled cidata
(https://cloudinit.readthedocs.io/en/latest/reference/datasources/nocloud.html). ignition: a config
that QEMU hands over (https://coreos.github.io/ignition/supported-platforms/). credentials: what
systemd itself understands, in the SMBIOS tables (systemd.system-credentials(7)), without an agent.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atomic_lib.base.model import DataSource
from atomic_lib.guest.programs import program_text
from atomic_lib.guest.vm.metadata_service import Instance, MetadataService, metadata_service
from atomic_lib.tools.sandbox import Bind, Tools

USER_DATA_UNIT = "user-data.service"
"""Runs the script where no agent does: Ignition and credentials bring it."""

_DISC = "cidata.img"
DISC_KIB = 2048
"""The size of a cidata disc."""
_CONFIG = "config.ign"
_IGNITION_SCRIPT = "/etc/user-data"
_CREDENTIALS_SCRIPT = "/run/user-data"


@dataclass(frozen=True)
class Provisioning:
    """How a guest finds its data: arguments for QEMU, a disc to attach, or a running metadata service."""

    arguments: tuple[str, ...] = ()
    disc: str | None = None
    """The name of a raw disk image in the directory of the boot."""
    service: MetadataService | None = None
    updates: bool = False
    """Whether the guest also reaches a server of updates, which listens on ``UPDATES_SOCKET``."""
    ports: tuple[int, ...] = ()
    """TCP ports of the guest that the host reaches, each through the socket ``port_socket``."""


@contextmanager
def provide_instance(
    source: DataSource, instance: Instance, tools: Tools, *, directory: Path, seen_as: str
) -> Iterator[Provisioning]:
    """Provide ``instance`` to a guest until the block is left.

    Files for the guest are made in ``directory``, which QEMU finds at ``seen_as``; they are gone
    after the block.
    """
    if source == "ec2":
        with metadata_service(instance, directory) as service:
            yield Provisioning(service=service)
        return
    try:
        if source == "nocloud":
            _make_disc(instance, tools, directory)
            yield Provisioning(disc=_DISC)
        elif source == "ignition":
            (directory / _CONFIG).write_text(json.dumps(ignition_config(instance), indent=1))
            yield Provisioning(("-fw_cfg", f"name=opt/com.coreos/config,file={seen_as}/{_CONFIG}"))
        else:
            yield Provisioning(credential_arguments(credentials(instance)))
    finally:
        for name in (_DISC, _CONFIG):
            (directory / name).unlink(missing_ok=True)


def disc_files(instance: Instance) -> dict[str, str]:
    """The files of a cidata disc; JSON is YAML, and quotes every value."""
    lines = {"instance-id": instance.instance_id, "local-hostname": instance.hostname}
    keys = "".join(f"  - {json.dumps(key)}\n" for key in instance.public_keys)
    meta = "".join(f"{name}: {json.dumps(value)}\n" for name, value in lines.items())
    return {"meta-data": f"{meta}public-keys:\n{keys}" if keys else meta, "user-data": instance.user_data}


def ignition_config(instance: Instance) -> dict[str, Any]:
    """An Ignition config: https://coreos.github.io/ignition/configuration-v3_3/."""
    files = [_ignition_file("/etc/hostname", f"{instance.hostname}\n", 0o644)]
    units = []
    if instance.user_data:
        files.append(_ignition_file(_IGNITION_SCRIPT, instance.user_data, 0o700))
        # wanted by a drop-in: a preset of the image that disables all other units would win over Ignition's
        units = [
            {"name": USER_DATA_UNIT, "contents": unit_text(_IGNITION_SCRIPT)},
            {"name": "multi-user.target", "dropins": [{"name": "user-data.conf", "contents": _drop_in()}]},
        ]
    return {
        "ignition": {"version": "3.3.0"},
        "passwd": {"users": [{"name": "root", "sshAuthorizedKeys": list(instance.public_keys)}]},
        "storage": {"files": files},
        "systemd": {"units": units},
    }


def credentials(instance: Instance) -> dict[str, str]:
    """The instance as system credentials; systemd-tmpfiles writes the script, as a credential cannot be executed."""
    texts = {"ssh.authorized_keys.root": "\n".join(instance.public_keys), "system.hostname": instance.hostname}
    if instance.user_data:
        texts |= {
            "tmpfiles.extra": f"f~ {_CREDENTIALS_SCRIPT} 0700 root root - {_base64(instance.user_data)}\n",
            f"systemd.extra-unit.{USER_DATA_UNIT}": unit_text(_CREDENTIALS_SCRIPT),
            "systemd.unit-dropin.multi-user.target": _drop_in(),
        }
    return texts


def credential_arguments(texts: Mapping[str, str]) -> tuple[str, ...]:
    """Credentials as QEMU's arguments: https://systemd.io/CREDENTIALS/."""
    values = (f"io.systemd.credential.binary:{name}={_base64(text)}" for name, text in texts.items() if text)
    return tuple(word for value in values for word in ("-smbios", f"type=11,value={value}"))


def unit_text(script: str) -> str:
    """The unit that runs a script once the network is there, as an agent does; the boot is not done before."""
    return program_text(__file__, f"units/{USER_DATA_UNIT}", SCRIPT=script)


def _drop_in() -> str:
    """What makes multi-user.target want the unit."""
    return program_text(__file__, "units/user-data.conf")


def _ignition_file(path: str, text: str, mode: int) -> Mapping[str, Any]:
    source = f"data:;base64,{_base64(text)}"
    return {"path": path, "mode": mode, "overwrite": True, "contents": {"source": source}}


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _make_disc(instance: Instance, tools: Tools, directory: Path) -> None:
    """A FAT file system on the whole disc: what cloud-init and min-cloud-agent both accept beside ISO 9660."""
    binds = [Bind(directory.absolute(), "/mnt/out", writable=True)]
    image = f"/mnt/out/{_DISC}"
    env = {"MTOOLS_SKIP_CHECK": "1"}
    # with a lower-case label, as NoCloud is documented; a name of eight letters or less stays as it is written
    words = ["mkfs.vfat", "-n", "cidata", "--invariant", "-C", image, str(DISC_KIB)]
    tools.run(words, binds=binds, env=env)
    for name, text in disc_files(instance).items():
        tools.run(["mcopy", "-i", image, "-", f"::/{name}"], binds=binds, env=env, input=text)
