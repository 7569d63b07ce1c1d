"""The code of the notebook, on stages that are made: what a guest shows is what it displays."""

from pathlib import Path

import pytest

from atomic_lib.compose.update.update_repository import Version
from atomic_lib.guest.update.update_downloads import UpdateVersions
from atomic_lib.params.variant import Variant, load_variant
from atomic_lib.pipeline.build import Build
from atomic_lib.pipeline.containers import service_run, variant_service
from atomic_lib.pipeline.update import variant_update
from tests.contexts import own_context
from tests.guest.containers.services import AFTER, BEFORE, good_service
from tests.pipeline.small_notebooks import displayed


@pytest.fixture(autouse=True)
def own_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Builds in a directory of the test."""

    def build(variant: str | Variant) -> Build:
        loaded = load_variant(variant) if isinstance(variant, str) else variant
        made = Build(loaded, own_context(tmp_path))
        vars(made)["recipe"] = made.whole_recipe
        return made

    for module in (variant_service, variant_update):
        monkeypatch.setattr(module, "open_build", build)


def test_the_notebook_of_a_service(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = variant_service.open_service("atomic-min")
    vars(opened)["served"] = good_service()
    assert opened.update
    versions = (Version(Path("repo"), "ref", commit) for commit in (BEFORE, AFTER))
    vars(opened.update)["versions"] = UpdateVersions("atomic-min", *versions)
    monkeypatch.setattr(variant_service, "open_service", lambda _, *, swarm: opened)
    shown = displayed(service_run.NOTEBOOK)
    words = ("43 as in the lock", "its container was killed", "docker.service", "system is running", "answered from")
    assert all(word in shown for word in words)
