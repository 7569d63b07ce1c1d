"""What differs between two builds: brought about in a process, and seen there."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from atomic_lib.base import command
from atomic_lib.base.errors import WorkbookError
from atomic_lib.content.repositories import Content
from atomic_lib.pipeline.verify.conditions import (
    FAKETIME,
    cache_state,
    choose_language,
    file_order,
    hostile,
    require_in_force,
    usual,
    with_clock,
    with_order,
)
from atomic_lib.tools.sandbox import Tools

STORE, CACHE = Path("/somewhere/store"), Path("/somewhere/cache")
CONTENT = Content(
    name="own", title="Own", key="k", releasever="1", kernel_arguments="", selinux_policy="default",
    repo_text="[one]\nname=one\nbaseurl=file:///one\n\n[two]\nname=two\n", local={"one": Path("/1"), "two": Path("/2")},
    remote=False, dnf_cache=None,
)  # fmt: skip
SEEN_A = {
    "directory": "/a", "umask": "022", "time zone": "UTC +0000", "language": "C.UTF-8", "host name": "here",
    "clock": "2026-11-23 01:00 UTC", "processors": "2", "repositories": "one, two",
    "RPM files": "one first, two last", "root is user": "1000",
}  # fmt: skip
SEEN_B = {
    "directory": str(STORE), "umask": "077", "time zone": "LINT +1400", "language": "tr_TR.utf8",
    "host name": "elsewhere.example", "clock": "2030-03-02 01:00 UTC", "processors": "1", "repositories": "two, one",
    "RPM files": "two first, one last", "root is user": "32768",
}  # fmt: skip
LANGUAGE = "tr_TR.utf8"
HOSTILE = hostile(STORE, CACHE, cold_cache=True, language=LANGUAGE, other_ids=True)
REPORT = """\
import json, os, socket, sys, time
from atomic_lib.pipeline.verify.conditions import Conditions, impose
wanted = Conditions(**json.loads(sys.argv[1]))
impose(wanted)
umask = os.umask(0)
print(json.dumps([umask, len(os.sched_getaffinity(0)), socket.gethostname(), time.strftime("%z")]))
"""


@pytest.mark.integration
def test_a_process_has_what_it_was_told_to_have(run_python: Callable[..., command.Completed]) -> None:
    wanted = replace(HOSTILE, environment={})
    assert json.loads(run_python(REPORT, json.dumps(asdict(wanted))).stdout)[:3] == [0o077, 1, "elsewhere.example"]


def test_the_time_zone_needs_no_data_of_the_host(run_python: Callable[..., command.Completed]) -> None:
    zone = HOSTILE.environment["TZ"]
    assert run_python(
        f"import os, time; os.environ['TZ'] = {zone!r}; time.tzset(); print(time.strftime('%z'))"
    ).stdout == ("+1400\n")


def test_every_circumstance_of_the_second_build_differs_from_the_first() -> None:
    one, other = (
        asdict(made)
        for made in (
            usual(STORE, CACHE),
            hostile(Path("/other"), Path("/cold"), cold_cache=True, language=LANGUAGE, other_ids=True),
        )
    )
    assert [name for name in one if one[name] == other[name]] == []


def test_what_was_asked_for_and_seen_passes() -> None:
    require_in_force(HOSTILE, SEEN_B, SEEN_A)


@pytest.mark.parametrize("name", [name for name in SEEN_A if name != "directory"])
def test_a_circumstance_that_is_not_in_force_is_named(name: str) -> None:
    with pytest.raises(WorkbookError, match=f"build B did not have the {name} ") as caught:
        require_in_force(
            HOSTILE,
            {**SEEN_B, name: SEEN_A[name]},
            SEEN_A,
        )
    assert SEEN_A[name] in caught.value.message


def test_a_language_that_the_process_did_not_get_is_not_in_force() -> None:
    with pytest.raises(WorkbookError, match=r"did not have the language that it was to have: C$"):
        require_in_force(
            HOSTILE,
            {**SEEN_B, "language": "C"},
            SEEN_A,
        )


def test_a_host_without_another_language_is_asked_for_none() -> None:
    wanted = hostile(STORE, CACHE, cold_cache=False, language="", other_ids=True)
    assert sorted(wanted.environment) == ["PYTHONHASHSEED", "TZ"]
    require_in_force(wanted, {name: value for name, value in SEEN_B.items() if name != "language"}, SEEN_A)


@pytest.mark.parametrize(
    ("listing", "chosen"),
    [
        ("C\nC.utf8\nPOSIX\n", ""),
        ("C\nC.utf8\nPOSIX\nde_DE\nde_DE.utf8\nen_US.utf8\n", "de_DE.utf8"),
        ("C.UTF-8\nde_DE.UTF-8\ntr_TR\ntr_TR.UTF-8\n", "tr_TR.UTF-8"),
        ("", ""),
    ],
)
def test_the_language_is_one_that_the_host_has(listing: str, chosen: str) -> None:
    assert choose_language(listing) == chosen


@pytest.mark.parametrize(("asked", "got"), [("C.UTF-8", "C.UTF-8"), ("xx_XX.UTF-8", "C")])
def test_the_language_in_force_is_the_one_that_the_process_got(
    run_python: Callable[..., command.Completed], asked: str, got: str
) -> None:
    program = "from atomic_lib.pipeline.verify.conditions import language_in_force as seen; print(seen())"
    assert run_python(f"import os; os.environ['LC_ALL'] = {asked!r}; {program}").stdout == f"{got}\n"


def test_the_order_of_rpm_files_is_that_of_their_making(tmp_path: Path) -> None:
    files = [tmp_path / f"{name}-1-1.noarch.rpm" for name in ("a", "b-c", "d")]
    for file in files:
        file.touch()
    first, *_, last = sorted(files, key=lambda file: file.stat().st_ino)
    names = {files[0]: "a", files[1]: "b-c", files[2]: "d"}
    assert file_order(tmp_path) == f"{names[first]} first, {names[last]} last"


def test_a_cache_is_called_cold_only_by_the_build_that_made_content_in_it() -> None:
    assert cache_state(cold_cache=True, made_anew=True) == "cold: content made anew"
    assert cache_state(cold_cache=True, made_anew=False) == "content of the first variant's cold cache"
    assert cache_state(cold_cache=False, made_anew=False) == "warm"


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
