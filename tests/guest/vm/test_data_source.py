"""What a guest is given: the same instance as a disc, as an Ignition config and as credentials."""

import base64
import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from atomic_lib.base.model import DataSource
from atomic_lib.base.paths import cache_directory
from atomic_lib.guest.vm.data_source import (
    USER_DATA_UNIT,
    Provisioning,
    credential_arguments,
    credentials,
    disc_files,
    ignition_config,
    provide_instance,
    unit_text,
)
from atomic_lib.guest.vm.metadata_service import Instance
from atomic_lib.guest.vm.sockets import METADATA_SOCKET, connect
from atomic_lib.tools.sandbox import Tools
from atomic_lib.tools.tools_tree import open_tools

KEYS = ("ssh-ed25519 AAAA one", 'from="10.0.0.0/8",no-pty ssh-ed25519 BBBB "two"')
INSTANCE = Instance("i-0123", "guest-1", KEYS, "#!/bin/sh\necho 'hello, world'\n")
BARE = Instance("i-0123", "guest-1", KEYS)


def decoded(text: str) -> str:
    return base64.b64decode(text).decode()


def test_the_disc_says_what_the_instance_is() -> None:
    files = disc_files(INSTANCE)
    assert yaml.safe_load(files["meta-data"]) == {
        "instance-id": "i-0123", "local-hostname": "guest-1", "public-keys": list(KEYS),
    }  # fmt: skip
    assert files["user-data"] == INSTANCE.user_data
    assert "public-keys" not in yaml.safe_load(disc_files(Instance("i-1", "h"))["meta-data"])


def contents(config: dict[str, Any]) -> dict[str, tuple[str, int]]:
    """Text and mode of every file of an Ignition config, by path."""
    found = {}
    for file in config["storage"]["files"]:
        head, _, data = file["contents"]["source"].partition(",")
        assert head == "data:;base64"
        found[file["path"]] = (decoded(data), file["mode"])
    return found


def test_an_ignition_config_has_key_host_name_and_script() -> None:
    config = json.loads(json.dumps(ignition_config(INSTANCE)))
    assert config["passwd"]["users"] == [{"name": "root", "sshAuthorizedKeys": list(KEYS)}]
    files = contents(config)
    assert files["/etc/hostname"] == ("guest-1\n", 0o644)
    assert files["/etc/user-data"] == (INSTANCE.user_data, 0o700)
    unit, target = config["systemd"]["units"]
    assert (unit["name"], unit["contents"]) == (USER_DATA_UNIT, unit_text("/etc/user-data"))
    assert f"Wants={USER_DATA_UNIT}" in target["dropins"][0]["contents"]


def test_without_a_script_ignition_and_credentials_bring_no_unit() -> None:
    config = ignition_config(BARE)
    assert (list(contents(config)), config["systemd"]["units"]) == (["/etc/hostname"], [])
    assert set(credentials(BARE)) == {"ssh.authorized_keys.root", "system.hostname"}


def test_credentials_are_what_systemd_knows_by_name() -> None:
    texts = credentials(INSTANCE)
    assert texts["ssh.authorized_keys.root"].split("\n") == list(KEYS)
    assert texts["system.hostname"] == "guest-1"
    assert texts[f"systemd.extra-unit.{USER_DATA_UNIT}"] == unit_text("/run/user-data")
    kind, path, mode, user, group, age, argument = texts["tmpfiles.extra"].split()
    assert (kind, path, mode, user, group, age) == ("f~", "/run/user-data", "0700", "root", "root", "-")
    assert decoded(argument) == INSTANCE.user_data


def test_credentials_reach_qemu_as_they_are() -> None:
    words = credential_arguments(credentials(INSTANCE))
    values = [value for name, value in pairwise(words) if name == "-smbios"]
    assert len(values) * 2 == len(words)
    found = {}
    for value in values:
        match = re.fullmatch(r"type=11,value=io\.systemd\.credential\.binary:([\w.-]+)=([A-Za-z0-9+/=]+)", value)
        assert match, "a comma would end the value"
        found[match[1]] = decoded(match[2])
    assert found == credentials(INSTANCE)


@pytest.fixture(scope="module")
def no_tools() -> Tools:
    """For the ways that need no tool."""
    return Tools(Path("/nonexistent"), "none")


@pytest.mark.parametrize("source", ["ec2", "ignition", "credentials"])
def test_nothing_is_left_of_what_a_guest_was_given(source: DataSource, no_tools: Tools, tmp_path: Path) -> None:
    with provide_instance(source, INSTANCE, no_tools, directory=tmp_path, seen_as="/mnt/boot") as supplied:
        made = sorted(path.name for path in tmp_path.iterdir())
        assert made == {"ec2": [METADATA_SOCKET], "ignition": ["config.ign"], "credentials": []}[source]
        assert (supplied.service is None) == (source != "ec2")
        if source == "ignition":
            assert supplied.arguments == ("-fw_cfg", "name=opt/com.coreos/config,file=/mnt/boot/config.ign")
            assert json.loads((tmp_path / "config.ign").read_text()) == ignition_config(INSTANCE)
        if source == "ec2":
            with connect(tmp_path, METADATA_SOCKET, timeout_seconds=5) as connection:
                connection.sendall(b"GET /latest/meta-data/ HTTP/1.0\r\n\r\n")
                assert connection.recv(100).startswith(b"HTTP/1.1 401 ")
    assert list(tmp_path.iterdir()) == []


def test_a_guest_without_anything_given() -> None:
    assert (Provisioning().arguments, Provisioning().disc, Provisioning().service) == ((), None, None)


@pytest.mark.integration
def test_the_disc_is_a_file_system_with_its_label(tmp_path: Path) -> None:
    tools = open_tools(cache_directory())
    with provide_instance("nocloud", INSTANCE, tools, directory=tmp_path, seen_as="/mnt/boot") as supplied:
        image = tmp_path / str(supplied.disc)
        data = image.read_bytes()
        assert data[43:54] == b"cidata     "
        for name, text in disc_files(INSTANCE).items():
            assert text.encode() in data, name
    assert list(tmp_path.iterdir()) == []
