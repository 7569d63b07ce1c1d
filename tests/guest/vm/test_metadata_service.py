"""The metadata service, asked over real HTTP."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import pytest

from atomic_lib.guest.vm.metadata_service import GUEST_MAC, Instance, metadata_service
from atomic_lib.guest.vm.sockets import METADATA_SOCKET
from tests.served import Served, served

INSTANCE = Instance("i-0abc", "guest-1", ("ssh-ed25519 AAAA one", "ssh-ed25519 BBBB two"), "#!/bin/sh\necho hi\n")
TTL = "X-aws-ec2-metadata-token-ttl-seconds"
TOKEN = "X-aws-ec2-metadata-token"


def ask(service: Served, path: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> tuple[int, str]:
    request = urllib.request.Request(service.url + path, method=method, headers=dict(headers or {}))
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, ""


def test_a_token_opens_the_service_where_sessions_are_required() -> None:
    with served(INSTANCE) as service:
        assert ask(service, "/latest/meta-data/instance-id") == (401, "")
        assert ask(service, "/latest/meta-data/instance-id", headers={TOKEN: "guessed"}) == (401, "")
        status, token = ask(service, "/latest/api/token", "PUT", {TTL: "60"})
        assert status == 200
        assert ask(service, "/latest/meta-data/instance-id", headers={TOKEN: token}) == (200, "i-0abc")


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 400), ({TTL: "0"}, 400), ({TTL: "21601"}, 400), ({TTL: "x"}, 400), ({TTL: "9", "X-Forwarded-For": "a"}, 403),
     ({TTL: "9" * 5000}, 400)],
)  # fmt: skip
def test_a_token_is_refused(headers: dict[str, str], status: int) -> None:
    with served(INSTANCE) as service:
        assert ask(service, "/latest/api/token", "PUT", headers) == (status, "")


def test_of_a_long_path_only_the_beginning_is_recorded() -> None:
    with served(INSTANCE) as service:
        assert ask(service, f"/{'x' * 60_000}")[0] == 401
        assert [len(request.path) for request in service.service.requests] == [1000]


def test_optional_sessions_serve_both_and_v1_knows_no_token() -> None:
    with served(INSTANCE, "optional") as service:
        assert ask(service, "/latest/meta-data/instance-id")[0] == 200
        assert ask(service, "/latest/meta-data/instance-id", headers={TOKEN: "wrong"})[0] == 401
        assert ask(service, "/latest/api/token", "PUT", {TTL: "60"})[0] == 200
    with served(INSTANCE, "v1") as service:
        assert ask(service, "/latest/meta-data/instance-id")[0] == 200
        assert ask(service, "/latest/api/token", "PUT", {TTL: "60"})[0] == 404


@pytest.mark.parametrize("version", ["latest", "2009-04-04", "2016-09-02", "2018-09-24", "2021-03-23"])
def test_what_cloud_init_crawls_is_there(version: str) -> None:
    with served(INSTANCE, "v1") as service:
        index = ask(service, f"/{version}/meta-data/")[1].splitlines()
        assert {"instance-id", "local-hostname", "public-keys/", "placement/", "network/"} <= set(index)
        assert ask(service, f"/{version}/meta-data/public-keys/")[1] == "0=key-0\n1=key-1"
        assert ask(service, f"/{version}/meta-data/public-keys/1/openssh-key")[1] == "ssh-ed25519 BBBB two"
        assert ask(service, f"/{version}/meta-data/network/interfaces/macs/")[1] == f"{GUEST_MAC}/"
        assert ask(service, f"/{version}/dynamic/instance-identity")[1] == "document"
        document = json.loads(ask(service, f"/{version}/dynamic/instance-identity/document")[1])
        assert document["instanceId"] == "i-0abc"
        assert ask(service, f"/{version}/user-data") == (200, "#!/bin/sh\necho hi\n")


@pytest.mark.parametrize(
    "path",
    ["/latest/user-data", "/latest/meta-data/public-keys/", "/latest/none", "/1999-1-1/meta-data/", "/etc/passwd"],
)
def test_what_an_instance_has_not_is_404(path: str) -> None:
    with served(Instance("i-1", "h"), "v1") as service:
        assert ask(service, path) == (404, "")


def test_requests_are_recorded_in_order() -> None:
    with served(INSTANCE, "v1") as service:
        assert service.service.answered("/user-data", 200) == []
        ask(service, "/latest/none")
        ask(service, "/latest/user-data")
        first, second = service.service.requests
        assert (first.method, first.path, first.status) == ("GET", "/latest/none", 404)
        assert (second.path, second.status) == ("/latest/user-data", 200)
        assert 0 <= first.seconds <= second.seconds < 5
        assert service.service.answered("/user-data", 200, 404) == [service.service.started + second.seconds]
        assert service.service.answered("/none", 200) == []
        assert service.service.answered("/none", 404) == [service.service.started + first.seconds]


def test_only_its_user_reaches_the_service_and_nothing_is_left_of_it(tmp_path: Path) -> None:
    directory = tmp_path / ("d" * 120)  # a longer path than a socket may have
    directory.mkdir()
    (directory / METADATA_SOCKET).write_text("of a run that was killed")
    with metadata_service(INSTANCE, directory):
        assert [path.name for path in directory.iterdir()] == [METADATA_SOCKET]
        assert (directory / METADATA_SOCKET).is_socket()
    assert list(directory.iterdir()) == []
