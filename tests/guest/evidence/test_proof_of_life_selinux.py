"""SELinux and containers in a guest's answers: confined, or the proof of life fails."""

from dataclasses import replace

import pytest

from atomic_lib.base.model import Runtime
from atomic_lib.guest.evidence.guest_queries import Answer
from tests.guest.evidence.answers import CONTEXT, SECRET, details, failed, found, good_answers

SHADOW = "cat: can't open '/host/shadow': Permission denied"
LABELS = ("system_u:system_r:container_t:s0:c449,c550\0", "system_u:system_r:container_t:s0:c240,c532\0")
READ = (
    'audit: type=1400 audit(1.0:7): avc:  denied  { read } for  pid=9 comm="busybox" name="shadow" dev="vda3" ino=4 '
    "scontext=system_u:system_r:container_t:s0:c240,c532 tcontext=system_u:object_r:shadow_t:s0 tclass=file "
    "permissive=0"
)
ENFORCING = {
    "selinux": Answer("1", 0),
    "denials": Answer("journal read", 0),
    "container_run": Answer(f"{LABELS[0]}\n{SECRET.token}", 0, 35.0),
    "container_shadow": Answer(f"{LABELS[1]}\n{SHADOW}", 1),
    "denials_after": Answer(f"{READ}\njournal read", 0),
}
CONFINED = (
    "SELinux is enforcing",
    "a container is confined, with categories of its own",
    "a container cannot read the host's /etc/shadow",
    "the attempt is logged as a denial",
)


@pytest.mark.parametrize("runtime", ["docker", "podman"])
def test_an_enforcing_guest_proves_that_its_containers_are_confined(runtime: Runtime) -> None:
    context = replace(CONTEXT, selinux="enforcing", runtime=runtime)
    evidence = found({**good_answers(), **ENFORCING}, context=context)
    assert failed(evidence) == []
    told = details(evidence)
    assert [told[name] for name in CONFINED] == [
        "enforcing",
        " ".join(label.strip("\0") for label in LABELS),
        "Permission denied",
        "container_t read shadow_t shadow",
    ]
    assert (evidence.selinux_mode, evidence.denials, evidence.denials_lost) == ("enforcing", (), 0)


@pytest.mark.parametrize(
    ("part", "answer", "check"),
    [
        ("selinux", Answer("0", 0), CONFINED[0]),
        ("selinux", Answer("", None), CONFINED[0]),
        ("container_run", Answer(f"{LABELS[1]}\n{SECRET.token}", 0), CONFINED[1]),
        ("container_run", Answer(f"system_u:system_r:dockerd_t:s0\n{SECRET.token}", 0), CONFINED[1]),
        ("container_shadow", Answer(f"{LABELS[1]}\nroot:secret:1:0", 0), CONFINED[2]),
        ("container_shadow", Answer(f"{LABELS[1]}\ncat: can't open '/host/shadow': No such file", 1), CONFINED[2]),
        ("container_shadow", Answer("docker: permission denied", 126), CONFINED[2]),
        ("denials_after", Answer("journal read", 0), CONFINED[3]),
    ],
)
def test_a_container_that_is_not_confined_fails_the_proof(part: str, answer: Answer, check: str) -> None:
    evidence = found({**good_answers(), **ENFORCING, part: answer}, context=replace(CONTEXT, selinux="enforcing"))
    assert check in failed(evidence)
    assert "secret" not in str(evidence)


def test_a_guest_without_a_container_runtime_has_none_to_confine() -> None:
    evidence = found({**good_answers(), "selinux": Answer("1", 0)},
                     context=replace(CONTEXT, selinux="enforcing", runtime="none"))  # fmt: skip
    assert set(details(evidence)) & set(CONFINED) == {CONFINED[0]}


def test_what_enforces_nothing_is_not_asked_to_confine() -> None:
    evidence = found({**good_answers(), "selinux": Answer("0", 0)}, context=replace(CONTEXT, selinux="permissive"))
    assert failed(evidence) == []
    assert set(details(evidence)) & set(CONFINED) == set()
    assert evidence.denials is None
