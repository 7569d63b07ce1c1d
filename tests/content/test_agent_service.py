"""min-cloud-agent and the metadata service: its requests, and its reaction to failures."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingTCPServer

import pytest

from atomic_lib.base import command
from atomic_lib.base.command import CommandError
from atomic_lib.guest.vm.metadata_service import Instance
from tests.content.agent_process import AGENT, KEY, OTHER, SHELLS, agent, authorized, program, provision
from tests.served import served

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="min-cloud-agent needs curl on this host")


def test_keys_are_in_place_before_user_data_is_asked_for(root: Path) -> None:
    script = f"#!/bin/sh\ncp {root}/root/.ssh/authorized_keys {root}/seen\n"
    with served(Instance("i-1", "h", (KEY,), script)) as service:
        agent(root, service.url)
        paths = [request.path for request in service.service.requests]
    assert paths[0] == "/latest/api/token"
    assert paths[-1] == "/latest/user-data"
    assert "/latest/meta-data/public-keys/0/openssh-key" in paths[:-1]
    assert (root / "seen").read_text() == f"{KEY}\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_what_cannot_be_kept_of_one_key_costs_no_other(root: Path, shell: str) -> None:
    (root / "run/min-cloud-agent/key-1").mkdir(parents=True)
    with pytest.raises(CommandError) as caught:
        provision(root, Instance("i-1", "web-1", (KEY, OTHER)), shell=shell)
    assert "public-keys/1/openssh-key: cannot be written" in caught.value.stderr
    assert authorized(root) == f"{KEY}\n"
    assert (root / "etc/hostname").read_text() == "web-1\n"
    assert not (root / "var/lib/min-cloud-agent/i-1/provisioned").exists()


def test_no_half_key_is_left_by_a_curl_that_is_killed(root: Path) -> None:
    half = f"printf 'ssh-ed25519 AAAAC3NzaHALF' >{root}/run/min-cloud-agent/key-0; kill -9 $$"
    program(root, "curl", f'case "$*" in *openssh-key*) {half} ;; esac', shutil.which("curl"))
    with served(Instance("i-1", "web-1", (KEY,))) as service, pytest.raises(CommandError):
        agent(root, service.url, seconds=1)
    assert not (root / "root/.ssh").exists()


Answer = Callable[[BaseHTTPRequestHandler], tuple[int, bytes]]


@contextmanager
def answering(answer: Answer) -> Iterator[tuple[str, list[str]]]:
    """A service that answers each request with the status and the body that ``answer`` returns."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(f"{self.command} {self.path}")
            status, body = answer(self)
            self.send_response_only(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_PUT = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", seen
        finally:
            server.shutdown()
            thread.join()


def always(status: int) -> AbstractContextManager[tuple[str, list[str]]]:
    """A service that answers all requests with ``status``."""
    return answering(lambda _: (status, b""))


def with_a_key(to_put: Answer, *, index: bytes = b"0=k", otherwise: int = 404) -> Answer:
    """A service with one key, which is free to read; ``to_put`` answers requests for a token."""
    data = {"instance-id": b"i-1", "public-keys/": index, "public-keys/0/openssh-key": KEY.encode()}

    def answer(request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        if request.command == "PUT":
            return to_put(request)
        found = data.get(request.path.removeprefix("/latest/meta-data/"))
        return (otherwise, b"") if found is None else (200, found)

    return answer


def test_a_request_for_a_token_says_how_long_it_is(root: Path) -> None:
    lengths: list[str | None] = []

    def token(request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        lengths.append(request.headers["Content-Length"])
        return (200, b"TOKEN") if lengths[-1] else (411, b"")

    with answering(with_a_key(token)) as (url, _):
        agent(root, url, seconds=2)
    assert lengths == ["0"]
    assert authorized(root) == f"{KEY}\n"


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_service_that_says_it_has_no_tokens_is_read_without(root: Path, status: int) -> None:
    with answering(with_a_key(lambda _: (status, b""))) as (url, seen):
        agent(root, url, seconds=2)
    assert seen.count("PUT /latest/api/token") == 1
    assert authorized(root) == f"{KEY}\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_no_content_is_as_good_as_nothing_there(root: Path, shell: str) -> None:
    with answering(with_a_key(lambda _: (404, b""), otherwise=204)) as (url, seen):
        done = agent(root, url, shell=shell)
    assert (done.stderr, seen.count("GET /latest/user-data")) == ("", 1)
    assert authorized(root) == f"{KEY}\n"
    assert (root / "var/lib/min-cloud-agent/i-1/provisioned").exists()


@pytest.mark.parametrize("index", [b"\n0=k\n\n", b"0=k\r\n\r\n", b"0=k\n\r"])
def test_blank_lines_in_the_list_of_keys_are_no_entries(root: Path, index: bytes) -> None:
    with answering(with_a_key(lambda _: (404, b""), index=index)) as (url, _):
        assert agent(root, url).stderr == ""
    assert authorized(root) == f"{KEY}\n"


def test_404_everywhere_is_a_machine_without_metadata(root: Path) -> None:
    with always(404) as (url, seen):
        done = agent(root, url)
    assert seen == [
        "PUT /latest/api/token",
        "GET /latest/meta-data/instance-id",
        "GET /latest/meta-data/public-keys/",
        "GET /latest/meta-data/local-hostname",
        "GET /latest/user-data",
    ]
    assert done.stderr == ""
    assert not (root / "root/.ssh").exists()


@pytest.mark.parametrize("status", [400, 403, 411, 500, 503])
def test_other_failures_never_weaken_the_session_and_end_in_time(root: Path, status: int) -> None:
    with always(status) as (url, seen), pytest.raises(CommandError) as caught:
        agent(root, url, seconds=2)
    assert set(seen) == {"PUT /latest/api/token"}
    assert len(seen) > 1
    assert caught.value.status == 1
    assert f"within 2 s: HTTP status {status} for a session token" in caught.value.stderr


def test_no_service_at_all_ends_in_time(root: Path) -> None:
    with pytest.raises(CommandError) as caught:
        agent(root, "http://127.0.0.1:1", seconds=1)
    assert "no usable answer from http://127.0.0.1:1 within 1 s" in caught.value.stderr


def test_pauses_grow_are_never_the_same_and_end_with_the_time(root: Path, tmp_path: Path) -> None:
    (tmp_path / "sleep").write_text(f'#!/bin/sh\necho "$1" >>{tmp_path}/pauses\n')
    (tmp_path / "sleep").chmod(0o755)
    url = "http://127.0.0.1:1"
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "MIN_CLOUD_AGENT_SECONDS": "3"}
    environment |= {"MIN_CLOUD_AGENT_URL": url, "MIN_CLOUD_AGENT_ROOT": str(root)}
    with pytest.raises(CommandError):
        command.run(["sh", AGENT, "fetch"], env=environment, timeout_seconds=30)
    pauses = [float(line) for line in (tmp_path / "pauses").read_text().splitlines()]
    assert 0.2 <= pauses[0] <= 0.4 <= pauses[1] <= 0.8
    assert max(pauses) <= 3
    assert len(set(pauses)) > 5
