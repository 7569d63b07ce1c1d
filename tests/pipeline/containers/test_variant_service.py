"""Which variants can run a service in a container, and the verdict."""

from dataclasses import replace
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.update.update_repository import Version
from atomic_lib.guest.containers.service_evidence import ContainerService
from atomic_lib.guest.evidence.denials import Denial
from atomic_lib.guest.update.update_downloads import UpdateVersions
from atomic_lib.params.variant import Variant, load_variant
from atomic_lib.pipeline.build import Build
from atomic_lib.pipeline.containers import variant_service
from atomic_lib.pipeline.containers.variant_service import VariantService, open_service, require_served
from atomic_lib.pipeline.update import variant_update
from atomic_lib.recipe.recipe import OstreeSource
from tests.contexts import own_context
from tests.guest.containers.services import (
    AFTER,
    BEFORE,
    good_image,
    good_service,
    service_with_pod,
    service_with_swarm,
)

DENIED = Denial(permissions=("read",), source="container_t", target="shadow_t", target_class="file")


@pytest.fixture(autouse=True)
def own_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Builds in a directory of the test."""

    def build(variant: str | Variant) -> Build:
        loaded = load_variant(variant) if isinstance(variant, str) else variant
        return Build(loaded, own_context(tmp_path))

    monkeypatch.setattr(variant_service, "open_build", build)
    monkeypatch.setattr(variant_update, "open_build", build)


def made(served: ContainerService) -> VariantService:
    """A service whose stages are made."""
    service = open_service("atomic-min")
    assert service.update
    versions = (Version(Path("repo"), "ref", commit) for commit in (BEFORE, AFTER))
    vars(service.update)["versions"] = UpdateVersions("atomic-min", *versions)
    vars(service.build)["recipe"] = service.build.whole_recipe
    vars(service)["served"] = served
    return service


def refusal(served: ContainerService) -> str:
    with pytest.raises(WorkbookError) as caught:
        require_served(made(served))
    return caught.value.log


def test_the_images_are_the_variants_own_and_the_one_of_the_service() -> None:
    service = open_service("atomic-min")
    assert (service.build.variant.container, service.service.variant.container) == ("container-base", "container-web")
    assert service.update
    assert service.update.after.variant.version == "2"
    assert open_service("atomic-cloud-init").build.variant.container == "container-base"


def test_a_traditional_host_is_not_updated() -> None:
    assert open_service("cloud-docker").update is None


@pytest.mark.parametrize(
    ("variant", "said"),
    [
        ("atomic", "atomic: it has no container runtime"),
        ("atomic-mim", "unknown variant 'atomic-mim' (did you mean 'atomic-min'?)"),
    ],
)
def test_what_cannot_run_a_container_is_said_at_once(variant: str, said: str) -> None:
    with pytest.raises(WorkbookError) as caught:
        open_service(variant)
    assert caught.value.message.startswith(said)
    assert caught.value.hint


def test_a_variant_that_deploys_a_commit_has_no_files_for_an_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = Build(load_variant("cloud-docker"), own_context(tmp_path))
    source = OstreeSource("own", "http://own.example", "own", "own ref", verified=False)
    vars(build)["whole_recipe"] = replace(build.whole_recipe, ostree_source=source)
    monkeypatch.setattr(variant_service, "open_build", lambda _: build)
    with pytest.raises(WorkbookError, match="cloud-docker: it deploys a commit, so there are no RPM files"):
        open_service("cloud-docker")


def test_the_verdict_says_what_was_shown() -> None:
    assert require_served(made(good_service())).text == (
        "atomic-min: docker has the images that were built, and the service answered from inside and from outside: "
        "after its start, after its container was killed, and after an update of the host."
    )


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"inside": False}, "no answer inside of the guest"),
        ({"outside": False}, "no answer from outside"),
        ({"active": False}, "its unit is not active"),
        ({"label": ""}, "its container is not confined"),
        ({"selinux": "permissive"}, "SELinux is not enforcing"),
        ({"commit": BEFORE}, "another commit is booted"),
    ],
)
def test_what_the_service_does_not_do_is_an_error(changed: dict[str, object], said: str) -> None:
    served = good_service()
    *others, last = served.moments
    bad = served.model_copy(update={"moments": (*others, last.model_copy(update=changed))})
    assert refusal(bad) == f"after an update of the host: {said}"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"loaded_id": ""}, "container-web: another image than the one that was built"),
        ({"missing": ("a-1",)}, "container-web: a-1 of the lock is not in the container"),
        ({"unexpected": ("b-1",)}, "container-web: b-1 in the container is not of the lock"),
    ],
)
def test_an_image_that_is_not_as_built_is_an_error(changed: dict[str, object], said: str) -> None:
    images = (good_image("container-base"), good_image("container-web").model_copy(update=changed))
    assert refusal(good_service().model_copy(update={"images": images})) == said


def test_a_container_that_outlives_its_kill_is_an_error() -> None:
    served = good_service()
    started, killed, updated = served.moments
    same = killed.model_copy(update={"container": started.container})
    assert refusal(served.model_copy(update={"moments": (started, same, updated)})) == (
        "after its container was killed: the same container"
    )


def test_a_pod_has_to_do_what_a_service_does() -> None:
    served = service_with_pod()
    assert "and the service and the pod answered from inside" in require_served(made(served)).text
    *others, killed, updated, last = served.moments
    bad = served.model_copy(update={"moments": (*others, killed, updated, last.model_copy(update={"inside": False}))})
    assert refusal(bad) == "the pod, after an update of the host: no answer inside of the guest"
    same = killed.model_copy(update={"process": others[-1].process})
    bad = served.model_copy(update={"moments": (*others, same, updated, last)})
    assert refusal(bad) == "the pod, after its container was killed: the same process"


def test_only_a_variant_with_docker_becomes_a_swarm() -> None:
    assert open_service("atomic-min", swarm=True).swarm
    assert not open_service("atomic-min").swarm
    with pytest.raises(WorkbookError, match="atomic-podman: a swarm is a part of Docker, and its runtime is podman"):
        open_service("atomic-podman", swarm=True)


def test_a_swarm_has_to_do_what_a_service_does() -> None:
    served = service_with_swarm()
    assert "and the service and the swarm answered from inside" in require_served(made(served)).text
    *others, killed, updated, last = served.moments
    bad = served.model_copy(update={"moments": (*others, killed, updated, last.model_copy(update={"outside": False}))})
    assert refusal(bad) == "the swarm, after an update of the host: no answer from outside"
    same = killed.model_copy(update={"container": others[-1].container})
    bad = served.model_copy(update={"moments": (*others, same, updated, last)})
    assert refusal(bad) == "the swarm, after its container was killed: the same container"


def test_denials_without_a_reason_are_an_error_and_so_are_unknown_ones() -> None:
    served = good_service()
    boots = (served.boots[0].model_copy(update={"denials": (DENIED,)}),
             served.boots[1].model_copy(update={"denials": None}))  # fmt: skip
    assert refusal(served.model_copy(update={"boots": boots})).splitlines() == [
        "boot 1: SELinux denied container_t read shadow_t",
        "boot 2: SELinux denials are not known",
    ]
