"""The updates of several variants side by side: figures, outcomes, and what was not made."""

from dataclasses import replace

import pytest

from atomic_lib.report.elements.cells import MISSING
from atomic_lib.report.tables.update import (
    control_tables,
    study_outcome_tables,
    study_update_tables,
    study_update_words,
)
from tests.guest.update.updates import USED, USED_AFTER
from tests.measure.power_cuts.states import WHOLE_1, WORN, states_of
from tests.report.factory import plain, texts
from tests.results.update.study_updates import ALL_UPDATES, CUTS, DNF, OSTREE, REFUSALS, RETURNS, ROUNDS, UPDATES


def test_both_variants_stand_side_by_side() -> None:
    rows = {row[0]: row[1:] for row in texts(study_update_tables.compared_table(UPDATES))}
    assert rows["downloaded"] == ["0.5 MB", "1.2 MB"]
    assert rows["requests"] == ["5", "326"]
    assert rows["of it the update, predicted from the locks"] == ["0.4 MB", "1.2 MB"]
    assert rows["down until Docker answers in version 2"] == ["75.0 s", "75.0 s"]
    assert rows["to go back: downloaded"] == ["0.1 MB", "0"]
    assert rows["what can be undone"] == [
        "✓ the transaction: dnf history undo last", "✓ all but /var: ostree admin set-default 1",
    ]  # fmt: skip
    assert rows["files of /etc as a three-way merge has them"][1] == "7 of 7"
    assert rows["/usr"] == ["writable", "✓ read-only throughout"]
    assert rows["ways as predicted"] == ["✓ 3 of 3 to the byte", "✓ 5 of 5 to the byte"]
    assert rows["proof of life"] == ["✓ 3 of 3 boots"] * 2


def test_a_sum_of_steps_is_known_only_if_each_of_them_is() -> None:
    rows = {row[0]: row[1:] for row in texts(study_update_tables.compared_table(UPDATES))}
    assert rows["written to the disk"] == [MISSING, MISSING], "only the download was measured"
    steps = tuple(step.model_copy(update={"before": USED, "after": USED_AFTER}) for step in OSTREE.guest.steps)
    whole = OSTREE.model_copy(update={"guest": OSTREE.guest.model_copy(update={"steps": steps})})
    rows = {row[0]: row[1:] for row in texts(study_update_tables.compared_table(replace(UPDATES, updates=(whole,))))}
    assert (rows["written to the disk"], rows["processor time"]) == (["150.0 MB"], ["21.6 s"])
    assert rows["to go back: written to the disk"] == ["50.0 MB"]


def test_what_an_update_did_not_leave_alone_is_seen() -> None:
    guest = OSTREE.guest
    bad = guest.states[2].model_copy(
        update={"commit": "c" * 64, "var_kept": False, "selinux": "permissive", "usr_read_only": False}
    )
    lost = OSTREE.model_copy(update={"guest": guest.model_copy(update={"states": (*guest.states[:2], bad)})})
    rows = {row[0]: row[1] for row in texts(study_update_tables.compared_table(replace(UPDATES, updates=(lost,))))}
    for title in ("what can be undone", "/var, a container and its volume", "SELinux", "/usr"):
        assert rows[title].startswith("✗"), title


def test_the_tables_of_the_ways_have_names_and_anchors_of_their_own() -> None:
    shown = study_update_tables.downloads_tables(UPDATES)._repr_html_()
    for variant in ("cloud-docker", "atomic-min"):
        assert shown.count(f'id="update-downloads-{variant}"') == 1
        assert f"What the update costs to download: {variant}" in shown


def test_each_round_has_its_outcome_and_leads_to_its_page() -> None:
    bad = ROUNDS[1].model_copy(update={"error": "1 byte more"})
    skipped = ROUNDS[2].model_copy(update={"error": "not made: cloud-docker failed"})
    table = study_update_tables.rounds_table(replace(UPDATES, rounds=(ROUNDS[0], bad, skipped)))
    assert texts(table) == [
        ["update: cloud-docker", "✓ as it must be"],
        ["update: atomic-min", "✗ 1 byte more"],
        ["power cuts: atomic-min", "✗ not made: cloud-docker failed"],
    ]
    page = table._repr_html_()
    assert 'href="atomic-min/update.html"' in page
    assert "power-cuts.html" not in page, "there is no page of what was not made"


def test_the_controls_must_fail_more_often_than_the_upgrade() -> None:
    rows = texts(control_tables.controls_table(CUTS))
    assert rows == [
        ["the upgrade", "8", "1", "12.5 %", "0", "the standard"],
        ["control: ostree with fsync off", "2", "2", "100.0 %", "1", "✓ fails, as it must"],
        ["control: deployed without a sync", "2", "1", "50.0 %", "1", "✓ fails, as it must"],
        ["control: packages by dnf", "4", "2", "50.0 %", "1", "✓ fails, as it must"],
    ]
    equal = states_of("no-sync", *[WHOLE_1] * 7, WORN)
    good = CUTS.model_copy(update={"recordings": (CUTS.upgrade, equal, states_of("dnf", WHOLE_1))})
    assert [row[-1] for row in texts(control_tables.controls_table(good))[1:]] == ["✗ does not fail"] * 2


def test_power_cuts_have_their_states_and_both_maps() -> None:
    shown = study_outcome_tables.states_tables(UPDATES)._repr_html_()
    for anchor in ("power-cut-states", "power-cut-controls", "power-cut-steps"):
        assert f'id="{anchor}"' in shown
    maps = study_outcome_tables.cut_maps(UPDATES)._repr_html_()
    for anchor in ("power-cut-map-none", "power-cut-map-dnf", "power-cut-damage", "power-cut-boots"):
        assert f'id="{anchor}"' in maps


def test_what_was_made_is_shown_and_what_was_not_says_what_makes_it() -> None:
    assert "Guests of atomic-min-return." in study_outcome_tables.returns(ALL_UPDATES)._repr_html_()
    shown = study_outcome_tables.refusals(ALL_UPDATES)._repr_html_()
    assert "One guest of atomic-min, 2 attempts." in shown
    assert 'id="upgraded-twice"' in shown
    for part, key, command in (
        (study_outcome_tables.returns(UPDATES), "automatic_return", "./workbook update --break all"),
        (study_outcome_tables.refusals(UPDATES), "refusals", "./workbook update --refuse all"),
        (study_outcome_tables.states_tables(replace(UPDATES, power_cuts=None)), "power_cuts", "./workbook power-cuts"),
    ):
        text = part._repr_html_()
        assert "Not measured in this run." in text
        assert f"updates: {key}" in text
        assert command in text


def test_what_failed_is_not_said_to_have_been_left_out() -> None:
    failed = ROUNDS[2].model_copy(update={"error": "no such luck"})
    text = study_outcome_tables.states_tables(replace(UPDATES, power_cuts=None, rounds=(failed,)))._repr_html_()
    assert "Not measured: no such luck" in text


@pytest.mark.parametrize(
    "part",
    [
        study_update_tables.rounds_table,
        study_update_tables.compared_table,
        study_update_tables.downloads_tables,
        study_outcome_tables.states_tables,
        study_outcome_tables.cut_maps,
        study_outcome_tables.returns,
        study_outcome_tables.refusals,
        study_outcome_tables.gaps,
        study_update_words.section,
    ],
)
def test_a_study_that_updates_nothing_shows_nothing(part: object) -> None:
    assert callable(part)
    assert part(None)._repr_html_() == ""


def test_gaps_name_what_no_part_of_the_page_has() -> None:
    text = study_outcome_tables.gaps(UPDATES)._repr_html_()
    assert "zstd:chunked" in text
    assert "Disks that lie." in text
    assert "./workbook power-cuts" not in text


def test_the_front_page_has_the_sums() -> None:
    failed = ROUNDS[1].model_copy(update={"error": "1 byte more"})
    text = plain(study_update_words.section(replace(UPDATES, rounds=(*ROUNDS, failed)))._repr_html_())
    assert (
        "dnf downloaded 400,000 bytes in 2 requests. From the command to reboot until Docker answered it took" in text
    )
    assert "ostree downloaded 1,234,567 bytes in 321 requests." in text
    assert "To undo it downloads 125,000 bytes." in text
    assert "To undo it downloads nothing." in text
    assert (
        "16 states checked, 120 a minute. Of 8 that a cut during the upgrade of atomic-min can leave, 1 do not" in text
    )
    assert "ostree with fsync off: 2 of 2; deployed without a sync: 1 of 2; packages by dnf: 2 of 4." in text
    assert "✗ 1 byte more" in text
    assert DNF.variant in text


def test_the_summary_has_the_bytes_of_each_way_and_what_went_wrong() -> None:
    failed = ROUNDS[2].model_copy(update={"error": "no such luck"})
    text = plain(study_update_words.summary_lines(replace(ALL_UPDATES, rounds=(*ROUNDS[:2], failed))))
    first, dnf, ostree, cuts, back, refused, last = text.splitlines()
    assert first == "Updates to a version 2:"
    assert dnf == "- cloud-docker, package config: check 80.0 kB, RPM files 0.4 MB, RPM files to undo it 0.1 MB"
    assert "loose objects 1.2 MB, static delta 1.0 MB, casync chunks 1.7 MB, OCI layers 2.3 MB, least" in ostree
    assert "least possible 0.9 MB (predicted)" in ostree
    assert ostree.endswith("whole image 262.1 MB (predicted)")
    assert cuts.startswith("- power cuts: 16 states checked, 120 a minute. Of 8 that a cut during the upgrade of ")
    assert back == "- automatic return of atomic-min-return: 2 of 2 guests as it must be"
    assert refused == "- updates with a fault: 2 of 2 attempts treated as they must be"
    assert last == "- power cuts of atomic-min: failed: no such luck"


def test_the_summary_counts_only_what_is_as_it_must_be() -> None:
    lost = RETURNS.outcomes[0].guest.model_copy(update={"entries": (0, 1)})
    bad = RETURNS.model_copy(update={"outcomes": (replace(RETURNS.outcomes[0], guest=lost), RETURNS.outcomes[1])})
    taken = REFUSALS.guest.results[0].model_copy(update={"first": REFUSALS.guest.results[1].first})
    guest = REFUSALS.guest.model_copy(update={"results": (taken, REFUSALS.guest.results[1])})
    all_bad = replace(ALL_UPDATES, returns=bad, refusals=REFUSALS.model_copy(update={"guest": guest}))
    text = study_update_words.summary_lines(all_bad)
    assert "1 of 2 guests as it must be" in plain(text)
    assert "1 of 2 attempts treated as they must be" in plain(text)


def test_the_summary_of_a_study_that_updates_nothing_says_nothing_of_updates() -> None:
    assert study_update_words.summary_lines(None) == ""
