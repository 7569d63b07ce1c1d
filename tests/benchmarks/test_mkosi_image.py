"""mkosi in the benchmark: its configuration has the variant's packages and options, and other packages are refused."""

import json
import os
from configparser import ConfigParser
from dataclasses import replace
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.store import Store
from atomic_lib.content.repositories import Content
from atomic_lib.pipeline.build import Build
from atomic_lib.solve.lock import Lock, LockedPackage
from atomic_lib.solve.rpm_set import RpmSet
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Tools
from benchmarks import mkosi_image
from benchmarks.builds import FIRST, open_build
from benchmarks.mkosi_image import configuration, dracut_script, require_packages

CONTENT = Content("own", "Own", "k", "13", "security=selinux", "default", "", {}, False, None)
LOCK = Lock(
    "own",
    (
        LockedPackage("bash", 0, "5.2", "1", "x86_64", "", 1, "own"),
        LockedPackage("openssh", 1, "10.0p1", "7", "x86_64", "", 1, "own"),
        LockedPackage("basesystem", 0, "13", "0", "noarch", "", 1, "own"),
    ),
)
KEY = "mkosi.sandbox/etc/pki/rpm-gpg/RPM-GPG-KEY-fedora-13-primary"


@pytest.fixture
def build(tmp_path: Path) -> Build:
    opened = open_build(FIRST, Context(Tools(tmp_path, "key"), tmp_path / "cache", Store(tmp_path / "store")))
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "a.asc").write_text("-----BEGIN A\n")
    (keys / "b.asc").write_text("-----BEGIN B\n")
    vars(opened).update(
        content=CONTENT,
        recipe=replace(opened.whole_recipe, documentation=False),
        rpm_set=RpmSet("k", LOCK, tmp_path / "rpms", ("install", "bash"), 0.0, True),
    )
    return opened


def sections(text: str) -> ConfigParser:
    parsed = ConfigParser(interpolation=None)
    parsed.optionxform = str  # type: ignore[method-assign,assignment]
    parsed.read_string(text)
    return parsed


def test_mkosi_installs_the_packages_of_the_lock_as_the_recipe_says(build: Build) -> None:
    main = sections(configuration(build)["mkosi.conf"])
    assert main["Content"]["Packages"].split() == ["bash", "openssh", "basesystem"]
    assert (main["Content"]["WithDocs"], main["Content"]["WithRecommends"]) == ("no", "no")
    assert dict(main["Distribution"]) == {"Distribution": "fedora", "Release": "13", "LocalMirror": "file:///mnt/rpms"}
    assert main["Content"]["SourceDateEpoch"] == str(build.variant.source_date_epoch)
    vars(build)["recipe"] = replace(build.recipe, documentation=True, weak_dependencies=True)
    main = sections(configuration(build)["mkosi.conf"])
    assert (main["Content"]["WithDocs"], main["Content"]["WithRecommends"]) == ("yes", "yes")


def test_mkosi_checks_signatures_by_the_keys_of_the_set(build: Build) -> None:
    files = configuration(build)
    assert files[KEY] == "-----BEGIN A\n-----BEGIN B\n"
    assert "Check" not in files["mkosi.conf"]  # mkosi checks them unless it is told not to


def test_its_disk_is_as_large_as_ours_and_starts_with_the_same_arguments(build: Build) -> None:
    files = configuration(build)
    size_mib = build.variant.root_size_mib
    assert files["mkosi.repart/10-root.conf"].splitlines() == [
        "[Partition]",
        "Type=root",
        "Format=ext4",
        "CopyFiles=/",
        f"SizeMinBytes={size_mib}M",
        f"SizeMaxBytes={size_mib}M",
    ]
    assert {"Type=esp", "Format=vfat", "CopyFiles=/boot:/", "CopyFiles=/efi:/"} < {
        *files["mkosi.repart/00-esp.conf"].splitlines()
    }
    line = sections(files["mkosi.conf"])["Content"]["KernelCommandLine"]
    assert line.startswith("root=PARTUUID rw ")
    assert "security=selinux" in line
    assert "root=UUID" not in line


def test_dracut_runs_with_the_recipes_arguments(build: Build, tmp_path: Path) -> None:
    script = dracut_script(replace(build.recipe, initramfs_arguments=("--add=ostree", "--install=a b")))
    (tmp_path / "dracut").write_text('#!/bin/sh\nprintf "%s\\n" "$@" >"$ARTIFACTDIR/words"\n')
    (tmp_path / "ls").write_text('#!/bin/sh\n[ "$1" = /usr/lib/modules ] && echo 6.12\n')
    (tmp_path / "script").write_text(script)
    for name in ("dracut", "ls", "script"):
        (tmp_path / name).chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "ARTIFACTDIR": str(tmp_path)}
    assert os.spawnle(os.P_WAIT, tmp_path / "script", "script", environment) == 0
    words = (tmp_path / "words").read_text().splitlines()
    assert words[:3] == ["--force", "--reproducible", "--no-hostonly"]
    assert words[3:] == ["--add=ostree", "--install=a b", "--kver", "6.12",
                         f"{tmp_path}/io.mkosi.initrd/initramfs.img"]  # fmt: skip


def manifest(*rows: tuple[str, str, str]) -> str:
    keys = ("name", "version", "architecture")
    return json.dumps({"packages": [{"type": "rpm", **dict(zip(keys, row, strict=True))} for row in rows]})


SAME = (
    ("bash", "5.2-1", "x86_64"),
    ("openssh", "1:10.0p1-7", "x86_64"),
    ("basesystem", "13-0", "noarch"),
    ("gpg-pubkey", "1-2", ""),
)


def test_the_same_packages_are_accepted() -> None:
    require_packages(manifest(*SAME), LOCK)


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        (SAME[1:], "bash"),
        ((*SAME, ("grub", "2-1", "x86_64")), "grub"),
        ((("bash", "5.3-1", "x86_64"), *SAME[1:]), "bash"),
        ((SAME[0], ("openssh", "10.0p1-7", "x86_64"), *SAME[2:]), "openssh"),
    ],
)
def test_other_packages_are_refused(rows: tuple[tuple[str, str, str], ...], named: str) -> None:
    with pytest.raises(WorkbookError, match=f"not what the lock says: {named}\n") as caught:
        require_packages(manifest(*rows), LOCK)
    assert str(mkosi_image.LOG) in caught.value.hint
