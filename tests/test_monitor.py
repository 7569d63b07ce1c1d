"""Asking a monitor that talks as QEMU does."""

import json
import socket
import threading
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from tests.monitor import MONITOR_SOCKET, set_link

GREETING = '{"QMP": {"version": {}, "capabilities": []}}'
EVENT = '{"event": "RESET", "data": {}, "timestamp": {}}'


def serve(directory: Path, *answers: str) -> tuple[threading.Thread, list[object]]:
    """A monitor that has these lines to say: the greeting, then one or two for each command."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(directory / MONITOR_SOCKET))
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
