"""The boots of a variant: what is kept and reused, what a failed one leaves, and what tells boots apart."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.store import Store
from atomic_lib.guest.boot_record import BOOT_FILE, Boot, StoredBoot
from atomic_lib.guest.counted.counted_boot import CountedBoot, CountRequest
from atomic_lib.guest.evidence.answers import Check
from atomic_lib.guest.timed_boot import BootRequest
from atomic_lib.image.disk import Image
from atomic_lib.params.variant import variant_from
from atomic_lib.pipeline import boots as boots_module
from atomic_lib.pipeline.boots import Boots, Wanted
from atomic_lib.tools.tools_tree import Tools

VARIANT = variant_from(
    {"variant": "own", "method": "ostree", "recipe": "own", "agent": "cloud-init", "accelerator": "tcg"}
)
TIMED, COUNTED = Wanted("bios", 1), Wanted(None, 1)


@dataclass
class Machine:
    """Stands for QEMU: what it was requested to boot, and whether the guests' checks pass."""

    passed: bool = True
    timed: list[BootRequest] = field(default_factory=list)
    counted: list[CountRequest] = field(default_factory=list)

    def boot(self, tools: Tools, image: Path, image_format: str, request: BootRequest, directory: Path) -> Boot:
        self.timed.append(request)
        check = Check(name="system is running", passed=self.passed, detail="degraded")
        boot = Boot(index=request.index, firmware=request.firmware, accelerator=request.accelerator, checks=(check,))
        (directory / "console.log").write_text("Welcome\n")
        (directory / BOOT_FILE).write_text(StoredBoot(boot=boot).model_dump_json())
        return boot

    def count(self, tools: Tools, image: Image, request: CountRequest, directory: Path) -> CountedBoot:
        self.counted.append(request)
        (directory / "console.log").write_text("Welcome\n")
        return CountedBoot(busy_seconds=2.0, outside_units_seconds=1.0, shift=0, seed=request.seed)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine()
    monkeypatch.setattr(boots_module, "boot_image", machine.boot)
    monkeypatch.setattr(boots_module, "count_boot", machine.count)
    return machine


@pytest.fixture
def boots(tmp_path: Path, machine: Machine) -> Boots:
    directory = tmp_path / "run/own"
    directory.mkdir(parents=True)
    image = Image("image-key", tmp_path / "image", 4096, 2048, 1024, 9.0, False)
    return Boots(VARIANT, "enforcing", image, Tools(tmp_path, "tools-key"), Store(tmp_path), directory, tmp_path)


def test_a_boot_is_made_once_and_only_where_it_may_be(boots: Boots, machine: Machine) -> None:
    assert boots.get_or_make(TIMED, may_make=False) is None
    made = boots.get_or_make(TIMED, may_make=True)
    again = boots.get_or_make(TIMED, may_make=False)
    assert made
    assert again
    assert (made.reused, again.reused, made.key, len(machine.timed)) == (False, True, again.key, 1)
    assert boots.timed(again, TIMED).boot.console_log == "own/console-bios-1.log"


def test_a_boot_whose_checks_failed_is_an_error_and_is_not_kept(boots: Boots, machine: Machine) -> None:
    machine.passed = False
    for _ in range(2):
        with pytest.raises(WorkbookError, match=r"own: proof of life failed \(bios\): system is running: degraded"):
            boots.get_or_make(TIMED, may_make=True)
    assert len(machine.timed) == 2
    assert boots.get_or_make(TIMED, may_make=False) is None
    (failed,) = boots.failed(TIMED)
    assert [check.passed for check in failed.boot.checks] == [False]


@pytest.mark.parametrize("wanted", [TIMED, COUNTED], ids=["timed", "counted"])
@pytest.mark.parametrize(
    "change",
    [
        lambda boots: replace(boots, image=replace(boots.image, key="another-image")),
        lambda boots: replace(boots, tools=replace(boots.tools, key="other-tools")),
        lambda boots: replace(boots, variant=boots.variant.model_copy(update={"guest_memory_mib": 4096})),
        lambda boots: replace(boots, variant=boots.variant.model_copy(update={"agent": "ignition"})),
        lambda boots: replace(boots, variant=boots.variant.model_copy(update={"data_source": "nocloud"})),
    ],
    ids=["image", "tools", "memory", "agent", "data source"],
)
def test_a_boot_under_other_conditions_is_another_boot(
    boots: Boots, wanted: Wanted, change: Callable[[Boots], Boots]
) -> None:
    assert boots.get_or_make(wanted, may_make=True)
    assert boots.get_or_make(wanted, may_make=False)
    assert change(boots).get_or_make(wanted, may_make=False) is None


def test_each_timed_boot_is_a_boot_of_its_own(boots: Boots, machine: Machine) -> None:
    wanted = [Wanted("bios", 1), Wanted("bios", 2), Wanted("uefi", 1)]
    made = [boots.get_or_make(one, may_make=True) for one in wanted]
    assert len({stored.path for stored in made if stored}) == 3
    assert [(request.firmware, request.index) for request in machine.timed] == [("bios", 1), ("bios", 2), ("uefi", 1)]


def test_each_counted_boot_has_a_seed_of_its_own(boots: Boots, machine: Machine) -> None:
    wanted = [Wanted(None, 1), Wanted(None, 2)]
    made = [boots.get_or_make(one, may_make=True) for one in wanted]
    seeds = [boots.counted(stored, one).seed for stored, one in zip(made, wanted, strict=True) if stored]
    assert seeds == [request.seed for request in machine.counted] == [1, 2]
