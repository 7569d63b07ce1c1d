"""Asking a monitor that talks as QEMU does."""

import json
import socket
import threading
import time
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.guest.vm.monitor import forwarded_port, set_link, wait_until_gone

GREETING = '{"QMP": {"version": {}, "capabilities": []}}'
EVENT = '{"event": "RESET", "data": {}, "timestamp": {}}'


def serve(directory: Path, *answers: str) -> tuple[threading.Thread, list[object]]:
    """A monitor that has these lines to say: the greeting, then one or two for each command."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(directory / "monitor"))
    listener.listen()
    heard: list[object] = []

    def talk() -> None:
        with listener, listener.accept()[0] as client, client.makefile("rw") as lines:
            lines.write(f"{GREETING}\n")
            for answer in answers:
                lines.flush()
                heard.append(json.loads(lines.readline()))
                lines.write(f"{answer}\n")
            lines.flush()

    thread = threading.Thread(target=talk, daemon=True)
    thread.start()
    return thread, heard


@pytest.mark.parametrize("up", [True, False])
def test_the_cable_is_the_one_of_the_guests_network(tmp_path: Path, up: bool) -> None:
    thread, heard = serve(tmp_path, '{"return": {}}', f'{EVENT}\n{{"return": {{}}}}')
    set_link(tmp_path, up=up)
    thread.join(10)
    assert heard == [
        {"execute": "qmp_capabilities", "arguments": {}},
        {"execute": "set_link", "arguments": {"name": "net", "up": up}},
    ]


def test_a_refusal_is_an_error(tmp_path: Path) -> None:
    thread, _ = serve(tmp_path, '{"return": {}}', '{"error": {"class": "DeviceNotFound", "desc": "no such device"}}')
    with pytest.raises(WorkbookError, match=r"set_link.*no such device"):
        set_link(tmp_path, up=True)
    thread.join(10)


def test_a_monitor_that_ends_is_an_error(tmp_path: Path) -> None:
    thread, _ = serve(tmp_path, '{"return": {}}')
    with pytest.raises(WorkbookError, match="set_link"):
        set_link(tmp_path, up=True)
    thread.join(10)


def test_the_path_may_be_longer_than_that_of_a_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = tmp_path / ("a" * 100)
    directory.mkdir()
    monkeypatch.chdir(directory)
    thread, heard = serve(Path(), '{"return": {}}', '{"return": {}}')
    set_link(directory, up=True)
    thread.join(10)
    assert len(heard) == 2


USERNET = """Hub -1 (net):\r
  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ\r
  TCP[ESTABLISHED]   9       127.0.0.1    80   169.254.169.15 11111     0     0\r
  TCP[HOST_FORWARD]  12       127.0.0.1 46029  169.254.169.15    22     0     0\r
"""


def test_the_port_that_qemu_forwards_is_asked_for(tmp_path: Path) -> None:
    thread, heard = serve(tmp_path, '{"return": {}}', json.dumps({"return": USERNET}))
    assert forwarded_port(tmp_path, lambda: None) == 46029
    thread.join(10)
    assert heard[1] == {"execute": "human-monitor-command", "arguments": {"command-line": "info usernet"}}


def test_a_qemu_that_forwards_nothing_is_an_error(tmp_path: Path) -> None:
    thread, _ = serve(tmp_path, '{"return": {}}', json.dumps({"return": "Hub -1 (net):"}))
    with pytest.raises(WorkbookError, match="forwards no port"):
        forwarded_port(tmp_path, lambda: None)
    thread.join(10)


def test_nobody_waits_for_the_monitor_of_a_qemu_that_has_ended(tmp_path: Path) -> None:
    def check() -> None:
        raise WorkbookError("QEMU ended")

    with pytest.raises(WorkbookError, match="QEMU ended"):
        forwarded_port(tmp_path, check)


def test_a_qemu_is_gone_when_nobody_listens(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "monitor"))
        listener.listen(1000)
        started = time.monotonic()
        wait_until_gone(tmp_path, 0.3)
        assert time.monotonic() - started >= 0.3
    wait_until_gone(tmp_path, 60)
    assert time.monotonic() - started < 10
