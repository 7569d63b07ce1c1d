"""What a boot waits for and says when nobody comes; booting itself is an integration test."""

import urllib.request

from atomic_lib.guest.timed_boot import progress_of
from atomic_lib.guest.vm.metadata_service import Instance
from tests.served import served

INSTANCE = Instance("i-1", "h", ("ssh-ed25519 AAAA",), "#!/bin/sh\n")
KEY = "/latest/meta-data/public-keys/0/openssh-key"


def test_progress_is_told_from_the_requests() -> None:
    with served(INSTANCE, "v1") as reached:
        assert progress_of(reached.service) == "it sent no request to the metadata service"
        urllib.request.urlopen(f"{reached.url}/latest/meta-data/").close()
        assert "it sent 1 requests to the metadata service, but none for the key" in progress_of(reached.service)
        urllib.request.urlopen(reached.url + KEY).close()
        assert progress_of(reached.service) == "it fetched the key from the metadata service"
