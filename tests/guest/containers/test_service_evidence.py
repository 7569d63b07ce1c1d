"""What is read from the answers of a guest with a service in a container."""

import pytest

from atomic_lib.guest.containers.service_evidence import package_differences, read_id, read_moment
from atomic_lib.guest.evidence.running import Cgroups, Usage
from tests.guest.containers.services import BEFORE, LABEL, good_image, moment

SHOWN = f"unit active\ncontainer {'3' * 64}\nlabel {LABEL} \nselinux 1\ncommit {BEFORE}\npage served to 12\n"
SCOPE = f"docker-{'3' * 64}.scope"
CGROUPS = Cgroups({"docker.service": Usage(0.1, 70), SCOPE: Usage(0.1, 5), "sshd.service": Usage(0.1, 9)})


def test_a_service_that_answers() -> None:
    found = read_moment(SHOWN, CGROUPS, kind="unit", name="killed", seconds=1.0, page="served to 12", outside=True)
    assert (found.inside, found.outside, found.active) == (True, True, True)
    assert (found.container, found.label, found.selinux, found.commit) == ("3" * 64, LABEL, "enforcing", BEFORE)
    assert [(unit.unit, unit.bytes) for unit in found.memory] == [
        (f"docker-{'3' * 12}.scope", 5), ("docker.service", 70)
    ]  # fmt: skip
    assert found.memory_bytes == 75


def test_the_processes_of_a_pod_are_those_of_its_unit_and_its_containers() -> None:
    cgroups = Cgroups({"podman-kube@-etc-web.yaml.service": Usage(0.1, 3), f"libpod-{'4' * 64}.scope": Usage(0.1, 5),
                       "machine.slice": Usage(0.1, 9)})  # fmt: skip
    found = read_moment(f"{SHOWN}process 81\n", cgroups, kind="pod", name="started", seconds=1.0, page="", outside=True)
    assert (found.kind, found.process, found.memory_bytes) == ("pod", "81", 8)


@pytest.mark.parametrize("page", ["served to 13", "", "served to 1"])
def test_another_page_is_no_answer(page: str) -> None:
    assert not read_moment(SHOWN, CGROUPS, kind="unit", name="started", seconds=1.0, page=page, outside=True).inside


def test_what_a_guest_does_not_say_is_not_so() -> None:
    found = read_moment("", Cgroups(), kind="unit", name="started", seconds=1.0, page="p", outside=False)
    assert (found.inside, found.active, found.container, found.label) == (False, False, "", "")
    assert (found.selinux, found.commit, found.memory_bytes) == (None, "", None)


def test_a_label_of_another_domain_is_no_confinement() -> None:
    shown = SHOWN.replace("container_t", "unconfined_t")
    assert read_moment(shown, CGROUPS, kind="unit", name="started", seconds=1.0, page="p", outside=True).label == ""


def test_an_id_has_64_digits_with_or_without_its_algorithm() -> None:
    assert read_id(f"sha256:{'a' * 64}\n") == read_id("a" * 64) == "a" * 64
    assert [read_id(text) for text in ("", "a" * 63, f"sha256:{'a' * 65}", "Error: no such image")] == [""] * 4


def test_packages_that_differ_are_named_on_their_side() -> None:
    assert package_differences(["b", "a", "c"], ["c", "d"]) == (("a", "b"), ("d",))


def test_an_image_is_as_built_only_with_its_id_and_its_packages() -> None:
    image = good_image("one")
    assert image.as_built
    for change in ({"loaded_id": "2" * 64}, {"loaded_id": ""}, {"missing": ("a",)}, {"unexpected": ("a",)}):
        assert not image.model_copy(update=change).as_built


def test_memory_that_is_not_known_is_not_zero() -> None:
    assert moment("started", "1").memory_bytes == 75_000_000
    assert moment("started", "1").model_copy(update={"memory": ()}).memory_bytes is None
