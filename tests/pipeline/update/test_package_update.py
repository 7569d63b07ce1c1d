"""What dnf may update, what version 2 is, and the verdict."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.update.rpm_repository import RpmRepository
from atomic_lib.content.rebuilt_rpms import Rebuild
from atomic_lib.formats.rpm_headers import Header, PackagedFile
from atomic_lib.guest.update.rpm_versions import RpmVersions
from atomic_lib.guest.update.update_evidence import DownloadFigures, GuestUpdate, figures_of
from atomic_lib.params.variant import load_variant
from atomic_lib.pipeline.build import Build
from atomic_lib.pipeline.update import package_update
from atomic_lib.pipeline.update.package_update import PackageUpdate, open_package_update, require_packages
from atomic_lib.pipeline.update.version_changes import VersionChanges
from atomic_lib.solve.lock import Lock
from atomic_lib.solve.rpm_set import RpmSet
from tests.compose.update.test_rpm_prediction import lock, package
from tests.contexts import own_context
from tests.guest.update.updates import KERNELS, NOTHING, dnf_guest, dnf_ways

DNF = package("dnf", "1", 900)
BEFORE = lock(DNF, package("filesystem", "0", 125_000))
AFTER = lock(DNF, package("filesystem", "1", 125_009), package("lsof", "1", 274_991))


def build(directory: Path, variant: str = "cloud-docker") -> Build:
    return Build(load_variant(variant), own_context(directory))


def rpm_set(lock: Lock, directory: Path) -> RpmSet:
    return RpmSet("key", lock, directory, (), 0.0, reused=True)


def opened(directory: Path, before: Lock = BEFORE, after: Lock = AFTER, *changes: str) -> PackageUpdate:
    """An update whose packages are resolved."""
    update = open_package_update(build(directory), VersionChanges(changes or ("package",)))
    vars(update.before)["rpm_set"] = rpm_set(before, directory)
    vars(update.before)["recipe"] = update.before.whole_recipe
    vars(update.after)["rpm_set"] = rpm_set(after, directory)
    vars(update)["repository"] = RpmRepository(directory, ("key",))
    return update


def made(directory: Path, guest: GuestUpdate | None = None) -> PackageUpdate:
    """An update whose stages are made."""
    update = opened(directory)
    guest = guest or dnf_guest()
    identities = update.versions.identities
    named = dict(zip(("a" * 64, "b" * 64), identities, strict=True))
    states = [state.model_copy(update={"packages": named.get(state.packages or "")}) for state in guest.states]
    deployed = guest.deployed.model_copy(update={"packages": named.get(guest.deployed.packages or "")})
    vars(update)["guest"] = guest.model_copy(update={"states": tuple(states), "deployed": deployed})
    vars(update)["ways"] = dnf_ways()
    vars(update.before)["tree"] = SimpleNamespace(kver=KERNELS["a" * 64])
    return update


def refusal(update: PackageUpdate) -> WorkbookError:
    with pytest.raises(WorkbookError) as caught:
        require_packages(update)
    return caught.value


def test_version_2_has_the_packages_of_the_treefile_more(tmp_path: Path) -> None:
    update = open_package_update(build(tmp_path), VersionChanges(("package",)))
    before, after = update.before, update.after
    assert {*after.whole_recipe.packages} - {*before.whole_recipe.packages} == {"rsync", "lsof"}
    assert len(after.whole_recipe.packages) == len({*after.whole_recipe.packages})
    assert (after.variant.version, after.variant.local_rpms) == ("2", "")


def test_configuration_comes_with_new_releases_of_its_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    update = open_package_update(build(tmp_path), VersionChanges(("config",)))
    vars(update.before)["rpm_set"] = rpm_set(BEFORE, tmp_path)
    file = PackagedFile(0o100644, 27, 0)
    asked: list[Rebuild] = []
    headers = {
        "filesystem": Header("filesystem", "", frozenset(), frozenset(), {"/etc/issue": file, "/etc/motd": file}),
        "dnf": Header("dnf", "", frozenset(), frozenset(), {"/usr/bin/dnf": file}),
    }

    def rebuilt(rebuilds: tuple[Rebuild, ...], _: Any) -> Path:
        asked.extend(rebuilds)
        return tmp_path / "rebuilt"

    monkeypatch.setattr(package_update, "read_headers", lambda *_: headers)
    monkeypatch.setattr(package_update, "rebuilt_rpms", rebuilt)
    variant = update.after.variant
    assert asked == [Rebuild(tmp_path / "filesystem-1-0.x86_64.rpm", ("/etc/issue",))]
    assert (variant.local_rpms, variant.local_rpms_trusted) == (str(tmp_path / "rebuilt"), True)
    assert update.after.whole_recipe.packages == update.before.whole_recipe.packages


def test_a_change_that_is_no_list_of_packages_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = tmp_path / "treefiles/parts/update-kernel.yaml"
    part.parent.mkdir(parents=True)
    part.write_text("initramfs-args: [--no-hostonly]\n")
    monkeypatch.setattr(package_update, "PARAMS_DIRECTORY", tmp_path)
    with pytest.raises(WorkbookError) as caught:
        open_package_update(build(tmp_path), VersionChanges(("kernel",)))
    assert caught.value.message.startswith("kernel: a traditional system gets packages only, and update-kernel.yaml")
    assert "packages: is required" in caught.value.log


def test_rpms_of_the_users_own_have_no_place_beside_rebuilt_ones(tmp_path: Path) -> None:
    own = build(tmp_path)
    variant = own.variant.model_copy(update={"local_rpms": "rpms", "local_rpms_trusted": True})
    with pytest.raises(WorkbookError, match="cloud-docker: local_rpms"):
        open_package_update(Build(variant, own.context), VersionChanges(("config",)))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (lock(package("bash", "1", 1)), AFTER, "cloud-docker: has no dnf that could update a guest"),
        (lock(DNF, package("bash", "1", 1)), lock(DNF), "cloud-docker: version 2 would remove bash"),
        (BEFORE, BEFORE, "cloud-docker: version 2 has the same packages as version 1"),
        (
            lock(DNF, package("kernel-core", "1", 1)),
            lock(DNF, package("kernel-core", "2", 1)),
            "cloud-docker: version 2 has another kernel",
        ),
    ],
)
def test_locks_that_dnf_cannot_bring_together_are_said(tmp_path: Path, before: Lock, after: Lock, said: str) -> None:
    with pytest.raises(WorkbookError) as caught:
        opened(tmp_path, before, after).versions  # noqa: B018
    assert caught.value.message.startswith(said)


def test_the_versions_are_the_locks_with_the_keys(tmp_path: Path) -> None:
    assert opened(tmp_path).versions == RpmVersions("cloud-docker", BEFORE, AFTER, ("key",), weak_dependencies=False)


def test_each_way_is_predicted_and_taken_by_the_guest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    update = opened(tmp_path)
    vars(update)["guest"] = dnf_guest()
    index = dnf_ways()[0].predicted
    monkeypatch.setattr(package_update, "predict_index", lambda _: None)
    monkeypatch.setattr(package_update, "figures_of", lambda download: figures_of(download) if download else index)
    back = DownloadFigures(requests=1, bytes=125_000)
    assert [(one.name, one.predicted, one.from_locks_bytes) for one in update.ways] == [
        ("check", index, None),
        ("RPM files", DownloadFigures(requests=2, bytes=400_000), 400_000),
        ("RPM files to undo it", back, 125_000),
    ]
    assert [one.exact for one in update.ways] == [True, True, True]


def test_the_verdict_says_what_it_cost(tmp_path: Path) -> None:
    said = require_packages(made(tmp_path)).text
    assert said.startswith("cloud-docker: version 2 was 400,000 bytes in 2 RPM files, as predicted from the two locks")


def test_bytes_that_were_not_predicted_are_an_error(tmp_path: Path) -> None:
    update = made(tmp_path)
    check, files, back = update.ways
    vars(update)["ways"] = (check, replace(files, guest=NOTHING), back)
    error = refusal(update)
    assert error.message == "cloud-docker: not an update as predicted: " + error.log
    assert error.log == "RPM files: 0 bytes in the guest, 400000 predicted"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"kernel": "6.12.2"}, "kernel 6.12.2 is booted, not 6.12.1"),
        ({"packages": "a" * 64}, "other packages are installed"),
        ({"selinux": "permissive"}, "SELinux is not enforcing"),
        ({"var_kept": False}, "/var was not kept"),
        ({"container_running": False}, "the container does not run"),
        ({"volume_kept": False}, "the volume was not kept"),
    ],
)
def test_what_an_update_must_leave_alone_is_an_error_if_it_does_not(
    tmp_path: Path, changed: dict[str, object], said: str
) -> None:
    guest = dnf_guest()
    states = (guest.states[0], guest.states[1].model_copy(update=changed), guest.states[2])
    assert refusal(made(tmp_path, guest.model_copy(update={"states": states}))).log == f"version 2: {said}"


def test_version_2_can_have_the_packages_of_a_lock(tmp_path: Path) -> None:
    before = build(tmp_path)
    update = open_package_update(before, VersionChanges((), "params/base.yaml"))
    assert (before.variant.lock, update.after.variant.lock, update.rebuilt) == ("", "params/base.yaml", ())
    assert open_package_update(before, VersionChanges(("package",))).after.variant.lock == ""


def test_version_1_can_have_the_packages_of_a_lock(tmp_path: Path) -> None:
    update = open_package_update(build(tmp_path), VersionChanges((), first_lock="params/base.yaml"))
    assert (update.before.variant.lock, update.after.variant.lock) == ("params/base.yaml", "")
    with pytest.raises(WorkbookError, match=r"config: rebuilt packages of params/base\.yaml may be older"):
        open_package_update(build(tmp_path), VersionChanges(("config",), first_lock="params/base.yaml"))


def test_packages_of_a_lock_are_not_rebuilt(tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match=r"^config: version 2 has the packages of params/base\.yaml"):
        open_package_update(build(tmp_path), VersionChanges(("config",), lock="params/base.yaml"))


def test_version_2_has_the_lock_of_version_1_if_nothing_else_is_said(tmp_path: Path) -> None:
    own = build(tmp_path)
    locked = Build(own.variant.model_copy(update={"lock": "params/base.yaml"}), own.context)
    assert PackageUpdate(locked, (), ()).after.variant.lock == "params/base.yaml"
