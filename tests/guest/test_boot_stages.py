"""The stages that boot an image: which boots, under which keys, and what decides that one failed."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.store import key_of
from atomic_lib.guest import boot_stages
from atomic_lib.guest.boot_stages import ImageBoot, accelerator_of, image_boots
from atomic_lib.params.variant import Variant
from atomic_lib.tools.accelerator import ProbedAccelerator
from atomic_lib.tools.context import Context
from tests.contexts import own_context
from tests.guest.boots import Guests, install_guests, own_image, own_variant


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return own_context(tmp_path)


@pytest.fixture
def guests(monkeypatch: pytest.MonkeyPatch) -> Guests:
    return install_guests(monkeypatch)


def boot(directory: Path, **changed: object) -> ImageBoot:
    """One boot through BIOS, or as ``changed`` has it."""
    evidence = directory / "evidence"
    evidence.mkdir(exist_ok=True)
    return replace(ImageBoot(own_variant(), "enforcing", own_image(directory), evidence, "bios", 1), **changed)  # type: ignore[arg-type]


def counted(directory: Path, **changed: object) -> ImageBoot:
    return boot(directory, **{"firmware": None, **changed})


def key(one: ImageBoot, context: Context) -> str:
    return key_of(one.stage.key_inputs(one, context))


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        pytest.param(
            {"boots_bios": 2, "boots_uefi": 1, "warm_up": True, "counted_boots": 2},
            ["bios-0", "bios-1", "bios-2", "uefi-0", "uefi-1", "counted-1", "counted-2"],
            id="boots-that-are-timed-alone-come-before-all-counted-ones",
        ),
        pytest.param(
            {"boots_bios": 1, "boots_uefi": 1, "counted_boots": 2},
            ["bios-1", "counted-1", "counted-2", "uefi-1"],
            id="a-counted-boot-is-not-the-last",
        ),
        pytest.param({"boots_bios": 0, "boots_uefi": 1}, ["uefi-1"], id="one-boot"),
        pytest.param({"boots_bios": 0, "counted_boots": 1}, ["counted-1"], id="no-boot-by-the-wall-clock"),
    ],
)
def test_the_order_of_the_boots_of_a_variant(tmp_path: Path, wanted: dict[str, object], names: list[str]) -> None:
    made = image_boots(own_variant(**wanted), "enforcing", own_image(tmp_path), tmp_path)
    assert [one.name for one in made] == names


@pytest.mark.parametrize(
    "changed",
    [
        {"image": own_image(Path(), "image-2")},
        {"index": 2},
        {"firmware": "uefi"},
        {"selinux": "permissive"},
        {"variant": own_variant(agent="cloud-init")},
        {"variant": own_variant(data_source="nocloud")},
        {"variant": own_variant(runtime="none")},
        {"variant": own_variant(guest_cpus=2)},
        {"variant": own_variant(guest_memory_mib=1024)},
        {"variant": own_variant(warm_up=True)},
        {"variant": own_variant(boots_bios=2)},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_all_that_a_boot_depends_on_is_in_its_key(tmp_path: Path, context: Context, changed: dict[str, object]) -> None:
    assert key(boot(tmp_path, **changed), context) != key(boot(tmp_path), context)


@pytest.mark.parametrize(
    "changed",
    [
        {"image": own_image(Path(), "image-2")},
        {"index": 2},
        {"variant": own_variant(agent="cloud-init")},
        {"variant": own_variant(data_source="nocloud")},
        {"variant": own_variant(guest_memory_mib=1024)},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_all_that_a_counted_boot_depends_on_is_in_its_key(
    tmp_path: Path, context: Context, changed: dict[str, object]
) -> None:
    assert key(counted(tmp_path, **changed), context) != key(counted(tmp_path), context)


def test_neither_patience_nor_the_place_of_the_evidence_makes_another_boot(tmp_path: Path, context: Context) -> None:
    for make in (boot, counted):
        other = make(tmp_path, variant=own_variant(boot_timeout_seconds=900), evidence=tmp_path / "elsewhere")
        assert key(other, context) == key(make(tmp_path), context)


def test_a_boot_is_made_as_the_variant_has_it(tmp_path: Path, context: Context, guests: Guests) -> None:
    one = boot(tmp_path, variant=own_variant(guest_cpus=3, runtime="podman"), firmware="uefi", index=4)
    stored = one.stage.get(one, context)
    (request,) = guests.timed
    assert (request.firmware, request.accelerator, request.cpus, request.index) == ("uefi", "tcg", 3, 4)
    assert (request.runtime, request.selinux, request.agent) == ("podman", "enforcing", "min-cloud-agent")
    assert {path.name for path in stored.path.iterdir()} >= {"boot.json", "console.log"}


@pytest.mark.parametrize(
    ("changed", "alone"),
    [
        ({}, False),
        ({"boots_uefi": 1, "counted_boots": 3}, False),
        ({"boots_bios": 2}, True),
        ({"boots_uefi": 2}, True),
        ({"warm_up": True}, True),
    ],
)
def test_only_wall_clock_boots_that_are_repeated_keep_all_others_waiting(
    tmp_path: Path, context: Context, guests: Guests, monkeypatch: pytest.MonkeyPatch, changed: dict[str, object],
    alone: bool,
) -> None:  # fmt: skip
    held: list[tuple[str, bool]] = []

    @contextmanager
    def lock(cache: Path, what: str, *, alone: bool) -> Iterator[None]:
        assert (cache, what.partition(":")[0]) == (context.cache, "own")
        held.append((what.rpartition(" ")[2], alone))
        yield

    monkeypatch.setattr(boot_stages, "machine_lock", lock)
    for make in (boot, counted):
        one = make(tmp_path, variant=own_variant(**changed))
        one.stage.get(one, context)
        one.stage.get(one, context)
    assert held == [("BIOS", alone), ("counting", False)], "not for a boot that is stored"
    assert guests.timed[0].alone is alone


def test_a_guest_waits_for_a_processor_before_those_that_fewer_boots_follow(
    tmp_path: Path, context: Context, guests: Guests
) -> None:
    variant = own_variant(boots_bios=1, boots_uefi=1, counted_boots=1)
    for one in image_boots(variant, "enforcing", own_image(tmp_path), tmp_path):
        one.stage.get(one, context)
    assert guests.slots == [("tcg", 2), ("tcg", 1), ("tcg", 0)]


def test_each_counted_boot_has_a_seed_of_its_own(tmp_path: Path, context: Context, guests: Guests) -> None:
    seeds = []
    for index in (1, 2):
        one = counted(tmp_path, index=index)
        seeds.append(json.loads((one.stage.get(one, context).path / "boot.json").read_text())["seed"])
    assert seeds == [1, 2]
    assert [request.seed for request in guests.counted] == [1, 2]


def test_a_boot_that_fails_its_proof_of_life_is_an_error_and_is_not_kept(
    tmp_path: Path, context: Context, guests: Guests
) -> None:
    guests.checks = {"system is running": True, "the key is there": False}
    one = boot(tmp_path)
    with pytest.raises(WorkbookError) as caught:
        one.stage.get(one, context)
    assert caught.value.message == "own: proof of life failed (bios): the key is there: as told"
    assert "guest-bios-1.log" in caught.value.hint
    assert not one.stage.has(one, context)
    assert {path.name for path in one.evidence.iterdir()} == {"boot-bios-1.json", "console-bios-1.log"}


@pytest.mark.parametrize("make", [boot, counted])
def test_a_guest_that_is_not_reached_leaves_its_console_where_the_hint_says(
    tmp_path: Path, context: Context, guests: Guests, make: type[ImageBoot]
) -> None:
    guests.unreachable = True
    one = make(tmp_path)  # type: ignore[call-arg, arg-type]
    with pytest.raises(WorkbookError, match="no ssh login") as caught:
        one.stage.get(one, context)
    console = one.evidence / f"console-{one.name}.log"
    assert caught.value.hint == f"read {console}"
    assert console.read_text() == "the end of the console\n"


def test_what_an_earlier_failure_left_does_not_stay_beside_a_boot_that_succeeds(
    tmp_path: Path, context: Context, guests: Guests
) -> None:
    one = boot(tmp_path)
    guests.checks = {"system is running": False}
    with pytest.raises(WorkbookError, match="proof of life"):
        one.stage.get(one, context)
    guests.checks = {"system is running": True}
    one.stage.get(one, context)
    assert not (one.evidence / "boot-bios-1.json").exists()


@pytest.fixture
def probes(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The probes of KVM that were made; each finds none."""
    made: list[object] = []

    def probe(tools: object) -> ProbedAccelerator:
        made.append(tools)
        return ProbedAccelerator("tcg", "no /dev/kvm here")

    monkeypatch.setattr(boot_stages, "probe_accelerator", probe)
    return made


def test_kvm_is_tried_once_and_only_for_who_may_have_it(context: Context, probes: list[object]) -> None:
    assert accelerator_of(own_variant(accelerator="tcg"), context) == "tcg"
    assert probes == []
    automatic: Variant = own_variant(accelerator="auto")
    assert [accelerator_of(automatic, context) for _ in range(2)] == ["tcg", "tcg"]
    assert len(probes) == 1


@pytest.mark.usefixtures("probes")
def test_who_asks_for_kvm_and_cannot_have_it_is_told_why(context: Context) -> None:
    with pytest.raises(WorkbookError, match="accelerator: kvm: no /dev/kvm here"):
        accelerator_of(own_variant(accelerator="kvm"), context)
