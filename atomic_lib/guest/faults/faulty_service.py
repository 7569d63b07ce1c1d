"""A metadata service with injected faults, at the real address, in a network namespace of its own."""

import contextlib
import fcntl
import itertools
import re
import secrets
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer

from atomic_lib.guest.faults.fault import LATE_SECONDS, Fault, ServiceRule
from atomic_lib.guest.faults.outcome import AgentRequest
from atomic_lib.guest.vm.metadata_service import Instance, answer, metadata_leaves
from atomic_lib.guest.vm.sockets import LeavableServer

ADDRESS = "169.254.169.254"
_PORT = 80
_DRIP_SECONDS = 0.5
_SLOW_SECONDS = 1.3
# 3 MB in a second: past any limit soon, and not too much for an agent that keeps it all in memory.
_FLOOD = b"# more of it\n" * 5000
_FLOOD_SECONDS = 0.02
_PAGE = b"<html><body>This is not what you asked for.</body></html>\n"
_TOKEN = "/latest/api/token"
_VERSION = re.compile(r"^/\d{4}-\d\d-\d\d/")
_SIOCSIFADDR = 0x8916


def add_address() -> None:
    """Give the loopback interface of this network namespace the address of metadata services."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sHH4s8x", b"lo:1", socket.AF_INET, 0, socket.inet_aton(ADDRESS))
        fcntl.ioctl(control, _SIOCSIFADDR, request)


@contextmanager
def scripted_service(fault: Fault, boot: int, requests: list[AgentRequest]) -> Iterator[None]:
    """What the guest encounters at ``ADDRESS`` in boot number ``boot`` (from 0); appends each request to ``requests``.

    The address may be there from an earlier boot, except with ``none``, which never adds it.
    """
    with ExitStack() as stack:
        if fault.network not in ("none", "late"):
            add_address()
        if fault.network in ("black hole", "silent"):
            stack.enter_context(_deaf(fault.network == "black hole"))
        elif fault.network in ("up", "late"):
            stack.enter_context(_serving(fault, boot, requests))
        yield


@contextmanager
def _deaf(full: bool) -> Iterator[None]:
    """A socket that listens and never answers; ``full``: its queue has no room for another connection either."""
    with socket.create_server((ADDRESS, _PORT), backlog=0 if full else 64), ExitStack() as stack:
        for _ in range(4 if full else 0):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect((ADDRESS, _PORT))
        yield


@contextmanager
def _serving(fault: Fault, boot: int, requests: list[AgentRequest]) -> Iterator[None]:
    late = threading.Timer(LATE_SECONDS, add_address)
    with _FaultyServer(fault, boot, requests) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        if fault.network == "late":
            late.start()
        try:
            yield
        finally:
            late.cancel()
            server.stopping.set()
            server.shutdown()
            thread.join()


class _FaultyServer(LeavableServer, ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, fault: Fault, boot: int, requests: list[AgentRequest]) -> None:
        super().__init__(("0.0.0.0", _PORT), _FaultyHandler)
        # Bytes travel as Latin-1, so that user-data may be any.
        user_data = fault.user_data.decode("latin-1")
        self.leaves = metadata_leaves(Instance(fault.boots[boot], fault.hostname, fault.keys, user_data))
        self.fault = fault
        self.rules = [rule for rule in fault.rules if not rule.boots or boot < rule.boots]
        self.requests = requests
        self.tokens: Counter[str] = Counter()
        self.used: Counter[ServiceRule] = Counter()
        self.lock = threading.Lock()
        self.stopping = threading.Event()

    def rule_for(self, path: str) -> ServiceRule | None:
        """The rule that holds for this request, counted; every version of the data has the same rules."""
        path = _VERSION.sub("/latest/", path)
        with self.lock:
            for rule in self.rules:
                if path.startswith(rule.path) and not (rule.times and self.used[rule] >= rule.times):
                    self.used[rule] += 1
                    return rule
        return None

    def accepts(self, token: str | None) -> bool:
        """Whether this token gives access to data, by the sessions of the fault."""
        if token is None or self.fault.sessions == "v1":
            return self.fault.sessions != "required"
        with self.lock:
            known = token in self.tokens
            self.tokens[token] += known
            return known and not (self.fault.token_uses and self.tokens[token] > self.fault.token_uses + 1)


class _FaultyHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "EC2ws"
    sys_version = ""
    timeout = 60
    server: _FaultyServer

    def do_GET(self) -> None:
        self._answer(None)

    def do_PUT(self) -> None:
        has_none = self.path != _TOKEN or self.server.fault.sessions == "v1"
        self._answer((404, b"") if has_none else (200, self._new_token()))

    def _new_token(self) -> bytes:
        token = secrets.token_urlsafe(32)
        self.server.tokens[token] = 1
        return token.encode()

    def _content(self) -> tuple[int, bytes]:
        if not self.server.accepts(self.headers.get("X-aws-ec2-metadata-token")):
            return 401, b""
        text = answer(self.server.leaves, self.path.partition("?")[0])
        return (404, _PAGE) if text is None else (200, text.encode("latin-1"))

    def _answer(self, content: tuple[int, bytes] | None) -> None:
        rule = self.server.rule_for(self.path)
        status, body = content or self._content()
        if rule and rule.behaviour == "status":
            status, body = rule.status, _PAGE
        with_token = "X-aws-ec2-metadata-token" in self.headers
        self.server.requests.append(AgentRequest(self.command, self.path, status, with_token))
        with contextlib.suppress(OSError):  # the client may have gone
            self._send(status, body, rule.behaviour if rule else "status")

    def _send(self, status: int, body: bytes, behaviour: str) -> None:
        if behaviour == "slow":
            self.server.stopping.wait(_SLOW_SECONDS)
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", f"http://{ADDRESS}/elsewhere")
        if behaviour == "truncate":
            body, promised = body[: len(body) // 2], len(body)
        else:
            promised = len(body)
        self.close_connection = behaviour not in ("status", "slow")
        if behaviour not in ("endless", "drip"):
            self.send_header("Content-Length", str(promised))
        self.end_headers()
        self.wfile.write(b"" if behaviour == "drip" else body)
        if behaviour == "drip":
            self._keep_sending((bytes([byte]) for byte in body), _DRIP_SECONDS)
        if behaviour in ("drip", "endless"):
            drop, pause_seconds = (b"#", _DRIP_SECONDS) if behaviour == "drip" else (_FLOOD, _FLOOD_SECONDS)
            self._keep_sending(itertools.repeat(drop), pause_seconds)

    def _keep_sending(self, parts: Iterable[bytes], pause_seconds: float) -> None:
        for part in parts:
            if self.server.stopping.wait(pause_seconds):
                return
            self.wfile.write(part)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are kept; standard error stays quiet."""
