"""An ordinary user, made for the test, builds the default study from nothing: the same bits as the host's root."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from atomic_lib.base import command
from atomic_lib.base.paths import CHECKOUT
from atomic_lib.tools.user_namespace import is_inside

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or is_inside(), reason="starts as the host's root, outside of the namespace: .ci/run"
)
USER, OTHER = "workbook-tester", "workbook-other"
SECONDS = 1800
WORDS = ["./workbook", "run", "--set", "last_stage=image"]
VARIANTS = {"cloud-docker", "atomic-cloud-init", "atomic-min"}


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """The home of an ordinary user with subordinate ids; both go after the tests."""
    command.run(["useradd", "--create-home", "--shell", "/bin/sh", USER])
    home = Path("/home", USER)
    home.chmod(0o755)
    try:
        yield home
    finally:
        command.run(["userdel", "--remove", USER])


@pytest.fixture(scope="module")
def clone(home: Path) -> Path:
    """A clone of the last commit, which belongs to the user."""
    clone = home / "a clone"
    command.run(["git", "-c", f"safe.directory={CHECKOUT}", "clone", "--quiet", "--no-hardlinks", CHECKOUT, clone])
    command.run(["chown", "-R", f"{USER}:{USER}", clone])
    return clone


def as_user(name: str, words: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    line = ["runuser", "-u", name, "--", "env", "-i", f"HOME=/home/{name}", f"PATH={os.environ['PATH']}", *words]
    return subprocess.run(line, cwd=cwd, capture_output=True, text=True, timeout=SECONDS, check=False)


@pytest.fixture(scope="module")
def run(clone: Path, home: Path) -> subprocess.CompletedProcess[str]:
    return as_user(USER, [*WORDS, "--publish", str(home / "a site")], clone)


def built(page: str) -> dict[str, tuple[str, str, str]]:
    """The lock, the commit and the sha256 of the raw image of each variant of a run, by the path of its page."""
    results = [json.loads(path.read_text()) for path in Path(page).parent.glob("*/result.json")]
    return {one["variant"]: (one["lock_sha256"], one["commit"], one["image_sha256"]) for one in results}


def test_the_same_bits_as_the_hosts_root(run: subprocess.CompletedProcess[str]) -> None:
    assert run.returncode == 0, run.stderr[-3000:]
    by_user = built(run.stdout.splitlines()[0])
    line = [str(CHECKOUT / "workbook"), *WORDS[1:]]
    by_root = subprocess.run(line, capture_output=True, text=True, timeout=SECONDS, check=True, cwd="/")
    assert by_user == built(by_root.stdout.strip())
    assert by_user.keys() == VARIANTS
    assert all(image and lock for lock, _, image in by_user.values())


def test_nothing_was_asked_of_root_and_nothing_of_root_is_left(
    run: subprocess.CompletedProcess[str], home: Path
) -> None:
    assert "sudo" not in run.stdout + run.stderr
    found = [path.lstat() for path in home.rglob("*")]
    assert 0 not in {status.st_uid for status in found} | {status.st_gid for status in found}
    assert len({status.st_gid for status in found}) > 1, "groups of the trees have subordinate ids"


def test_the_site_is_published_beside_the_clone(run: subprocess.CompletedProcess[str], home: Path) -> None:
    page, index = map(Path, run.stdout.splitlines())
    site, directory = home / "a site", page.parent.name
    assert index == site / "index.html"
    assert f"runs/{directory}/" in (site / "index.html").read_text()
    assert (site / "runs" / directory / "index.html").is_file()
    assert {path.lstat().st_uid for path in site.rglob("*")} == {home.stat().st_uid}


def running(uid: int) -> list[bytes]:
    """The command lines of a user's processes that are not dead: a dead one is listed until its parent takes notice."""
    own = [path for path in Path("/proc").glob("[0-9]*") if path.stat().st_uid == uid]
    alive = [path for path in own if (path / "stat").read_text().rpartition(") ")[2][0] != "Z"]
    return [(path / "cmdline").read_bytes() for path in alive]


def test_no_process_mount_or_file_is_left(run: subprocess.CompletedProcess[str], home: Path) -> None:
    uid = home.stat().st_uid
    assert [path for path in Path("/tmp").iterdir() if path.lstat().st_uid == uid] == []
    assert str(home) not in Path("/proc/mounts").read_text()
    assert running(uid) == []
    assert list((home / "a clone/build/store/tmp").iterdir()) == []


def test_without_subordinate_ids_the_missing_line_is_named(run: subprocess.CompletedProcess[str], clone: Path) -> None:
    command.run(["useradd", "--create-home", "-K", "SUB_UID_COUNT=0", "-K", "SUB_GID_COUNT=0", OTHER])
    try:
        refused = as_user(OTHER, WORDS, clone)
        doctor = as_user(OTHER, ["./workbook", "doctor"], clone)
    finally:
        command.run(["userdel", "--remove", OTHER])
    error, hint = refused.stderr.splitlines()
    assert refused.returncode == 1
    assert error.startswith("error: /etc/subuid and /etc/subgid: no 65536 subordinate ids for workbook-other")
    assert hint.startswith("Next step: sudo usermod --add-subuids ")
    assert hint.removeprefix("Next step: ") in doctor.stdout
