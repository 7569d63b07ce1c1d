"""The server of updates: what it sends, what it refuses, and what its log says."""

import socket
from http.client import HTTPConnection, IncompleteRead, RemoteDisconnected
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from atomic_lib.compose.update.download_prediction import ServedFile
from atomic_lib.guest.update.repository_server import Site, serve_on_loopback, serve_to_guest
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
    site = Site(repository)
    with serve_on_loopback(site) as url:
        connection = HTTPConnection(urlsplit(url).netloc)
        bodies = []
        for path in ("/config", "/summary.sig", "/deltas/a%2Bb", "/deltas/a+b", "/deltas", "/config?again"):
            connection.request("GET", path)
            answer = connection.getresponse()
            bodies.append((answer.status, len(answer.read())))
        connection.close()
    assert bodies == [(200, 7), (404, 0), (200, 100_000), (200, 100_000), (404, 0), (200, 7)]
    downloaded = site.log.take()
    assert (downloaded.requests, downloaded.bytes) == (6, 200_014)
    assert downloaded.files.count(ServedFile("config", 7)) == 2
    assert ServedFile("summary.sig", 0) in downloaded.files
    assert site.log.take().requests == 0


@pytest.mark.parametrize(
    "path", ["/../secret", "/deltas/%2e%2e/%2e%2e/secret", "/out", "//etc/passwd", "/%00", f"/{'x' * 5000}"]
)
def test_nothing_outside_the_repository_is_sent(
    repository: Path, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    site = Site(repository)
    with serve_on_loopback(site) as url:
        connection = HTTPConnection(urlsplit(url).netloc)
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.read() == b""
        assert answer.status in (403, 404)
        connection.close()
        assert all(one.bytes == 0 and len(one.path) <= 1000 for one in site.log.files)
    assert capsys.readouterr().err == ""


def test_a_client_that_goes_while_it_is_served_is_nothing_to_tell_of(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "config").write_bytes(bytes(10_000_000))
    with serve_to_guest(Site(repository), tmp_path):
        for asked in (b"GET /config HTTP/1.1\r\n\r\n", b"GET /con", b""):
            with connect(tmp_path, UPDATES_SOCKET, timeout_seconds=10) as connection:
                connection.sendall(asked)
                connection.recv(100) if asked.endswith(b"\n") else None
    assert capsys.readouterr().err == ""


def test_a_guest_reaches_it_through_a_socket_that_is_gone_afterwards(repository: Path, tmp_path: Path) -> None:
    site = Site(repository)
    with serve_to_guest(site, tmp_path):
        with connect(tmp_path, UPDATES_SOCKET, timeout_seconds=10) as connection:
            connection.sendall(b"GET /config HTTP/1.1\r\nHost: updates\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: received(connection), b""))
        assert answer.endswith(b"\r\n\r\n[core]\n")
        assert site.log.take().bytes == 7
    assert not (tmp_path / UPDATES_SOCKET).exists()


def drain(connection: socket.socket) -> None:
    while received(connection):
        pass


def received(connection: socket.socket) -> bytes:
    return connection.recv(4096)


def get(url: str, path: str) -> tuple[int, bytes] | None:
    """The status and the body, as far as it came; None: the connection was closed without an answer."""
    connection = HTTPConnection(urlsplit(url).netloc)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except IncompleteRead as error:
        return 200, error.partial
    except (RemoteDisconnected, ConnectionError):
        return None
    finally:
        connection.close()


@pytest.fixture
def objects(repository: Path) -> list[str]:
    """Objects of the repository, as a client asks for them; a commit first."""
    names = ["objects/00/a.commit", "objects/01/b.dirtree", "objects/02/c.filez", "objects/03/d.filez"]
    for number, name in enumerate(names):
        (repository / name).parent.mkdir(parents=True)
        (repository / name).write_bytes(bytes([number]) * 1000)
    return [f"/{name}" for name in names]


def test_a_server_that_dies_sends_half_an_object_and_is_gone(repository: Path, objects: list[str]) -> None:
    site = Site(repository, fault="dies", spared=1)
    with serve_on_loopback(site) as url:
        answers = [get(url, path) for path in (*objects, "/config")]
        assert answers == [(200, bytes(1000)), (200, b"\1" * 1000), (200, b"\2" * 500), None, None]
        assert [file.bytes for file in site.log.take().files] == [1000, 1000, 500]
        site.fault = "none"
        assert get(url, objects[3]) == (200, b"\3" * 1000)


def test_a_server_that_sends_garbage_sends_as_much_as_it_announces(repository: Path, objects: list[str]) -> None:
    site = Site(repository, fault="garbage", spared=2)
    with serve_on_loopback(site) as url:
        answers = [get(url, path) for path in (*objects, "/config")]
    assert answers[:3] == [(200, bytes([number]) * 1000) for number in range(3)]
    assert answers[4] == (200, b"[core]\n")
    assert answers[3] is not None
    assert len(answers[3][1]) == 1000
    assert answers[3][1] != b"\3" * 1000


def test_a_web_page_answers_everything(repository: Path, objects: list[str]) -> None:
    with serve_on_loopback(Site(repository, fault="web page")) as url:
        answers = {get(url, path) for path in (*objects, "/config", "/summary.sig")}
    ((status, body),) = (answer for answer in answers if answer)
    assert (status, body[:9]) == (200, b"<!DOCTYPE")


def test_a_server_that_is_gone_answers_nothing(repository: Path, tmp_path: Path) -> None:
    site = Site(repository, fault="gone")
    with serve_to_guest(site, tmp_path), connect(tmp_path, UPDATES_SOCKET, timeout_seconds=10) as connection:
        connection.sendall(b"GET /config HTTP/1.1\r\nHost: updates\r\n\r\n")
        assert received(connection) == b""
    assert site.log.take().requests == 0


def test_a_server_that_stalls_keeps_the_connection_until_it_does_something_else(
    repository: Path, objects: list[str], tmp_path: Path
) -> None:
    site = Site(repository, fault="stalls")
    with serve_to_guest(site, tmp_path), connect(tmp_path, UPDATES_SOCKET, timeout_seconds=0.5) as connection:
        connection.sendall(f"GET {objects[2]} HTTP/1.1\r\nHost: updates\r\n\r\n".encode())
        with pytest.raises(TimeoutError):
            drain(connection)
        site.fault = "none"
        connection.settimeout(10)
        assert received(connection) == b""
