"""What is expected of a guest with each fault."""

import pytest

from atomic_lib.base.paths import PARAMS_DIRECTORY
from atomic_lib.guest.update.return_faults import FAULTS
from tests.guest.update.returns import outcome
from tests.guest.update.updates import AFTER, BEFORE, state


@pytest.mark.parametrize("name", FAULTS)
def test_what_should_be_is_no_problem(name: str) -> None:
    assert outcome(name).problems == ()
    assert outcome(name).version == ("version 2" if name == "nothing" else "version 1")


@pytest.mark.parametrize(
    ("name", "changed", "said"),
    [
        ("docker", {"state": state(AFTER)}, "the guest runs version 2, not version 1"),
        ("nothing", {"state": state(BEFORE)}, "the guest runs version 1, not version 2"),
        ("unit", {"state": state("c" * 64)}, "the guest runs unknown, not version 1"),
        ("unit", {"entries": (0, 1)}, "GRUB booted the entries (0, 1), not (0, 0, 1)"),
        ("nothing", {"entries": (0, 0)}, "GRUB booted the entries (0, 0), not (0,)"),
        ("unit", {"seconds": 2400.5}, "it took 2400 s, more than 2400 s"),
        ("unit", {"state": state(BEFORE).model_copy(update={"selinux": "permissive"})},
         "SELinux is permissive, not enforcing"),
        ("unit", {"state": state(BEFORE).model_copy(update={"usr_read_only": False})}, "/usr is not read-only"),
        ("unit", {"state": state(BEFORE).model_copy(update={"var_kept": False})}, "/var was not kept"),
        ("unit", {"state": state(BEFORE).model_copy(update={"container_running": False})},
         "the container does not run"),
        ("unit", {"state": state(BEFORE).model_copy(update={"volume_kept": False})}, "the volume was not kept"),
    ],
)  # fmt: skip
def test_what_should_not_be_is_named(name: str, changed: dict[str, object], said: str) -> None:
    assert outcome(name, **changed).problems == (said,)


def test_every_fault_has_its_treefile() -> None:
    parts = PARAMS_DIRECTORY / "treefiles/parts"
    assert {fault.part for fault in FAULTS.values()} - {"update-config"} == {p.stem for p in parts.glob("fault-*.yaml")}
    assert all((parts / f"{fault.part}.yaml").is_file() for fault in FAULTS.values())
