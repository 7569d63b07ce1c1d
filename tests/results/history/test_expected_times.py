"""What the parts of a run took before, from the history and from the store; nothing is said of what was never made."""

from pathlib import Path

from atomic_lib.base.store import Store
from atomic_lib.params.variant import variant_from
from atomic_lib.results.history.database import open_history
from atomic_lib.results.history.expected_times import expected_seconds
from atomic_lib.results.history.run_recording import record_run
from atomic_lib.results.variant_result import StageTime
from tests.report import factory
from tests.results.history.test_run_recording import add_run

VALUES = {"variant": "atomic-min", "method": "ostree", "recipe": "own", "agent": "min-cloud-agent", "boots_bios": 1,
          "boots_uefi": 1, "counted_boots": 1}  # fmt: skip


def put_boot(store: Store, stage: str, seconds: float, **inputs: object) -> None:
    found = store.get_or_make(stage, {"n": seconds, **inputs}, lambda directory: None, what="a boot", silent=True)
    (found.path / "key.json").write_text(
        (found.path / "key.json").read_text().replace('"seconds": 0.0', f'"seconds": {seconds}')
    )


def test_each_part_takes_the_median_of_what_it_took_when_it_was_made(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    for seconds in (30.0, 50.0, 40.0):
        put_boot(store, "boot", seconds, request={"firmware": "bios"})
    put_boot(store, "counted-boot", 60.0)
    with open_history(tmp_path / "history.sqlite") as history:
        for name, seconds, reused in (("one", 90.0, False), ("two", 1.0, True), ("three", 70.0, False)):
            stage = StageTime(stage="compose", seconds=seconds, reused=reused, key=name)
            result = factory.variant_result("atomic-min").model_copy(update={"stages": (stage,)})
            record_run(history, add_run(tmp_path / "runs", name, result))
        assert expected_seconds(history, store, [variant_from(VALUES)]) == {
            "atomic-min: resolve": None, "atomic-min: compose": 80.0, "atomic-min: image": None,
            "atomic-min: boot bios-1": 40.0, "atomic-min: boot uefi-1": None, "atomic-min: boot counted-1": 60.0,
        }  # fmt: skip
        shorter = variant_from({**VALUES, "last_stage": "tree"})
        assert list(expected_seconds(history, store, [shorter])) == ["atomic-min: resolve", "atomic-min: compose"]
