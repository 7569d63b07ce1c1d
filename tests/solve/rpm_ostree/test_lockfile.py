"""rpm-ostree's lockfiles: what they pin, what dnf is kept from seeing, and what is refused."""

import hashlib
import json
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.solve.lock import Lock, LockedPackage, write_lock
from atomic_lib.solve.rpm_ostree.lockfile import (
    AvailablePackage,
    Lockfile,
    PinnedPackage,
    hidden_packages,
    read_requested_lock,
    require_available,
    require_digests,
)

BASH = LockedPackage("bash", 0, "5.2", "2", "x86_64", "a" * 64, 1, "base")
OWN = Lockfile(Path("l.json"), (PinnedPackage("bash", 0, "5.2", "2", "x86_64"), PinnedPackage("own", 1, "1", "1.fc40")))
AVAILABLE = (
    AvailablePackage("bash", 0, "5.2", "2", "x86_64", "base"),
    AvailablePackage("bash", 0, "5.2", "2", "i686", "base"),
    AvailablePackage("bash", 0, "5.3", "1", "x86_64", "updates"),
    AvailablePackage("own", 1, "1", "1.fc40", "noarch", "base"),
    AvailablePackage("own", 0, "1", "1.fc40", "noarch", "base"),
    AvailablePackage("other", 0, "9", "9", "noarch", "base"),
)


def written(path: Path, packages: object, **others: object) -> Path:
    path.write_text(json.dumps({"packages": packages, **others}))
    return path


def test_both_forms_of_a_version_are_read(tmp_path: Path) -> None:
    packages = {
        "own": {"evr": "1:1-1.fc40", "metadata": {"type": "pin"}},
        "bash": {"evra": "5.2-2.x86_64", "digest": f"sha256:{'a' * 64}", "metadata": {"sourcerpm": "bash"}},
    }
    path = written(tmp_path / "manifest-lock.x86_64.json", packages, metadata={"generated": "2024-01-01T00:00:00Z"})
    bash = PinnedPackage("bash", 0, "5.2", "2", "x86_64", f"sha256:{'a' * 64}")
    assert read_requested_lock(path) == Lockfile(path, (bash, OWN.packages[1]))


def test_overrides_are_yaml(tmp_path: Path) -> None:
    path = tmp_path / "manifest-lock.overrides.yaml"
    path.write_text("# why\npackages:\n  own:\n    evr: 1:1-1.fc40\n    metadata: {type: fast-track}\n")
    assert read_requested_lock(path) == Lockfile(path, OWN.packages[1:])


def test_yaml_is_that_of_rpm_ostree(tmp_path: Path) -> None:
    path = tmp_path / "lock.yml"
    path.write_text("packages:\n  no:\n    evr: 2024-01\n")
    assert read_requested_lock(path) == Lockfile(path, (PinnedPackage("no", 0, "2024", "01"),))


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.yaml", "# none\n"), ("a.yaml", "packages:\n"), ("a.json", "{}"), ("a.json", '{"packages": null}')],
)
def test_a_file_without_packages_says_how_to_name_none(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(WorkbookError, match=f"{name}: names no packages") as caught:
        read_requested_lock(tmp_path / name)
    assert '"packages": {}' in caught.value.hint


def test_the_lock_of_a_build_is_read_as_such(tmp_path: Path) -> None:
    lock = Lock("standin", (BASH,))
    write_lock(lock, tmp_path / "lock.json")
    assert read_requested_lock(tmp_path / "lock.json") == lock
    with pytest.raises(WorkbookError, match="no such lock file"):
        read_requested_lock(tmp_path / "none.json")


def test_all_that_is_wrong_is_named_in_one_run(tmp_path: Path) -> None:
    packages = {
        "a": {"evr": "1"},
        "b": {"evra": "1-1"},
        "c": {},
        "d": {"evr": "1-1", "evra": "1-1.noarch"},
        "e": {"evr": "1-1", "digest": "md5:00"},
        "--x": {"evr": "1-1"},
        "f": {"evr": "1-1", "repo": "own"},
        "g": {"evra": "1-1,*.noarch"},
        "h\x1b[2J": {"evr": f"{'9' * 5000}:1-1"},
        "fine": {"evr": "1-1"},
    }
    path = written(tmp_path / "lock.json", packages, soruce=[])
    with pytest.raises(WorkbookError) as caught:
        read_requested_lock(path)
    assert caught.value.message.replace(f"{path}: ", "").splitlines() == [
        "'soruce' is no key of a lockfile",
        "packages: 'a': '1' is not EPOCH:VERSION-RELEASE",
        "packages: 'b': '1-1' is not EPOCH:VERSION-RELEASE.ARCH",
        "packages: 'c': must have a text evra or evr, one of the two",
        "packages: 'd': must have a text evra or evr, one of the two",
        "packages: 'e': digest 'md5:00' is not ALGORITHM:HEX of sha256, sha384 or sha512",
        "packages: '--x': name '--x' is not one that rpm accepts",
        "packages: 'f': must be a mapping with the keys evra or evr, digest and metadata",
        "packages: 'g': release '1,*' is not one that rpm accepts",
        f"packages: 'h\\x1b[2J': {('9' * 5000)!r:.100} is not EPOCH:VERSION-RELEASE".replace("9' is", "9 is"),
    ]


def test_dnf_sees_no_other_version_of_a_locked_package() -> None:
    require_available(OWN, AVAILABLE, "standin")
    assert hidden_packages(OWN, AVAILABLE) == [
        "bash-0:5.2-2.i686", "bash-0:5.3-1.x86_64", "own-0:1-1.fc40.noarch"
    ]  # fmt: skip


def test_all_that_the_content_lacks_is_one_error() -> None:
    with pytest.raises(WorkbookError) as caught:
        require_available(OWN, AVAILABLE[1:3], "standin")
    assert caught.value.message.splitlines() == [
        "l.json: bash-0:5.2-2.x86_64: content 'standin' has bash-0:5.2-2.i686, bash-0:5.3-1.x86_64",
        "l.json: own-1:1-1.fc40: content 'standin' has no package of this name",
    ]
    assert "lockfile-repos" in caught.value.hint


def test_a_file_with_another_digest_is_refused(tmp_path: Path) -> None:
    (tmp_path / BASH.file_name).write_bytes(b"rpm")
    digest = hashlib.sha512(b"rpm").hexdigest()

    def lockfile(hexadecimal: str) -> Lockfile:
        return Lockfile(Path("l.json"), (PinnedPackage("bash", 0, "5.2", "2", "", f"sha512:{hexadecimal}"),))

    require_digests(lockfile(digest), [BASH], tmp_path)
    with pytest.raises(WorkbookError, match=f"bash-0:5.2-2.x86_64: sha512 is {digest}, the lockfile says 00"):
        require_digests(lockfile("00"), [BASH], tmp_path)


@pytest.mark.parametrize("value", ["!!bool x", "!!timestamp x", "!!int x"])
def test_a_value_that_its_tag_does_not_fit_is_refused_by_the_name_of_the_file(tmp_path: Path, value: str) -> None:
    path = tmp_path / "lock.yaml"
    path.write_text(f"packages:\n  bash: {value}\n")
    with pytest.raises(WorkbookError) as caught:
        read_requested_lock(path)
    assert caught.value.message.startswith(f"{path}: not valid YAML: ")
