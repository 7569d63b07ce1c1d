"""The critical chain, also against what systemd-analyze said of the same boot."""

import gzip
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from atomic_lib.guest.evidence.critical_chain import critical_chain
from atomic_lib.guest.evidence.systemd import read_properties, timestamp_seconds

DATA = Path(__file__).parent / "data"


def unit(name: str, started: float, done: float, after: str = "") -> Mapping[str, str]:
    return {
        "Id": name,
        "InactiveExitTimestampMonotonic": str(int(started * 1e6)),
        "ActiveEnterTimestampMonotonic": str(int(done * 1e6)),
        "After": after,
    }


NETWORK = unit("network.service", 2, 5)
SLOW = unit("slow.service", 2, 9)
DOCKER = unit("docker.service", 6, 12, "network.service gone.service slow.service")
END = unit("multi-user.target", 12, 12, "docker.service ssh.service")
SSH = unit("ssh.service", 2, 3)


def test_the_last_one_done_held_up_the_next() -> None:
    chain = critical_chain([SSH, END, DOCKER, NETWORK])
    assert chain == ("network.service", "docker.service", "multi-user.target")


def test_what_was_done_only_after_the_start_held_up_nothing() -> None:
    assert "slow.service" not in critical_chain([END, DOCKER, SLOW, NETWORK])
    assert critical_chain([END, DOCKER, SLOW]) == ("docker.service", "multi-user.target")


def test_what_the_initrd_did_is_left_out() -> None:
    assert critical_chain([END, DOCKER, NETWORK], begin_seconds=5.5) == ("docker.service", "multi-user.target")


def test_units_ordered_in_a_circle_end_the_chain() -> None:
    circle = [unit("multi-user.target", 3, 3, "a.service"), unit("a.service", 3, 3, "multi-user.target a.service")]
    assert critical_chain(circle) == ("a.service", "multi-user.target")


def test_of_units_done_at_the_same_time_the_longest_counts() -> None:
    units = [unit("multi-user.target", 5, 5, "b.service a.service"), unit("a.service", 1, 5), unit("b.service", 2, 5)]
    assert critical_chain(units) == ("a.service", "multi-user.target")


def test_a_boot_that_did_not_come_to_its_end() -> None:
    assert critical_chain([unit("basic.target", 4, 4, "network.service"), NETWORK])[-1] == "basic.target"
    assert critical_chain([NETWORK, {"Id": "multi-user.target", "ActiveState": "inactive"}]) == ()
    assert critical_chain([]) == ()


@pytest.mark.parametrize("variant", ["atomic-min", "cloud-docker"])
def test_as_systemd_analyze_has_it(variant: str) -> None:
    text = gzip.decompress((DATA / f"{variant}-chain.txt.gz").read_bytes()).decode()
    manager, units, drawn = text.split("\n%%\n")
    begin = timestamp_seconds(read_properties(manager)[0], "UserspaceTimestampMonotonic")
    assert begin is not None
    chain = critical_chain(read_properties(units), begin)
    theirs = re.findall(r"^[ └─]*(\S+\.\w+)", drawn, flags=re.MULTILINE)
    # Theirs goes on into the initrd, and to slices, which take no time.
    assert theirs[: len(chain)] == list(reversed(chain))
    assert len(chain) >= 10
    assert {"docker.service", "multi-user.target"} <= set(chain)
