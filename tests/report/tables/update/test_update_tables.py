"""The tables of an update that went well, and of one that did not."""

from dataclasses import replace

from atomic_lib.guest.update.update_downloads import UpdateDownloads
from atomic_lib.report.elements.cells import MISSING
from atomic_lib.report.tables.update import update_tables
from tests.guest.update.updates import (
    AFTER,
    BEFORE,
    KERNELS,
    dnf_guest,
    dnf_ways,
    good_downloads,
    good_guest,
    good_ways,
    state,
)
from tests.report.factory import texts

EXPECTED = (BEFORE, BEFORE, AFTER, BEFORE)
RUNNING = tuple(KERNELS[version] for version in EXPECTED)


def test_each_way_is_shown_to_the_byte_and_what_is_not_measured_as_such() -> None:
    table = update_tables.downloads_table(good_ways())
    assert texts(table) == [
        ["look for the update", "5", "5", "5", MISSING, "1,500", "1,500", "1,500", "✓ to the byte"],
        ["loose objects", "321", "321", "321", "1,220,000 (-1.2 %)", "1,234,567", "1,234,567", "1,234,567",
         "✓ to the byte"],
        ["static delta", "7", "7", MISSING, MISSING, "1,000,001", "1,000,001", MISSING, "✓ to the byte"],
        ["casync, chunks of the tree", "58", "58", MISSING, MISSING, "1,700,000", "1,700,000", MISSING,
         "✓ to the byte"],
        ["OCI layers, by package", "6", "6", MISSING, MISSING, "2,345,678", "2,345,678", MISSING, "✓ to the byte"],
        ["the least possible for files", "1", MISSING, MISSING, MISSING, "900,000", MISSING, MISSING, MISSING],
        ["whole image (qcow2)", "1", MISSING, MISSING, "260,833,280 (-0.5 %)", "262,144,000", MISSING,
         MISSING, MISSING],
    ]  # fmt: skip


def test_the_ways_of_dnf_are_predicted_from_the_locks() -> None:
    assert texts(update_tables.downloads_table(dnf_ways())) == [
        ["look for the update", "3", MISSING, "3", MISSING, "80,000", MISSING, "80,000", "✓ to the byte"],
        ["RPM files", "2", MISSING, "2", "400,000", "400,000", MISSING, "400,000", "✓ to the byte"],
        ["RPM files, to undo it", "1", MISSING, "1", "125,000", "125,000", MISSING, "125,000", "✓ to the byte"],
    ]


def test_a_byte_that_was_not_predicted_is_seen() -> None:
    check, loose, delta = good_downloads().ways
    one_more = loose.measured.model_copy(update={"bytes": loose.measured.bytes + 1})
    ways = (check, loose.model_copy(update={"measured": one_more}), delta.model_copy(update={"same_files": False}))
    rows = texts(update_tables.downloads_table(good_ways(UpdateDownloads(ways=ways))))
    assert [row[-1] for row in rows[:3]] == ["✓ to the byte", "✗ not as predicted", "✗ not as predicted"]
    in_guest = replace(good_ways()[1], guest=one_more)
    assert texts(update_tables.downloads_table([in_guest]))[0][-1] == "✗ not as predicted"


def test_the_steps_are_in_their_order() -> None:
    rows = texts(update_tables.steps_table(good_guest()))
    assert [row[0].partition(":")[0] for row in rows] == [
        "check", "download", "deploy", "reboot into version 2, until the login", "rollback",
        "reboot into version 1, until the login",
    ]  # fmt: skip
    assert rows[1][1:] == ["321", "1,234,567", "50.0 MB", "1,000.0 MB", "7.2 s", "20.0 s", MISSING]
    assert rows[3][3:] == [MISSING, MISSING, MISSING, "60.0 s", "75.0 s"]


def test_what_stayed_and_what_changed() -> None:
    rows = texts(update_tables.states_table(good_guest(), EXPECTED, RUNNING))
    assert rows[0][1:] == [f"✓ {commit[:12]}" for commit in (BEFORE, BEFORE, AFTER, BEFORE)]
    assert rows[1] == ["kernel (uname -r)", "✓ 6.12.1", "✓ 6.12.1", "✓ 6.12.2", "✓ 6.12.1"]
    assert all(cell.startswith("✓") for row in rows[1:-2] for cell in row[1:])
    assert rows[-1][1:] == ["none"] * 4
    guest = good_guest()
    lost = state(BEFORE).model_copy(update={"var_kept": False, "container_running": None})
    bad = guest.model_copy(update={"states": (guest.states[0], lost, guest.states[2])})
    found = {row[0]: row[3] for row in texts(update_tables.states_table(bad, EXPECTED, RUNNING))}
    assert found["booted commit"].startswith("✗")
    assert found["kernel (uname -r)"] == "✗ 6.12.1"
    assert (found["a file in /var"], found["a container with --restart always"]) == ("✗ lost", MISSING)


def test_a_traditional_guest_is_known_by_its_packages_and_its_usr_is_writable() -> None:
    table = update_tables.states_table(dnf_guest(), (BEFORE, AFTER, AFTER, BEFORE), ("6.12.1",) * 4)
    rows = {row[0]: row[1:] for row in texts(table)}
    versions = [f"✓ {identity[:12]}" for identity in (BEFORE, AFTER, AFTER, BEFORE)]
    assert rows["packages, by the digest of their list"] == versions
    assert rows["/usr"] == ["writable"] * 4
    assert rows["files that rpm left in /etc"] == ["none", "/etc/issue.rpmnew", "/etc/issue.rpmnew", "none"]
    steps = [row[0].partition(":")[0] for row in texts(update_tables.steps_table(dnf_guest()))]
    assert (steps[2], steps[4]) == ("install", "undo")


def test_each_file_of_etc_with_what_both_sides_did() -> None:
    rows = texts(update_tables.etc_table(good_guest()))
    assert rows[0] == ["/etc/update-added", MISSING, "added", "✓ version 2's", "✓ as before"]
    assert rows[3] == ["/etc/issue", "changed", "changed", "✓ the administrator's", "✓ as before"]
    assert all(row[3].startswith("✓") for row in rows)


def test_what_only_the_first_boot_shows_is_not_checked_again() -> None:
    rows = texts(update_tables.proofs_table(good_guest()))
    assert rows == [["system is running", "✓ passed", "✓ passed", "✓ passed"],
                    ["user-data script ran", "✓ passed", MISSING, MISSING]]  # fmt: skip


def test_what_is_not_measured_is_named() -> None:
    page = update_tables.NOT_MEASURED._repr_html_()
    assert all(word in page for word in ("Power cuts", "does not come up", "zstd:chunked", "kernel"))
