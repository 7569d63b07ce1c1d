"""The server of updates: what it sends, what it refuses, and what its log says."""

import socket
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from atomic_lib.compose.update.download_prediction import ServedFile
from atomic_lib.guest.update.repository_server import serve_on_loopback, serve_to_guest
from atomic_lib.guest.vm.sockets import UPDATES_SOCKET, connect


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    (root / "deltas").mkdir(parents=True)
    (root / "config").write_bytes(b"[core]\n")
    (root / "deltas/a+b").write_bytes(bytes(100_000))
    (tmp_path / "secret").write_text("secret")
    (root / "out").symlink_to("../secret")
    return root


def test_the_log_has_each_file_with_the_bytes_that_were_sent(repository: Path) -> None:
    with serve_on_loopback(repository) as (url, log):
        connection = HTTPConnection(urlsplit(url).netloc)
        bodies = []
        for path in ("/config", "/summary.sig", "/deltas/a%2Bb", "/deltas/a+b", "/deltas", "/config?again"):
            connection.request("GET", path)
            answer = connection.getresponse()
            bodies.append((answer.status, len(answer.read())))
        connection.close()
    assert bodies == [(200, 7), (404, 0), (200, 100_000), (200, 100_000), (404, 0), (200, 7)]
    downloaded = log.take()
    assert (downloaded.requests, downloaded.bytes) == (6, 200_014)
    assert downloaded.files.count(ServedFile("config", 7)) == 2
    assert ServedFile("summary.sig", 0) in downloaded.files
    assert log.take().requests == 0


@pytest.mark.parametrize("path", ["/../secret", "/deltas/%2e%2e/%2e%2e/secret", "/out", "//etc/passwd"])
def test_nothing_outside_the_repository_is_sent(repository: Path, path: str) -> None:
    with serve_on_loopback(repository) as (url, log):
        connection = HTTPConnection(urlsplit(url).netloc)
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.read() == b""
        assert answer.status in (403, 404)
        connection.close()
        assert log.take().bytes == 0


def test_a_guest_reaches_it_through_a_socket_that_is_gone_afterwards(repository: Path, tmp_path: Path) -> None:
    with serve_to_guest(repository, tmp_path) as log:
        with connect(tmp_path, UPDATES_SOCKET, timeout_seconds=10) as connection:
            connection.sendall(b"GET /config HTTP/1.1\r\nHost: updates\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: received(connection), b""))
        assert answer.endswith(b"\r\n\r\n[core]\n")
        assert log.take().bytes == 7
    assert not (tmp_path / UPDATES_SOCKET).exists()


def received(connection: socket.socket) -> bytes:
    return connection.recv(4096)
