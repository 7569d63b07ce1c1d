"""What is compared of two machines after their first boot."""

from pathlib import Path

from atomic_lib.formats.disk.file_system import FileSystem
from atomic_lib.measure.booted import MACHINE_OWN, below
from atomic_lib.measure.equality_rules import booted_rules, load_rules
from tests.measure.test_equality_rules import entry


def test_only_what_is_a_machines_own_is_kept() -> None:
    paths = ("/", "/etc", "/etc/passwd", "/etcetera", "/usr", "/usr/bin/sh", "/usr/local/bin", "/var/lib/a")
    side = FileSystem(Path("raw"), {path: entry() for path in paths}, outside=3)
    kept = below(side, *MACHINE_OWN)
    assert list(kept.entries) == ["/etc", "/etc/passwd", "/usr/local/bin", "/var/lib/a"]
    assert (kept.raw, kept.outside) == (side.raw, 3)


def test_after_the_first_boot_nothing_is_still_to_be_made() -> None:
    rules = {rule.rule: rule for rule in booted_rules()}
    assert {"identity", "host-keys", "one-object", "top-level-links"} <= set(rules)
    assert "var-at-boot" in {rule.rule for rule in load_rules()} - set(rules)
    assert [rule.rule for rule in rules.values() if rule.tmpfiles and "missing" in rule.kinds] == []
