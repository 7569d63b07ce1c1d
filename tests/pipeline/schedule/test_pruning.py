"""Which runs are removed and which never, and what of the store goes with them."""

import json
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.run_lock import run_lock
from atomic_lib.base.store import Store
from atomic_lib.compose.tree import tree_key
from atomic_lib.image.oci.layout import diff_ids
from atomic_lib.pipeline.notebooks import USES_FILE
from atomic_lib.pipeline.schedule.pruning import clean_old, old_runs, prune
from atomic_lib.results import runs
from atomic_lib.results.runs import link_newest
from tests.image.oci.hosts import FILES, image_context, make_host, make_image

TREES = {"1": "a" * 32, "2": "b" * 32, "3": "b" * 32}


def add_run(build: Path, time: str, study: str = "default", *, finished: bool = True, tree: str = "") -> Path:
    run = build / f"runs/2026-01-0{time}T00-00-00Z-{study}"
    (run / "own").mkdir(parents=True)
    stages = [{"stage": "compose", "key": tree or tree_key(TREES.get(time, "c" * 32))}]
    (run / "own/result.json").write_text(json.dumps({"stages": stages}))
    if finished:
        (run / "index.html").touch()
    return run


def add_result(build: Path, stage: str, key: str, *made_of: str) -> Path:
    path = build / "store" / stage / key
    path.mkdir(parents=True)
    (path / "key.json").write_text(json.dumps({"inputs": {"made of": made_of}}))
    return path


def add_stages(run: Path, **keys: str) -> None:
    """Further stages of a run's result, by their name with ``_`` for ``-``."""
    result = json.loads((run / "own/result.json").read_text())
    result["stages"] += [{"stage": name.replace("_", "-"), "key": key} for name, key in keys.items()]
    (run / "own/result.json").write_text(json.dumps(result))


def names(paths: list[Path]) -> list[str]:
    return [path.name[9:10] + path.name.partition("Z")[2] for path in paths]


def test_the_newest_of_each_study_stay(tmp_path: Path) -> None:
    for time in "1234":
        add_run(tmp_path, time)
    add_run(tmp_path, "1", "factors")
    assert names(old_runs(tmp_path / "runs", 2)) == ["1-default", "2-default"]
    assert old_runs(tmp_path / "runs", 4) == []
    assert old_runs(tmp_path / "runs", 9) == []


def test_what_is_linked_kept_or_not_finished_is_never_removed(tmp_path: Path) -> None:
    link_newest(add_run(tmp_path, "1"), "latest-default")
    (add_run(tmp_path, "2") / "keep").touch()
    add_run(tmp_path, "3", finished=False)
    for time in "456":
        add_run(tmp_path, time)
    assert names(old_runs(tmp_path / "runs", 1)) == ["4-default", "5-default"]
    prune(tmp_path, 1)
    left = sorted(path.name[9:10] for path in (tmp_path / "runs").iterdir() if not path.is_symlink())
    assert left == ["1", "2", "3", "6"]


def test_a_removal_that_was_interrupted_is_no_interrupted_run_and_is_finished_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for time in "123":
        add_run(tmp_path, time)

    def interrupted(path: Path) -> None:
        (path / "index.html").unlink()
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "remove_completely", interrupted)
    for _ in range(2):  # the second one is interrupted as well, at the next run
        with pytest.raises(KeyboardInterrupt):
            clean_old(tmp_path, 1, confirmed=True)
    left = sorted(path.name for path in (tmp_path / "runs").iterdir())
    assert left == [".removed-2026-01-02T00-00-00Z-default", "2026-01-03T00-00-00Z-default"]
    monkeypatch.undo()
    assert runs.remove_unfinished(tmp_path / "runs") is None, "no run was interrupted"
    assert [path.name[:12] for path in (tmp_path / "runs").iterdir()] == ["2026-01-03T0"]


def test_stored_stages_go_with_the_runs_that_alone_used_them(tmp_path: Path) -> None:
    for time in "123":
        add_run(tmp_path, time)
    shared, layer = "b" * 32, "f" * 32
    gone = [add_result(tmp_path, "tree", "a" * 32, layer), add_result(tmp_path, "labels", "d" * 32, tree_key("a" * 32)),
            add_result(tmp_path, "boot", "e" * 32, "d" * 32)]  # fmt: skip
    kept = [add_result(tmp_path, "tree", shared, layer), add_result(tmp_path, "labels", "9" * 32, shared),
            add_result(tmp_path, "layer", layer)]  # fmt: skip
    prune(tmp_path, 1)
    assert [path.exists() for path in gone] == [False, False, False]
    assert [path.exists() for path in kept] == [True, True, True]


def add_uses(run: Path, *results: Path) -> None:
    """What the notebooks of a run used; each line stands there as often as it was used."""
    lines = "".join(f"{path.parent.name}/{path.name}\n" for path in results)
    (run / USES_FILE).write_text(2 * lines + "standin-package/" + "7" * 32 + "\n")
    (run / "own" / USES_FILE).write_text(lines[: len(lines) // 2])


def test_what_notebooks_used_goes_with_the_runs_that_alone_used_it(tmp_path: Path) -> None:
    first, second = add_run(tmp_path, "1"), add_run(tmp_path, "2")
    unfinished = add_run(tmp_path, "3", finished=False)
    layers = [add_result(tmp_path, "layer", one * 32) for one in "456"]
    image = add_result(tmp_path, "image", "8" * 32, "b" * 32)
    labels = [add_result(tmp_path, "labels", "9" * 32, "8" * 32), add_result(tmp_path, "labels", "0" * 32, "4" * 32)]
    tree = add_result(tmp_path, "tree", "b" * 32)
    add_uses(first, *layers, image, *labels)
    add_uses(second, layers[1])
    add_uses(unfinished, layers[2])
    add_run(tmp_path, "4", "factors")
    prune(tmp_path, 1)
    assert not first.exists()
    left = {path: path.exists() for path in (*layers, image, *labels, tree)}
    gone = [path for path, is_there in left.items() if not is_there]
    assert gone == [layers[0], labels[1]], "the image was made from a tree that the second run has"


@pytest.mark.parametrize("text", ["layer", "layer/..", "../../other/" + "4" * 32, "layer/" + "4" * 31, "\xff/"])
def test_a_line_that_names_no_stored_result_removes_nothing(tmp_path: Path, text: str) -> None:
    first, _ = add_run(tmp_path, "1"), add_run(tmp_path, "2")
    stored, other = add_result(tmp_path, "layer", "4" * 32), tmp_path / "other" / ("4" * 32)
    other.mkdir(parents=True)
    (first / USES_FILE).write_text(f"{text}\n", encoding="latin-1")
    prune(tmp_path, 1)
    assert not first.exists()
    assert stored.exists()
    assert other.exists()


def test_what_a_notebook_executed_by_hand_or_a_run_in_progress_uses_stays(tmp_path: Path) -> None:
    add_run(tmp_path, "1")
    add_run(tmp_path, "2", tree="8" * 32)
    add_run(tmp_path, "3", tree="7" * 32)
    add_run(tmp_path, "4", finished=False, tree="8" * 32)
    own = tmp_path / "variants/own/result.json"
    own.parent.mkdir(parents=True)
    own.write_text((tmp_path / "runs/2026-01-01T00-00-00Z-default/own/result.json").read_text())
    trees = [add_result(tmp_path, "tree", key) for key in ("a" * 32, "8" * 32)]
    prune(tmp_path, 1)
    assert all(tree.exists() for tree in trees)


def test_by_hand_it_asks_first_and_refuses_while_a_run_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, _ = add_run(tmp_path, "1"), add_run(tmp_path, "2")
    assert clean_old(tmp_path, 1, confirmed=False) == 1
    assert "1 old runs" in capsys.readouterr().err
    assert old.exists()
    with run_lock(tmp_path, "./workbook run default"), pytest.raises(WorkbookError, match="run default"):
        clean_old(tmp_path, 1, confirmed=True)
    assert clean_old(tmp_path, 1, confirmed=True) == 0
    assert not old.exists()
    assert clean_old(tmp_path, 1, confirmed=False) == 0


@pytest.mark.parametrize("key", ["../../..", "", "/", "a" * 31])
def test_a_key_that_names_no_stored_stage_removes_nothing(tmp_path: Path, key: str) -> None:
    add_run(tmp_path, "1", tree=key or ".")
    add_run(tmp_path, "2")
    stored = add_result(tmp_path, "tree", "a" * 32)
    prune(tmp_path, 1)
    assert stored.exists()
    assert len(list((tmp_path / "runs").iterdir())) == 1


def test_a_pulled_commit_goes_with_its_run(tmp_path: Path) -> None:
    pulled, shared = (add_result(tmp_path, "pulled-tree", letter * 32) for letter in "de")
    add_run(tmp_path, "1", tree=tree_key("d" * 32))
    add_run(tmp_path, "2", tree=tree_key("e" * 32))
    prune(tmp_path, 1)
    assert (pulled.exists(), shared.exists()) == (False, True)


def test_a_container_image_and_its_packages_go_with_the_runs_that_alone_used_them(tmp_path: Path) -> None:
    host, old, kept = "1" * 32, "2" * 32, "3" * 32
    gone = [add_result(tmp_path, "rpm-set", host), add_result(tmp_path, "rpm-set", old),
            add_result(tmp_path, "host-suffices", "4" * 32, host), add_result(tmp_path, "container", old),
            add_result(tmp_path, "container-comparison", "5" * 32, old)]  # fmt: skip
    stay = [add_result(tmp_path, "rpm-set", kept), add_result(tmp_path, "container", kept),
            add_result(tmp_path, "container-comparison", "6" * 32, kept)]  # fmt: skip
    add_stages(add_run(tmp_path, "1"), resolve=host, container_resolve=old, container=old)
    add_stages(add_run(tmp_path, "2"), container_resolve=kept, container=kept)
    add_stages(add_run(tmp_path, "3"), container_resolve=kept, container=kept)
    prune(tmp_path, 1)
    assert [path.exists() for path in gone] == [False] * 5
    assert [path.exists() for path in stay] == [True] * 3


def test_a_compressed_layer_goes_with_the_last_image_that_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, old, new = image_context(tmp_path, monkeypatch), "a" * 32, "b" * 32
    one = make_image(context, make_host(tmp_path / "hosts" / old))
    files = FILES | {"usr/bin/two": "two of version 2"}
    two = make_image(context, make_host(tmp_path / "hosts" / new, files), "2", one.packing)
    for time, key in (("1", old), ("2", new)):
        add_result(tmp_path, "tree", key)
        add_run(tmp_path, time, tree=tree_key(key))
    assert len(layers(context.store)) == len({*diff_ids(one.layout), *diff_ids(two.layout)}) == 6
    prune(tmp_path, 1)
    assert context.store.results("host-image") == [two.directory]
    assert layers(context.store) == {*diff_ids(two.layout)}


def test_layers_of_an_image_that_no_run_named_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = image_context(tmp_path, monkeypatch)
    image = make_image(context, make_host(tmp_path / "hosts/own"))
    for time in "12":
        add_run(tmp_path, time)
    prune(tmp_path, 1)
    assert layers(context.store) == {*diff_ids(image.layout)}


def test_a_damaged_image_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, old = image_context(tmp_path, monkeypatch), "a" * 32
    image = make_image(context, make_host(tmp_path / "hosts" / old))
    (image.layout / "index.json").write_text("{")
    add_result(tmp_path, "tree", old)
    for time in "12":
        add_run(tmp_path, time)
    prune(tmp_path, 1)
    assert context.store.results("host-image") == []


def test_a_raw_disk_goes_with_its_image(tmp_path: Path) -> None:
    old, new = "1" * 32, "2" * 32
    disks = [add_result(tmp_path, "raw-disk", letter * 32, key) for letter, key in (("3", old), ("4", new))]
    for time, key in (("1", old), ("2", new)):
        add_result(tmp_path, "image", key)
        add_stages(add_run(tmp_path, time), image=key)
    prune(tmp_path, 1)
    assert [disk.exists() for disk in disks] == [False, True]


def layers(store: Store) -> set[str]:
    """The digests of the archives whose compressed form is stored."""
    found = (json.loads((path / "key.json").read_text()) for path in store.results("oci-layer"))
    return {record["inputs"]["tar"] for record in found}
