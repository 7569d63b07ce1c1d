"""What a guest says of itself, and what a three-way merge of /etc makes of a file."""

import pytest

from atomic_lib.guest.update.update_evidence import (
    ABSENT,
    ETC_FILES,
    DownloadFigures,
    EtcFile,
    EtcOutcome,
    GuestState,
    GuestUpdate,
    GuestUsage,
    UpdateBoot,
    UpdateStep,
    etc_outcomes,
    packages_identity,
    read_state,
    read_usage,
)

COMMIT = "a" * 64
SAID = f"""\
kernel 6.12.117+deb13-cloud-amd64
deployment fedora-atomic {COMMIT}.0
selinux 1
usr touch: cannot touch '/usr/written': Read-only file system
var kept
disk 4096 1000 400
container true
volume kept
/etc/issue {"1" * 64}  -
/usr/etc/issue {"2" * 64}  -
/etc/rpc absent
/usr/etc/rpc {"3" * 64}  -
"""


def update_of(*files: tuple[str, str]) -> GuestUpdate:
    """An update whose states have /etc/issue as its own text and its default, in versions 1, 2 and 1 again."""
    others = tuple(EtcFile(name=name, own=ABSENT, default=ABSENT) for name in ETC_FILES if name != "issue")
    states = [GuestState(etc=(EtcFile(name="issue", own=own, default=default), *others)) for own, default in files]
    boot = UpdateBoot(checks=(), failed_units=(), denials=None)
    step = UpdateStep(name="check", seconds=1.0, download=DownloadFigures(requests=1, bytes=1))
    first, second, third = states
    return GuestUpdate(steps=(step,), states=(first, second, third), deployed=first, boots=(boot, boot, boot))


def outcome_of(*files: tuple[str, str]) -> EtcOutcome:
    """What became of /etc/issue."""
    return next(one for one in etc_outcomes(update_of(*files)) if one.name == "issue")


def test_what_the_guest_says_is_read() -> None:
    state = read_state(SAID)
    assert (state.commit, state.selinux, state.usr_read_only, state.var_kept) == (COMMIT, "enforcing", True, True)
    assert (state.container_running, state.volume_kept, state.disk_used_bytes) == (True, True, 4096 * 600)
    assert state.kernel == "6.12.117+deb13-cloud-amd64"
    files = {file.name: file for file in state.etc}
    assert (files["issue"].own, files["issue"].default) == ("1" * 64, "2" * 64)
    assert files["rpc"].own == ABSENT


def test_what_the_guest_does_not_say_is_not_known_and_not_kept() -> None:
    state = read_state(
        "kernel\nusr written\nvar cat: /var/lib/kept: No such file or directory\ndisk ? ? ?\ncontainer\n"
    )
    assert (state.commit, state.selinux, state.usr_read_only, state.var_kept) == (None, None, False, False)
    assert (state.container_running, state.volume_kept, state.disk_used_bytes, state.kernel) == (None,) * 4


def test_a_guest_without_ostree_shows_its_packages_and_what_rpm_left() -> None:
    digest = packages_identity(["b-0:1-2.x86_64", "a-1:2-3.noarch"])
    state = read_state(f"packages {digest}  -\nusr written\nleft /etc/issue.rpmnew /etc/rpc.rpmsave\n")
    assert (state.packages, state.commit, state.usr_read_only) == (digest, None, False)
    assert state.left == ("/etc/issue.rpmnew", "/etc/rpc.rpmsave")
    # printf 'a-1:2-3.noarch\nb-0:1-2.x86_64\n' | sha256sum
    assert digest == "057568ea2fee2130f2da61136c0462e0a6bfcb69c4b2ac4d15793d13af24c6e9"


def test_what_a_guest_has_used_is_read() -> None:
    usage = read_usage("2048 350 4096 1000 400\n")
    assert usage == GuestUsage(written_bytes=1_048_576, processor_seconds=3.5, disk_used_bytes=4096 * 600)


@pytest.mark.parametrize("said", ["", "2048", "2048 350", "x 350 4096 1000 400", "2048 - 4096 1000 400"])
def test_usage_that_cannot_be_read_is_not_known(said: str) -> None:
    assert read_usage(said) is None


@pytest.mark.parametrize(
    ("first", "second", "third", "kept", "expected"),
    [
        (("1", "1"), ("1", "1"), ("1", "1"), "unchanged", True),
        (("1", "1"), ("2", "2"), ("1", "1"), "version 2's", True),
        (("1", "1"), (ABSENT, ABSENT), ("1", "1"), "version 2's", True),
        (("own", "1"), ("own", "2"), ("own", "1"), "the administrator's", True),
        ((ABSENT, "1"), (ABSENT, "1"), (ABSENT, "1"), "the administrator's", True),
        (("own", "1"), ("2", "2"), ("own", "1"), "version 2's", False),
        (("1", "1"), ("1", "2"), ("1", "1"), "unchanged", False),
        (("own", "1"), ("mixed", "2"), ("own", "1"), "neither", False),
        (("1", "1"), ("2", "2"), ("2", "1"), "version 2's", False),
    ],
)
def test_a_three_way_merge_keeps_what_the_administrator_changed(
    first: tuple[str, str], second: tuple[str, str], third: tuple[str, str], kept: str, expected: bool
) -> None:
    outcome = outcome_of(first, second, third)
    assert (outcome.kept, outcome.expected) == (kept, expected)


def test_what_each_side_did_is_said() -> None:
    outcome = outcome_of(("own", "1"), ("own", ABSENT), ("own", "1"))
    assert (outcome.administrator, outcome.version_2) == ("changed", "removed")
    added = outcome_of((ABSENT, ABSENT), ("2", "2"), (ABSENT, ABSENT))
    assert (added.administrator, added.version_2) == ("", "added")
