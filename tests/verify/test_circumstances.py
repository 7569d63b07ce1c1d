"""What differs between two builds: brought about in a process, and seen there."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from atomic_lib import command
from atomic_lib.content.repositories import Content
from atomic_lib.errors import WorkbookError
from atomic_lib.host import Tools
from atomic_lib.verify.circumstances import (
    FAKETIME,
    hostile,
    require_in_force,
    usual,
    with_clock,
    with_order,
)

STORE, CACHE = Path("/somewhere/store"), Path("/somewhere/cache")
CONTENT = Content(
    name="own", title="Own", key="k", releasever="1", kernel_arguments="", selinux_policy="default",
    repo_text="[one]\nname=one\nbaseurl=file:///one\n\n[two]\nname=two\n", local={"one": Path("/1"), "two": Path("/2")},
    remote=False, dnf_cache=None,
)  # fmt: skip
SEEN_A = {
    "directory": "/a", "umask": "022", "time zone": "UTC +0000", "language": "C.UTF-8", "host name": "here",
    "clock": "2026-11-23 01:00 UTC", "processors": "2", "repositories": "one, two",
    "RPM files": "laid down as downloaded",
}  # fmt: skip
SEEN_B = {
    "directory": str(STORE), "umask": "077", "time zone": "LINT +1400", "language": "tr_TR.UTF-8",
    "host name": "elsewhere.example", "clock": "2030-03-02 01:00 UTC", "processors": "1", "repositories": "two, one",
    "RPM files": "laid down from last to first",
}  # fmt: skip
REPORT = """\
import json, os, socket, sys, time
from atomic_lib.verify.circumstances import Circumstances, impose
wanted = Circumstances(**json.loads(sys.argv[1]))
impose(wanted)
umask = os.umask(0)
print(json.dumps([umask, len(os.sched_getaffinity(0)), socket.gethostname(), time.strftime("%z")]))
"""


@pytest.mark.integration
def test_a_process_has_what_it_was_told_to_have(run_python: Callable[..., command.Completed]) -> None:
    wanted = replace(hostile(STORE, CACHE, cold_cache=True), environment={})
    assert json.loads(run_python(REPORT, json.dumps(asdict(wanted))).stdout)[:3] == [0o077, 1, "elsewhere.example"]


def test_the_time_zone_needs_no_data_of_the_host(run_python: Callable[..., command.Completed]) -> None:
    zone = hostile(STORE, CACHE, cold_cache=True).environment["TZ"]
    assert run_python(
        f"import os, time; os.environ['TZ'] = {zone!r}; time.tzset(); print(time.strftime('%z'))"
    ).stdout == ("+1400\n")


def test_every_circumstance_of_the_second_build_differs_from_the_first() -> None:
    one, other = (
        asdict(made) for made in (usual(STORE, CACHE), hostile(Path("/other"), Path("/cold"), cold_cache=True))
    )
    assert [name for name in one if one[name] == other[name]] == []


def test_what_was_asked_for_and_seen_passes() -> None:
    require_in_force(hostile(STORE, CACHE, cold_cache=False), SEEN_B, SEEN_A)


@pytest.mark.parametrize("name", [name for name in SEEN_A if name != "directory"])
def test_a_circumstance_that_is_not_in_force_is_named(name: str) -> None:
    with pytest.raises(WorkbookError, match=f"build B did not have the {name} ") as caught:
        require_in_force(hostile(STORE, CACHE, cold_cache=False), {**SEEN_B, name: SEEN_A[name]}, SEEN_A)
    assert SEEN_A[name] in caught.value.message


def test_repositories_are_reversed_whole() -> None:
    content = with_order(CONTENT, reversed_order=True)
    assert content.repo_ids == ["two", "one"]
    assert list(content.local) == ["two", "one"]
    assert "[one]\nname=one\nbaseurl=file:///one\n" in content.repo_text
    assert with_order(CONTENT, reversed_order=False) is CONTENT


def test_a_clock_ahead_is_that_of_every_command_but_those_with_the_network(tmp_path: Path) -> None:
    (tmp_path / "root" / FAKETIME).parent.mkdir(parents=True)
    (tmp_path / "root" / FAKETIME).touch()
    tools = with_clock(Tools(tmp_path / "root", "key"), 400, tmp_path / "scratch")
    line = tools.argv(["date"], filesystems=["/mnt/root"])
    assert line[line.index("FAKETIME") - 1 :][:3] == ["--setenv", "FAKETIME", "+400d"]
    assert {"/dev/libfaketime.so", "/mnt/root/dev/libfaketime.so", "/dev/ldd", "/mnt/root/dev/ldd"} <= set(line)
    assert line.index("/mnt/root/dev") < line.index("/mnt/root/dev/libfaketime.so")
    assert "FAKETIME" not in tools.argv(["apt-get"], network=True)
    assert tools.key == "key"


def test_a_tools_tree_without_the_library_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match="no libfaketime"):
        with_clock(Tools(tmp_path, "key"), 400, tmp_path)
