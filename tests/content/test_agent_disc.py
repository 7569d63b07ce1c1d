"""min-cloud-agent with a cidata disc: the meta-data that it reads, and the discs that it rejects."""

import gzip
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from atomic_lib.base import command
from atomic_lib.base.command import CommandError, Completed
from atomic_lib.guest.faults.agents import PROGRAM

KEY = "ssh-ed25519 AAAAC3Nza first@example"
OTHER = 'command="echo [a]" ecdsa-sha2-nistp256 AAAAE2Vj second@example'.replace('"', "'")
SHELLS = [shell for shell in ("dash", "bash") if shutil.which(shell)]
# Mounting needs a device: this leaves the disc's files where the file system would be.
MOUNT = '#!/bin/sh\necho "$@" >>"$DISC/../mounts"\nfor target; do :; done\ncp "$DISC"/* "$target/"\n'


@dataclass(frozen=True)
class Machine:
    """A root with a cidata disc."""

    root: Path
    disc: Path

    def agent(self, *words: str, shell: str = "sh") -> Completed:
        path = f"{self.root.parent}/programs:{os.environ['PATH']}"
        environment = {"PATH": path, "DISC": str(self.disc), "MIN_CLOUD_AGENT_ROOT": str(self.root)}
        environment |= {"MIN_CLOUD_AGENT_URL": "http://127.0.0.1:1", "MIN_CLOUD_AGENT_SECONDS": "0"}
        return command.run([shell, PROGRAM, *words], env=environment, timeout_seconds=30)

    def read(self, name: str) -> str:
        path = self.root / name
        return path.read_text() if path.exists() else ""

    def refused(self) -> CommandError:
        with pytest.raises(CommandError) as caught:
            self.agent("disc")
        return caught.value


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    for name in ("guest/etc", "guest/root", "guest/dev/disk/by-label", "disc", "programs"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "guest/dev/disk/by-label/CIDATA").touch()
    for name, text in (("mount", MOUNT), ("umount", "#!/bin/sh\n")):
        (tmp_path / "programs" / name).write_text(text)
        (tmp_path / "programs" / name).chmod(0o755)
    return Machine(tmp_path / "guest", tmp_path / "disc")


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("meta_data", "hostname", "keys"),
    [
        (f"instance-id: i-1\nhostname: other\nlocal-hostname: web\npublic-keys:\n- {KEY} # mine\n", "web", [KEY]),
        (f"---\ninstance-id: 'i-1'\r\nhostname: \"web\"\r\npublic-keys:\r\n  - '{KEY}'\r\n", "web", [KEY]),
        (f"instance-id: i-1 # one\npublic-keys: {KEY}\n", "", [KEY]),
        (f"instance-id: i-1\npublic-keys: ['{KEY}'] # mine\n".replace("'", '"'), "", [KEY]),
        (f'instance-id: i-1\npublic-keys: ["{KEY}", "{OTHER}"]\nlocal-hostname: web\n', "web", [KEY, OTHER]),
        (f'{{"instance-id": "i-1", "local-hostname": "web", "public-keys": ["{KEY}"]}}', "web", [KEY]),
        ('{\r\n"instance-id": "i-1"\r\n, "network-interfaces": "auto \\"eth0\\"\\n"\r\n}\r\n', "", []),
        (f'{{"public-keys": "{KEY}", "hostname": "web", "x": {{"y": [1, {{}}]}}, "instance-id": "i-1"}}', "web", [KEY]),
        ("network:\n  interfaces:\n    - eth0: x\ninstance-id: i-1\nlocal-hostname: web\npublic-keys: []\n", "web", []),
    ],
)  # fmt: skip
def test_flat_meta_data_is_read(machine: Machine, shell: str, meta_data: str, hostname: str, keys: list[str]) -> None:
    (machine.disc / "meta-data").write_text(meta_data)
    (machine.disc / "user-data").write_text(f"#!/bin/sh\ntouch {machine.root}/ran\n")
    machine.agent(shell=shell)
    assert machine.read("etc/hostname").strip() == hostname
    assert machine.read("root/.ssh/authorized_keys").splitlines() == keys
    assert (machine.root / "ran").exists()
    assert "ro,nosuid,nodev,noexec" in (machine.root.parent / "mounts").read_text()


@pytest.mark.parametrize(
    "meta_data",
    [
        '{"instance-id": 1}\n',
        '{"instance-id": "i-1"\n',
        '{"instance-id": "i-1"}\nmore: 1\n',
        '{"instance-id": "i\\u002d1"}\n',
        '{"instance-id": ["i-1"]}\n',
        f'{{"instance-id": "i-1", "public-keys": {{"mine": "{KEY}"}}}}\n',
        f"instance-id: i-1\npublic-keys: [{KEY}]\n",
        "instance-id: i-1\n" + "# a comment\n" * 6000,
        "instance-id:\n  - i-1\n",
        "instance-id: 'i' 1\n",
        'instance-id: "i-1\n',
        "instance-id: i-1\npublic-keys:\n  default: ssh-ed25519 AAAA\n",
        "instance-id: i-1\npublic-keys: |\n  ssh-ed25519 AAAA\n",
        "instance-id: &one i-1\n",
        "instance-id i-1\n",
        "local-hostname: >\n  web\n",
    ],
)
def test_other_yaml_is_refused_as_a_whole(machine: Machine, meta_data: str) -> None:
    given = f"public-keys: {KEY}\n" * ("public-keys" not in meta_data and not meta_data.startswith("{")) + meta_data
    (machine.disc / "meta-data").write_text(given)
    error = machine.refused()
    assert error.stderr.splitlines() == [
        f"{machine.root}/dev/disk/by-label/CIDATA: meta-data is not flat YAML, or larger than 65536 bytes: nothing was "
        'done; write lines of "key: value", public-keys as a list'
    ]
    assert not (machine.root / "root/.ssh").exists()
    assert not (machine.root / "run/min-cloud-agent/from-disc").exists()


def test_a_disc_without_an_instance_id_is_nocloud_as_for_cloud_init(machine: Machine) -> None:
    (machine.disc / "meta-data").write_text("")
    (machine.disc / "user-data").write_text(f"#!/bin/sh\necho ran >>{machine.root}/ran\n")
    machine.agent()
    machine.agent()
    assert machine.read("ran") == "ran\n"
    assert (machine.root / "var/lib/min-cloud-agent/nocloud/provisioned").exists()


@pytest.mark.parametrize("name", ["gzip", "cat", "sed"])
def test_a_program_that_is_killed_costs_no_script(machine: Machine, name: str) -> None:
    script = f"#!/bin/sh\r\necho ran >>{machine.root}/ran\r\n".encode()
    (machine.disc / "meta-data").write_text(f"instance-id: i-1\npublic-keys: {KEY}\n")
    (machine.disc / "user-data").write_bytes(gzip.compress(script))
    program = machine.root.parent / "programs" / name
    program.write_text("#!/bin/sh\nkill -9 $$\n")
    program.chmod(0o755)
    machine.refused()
    assert machine.read("root/.ssh/authorized_keys") == f"{KEY}\n"
    program.unlink()
    machine.agent()
    assert machine.read("ran") == "ran\n"


def test_a_disc_without_meta_data_is_none(machine: Machine) -> None:
    (machine.disc / "user-data").write_text("#!/bin/sh\n")
    assert "no meta-data" in machine.refused().stderr


@pytest.mark.parametrize("name", ["network-config", "vendor-data"])
def test_what_is_left_out_is_said(machine: Machine, name: str) -> None:
    (machine.disc / "meta-data").write_text("instance-id: i-1\n")
    (machine.disc / name).write_text("version: 2\n")
    assert f"{name} is left out" in machine.agent("disc").stderr


def test_after_the_disc_the_metadata_service_is_not_asked(machine: Machine) -> None:
    (machine.disc / "meta-data").write_text(f"instance-id: i-1\npublic-keys: {KEY}\n")
    machine.agent("disc")
    assert machine.agent("fetch") == Completed("", "")
