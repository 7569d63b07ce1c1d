"""A guest loads container images of its own RPM files, and serves from one of them, over an update.

One guest of atomic-min, two boots; both versions of the host are those of ``test_guest_update``. The guest is a Docker
Swarm of one node, too. With ``-m long`` a guest of atomic-podman does the same, with a pod; its trees, images and boots
are its own.
"""

import json
from pathlib import Path

import pytest

from atomic_lib.guest.containers.service_evidence import ContainerService, ServiceKind
from atomic_lib.pipeline.containers.variant_service import VariantService, open_service
from atomic_lib.results.analysis.denial_reasons import unexplained
from tests.integration.test_build_and_boot import papermill

pytestmark = pytest.mark.integration

SECOND: dict[str, ServiceKind] = {"docker": "swarm", "podman": "pod"}
"""What serves beside the unit, by runtime."""


@pytest.fixture(scope="module", params=["docker", pytest.param("podman", marks=pytest.mark.long)])
def runtime(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def service(runtime: str) -> VariantService:
    return open_service("atomic-podman") if runtime == "podman" else open_service("atomic-min", swarm=True)


@pytest.fixture(scope="module")
def served(service: VariantService) -> ContainerService:
    return service.served


def test_the_runtime_has_the_images_that_were_built(served: ContainerService) -> None:
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


def test_the_service_answers_after_each_event(runtime: str, service: VariantService, served: ContainerService) -> None:
    print(served.moments)
    assert service.update
    before, after = service.update.versions.before.commit, service.update.versions.after.commit
    kinds: list[ServiceKind] = ["unit", SECOND[runtime]]
    assert {moment.kind for moment in served.moments} == {*kinds}
    for kind in kinds:
        assert [(one.name, one.commit) for one in served.moments_of(kind)] == [
            ("started", before), ("killed", before), ("updated", after)
        ]  # fmt: skip
    for moment in served.moments:
        assert (moment.active, moment.inside, moment.outside) == (True, True, True)
        assert (moment.selinux, moment.memory_bytes is not None) == ("enforcing", True)
    assert len(served.moments) == 6
    # a pod whose process died keeps its container
    assert len({moment.container for moment in served.moments}) == {"docker": 6, "podman": 5}[runtime]
    assert len({(moment.container, moment.process) for moment in served.moments}) == 6
    assert all(":container_t:" in moment.label for moment in served.moments)


def test_selinux_denies_nothing_without_a_reason(served: ContainerService) -> None:
    for boot in served.boots:
        assert boot.denials is not None
        assert unexplained(boot.denials) == ()


def test_the_notebook_shows_it(runtime: str, served: ContainerService, tmp_path: Path) -> None:
    own = {"docker": ("swarm", "True"), "podman": ("variant", "atomic-podman")}[runtime]
    papermill("container.ipynb", tmp_path / "container.ipynb", "-p", *own)
    outputs = [cell.get("outputs", []) for cell in json.loads((tmp_path / "container.ipynb").read_text())["cells"]]
    shown = "".join("".join(output.get("data", {}).get("text/html", "")) for group in outputs for output in group)
    assert "✗" not in shown
    assert shown.count("as in the lock") == 2
    second = SECOND[runtime]
    assert f"{runtime} has the images that were built, and the service and the {second} answered from inside" in shown
