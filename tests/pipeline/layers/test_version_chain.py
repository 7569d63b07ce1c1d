"""A chain of versions: what is drawn and rebuilt, and the verdict."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.cli import main
from atomic_lib.content.rebuilt_rpms import Rebuild
from atomic_lib.params.variant import Variant, load_variant, variant_from
from atomic_lib.pipeline.build import Build
from atomic_lib.pipeline.layers import layers_run, version_chain
from atomic_lib.pipeline.layers.version_chain import VersionChain, changed_layers, open_chain, require_layers
from atomic_lib.pipeline.pages.notebook_page import NotebookPage
from atomic_lib.solve.lock import Lock
from atomic_lib.solve.rpm_set import RpmSet
from tests.contexts import own_context
from tests.image.oci.hosts import FILES, image_context, make_host, make_image
from tests.pipeline.layers.steps import STEP, made_step
from tests.pipeline.layers.test_rebuildable_packages import package
from tests.pipeline.small_notebooks import displayed
from tests.report.factory import plain

NAMES = [f"package-{number:02}" for number in range(20)]


@pytest.fixture(autouse=True)
def own_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Rebuild, ...]]:
    """Builds in a directory of the test, and packages that are known; returns what is rebuilt."""
    rebuilt: list[tuple[Rebuild, ...]] = []

    def opened(variant: str | Variant) -> Build:
        build = Build(load_variant(variant) if isinstance(variant, str) else variant, own_context(tmp_path))
        lock = Lock("content", tuple(map(package, NAMES)))
        vars(build)["rpm_set"] = RpmSet("key", lock, tmp_path / "rpms", (), 0.0, False)
        return build

    def rebuild(rebuilds: tuple[Rebuild, ...], _: object) -> Path:
        rebuilt.append(rebuilds)
        return tmp_path / f"rebuilt-{len(rebuilt)}"

    monkeypatch.setattr(version_chain, "open_build", opened)
    monkeypatch.setattr(version_chain, "rebuildable_packages", lambda tools, rpms: NAMES)
    monkeypatch.setattr(version_chain, "rebuilt_rpms", rebuild)
    return rebuilt


def test_each_version_rebuilds_other_packages_and_the_seed_decides() -> None:
    drawn = open_chain("atomic-min", 4, 3, 1).drawn
    assert [len(group) for group in drawn] == [3, 3, 3]
    assert len({name for group in drawn for name in group}) == 9
    assert open_chain("atomic-min", 4, 3, 1).drawn == drawn
    assert open_chain("atomic-min", 4, 3, 2).drawn != drawn


def test_a_version_has_all_that_was_rebuilt_until_then_and_nothing_else_differs(
    own_builds: list[tuple[Rebuild, ...]], tmp_path: Path
) -> None:
    chain = open_chain("atomic-min", 3, 2, 1)
    first, second, third = chain.builds
    files = [{one.rpm.name.split("-1-1")[0] for one in rebuilds} for rebuilds in own_builds]
    assert files == [{*chain.drawn[0]}, {*chain.drawn[0], *chain.drawn[1]}]
    assert all(one.programs for rebuilds in own_builds for one in rebuilds)
    own = {"version": "3", "local_rpms": str(tmp_path / "rebuilt-2"), "local_rpms_trusted": True}
    assert third.variant == variant_from({**first.variant.model_dump(), **own})
    assert (first.variant.version, second.variant.version) == ("1", "2")


@pytest.mark.parametrize(
    ("variant", "versions", "packages", "said"),
    [
        ("atomic-min", 1, 5, "1 versions with 5 packages: nothing would be updated"),
        ("atomic-min", 5, 0, "5 versions with 0 packages: nothing would be updated"),
        ("cloud-docker", 5, 5, "cloud-docker: has no commit of a treefile"),
        ("atomic-mim", 5, 5, "unknown variant 'atomic-mim'"),
    ],
)
def test_what_is_no_chain_is_said_at_once(variant: str, versions: int, packages: int, said: str) -> None:
    with pytest.raises(WorkbookError) as caught:
        open_chain(variant, versions, packages, 1)
    assert caught.value.message.startswith(said)
    assert caught.value.hint


def test_more_packages_than_there_are_is_an_error() -> None:
    with pytest.raises(WorkbookError, match="24 packages are to be rebuilt, and only 20 can be"):
        _ = open_chain("atomic-min", 5, 6, 1).drawn


def test_the_new_layers_are_named_with_what_they_are_made_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = image_context(tmp_path / "context", monkeypatch)
    before = make_image(context, make_host(tmp_path / "1"))
    files = FILES | {"usr/bin/two": "two " * 999, "usr/lib/sysimage/rpm/rpmdb.sqlite": "new"}
    after = make_image(context, make_host(tmp_path / "2", files), "2", before.packing)
    assert [one.components for one in changed_layers(before, after)] == [("the RPM database",), ("two",)]
    sizes = {layer["size"] for layer in after.manifest["layers"] if layer["digest"] not in before.layers}
    assert {one.size_bytes for one in changed_layers(before, after)} == sizes


def made(*steps: version_chain.ChainStep, same: tuple[bool, ...] = (True, True)) -> VersionChain:
    chain = open_chain("atomic-min", 3, 2, 1)
    vars(chain)["steps"], vars(chain)["made_again"] = steps, same
    return chain


def test_the_verdict_is_what_all_updates_pulled_against_the_least() -> None:
    text = require_layers(made(STEP, made_step("3"))).text
    assert text == (
        "atomic-min: 2 updates pulled 4,691,356 bytes of layers, 2.61 times the least possible; all 2 layers of "
        "version 1 are the same if they are made again."
    )


def test_what_is_not_as_predicted_or_not_the_same_is_an_error() -> None:
    other = STEP.objects.measured.model_copy(update={"bytes": 7})
    steps = (
        replace(STEP, layers=STEP.layers.model_copy(update={"same_files": False})),
        replace(made_step("3"), objects=STEP.objects.model_copy(update={"measured": other})),
    )
    with pytest.raises(WorkbookError) as caught:
        require_layers(made(*steps, same=(True, False)))
    assert caught.value.log.splitlines() == [
        "1 layer of version 1 differ if they are made again",
        "version 2: layers: 2345678 bytes, 2345678 predicted",
        "version 3: loose objects: 7 bytes, 1234567 predicted",
    ]


def test_the_notebook_shows_each_update_and_each_layer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = make_image(image_context(tmp_path / "context", monkeypatch), make_host(tmp_path / "1"))
    chain = made(STEP, made_step("3"), same=(True,) * len(image.layers))
    vars(chain)["images"] = (image,)
    asked: list[tuple[object, ...]] = []

    def opened(*words: object) -> VersionChain:
        asked.append(words)
        return chain

    monkeypatch.setattr(version_chain, "open_chain", opened)
    shown = plain(displayed(layers_run.NOTEBOOK))
    assert asked == [("atomic-min", 5, 5, 1)]
    for words in ("bash, runc", "the RPM database", "No container engine", "2 updates pulled 4,691,356 bytes"):
        assert words in shown, words
    assert "✗" not in shown


def test_the_notebook_gets_what_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    pages: list[tuple[NotebookPage, Mapping[str, object]]] = []

    def publish(page: NotebookPage, parameters: Mapping[str, object], _: Path) -> int:
        pages.append((page, parameters))
        return 0

    monkeypatch.setattr(layers_run, "publish_notebook", publish)
    assert main(["layers"]) == 0
    assert main(["layers", "--variant", "atomic", "--versions", "3", "--packages", "2", "--seed", "7"]) == 0
    assert [parameters for _, parameters in pages] == [
        {"variant": "atomic-min", "versions": 5, "packages": 5, "seed": 1},
        {"variant": "atomic", "versions": 3, "packages": 2, "seed": 7},
    ]
    assert all(page.notebook.is_file() for page, _ in pages)


def test_what_is_no_chain_makes_no_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["layers", "--variant", "cloud-docker"]) == 1
    assert "error: cloud-docker: has no commit of a treefile" in capsys.readouterr().err
