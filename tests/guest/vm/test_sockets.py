"""What a web server of a guest answers through a socket."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer

import pytest

from atomic_lib.guest.vm.sockets import fetch, port_socket, short_path


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/" else 404)
        self.end_headers()
        self.wfile.write(b"hello\n")

    def address_string(self) -> str:
        return ""

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served(directory: Path, port: int) -> Iterator[None]:
    with short_path(directory, port_socket(port)) as path:
        server = ThreadingUnixStreamServer(path, _Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_page_comes_through_the_socket_of_its_port(tmp_path: Path) -> None:
    with served(tmp_path, 8080):
        assert fetch(tmp_path, 8080) == "hello\n"


@pytest.mark.parametrize(("port", "path"), [(8081, "/"), (8080, "/other")])
def test_no_answer_and_an_error_are_no_page(tmp_path: Path, port: int, path: str) -> None:
    with served(tmp_path, 8080):
        assert fetch(tmp_path, port, path) == ""


def test_a_server_that_is_not_one_of_the_web_is_no_page(tmp_path: Path) -> None:
    class Silent(BaseHTTPRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"SSH-2.0\r\n")

    with short_path(tmp_path, port_socket(22)) as path, ThreadingUnixStreamServer(path, Silent) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        assert fetch(tmp_path, 22) == ""
        thread.join()
