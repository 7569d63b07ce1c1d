"""The RPMs of stand-in packages: each is converted once for its .deb file, whatever else is asked for."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.content.standin import package_rpms as module
from atomic_lib.content.standin.converter import Source
from atomic_lib.content.standin.fedora_names import Naming
from atomic_lib.content.standin.package_rpms import PackageRequest, package_rpms
from atomic_lib.tools.context import Context
from tests.contexts import own_context


def request_of(name: str, sha256: str = "0", **options: Any) -> PackageRequest:
    return PackageRequest(Source(name, Path(f"/{name}.deb"), Naming(name), **options), sha256)


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return own_context(tmp_path)


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The names of what was converted together, in order."""
    found: list[list[str]] = []

    def convert(_: object, sources: list[Source], work: Path) -> dict[str, list[Path]]:
        found.append([source.name for source in sources])
        time.sleep(0.1)
        for source in sources:
            (work / source.name).mkdir(parents=True)
            (work / source.name / f"{source.name}.rpm").write_text(source.name)
        return {source.name: [work / source.name / f"{source.name}.rpm"] for source in sources}

    monkeypatch.setattr(module, "convert", convert)
    return found


def test_only_what_is_new_is_converted_and_that_together(context: Context, batches: list[list[str]]) -> None:
    first = package_rpms([request_of("a"), request_of("b")], context)
    again = package_rpms([request_of("a"), request_of("c"), request_of("b")], context)
    assert batches == [["a", "b"], ["c"]]
    assert {name: again[name] for name in first} == first
    assert [path.read_text() for path in again["c"]] == ["c"]
    assert list((context.cache / "tmp").iterdir()) == []


def test_variants_that_are_built_at_the_same_time_convert_a_package_once(
    context: Context, batches: list[list[str]]
) -> None:
    with ThreadPoolExecutor(2) as threads:
        one, two = threads.map(lambda name: package_rpms([request_of("a"), request_of(name)], context), ("b", "c"))
    assert one["a"] == two["a"]
    assert sorted(name for batch in batches for name in batch) == ["a", "b", "c"]


def test_another_file_and_other_options_are_another_package(context: Context, batches: list[list[str]]) -> None:
    package_rpms([request_of("a")], context)
    for other in (request_of("a", "1"), request_of("a", dropped=("b",)), request_of("a", policy=True)):
        package_rpms([other], context)
    assert len(batches) == 4


def test_a_damaged_rpm_is_converted_again(context: Context, batches: list[list[str]]) -> None:
    (rpm,) = package_rpms([request_of("a")], context)["a"]
    assert rpm.stat().st_mode & 0o777 == 0o444
    rpm.unlink()
    rpm.write_text("b")
    (again,) = package_rpms([request_of("a")], context)["a"]
    assert (again.read_text(), len(batches)) == ("a", 2)


def test_many_packages_have_no_line_of_progress_each(
    context: Context, batches: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    package_rpms([request_of("a"), request_of("b")], context)
    assert capsys.readouterr().err == ""
