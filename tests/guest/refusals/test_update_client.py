"""What a machine says of its state, and what its administrator sees."""

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.guest.refusals.update_client import UpdateClient, read_client_state

STATE = """\
deployment * own aaaa.0
deployment   own bbbb.0
ref fedora-atomic:own/ref\taaaa
ref ostree/n/n/0\taaaa
objects 30
staged 2
entries 1234  -
etc 5678  -
var kept
"""


def test_the_state_has_each_fact() -> None:
    state = read_client_state(f"a greeting\n{STATE}")
    assert state.deployments == ("* own aaaa.0", "own bbbb.0")
    assert state.refs == ("fedora-atomic:own/ref aaaa", "ostree/n/n/0 aaaa")
    assert (state.objects, state.staged, state.entries, state.etc, state.var) == (30, 2, "1234 -", "5678 -", "kept")


@pytest.mark.parametrize("name", ["deployments", "refs", "objects", "entries", "etc", "var"])
def test_each_fact_counts(name: str) -> None:
    state = read_client_state(STATE)
    other = state.model_copy(update={name: (), "staged": 0})
    assert state.differs_from(other, but="staged") == (name,)
    assert set(state.differs_from(other)) == {name, "staged"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "nothing about: deployment"),
        (STATE.replace("etc 5678  -\n", ""), "nothing about: etc"),
        (STATE.replace("objects 30", "objects many"), "no number: many"),
        (STATE.replace("staged 2", "staged -2"), "no number: -2"),
    ],
)
def test_a_machine_that_does_not_say_it_is_an_error(text: str, said: str) -> None:
    with pytest.raises(WorkbookError) as caught:
        read_client_state(text)
    assert caught.value.message == f"the machine did not say what it has: {said}"
    assert caught.value.log == text


def client(answer: str, asked: list[str]) -> UpdateClient:
    def run(command: str) -> str:
        asked.append(command)
        return answer

    return UpdateClient(run, "own", "/key", sysroot="/mnt/sysroot", etc="/mnt/etc", var="/mnt/var")


def test_an_attempt_has_its_status_and_words_without_progress() -> None:
    asked: list[str] = []
    answer = "Receiving objects: 1%\rReceiving objects: 50%\r\x1b[Kerror: no\n\n\x1b8last\nexit status 137\n"
    spoken = client(answer, asked).attempt("ostree admin upgrade\necho")
    assert (spoken.status, spoken.words) == (137, "error: no\nlast")
    assert "\n( ostree admin upgrade\necho ) </dev/null 2>&1\n" in asked[0]


def test_an_attempt_without_a_status_is_an_error() -> None:
    with pytest.raises(WorkbookError, match="no number"):
        client("connection lost\n", []).attempt("ostree admin upgrade")


def test_the_state_is_asked_for_where_the_machine_has_it() -> None:
    asked: list[str] = []
    client(STATE, asked).state()
    assert "/mnt/sysroot/ostree/repo/objects" in asked[0]
    assert "find /mnt/etc " in asked[0]
    assert "/mnt/var/lib/kept" in asked[0]
    assert "@" not in asked[0]
