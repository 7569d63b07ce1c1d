"""What SELinux denied: counted, told by variant, with its reason or as unexplained."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.guest.evidence.denials import Denial
from atomic_lib.report.tables.boot.denial_tables import denials_table
from atomic_lib.results.analysis.denial_reasons import load_reasons, unexplained
from atomic_lib.results.analysis.metrics import denial_count, guest_metrics
from atomic_lib.results.variant_result import VariantResult
from tests.report import factory
from tests.report.factory import plain, study_of

MODPROBE = Denial(
    permissions=("search",), source="kmod_t", target="var_lib_t", target_class="dir", comm="modprobe", name="lib"
)
ODD = Denial(
    permissions=("read", "open"), source="sshd_t", target="shadow_t", target_class="file", comm="sshd", name="shadow"
)


def denying(variant: str, *denials: Denial, lost: int = 0) -> VariantResult:
    result = factory.variant_result(variant)
    asked = {"denials": denials, "denials_lost": lost, "selinux_mode": "enforcing"}
    return result.model_copy(update={"boots": (result.boots[0].model_copy(update=asked),)})


def test_no_denial_is_zero_and_none_asked_is_no_figure() -> None:
    none, lost = denying("atomic-min"), denying("atomic-min", MODPROBE, lost=4)
    assert [denial_count(result.boots[0]) for result in (none, lost)] == [0, 5]
    (metric,) = (m for m in guest_metrics([none]) if m.name == "denials")
    assert metric.value(none) == 0
    assert metric.value(factory.variant_result("atomic-min")) is None


def test_each_denial_has_its_count_by_variant_and_its_reason() -> None:
    often = MODPROBE.model_copy(update={"count": 3})
    study = study_of(denying("cloud-docker", often, ODD), denying("atomic-min", MODPROBE))
    table = denials_table(study)
    assert [[cell.text for cell in row[:3]] for row in table.rows] == [
        ["kmod_t: search", "3", "1"], ["sshd_t: read open", "1", "0"],
    ]  # fmt: skip
    assert table.rows[1][3].text == "unexplained"
    assert "containerd starts modprobe" in table.rows[0][3].text
    assert "atomic-min: SELinux is enforcing." in plain(table._repr_html_())


def test_a_reason_must_fit_every_permission() -> None:
    assert unexplained([MODPROBE, ODD]) == (ODD,)
    more = Denial(permissions=("bpf", "perfmon"), source="systemd_networkd_t", target="systemd_networkd_t",
                  target_class="capability2")  # fmt: skip
    assert unexplained([more]) == (more,)


def test_every_reason_is_read_and_a_wrong_one_is_named(tmp_path: Path) -> None:
    assert all(len(rule.reason) > 20 for rule in load_reasons().denials)
    path = tmp_path / "denials.yaml"
    path.write_text("denials: [{source: a_t, target: b_t, target_class: file, permission: read}]\n")
    with pytest.raises(WorkbookError, match=r"denials\.yaml: denials\.0\.reason: is required"):
        load_reasons(path)
