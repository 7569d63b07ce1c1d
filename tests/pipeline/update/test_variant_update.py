"""What may be updated, what version 2 is, and the verdict."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.update.update_repository import Version
from atomic_lib.guest.update.update_downloads import UpdateDownloads, UpdateVersions
from atomic_lib.guest.update.update_evidence import GuestUpdate
from atomic_lib.params.variant import load_variant
from atomic_lib.pipeline.build import Build
from atomic_lib.pipeline.update import variant_update
from atomic_lib.pipeline.update.variant_update import VariantUpdate, open_update, require_atomic
from tests.compose.update.test_rpm_prediction import lock, package
from tests.contexts import own_context
from tests.guest.update.updates import (
    AFTER,
    BEFORE,
    KERNELS,
    good_chunks,
    good_downloads,
    good_guest,
    good_layers,
    state,
)


@pytest.fixture(autouse=True)
def own_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Builds in a directory of the test."""
    monkeypatch.setattr(variant_update, "open_build", lambda variant: Build(variant, own_context(tmp_path)))


def made(guest: GuestUpdate | None = None, downloads: UpdateDownloads | None = None) -> VariantUpdate:
    """An update whose stages are made."""
    update = open_update("atomic-min", "config")
    versions = (Version(Path("repo"), "ref", commit) for commit in (BEFORE, AFTER))
    vars(update)["versions"] = UpdateVersions("atomic-min", *versions)
    vars(update)["guest"] = guest or good_guest()
    vars(update)["downloads"] = downloads or good_downloads()
    vars(update)["layers"] = good_layers()
    vars(update)["chunks"] = good_chunks()
    vars(update.before)["recipe"] = update.before.whole_recipe
    for build, commit in ((update.before, BEFORE), (update.after, AFTER)):
        vars(build)["tree"] = SimpleNamespace(kver=KERNELS[commit])
    return update


def refusal(update: VariantUpdate) -> WorkbookError:
    with pytest.raises(WorkbookError) as caught:
        require_atomic(update)
    return caught.value


def test_version_2_is_the_variant_with_a_treefile_more() -> None:
    update = open_update("atomic-min", "package config")
    before, after = update.before, update.after
    assert before.variant == load_variant("atomic-min")
    assert (after.variant.version, after.variant.parts) == ("2", "update-package update-config")
    assert after.variant.source_date_epoch == before.variant.source_date_epoch
    assert after.whole_recipe.ref == before.whole_recipe.ref
    assert {*after.whole_recipe.packages} - {*before.whole_recipe.packages} == {"lsof", "rsync"}
    assert len(after.whole_recipe.post_scripts) == len(before.whole_recipe.post_scripts) + 1


@pytest.mark.parametrize(
    ("variant", "changes", "said"),
    [
        ("atomic-min", "colour", "colour: no such change for version 2"),
        ("atomic-min", "", "version 2 must differ from version 1"),
        ("cloud-docker", "package", "cloud-docker: only the commit of a treefile is updated here"),
        ("atomic-mim", "package", "unknown variant 'atomic-mim' (did you mean 'atomic-min'?)"),
    ],
)
def test_what_cannot_be_updated_is_said_at_once(variant: str, changes: str, said: str) -> None:
    with pytest.raises(WorkbookError) as caught:
        open_update(variant, changes)
    assert caught.value.message.startswith(said)
    assert caught.value.hint


def test_version_2_can_have_the_packages_of_a_lock() -> None:
    update = open_update("atomic-min", "lock:pyproject.toml config")
    assert (update.before.variant.lock, update.after.variant.lock) == ("", "pyproject.toml")
    assert update.after.variant.parts == "update-config"
    assert open_update("atomic-min", "config").after.variant.lock == ""


def test_version_1_can_have_the_packages_of_a_lock() -> None:
    update = open_update("atomic-min", "from:pyproject.toml")
    assert (update.before.variant.lock, update.after.variant.lock) == ("pyproject.toml", "")
    both = open_update("atomic-min", "from:pyproject.toml lock:README.md")
    assert (both.before.variant.lock, both.after.variant.lock) == ("pyproject.toml", "README.md")


def test_version_1_can_have_the_older_kernel() -> None:
    update = open_update("atomic-min", "kernel package")
    assert (update.before.demand.older, update.after.demand.older) == (("kernel-core",), ())
    assert update.before.variant == load_variant("atomic-min")
    assert update.after.variant.parts == "update-package"


def test_the_versions_must_differ() -> None:
    update = open_update("atomic-min", "from:pyproject.toml")
    for build in (update.before, update.after):
        vars(build)["rpm_set"] = SimpleNamespace(lock=lock(package("bash", "1", 1)))
    with pytest.raises(WorkbookError, match="atomic-min: version 2 has the same packages as version 1"):
        update.versions  # noqa: B018


def test_the_verdict_says_what_it_cost() -> None:
    assert require_atomic(made()).text.startswith("atomic-min: version 2 was 1,234,567 bytes in 321 requests, as")


def test_a_file_that_was_not_predicted_is_an_error() -> None:
    check, loose, delta = good_downloads().ways
    error = refusal(
        made(downloads=UpdateDownloads(ways=(check, loose, delta.model_copy(update={"same_files": False}))))
    )
    assert error.message.endswith("static delta: other files over loopback than predicted")


def test_a_layer_that_was_not_predicted_is_an_error() -> None:
    update = made()
    vars(update)["layers"] = good_layers().model_copy(update={"same_files": False})
    assert refusal(update).message.endswith("OCI layers: other files over loopback than predicted")


def test_a_chunk_that_was_not_predicted_is_an_error() -> None:
    update = made()
    vars(update)["chunks"] = good_chunks().model_copy(update={"same_files": False})
    assert refusal(update).message.endswith("casync chunks: other files over loopback than predicted")


def test_the_ways_are_those_of_ostree_casync_and_the_layers() -> None:
    update = made()
    vars(update)["estimated_bytes"] = 7
    names = ["check", "loose objects", "static delta", "casync chunks", "OCI layers", "least possible"]
    assert [way.name for way in update.ways] == names


def test_bytes_of_the_guest_that_were_not_predicted_are_an_error() -> None:
    guest = good_guest()
    steps = (guest.steps[0], guest.steps[1].model_copy(update={"download": guest.steps[0].download}), *guest.steps[2:])
    error = refusal(made(guest.model_copy(update={"steps": steps})))
    assert error.log == "loose objects: 1500 bytes in the guest, 1234567 predicted"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"commit": BEFORE}, "another commit is booted"),
        ({"kernel": KERNELS[BEFORE]}, "kernel 6.12.1 is booted, not 6.12.2"),
        ({"kernel": None}, "kernel unknown is booted, not 6.12.2"),
        ({"selinux": "permissive"}, "SELinux is not enforcing"),
        ({"usr_read_only": False}, "/usr is not read-only"),
        ({"var_kept": False}, "/var was not kept"),
        ({"container_running": False}, "the container does not run"),
        ({"volume_kept": False}, "the volume was not kept"),
    ],
)
def test_what_an_update_must_leave_alone_is_an_error_if_it_does_not(changed: dict[str, object], said: str) -> None:
    guest = good_guest()
    second = guest.states[1].model_copy(update=changed)
    states = (guest.states[0], second, guest.states[2])
    assert refusal(made(guest.model_copy(update={"states": states}))).log == f"version 2: {said}"


def test_a_file_of_etc_that_was_not_merged_is_an_error() -> None:
    guest = good_guest()
    bad = tuple(file.model_copy(update={"own": "2"}) for file in guest.states[1].etc)
    states = (guest.states[0], state(AFTER, *bad), guest.states[2])
    log = refusal(made(guest.model_copy(update={"states": states}))).log
    assert "/etc/issue: version 2's" in log
    assert "/etc/host.conf: neither" in log
