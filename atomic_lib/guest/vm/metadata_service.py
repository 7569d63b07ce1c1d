"""An EC2-style metadata service for one guest, on a socket that only its QEMU and this user reach.

Format: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-categories.html
"""

import json
import re
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from typing import Literal

from atomic_lib.guest.vm.sockets import METADATA_SOCKET, RECORDED_CHARACTERS, LeavableServer, short_path

GUEST_MAC = "02:00:a9:fe:a9:0f"
GUEST_ADDRESS = "169.254.169.15"
GUEST_NETWORK = "169.254.169.0/24"

Sessions = Literal["v1", "optional", "required"]
"""v1: no session tokens; optional: with or without; required: IMDSv2 only."""

_VERSIONS = ("1.0", "2009-04-04", "2016-09-02", "2018-09-24", "2021-03-23", "latest")
_VERSION = re.compile(r"^(latest|1\.0|\d{4}-\d\d-\d\d)$")
_TOKEN_PATH = "/latest/api/token"
_TTL_LIMIT_SECONDS = 21600
_TTL = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class Instance:
    """The metadata of one guest; empty ``user_data``: it has none."""

    instance_id: str
    hostname: str
    public_keys: tuple[str, ...] = ()
    user_data: str = ""


@dataclass(frozen=True)
class Request:
    """One request as it was answered; ``seconds`` count from the start of the service."""

    seconds: float
    method: str
    path: str
    status: int


@dataclass
class MetadataService:
    """A running service: when it started (time.monotonic), and the requests so far."""

    started: float
    requests: list[Request] = field(default_factory=list)

    def answered(self, ending: str, *statuses: int) -> list[float]:
        """When (time.monotonic) paths with this ending were answered with one of ``statuses``, in order."""
        return [
            self.started + request.seconds
            for request in tuple(self.requests)
            if request.path.endswith(ending) and request.status in statuses
        ]


@contextmanager
def metadata_service(instance: Instance, directory: Path, sessions: Sessions = "required") -> Iterator[MetadataService]:
    """Serve ``instance`` on the socket ``METADATA_SOCKET`` in ``directory`` until the block is left."""
    (directory / METADATA_SOCKET).unlink(missing_ok=True)
    with short_path(directory, METADATA_SOCKET) as path:
        server = _Server(path, metadata_leaves(instance), sessions)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield server.service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        (directory / METADATA_SOCKET).unlink(missing_ok=True)


def metadata_leaves(instance: Instance) -> dict[str, str]:
    """Every document that is served, by its path below the version (``meta-data/instance-id``)."""
    network = f"network/interfaces/macs/{GUEST_MAC}"
    meta = {
        "ami-id": "ami-00000000000000000",
        "ami-launch-index": "0",
        "hostname": instance.hostname,
        "instance-id": instance.instance_id,
        "instance-type": "t3.small",
        "local-hostname": instance.hostname,
        "local-ipv4": GUEST_ADDRESS,
        "mac": GUEST_MAC,
        "placement/availability-zone": "local-1a",
        "placement/region": "local-1",
        f"{network}/device-number": "0",
        f"{network}/local-ipv4s": GUEST_ADDRESS,
        f"{network}/mac": GUEST_MAC,
        f"{network}/subnet-ipv4-cidr-block": GUEST_NETWORK,
    }
    meta |= {f"public-keys/{number}/openssh-key": key for number, key in enumerate(instance.public_keys)}
    leaves = {f"meta-data/{path}": text for path, text in meta.items()}
    # cloud-init requests this again and again where it is missing.
    leaves["dynamic/instance-identity/document"] = json.dumps(_identity(instance), indent=1)
    if instance.user_data:
        leaves["user-data"] = instance.user_data
    return leaves


def answer(leaves: Mapping[str, str], path: str) -> str | None:
    """The document or index at ``path`` (with its version in front), or None where there is nothing."""
    version, _, rest = path.lstrip("/").partition("/")
    if not version:
        return "\n".join(_VERSIONS)
    if not _VERSION.match(version):
        return None
    if rest in leaves:
        return leaves[rest]
    directory = rest.rstrip("/")
    if directory == "meta-data/public-keys":
        return _key_index(leaves)
    return _index(leaves, directory)


def _identity(instance: Instance) -> dict[str, str]:
    return {
        "architecture": "x86_64",
        "availabilityZone": "local-1a",
        "imageId": "ami-00000000000000000",
        "instanceId": instance.instance_id,
        "instanceType": "t3.small",
        "privateIp": GUEST_ADDRESS,
        "region": "local-1",
        "version": "2017-09-30",
    }


def _key_index(leaves: Mapping[str, str]) -> str | None:
    numbers = (path.split("/")[2] for path in leaves if path.startswith("meta-data/public-keys/"))
    return "\n".join(f"{number}=key-{number}" for number in numbers) or None


def _index(leaves: Mapping[str, str], directory: str) -> str | None:
    prefix = f"{directory}/" if directory else ""
    names = set()
    for path in leaves:
        if path.startswith(prefix):
            name, slash, _ = path.removeprefix(prefix).partition("/")
            names.add(name + slash)
    return "\n".join(sorted(names)) or None


class _Server(LeavableServer, ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, path: str, leaves: Mapping[str, str], sessions: Sessions) -> None:
        super().__init__(path, _Handler)
        self.leaves = leaves
        self.sessions = sessions
        self.tokens: set[str] = set()
        self.service = MetadataService(time.monotonic())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "EC2ws"
    sys_version = ""
    timeout = 30
    server: _Server

    def do_GET(self) -> None:
        token = self.headers.get("X-aws-ec2-metadata-token")
        if token is None and self.server.sessions == "required":
            return self._send(HTTPStatus.UNAUTHORIZED)
        if token is not None and self.server.sessions != "v1" and token not in self.server.tokens:
            return self._send(HTTPStatus.UNAUTHORIZED)
        text = answer(self.server.leaves, self.path.partition("?")[0])
        return self._send(HTTPStatus.NOT_FOUND) if text is None else self._send(HTTPStatus.OK, text)

    def do_PUT(self) -> None:
        if self.path != _TOKEN_PATH or self.server.sessions == "v1":
            return self._send(HTTPStatus.NOT_FOUND)
        if "X-Forwarded-For" in self.headers:
            return self._send(HTTPStatus.FORBIDDEN)
        lifetime = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
        if not (_TTL.fullmatch(lifetime) and 1 <= int(lifetime) <= _TTL_LIMIT_SECONDS):
            return self._send(HTTPStatus.BAD_REQUEST)
        token = secrets.token_urlsafe(32)
        self.server.tokens.add(token)
        return self._send(HTTPStatus.OK, token, {"X-aws-ec2-metadata-token-ttl-seconds": lifetime})

    def _send(self, status: HTTPStatus, text: str = "", headers: Mapping[str, str] | None = None) -> None:
        service = self.server.service
        body = text.encode()
        # Recorded first, so that a client that has its answer finds its request here.
        seconds = time.monotonic() - service.started
        path = self.path[:RECORDED_CHARACTERS]
        service.requests.append(Request(seconds, str(self.command), path, int(status)))
        self.send_response(status)
        for name, value in {"Content-Type": "text/plain", "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are kept in ``MetadataService.requests``; standard error stays quiet."""
