"""What may be broken, in which variant, and the verdict."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.guest.update.return_faults import FAULTS
from atomic_lib.params.variant import load_variant
from atomic_lib.pipeline.build import Build
from atomic_lib.pipeline.update import variant_return, variant_update
from atomic_lib.pipeline.update.variant_return import open_returns, require_returned
from tests.contexts import own_context
from tests.guest.update.returns import outcome


@pytest.fixture(autouse=True)
def own_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Builds in a directory of the test."""
    monkeypatch.setattr(variant_update, "open_build", lambda variant: Build(variant, own_context(tmp_path)))


def test_version_2_has_the_fault_and_both_have_the_health_check() -> None:
    for one in open_returns("atomic-min-return", " ".join(FAULTS)):
        before, after = one.update.before, one.update.after
        assert (before.variant.parts, after.variant.parts) == ("", FAULTS[one.name].part)
        for build in (before, after):
            scripts = [script.text for script in build.whole_recipe.post_scripts]
            assert sum("ln -s ../automatic-return.service" in text for text in scripts) == 1
            assert "usr/libexec/automatic-return" in {file.path for file in build.whole_recipe.added_files}
        assert {*before.whole_recipe.post_scripts} < {*after.whole_recipe.post_scripts}


def test_a_good_update_is_shown_on_one_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variant_return, "load_variant", lambda name: load_variant(name, overrides={"guest_cpus": 2}))
    (good,) = open_returns("atomic-min-return", "nothing")
    (bad,) = open_returns("atomic-min-return", "docker docker")
    assert (good.update.before.variant.guest_cpus, bad.update.before.variant.guest_cpus) == (1, 2)


@pytest.mark.parametrize(
    ("variant", "faults", "said"),
    [
        ("atomic-min-return", "disk", "disk: no such fault for version 2"),
        ("atomic-min-return", "", "version 2 has no fault to return from"),
        ("atomic-min", "unit", "atomic-min: automatic_return is 0, so nothing takes it back to version 1"),
    ],
)
def test_what_cannot_go_back_is_said_at_once(variant: str, faults: str, said: str) -> None:
    with pytest.raises(WorkbookError) as caught:
        open_returns(variant, faults)
    assert caught.value.message == said
    assert caught.value.hint
    assert "version 2" not in said or caught.value.hint.endswith("; or all")


def test_the_verdict_counts_what_went_back_and_what_stayed() -> None:
    said = require_returned([outcome("docker"), outcome("unit"), outcome("nothing")]).text
    assert said == (
        "All guests with a fault in version 2 went back to version 1: 2 guests. The good version 2 stayed: 1 guest."
    )
    assert "stayed" not in require_returned([outcome("docker")]).text
    assert "went back" not in require_returned([outcome("nothing")]).text


def test_the_verdict_names_what_is_not_as_expected() -> None:
    with pytest.raises(WorkbookError) as caught:
        require_returned([outcome("docker"), outcome("unit", entries=(0, 1))])
    assert "unit: GRUB booted the entries (0, 1), not (0, 0, 1)" in caught.value.message
