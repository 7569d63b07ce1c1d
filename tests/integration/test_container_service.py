"""Guests load container images of their own RPM files, and serve from one of them: with Docker, with Podman.

One guest of atomic-min, two boots, over an update; both versions of the host are those of ``test_guest_update``. One of
atomic-podman, one boot. Its tree, image and containers are built for it alone.
"""

import json
from pathlib import Path

import pytest

from atomic_lib.guest.containers.container_service import ServiceRequest, ServiceStory
from atomic_lib.guest.containers.service_evidence import ContainerService
from atomic_lib.guest.containers.services import ports_of
from atomic_lib.guest.guest_session import SessionRequest, open_session
from atomic_lib.pipeline.containers.variant_service import VariantService, open_service
from atomic_lib.results.analysis.denial_reasons import unexplained
from tests.integration.test_build_and_boot import papermill

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def service() -> VariantService:
    return open_service("atomic-min")


@pytest.fixture(scope="module")
def served(service: VariantService) -> ContainerService:
    return service.served


@pytest.fixture(scope="module")
def with_podman(tmp_path_factory: pytest.TempPathFactory) -> ContainerService:
    """The first boot of what ``./workbook container --variant atomic-podman`` does: until the container was killed."""
    service = open_service("atomic-podman")
    build, to_load = service.build, service.images
    request = SessionRequest(build.variant, build.recipe.selinux, build.image, ports=ports_of("podman"))
    with (
        open_session(request, build.context, tmp_path_factory.mktemp("podman")) as session,
        session.boot() as shell,
    ):
        boot = session.prove(shell)
        story = ServiceStory(ServiceRequest(request, to_load, None), session)
        images = tuple(story.load(shell, image) for image in to_load)
        moments = [moment for service in story.services for moment in story.start_and_kill(shell, service)]
        return ContainerService(images=images, moments=tuple(moments), boots=(session.with_denials(boot, shell),))


@pytest.mark.parametrize("runtime", ["served", "with_podman"])
def test_the_runtime_has_the_images_that_were_built(runtime: str, request: pytest.FixtureRequest) -> None:
    served: ContainerService = request.getfixturevalue(runtime)
    print(served.images)
    for image in served.images:
        assert image.loaded_id == image.expected_id
        assert (image.missing, image.unexpected) == ((), ())
        assert image.packages > 20
    assert [image.query for image in served.images] == ["rpm outside", "rpm in the container"]


def test_the_packages_of_both_are_files_of_the_host_or_of_the_image_only(service: VariantService) -> None:
    host = {package.nevra for package in service.build.rpm_set.lock.packages}
    base, web = ({*image.nevras} for image in service.images)
    assert base <= host
    names = {nevra.rpartition("-")[0].rpartition("-")[0] for nevra in web - base}
    assert {"lighttpd", "rpm"} <= names


def test_the_service_answers_after_each_event(service: VariantService, served: ContainerService) -> None:
    print(served.moments)
    assert service.update
    before, after = service.update.versions.before.commit, service.update.versions.after.commit
    assert [(one.name, one.commit) for one in served.moments] == [
        ("started", before), ("killed", before), ("updated", after)
    ]  # fmt: skip
    for moment in served.moments:
        assert (moment.active, moment.inside, moment.outside) == (True, True, True)
        assert (moment.selinux, moment.memory_bytes is not None) == ("enforcing", True)
    assert len({moment.container for moment in served.moments}) == 3
    assert all(":container_t:" in moment.label for moment in served.moments)


def test_podman_serves_in_the_domains_that_the_policy_has_for_it(with_podman: ContainerService) -> None:
    print(with_podman.moments)
    assert [(one.kind, one.name) for one in with_podman.moments] == [
        ("unit", "started"), ("unit", "killed"), ("pod", "started"), ("pod", "killed")
    ]  # fmt: skip
    for moment in with_podman.moments:
        assert (moment.active, moment.inside, moment.outside, moment.selinux) == (True, True, True, "enforcing")
    labels = [moment.label for moment in with_podman.moments]
    assert all(label.startswith("system_u:system_r:container_t:s0:c") for label in labels)
    assert len({*labels}) == len({moment.container for moment in with_podman.moments}) == 3  # a pod keeps its container
    started, killed = with_podman.moments_of("pod")
    assert started.process != killed.process


@pytest.mark.parametrize("runtime", ["served", "with_podman"])
def test_selinux_denies_nothing_without_a_reason(runtime: str, request: pytest.FixtureRequest) -> None:
    served: ContainerService = request.getfixturevalue(runtime)
    for boot in served.boots:
        assert boot.denials is not None
        assert unexplained(boot.denials) == ()


def test_the_notebook_shows_it(served: ContainerService, tmp_path: Path) -> None:
    papermill("container.ipynb", tmp_path / "container.ipynb")
    outputs = [cell.get("outputs", []) for cell in json.loads((tmp_path / "container.ipynb").read_text())["cells"]]
    shown = "".join("".join(output.get("data", {}).get("text/html", "")) for group in outputs for output in group)
    assert "✗" not in shown
    assert shown.count("as in the lock") == 2
    assert "docker has the images that were built, and the service answered from inside and from outside" in shown
