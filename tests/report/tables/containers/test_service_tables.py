"""The tables of a service that went well, and of one that did not."""

from atomic_lib.guest.evidence.denials import Denial
from atomic_lib.report.elements.cells import MISSING
from atomic_lib.report.tables.containers import service_tables
from tests.guest.containers.services import LABEL, good_image, good_service, service_with_pod, service_with_swarm
from tests.report.factory import plain, texts


def test_each_image_is_compared_with_what_was_built() -> None:
    row = ["container-base", "20.0 MB", "12.0 s", f"✓ {'1' * 12}", "✓ 43 as in the lock", "rpm outside"]
    assert texts(service_tables.images_table(good_service()))[0] == row
    other = good_image("web").model_copy(update={"loaded_id": "2" * 64, "missing": ("a",), "unexpected": ("b",)})
    (shown,) = service_tables.images_table(good_service().model_copy(update={"images": (other,)})).rows
    assert (shown[3].text, shown[4].text, shown[4].note) == (f"✗ {'2' * 12}", "✗ 2 differences", "-a, +b")


def test_each_moment_of_the_service() -> None:
    table = service_tables.service_table(good_service(), enforcing=True)
    rows = texts(table)
    assert [row[0] for row in rows] == [
        "started", "its container was killed", "the host was updated and rebooted"
    ]  # fmt: skip
    assert rows[0][1:] == [
        "✓ active",
        "✓ its page",
        "✓ its page",
        "✓ container_t:s0:c1,c2",
        "a" * 12,
        "8.5 s",
        "75.0 MB",
    ]
    assert {record["label"] for record in table.records} == {LABEL}
    assert rows[2][5] == "b" * 12


def test_a_pod_has_moments_and_memory_of_its_own() -> None:
    table = service_tables.service_table(service_with_pod(), enforcing=True)
    assert [row[0] for row in texts(table)][2:] == [
        "the pod: started", "the pod: its container was killed", "the host was updated and rebooted",
        "the pod: the host was updated and rebooted",
    ]  # fmt: skip
    assert [record["kind"] for record in table.records] == ["unit", "unit", "pod", "pod", "unit", "pod"]
    memory = service_tables.memory_table(service_with_pod())
    assert "the pod: started" in {row[0] for row in texts(memory)}
    assert {record["kind"] for record in memory.records} == {"unit", "pod"}


def test_a_swarm_has_moments_of_its_own() -> None:
    table = service_tables.service_table(service_with_swarm(), enforcing=True)
    assert [row[0] for row in texts(table)] == [
        "started", "its container was killed", "the swarm: started", "the swarm: its container was killed",
        "the host was updated and rebooted", "the swarm: the host was updated and rebooted",
    ]  # fmt: skip


def test_what_the_service_does_not_do_is_seen() -> None:
    served = good_service()
    bad = served.moments[0].model_copy(
        update={"active": False, "inside": False, "outside": False, "label": "", "commit": "", "memory": ()}
    )
    (row,) = texts(service_tables.service_table(served.model_copy(update={"moments": (bad,)}), enforcing=True))
    assert row[1:6] == ["✗ not active", "✗ none", "✗ none", "✗ not confined", MISSING]
    assert row[7] == MISSING
    (row,) = texts(service_tables.service_table(served.model_copy(update={"moments": (bad,)}), enforcing=False))
    assert row[4] == MISSING


def test_memory_by_unit() -> None:
    rows = texts(service_tables.memory_table(good_service()))
    assert rows[:2] == [["started", "docker.service", "70.0 MB"],
                        ["started", "web.service", "5.0 MB"]]  # fmt: skip


def test_proofs_and_denials_of_each_boot() -> None:
    boots = good_service().boots
    assert texts(service_tables.proofs_table(boots)) == [
        ["system is running", "✓ passed", "✓ passed"],
        ["user-data script ran", "✓ passed", MISSING],
        ["SELinux denials without a reason, after that", "✓ 0", "✓ 0"],
    ]
    denied = Denial(permissions=("read",), source="container_t", target="shadow_t", target_class="file")
    bad = (boots[0].model_copy(update={"denials": (denied,)}), boots[1].model_copy(update={"denials": None}))
    last = service_tables.proofs_table(bad).rows[-1]
    assert [plain(cell.text) for cell in last[1:]] == ["✗ 1", MISSING]
    assert last[1].note == "container_t read shadow_t"
