"""When a login to a new instance can succeed; booting one is an integration test."""

import urllib.request

from atomic_lib.guest.new_instance import wait_for_key
from atomic_lib.guest.vm.metadata_service import Instance
from tests.served import served

INSTANCE = Instance("i-1", "h", ("ssh-ed25519 AAAA",), "#!/bin/sh\n")
KEY = "/latest/meta-data/public-keys/0/openssh-key"


def test_the_key_is_taken_as_installed_once_user_data_is_asked_for() -> None:
    waits: list[int] = []
    with served(INSTANCE, "v1") as reached:

        def guest() -> None:
            waits.append(len(waits))
            path = ["/latest/user-data", KEY, "/latest/user-data"][len(waits) - 1]
            urllib.request.urlopen(reached.url + path).close()

        wait_for_key(reached.service, guest)
    assert len(waits) == 3
