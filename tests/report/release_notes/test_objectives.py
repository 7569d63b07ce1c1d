"""An objective is in an image if a measurement says so, and never if there is none."""

from typing import Any

import pytest

from atomic_lib.guest.evidence.proof_of_life import Check
from atomic_lib.report.release_notes.objectives import Objective, objectives
from atomic_lib.results.equality_record import EqualityRecord
from atomic_lib.results.variant_result import FailedBoot, VariantResult
from tests.report.enriched import CONTAINER as CONTAINER_FIGURES
from tests.report.enriched import LABELS, enriched
from tests.report.factory import incomplete_result, variant_result
from tests.results.sbom.recorded import recorded_build

CLEAN = LABELS.model_copy(update={"right": 12_342, "unlabelled": 0, "wrong_paths": 0, "wrong": ()})
PASSED = ("user-data script ran", "host name that the guest was given", "docker version answers", "docker run prints")
EQUAL = EqualityRecord(
    traditional="traditional-min", ostree="atomic-min", images=("a" * 64, "b" * 64), paths=12_000, differences=31,
    unexplained=0, booted=False,
)  # fmt: skip
DOCKER, PROVISIONED = "Docker ready after the boot", "The agent provisions a guest"
LABELLED, ENFORCING = "SELinux labels in the tree", "Boots with SELinux enforcing"
EQUALITY = "The tree is the file system of a traditional image of the same packages"
CONTAINER = "The same RPM content in host and container image"
NEVER = {"Updated and rolled back atomically"}
"""What no run measures."""


def good() -> VariantResult:
    """A variant in which everything is as it was meant to be, booted twice."""
    result = enriched(variant_result("atomic-min", uefi=1))
    checks = tuple(Check(name=name, passed=True) for name in PASSED)
    boots = tuple(boot.model_copy(update={"checks": checks}) for boot in result.boots)
    kinds = {"Python": 0, "the package manager": 0}
    shared = tuple(one for one in CONTAINER_FIGURES.packages if one.place != "container")
    container = CONTAINER_FIGURES.model_copy(update={"packages": shared})
    update = {"labels": CLEAN, "boots": boots, "forbidden_paths": kinds, "container": container}
    return result.model_copy(update=update)


def found(result: VariantResult, equality: EqualityRecord | None = None) -> dict[str, Objective]:
    return {one.title: one for one in objectives(result, equality)}


def changed(**values: Any) -> VariantResult:
    return good().model_copy(update=values)


def test_what_was_measured_is_in_the_image() -> None:
    answers = {title: one.answer for title, one in found(good(), EQUAL).items()}
    assert {title for title, answer in answers.items() if answer == "not measured"} == NEVER
    assert set(answers.values()) == {"yes", "not measured"}
    assert len(answers) == 11


def test_a_container_with_a_package_of_its_own_does_not_have_the_hosts_content() -> None:
    own = found(good().model_copy(update={"container": CONTAINER_FIGURES}), EQUAL)[CONTAINER]
    assert (own.answer, own.evidence) == (
        "no", "container-base: 1 package of the same RPM files, 1 that the host has not"
    )  # fmt: skip
    assert found(good().model_copy(update={"container": None}), EQUAL)[CONTAINER].answer == "not measured"


def test_each_answer_has_its_figure() -> None:
    evidence = {title: one.evidence for title, one in found(good(), EQUAL).items()}
    assert evidence["No Python"] == "0 files of Python in the image"
    assert evidence[PROVISIONED] == "2 of 2 boots (BIOS and UEFI) took host name, key and script"
    assert "ready 57.6" in evidence[DOCKER]
    assert evidence[LABELLED].startswith("12,342 of 12,345 paths")
    assert evidence[EQUALITY].startswith("12,000 paths in both atomic-min and traditional-min, before a boot: 31 diff")
    assert all(evidence.values())


def test_without_measurements_there_is_no_yes() -> None:
    unmeasured = incomplete_result().model_copy(update={"commit": None})
    assert {one.answer for one in objectives(unmeasured, None)} == {"not measured"}


def test_an_image_that_was_not_booted_promises_no_boot() -> None:
    result, _ = recorded_build()
    answers = {title: one.answer for title, one in found(result).items()}
    assert {answers[title] for title in (DOCKER, PROVISIONED, ENFORCING, EQUALITY)} == {"not measured"}
    assert [title for title, answer in answers.items() if answer == "yes"] == [
        "Delivered as an ostree commit", "Neither yum nor dnf", "No Python", "min-cloud-agent in place of cloud-init",
        LABELLED,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("title", "result"),
    [
        ("Delivered as an ostree commit", variant_result("cloud-docker")),
        ("No Python", changed(forbidden_paths={"Python": 1, "the package manager": 0})),
        ("Neither yum nor dnf", changed(forbidden_paths={"Python": 0, "the package manager": 3})),
        ("min-cloud-agent in place of cloud-init", variant_result("atomic-cloud-init")),
        (LABELLED, changed(labels=LABELS)),
        (LABELLED, changed(labels=CLEAN.model_copy(update={"unlabelled": 1}))),
        (DOCKER, changed(parameters={"runtime": "podman"})),
        (DOCKER, changed(boots=variant_result("atomic-cloud-init").boots)),
        (PROVISIONED, changed(boots=(good().boots[0].model_copy(update={"checks": ()}),))),
        (ENFORCING, changed(boots=(*good().boots, good().boots[0].model_copy(update={"selinux_mode": "permissive"})))),
        (DOCKER, changed(failed_boots=(FailedBoot(firmware="bios", index=1, reason="no login"),))),
        (PROVISIONED, changed(boots=(), failed_boots=(FailedBoot(firmware="uefi", index=0, reason="no login"),))),
    ],
)  # fmt: skip
def test_what_was_measured_otherwise_is_a_no(title: str, result: VariantResult) -> None:
    assert found(result)[title].answer == "no"


def test_a_difference_without_a_reason_is_no_equality() -> None:
    assert found(good(), EQUAL.model_copy(update={"unexplained": 1}))[EQUALITY].answer == "no"


def test_a_failed_counted_boot_says_nothing_of_docker() -> None:
    result = changed(failed_boots=(FailedBoot(firmware="counted", index=0, reason="no end"),))
    assert found(result)[DOCKER].answer == "yes"
