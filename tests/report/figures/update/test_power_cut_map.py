"""The picture of the map: shares of each flush, and the sums for those who do not see it."""

from dataclasses import replace

import pytest

from atomic_lib.report.figures.picture import Picture
from atomic_lib.report.figures.update.power_cut_map import cuts_map, power_cut_map, shares_of
from tests.measure.power_cuts.states import LOST, MIXED, WHOLE_1, WHOLE_2, WORN, states_of
from tests.results.update.study_updates import UPDATES

UPGRADE = states_of("none", WHOLE_1, WHOLE_1, WHOLE_1, LOST, WHOLE_2, WORN)


def test_the_shares_of_each_flush_add_up() -> None:
    shares = shares_of(UPGRADE)
    assert shares == [(1.0, 0.0, 0.0, 0.0, 0.0), (0.5, 0.0, 0.0, 0.0, 0.5), (0.0, 0.5, 0.5, 0.0, 0.0)]
    assert shares_of(states_of("dnf", WHOLE_2, MIXED)) == [(0.0, 0.5, 0.0, 0.5, 0.0)]
    assert [sum(one) for one in shares] == pytest.approx([1.0] * 3)


def test_the_picture_says_the_sums_in_words() -> None:
    picture = power_cut_map([UPGRADE, states_of("no-sync", LOST)])
    assert (
        "the upgrade: version 1 boots 3, version 2 boots 1, boots, not whole 1, mixed 0, unbootable 1. "
        "control: deployed without a sync: version 1 boots 0, version 2 boots 0, boots, not whole 0, mixed 0, "
        "unbootable 1."
    ) in picture.alt
    shown = picture._repr_html_()
    assert shown.count("<svg") == 2
    for kind in ("version 1 boots", "unbootable"):
        assert kind in shown


def test_the_map_of_a_study_has_the_upgrade_and_the_controls() -> None:
    found = cuts_map(UPDATES)
    assert isinstance(found, Picture)
    assert "the upgrade: version 1 boots 3" in found.alt
    assert "control: packages by dnf: " in found.alt


def test_without_power_cuts_there_is_no_map() -> None:
    for updates in (None, replace(UPDATES, power_cuts=None)):
        assert cuts_map(updates)._repr_html_() == ""
