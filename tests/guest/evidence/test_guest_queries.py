"""The proof of life: its script run by a real shell with stand-ins for the guest's programs, and its reading."""

import email
import io
import os
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base import command
from atomic_lib.base.command import Completed
from atomic_lib.base.model import Runtime
from atomic_lib.guest.evidence.guest_queries import (
    USER_DATA_PROOF,
    Answer,
    Answers,
    Secret,
    ask,
    container_archive,
    new_secret,
    proof_script,
    read_answers,
    user_data_script,
)
from atomic_lib.guest.vm.ssh import Key, Shell
from atomic_lib.tools.sandbox import Tools


@dataclass(frozen=True)
class LimitTools(Tools):
    """Tools that print the command in the guest, and its time limit."""

    def run(self, words: Sequence[str | os.PathLike[str]], **options: Any) -> Completed:
        """Run nothing."""
        return Completed(f"{words[-1]}\n{options['timeout_seconds']}", "")


SECRET = Secret("0123456789abcdef0123456789abcdef")
MANAGER = "InitRDTimestampMonotonic=2000000\nUserspaceTimestampMonotonic=5000000\nFinishTimestampMonotonic=20000000\n"
UNITS = """Id=docker.service
ActiveState=active
InactiveExitTimestampMonotonic=10000000
ActiveEnterTimestampMonotonic=15000000

Id=multi-user.target
ActiveState=active
ActiveEnterTimestampMonotonic=16000000
"""
LABEL = "system_u:system_r:container_t:s0:c1,c2"
LISTED = r"""a\x2db.service          loaded    active   exited  A
-.slice               loaded    active   active  Root
dev-vda.device        loaded    active   plugged Disk
done.service          loaded    inactive dead    Ran in the initrd
gone.service          not-found inactive dead    gone.service
idle.service          loaded    inactive dead    Never started
modprobe@drm.service  loaded    inactive dead    Ran before the journal
never.target          loaded    inactive dead    Never
broken.mount          loaded    failed   failed  Broken
lost.service          not-found active   running Its file was removed
"""


def fake(directory: Path, name: str, script: str) -> None:
    path = directory / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A guest's systemctl, journalctl, ss, find and container runtimes that answer as real ones would."""
    for name, text in (("manager", MANAGER), ("units", UNITS), ("listed", LISTED)):
        (tmp_path / name).write_text(text)
    show = f'case "$*" in *Id,*) echo "$@" >>{tmp_path}/asked; cat {tmp_path}/units;; *) cat {tmp_path}/manager;; esac'
    state = "is-system-running) echo running;;"
    fake(tmp_path, "systemctl", f"case $1 in {state} list-units) cat {tmp_path}/listed;; show) {show};; esac")
    ran = "echo lost.service; echo done.service; echo gone.service"
    fake(tmp_path, "journalctl", f"case $* in *UNIT) {ran};; *) printf 'a line without its end';; esac")
    fake(tmp_path, "ss", "echo 'tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:*'")
    fake(tmp_path, "find", 'case "$*" in *6000*) echo /usr/bin/su;; esac')
    for runtime in ("docker", "podman"):
        imported = f"import) wc -c >{tmp_path}/{runtime}-read; echo sha256:1;;"
        fake(
            tmp_path,
            runtime,
            f'case $1 in version) echo 26.1.5;; {imported} run) echo "$LABEL"; echo "${{9##* }}";; esac',
        )
    return tmp_path


def answered(programs: Path, runtime: Runtime = "docker") -> dict[str, Answer]:
    path = f"{programs}:{os.environ['PATH']}"
    script = proof_script(SECRET, "min-cloud-agent", runtime, 5)
    output = command.run(["sh", "-c", script], input=b"archive", env={"PATH": path, "LABEL": LABEL}).stdout
    return read_answers(SECRET, output)


def told(parts: dict[str, Answer]) -> dict[str, tuple[str, int | None]]:
    return {name: (answer.text, answer.status) for name, answer in parts.items()}


def test_every_part_comes_back_with_text_and_status(programs: Path) -> None:
    parts = answered(programs)
    texts = told(parts)
    assert texts["state"] == ("running", 0)
    assert texts["units"] == (UNITS.strip(), 0)
    assert texts["manager"] == (MANAGER.strip(), 0)
    assert texts["agent_journal"] == ("a line without its end", 0)
    assert texts["container_version"] == ("26.1.5", 0)
    assert texts["container_run"] == (f"{LABEL}\n{SECRET.token}", 0)
    assert texts["setuid"] == ("/usr/bin/su", 0)
    assert texts["listeners"] == ("tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:*", 0)
    assert texts["hostname"][0] == os.uname().nodename
    assert texts["user_data"][1] == 1
    assert USER_DATA_PROOF in texts["user_data"][0]


def test_every_part_has_the_time_of_its_end(programs: Path) -> None:
    parts = answered(programs)
    times = [answer.ended_seconds for answer in parts.values() if answer.ended_seconds is not None]
    assert len(times) == len(parts)
    assert times == sorted(times)
    assert Answers(parts, "").ended_seconds == times[-1]


@pytest.mark.parametrize("runtime", ["docker", "podman"])
def test_only_the_import_reads_the_archive(programs: Path, runtime: Runtime) -> None:
    parts = answered(programs, runtime)
    assert (programs / f"{runtime}-read").read_text().strip() == str(len(b"archive"))
    assert told(parts)["container_run"] == (f"{LABEL}\n{SECRET.token}", 0)


def test_units_are_asked_for_by_name(programs: Path) -> None:
    answered(programs)
    (asked,) = (programs / "asked").read_text().splitlines()
    assert asked.partition(" -- ")[2].split() == [
        r"a\x2db.service", "done.service", "modprobe@drm.service", "broken.mount", "lost.service",
    ]  # fmt: skip


def test_a_guest_that_lists_no_units_is_not_asked_for_them(programs: Path) -> None:
    (programs / "listed").write_text("")
    assert told(answered(programs))["units"] == ("", 1)
    assert not (programs / "asked").exists()


def test_without_a_runtime_no_container_is_asked_for(programs: Path) -> None:
    parts = answered(programs, "none")
    assert [name for name in parts if "container" in name] == []
    assert told(parts)["setuid"] == ("/usr/bin/su", 0)


def test_a_failing_program_keeps_its_status_and_words(programs: Path) -> None:
    fake(programs, "docker", "echo cannot connect >&2; exit 3")
    fake(programs, "systemctl", "echo degraded; exit 1")
    texts = told(answered(programs))
    assert texts["container_version"] == ("cannot connect", 3)
    assert texts["state"] == ("degraded", 1)


def test_output_that_was_cut_off() -> None:
    mark = f"@{SECRET.token}"
    text = f"motd\n{mark} state\nrunning\n\n{mark} = 0 12.50 .\n{mark} units\nId=a.serv"
    parts = read_answers(SECRET, text)
    assert parts == {"state": Answer("running", 0, 12.5), "units": Answer("Id=a.serv", None)}
    answers = Answers(parts, "the connection to the guest ended")
    assert answers.part("container_run") == Answer("the connection to the guest ended", None)
    assert (answers.whole("state"), answers.whole("units"), answers.whole("memory")) == ("running", "", "")
    assert answers.ended_seconds == 12.5
    assert read_answers(SECRET, "") == {}


@pytest.mark.parametrize("end", ["=", "= ", "= 1", "= 12", "= 127 ", "= 127 4", "= 127 45.17", "= 127 45.17 "])
def test_a_mark_that_was_cut_off_is_no_mark(end: str) -> None:
    mark = f"@{SECRET.token}"
    text = f"{mark} processes\n98\n{mark} {end}"
    assert read_answers(SECRET, text) == {"processes": Answer("98", None)}


def test_a_guest_without_a_clock_still_answers() -> None:
    mark = f"@{SECRET.token}"
    assert read_answers(SECRET, f"{mark} state\nrunning\n{mark} = 0  .\n")["state"] == Answer("running", 0, None)


def test_secrets_differ_and_are_a_valid_instance() -> None:
    first, second = new_secret(), new_secret()
    assert first.token != second.token
    instance = first.instance("ssh-ed25519 AAAA", "min-cloud-agent")
    assert instance.instance_id.startswith("i-")
    assert instance.public_keys == ("ssh-ed25519 AAAA",)
    assert instance.user_data.startswith("#!/bin/sh\n")


def test_cloud_init_is_told_to_let_root_log_in_beside_the_script() -> None:
    secret = new_secret()
    message = email.message_from_string(secret.instance("ssh-ed25519 AAAA", "cloud-init").user_data)
    parts = [part for part in message.walk() if not part.is_multipart()]
    assert [(part.get_content_type(), part.get_payload()) for part in parts] == [
        ("text/cloud-config", "#cloud-config\nusers: []\ndisable_root: false\n"),
        ("text/x-shellscript", user_data_script(secret.token)),
    ]


def test_the_user_data_script_leaves_token_and_clock(tmp_path: Path) -> None:
    script = user_data_script("word").replace(USER_DATA_PROOF, str(tmp_path / "proof"))
    command.run(["sh", "-c", script])
    token, uptime = (tmp_path / "proof").read_text().split()
    assert token == "word"
    assert float(uptime) > 0


def test_the_container_archive_holds_busybox(tmp_path: Path) -> None:
    (tmp_path / "busybox").write_bytes(b"\x7fELF")
    with tarfile.open(fileobj=io.BytesIO(container_archive(tmp_path / "busybox"))) as archive:
        (member,) = archive.getmembers()
        assert (member.name, member.mode, member.size) == ("busybox", 0o755, 4)


def test_what_is_denied_on_purpose_comes_after_all_that_is_measured() -> None:
    for runtime in ("docker", "podman"):
        script = proof_script(SECRET, "min-cloud-agent", runtime, 60)
        order = [line.split()[1] for line in script.splitlines() if line.startswith("section ")]
        assert order[-3:] == ["denials", "container_shadow", "denials_after"]
        assert order.index("container_run") < order.index("denials")
    assert "container_shadow" not in proof_script(SECRET, "min-cloud-agent", "none", 60)


def test_a_busy_host_gives_each_query_more_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / "usr/bin/busybox").write_bytes(b"program")
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(os, "getloadavg", lambda: (8.0, 0.0, 0.0))
    shell, kept = Shell(LimitTools(tmp_path, "key"), Key(tmp_path, "ssh-ed25519 x")), list[str]()
    ask(shell, SECRET, "min-cloud-agent", "docker", wait_seconds=100, keep=kept.append)
    script, limit_seconds = kept[0].rsplit("\n", 1)
    assert "timeout 400 systemctl is-system-running --wait" in script
    assert script.count("timeout 720 docker") == 4
    assert float(limit_seconds) == 4 * (100 + 6 * 180)
