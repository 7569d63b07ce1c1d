"""Classes of the footprint: real names of both contents, rules refused with their place."""

import csv
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.formats.disk import ext4
from atomic_lib.measure import disk_map, image_footprint
from atomic_lib.measure.classes import class_of, class_of_path, default_class_rules, load_class_rules
from tests.report import factory


@pytest.mark.parametrize(
    ("package", "expected"),
    [
        ("linux-image-6.12.107+deb13-cloud-amd64", "kernel"),
        ("kernel-core", "kernel"),
        ("linux-firmware", "kernel"),
        ("dracut-core", "initramfs"),
        ("grub2-pc", "boot-loader"),
        ("libpython3.13-stdlib", "python"),
        ("python3-yaml", "python"),
        ("python3-dnf", "package-manager"),
        ("libdnf2t64", "package-manager"),
        ("rpm", "package-manager"),
        ("librpm10", "package-manager"),
        ("rpm-ostree", "ostree"),
        ("rpm-ostree-libs", "ostree"),
        ("cloud-init", "provisioning"),
        ("min-cloud-agent", "provisioning"),
        ("docker.io", "container-runtime"),
        ("docker-cli", "container-runtime"),
        ("moby-engine", "container-runtime"),
        ("docker-ce", "container-runtime"),
        ("containerd.io", "container-runtime"),
        ("runc", "container-runtime"),
        ("selinux-policy-default", "selinux"),
        ("selinux-policy-targeted", "selinux"),
        ("container-selinux", "selinux"),
        ("libostree-1-1", "ostree"),
        ("systemd", "system"),
        ("libsystemd-shared", "system"),
        ("openssh-server", "network"),
        ("iptables-nft", "network"),
        ("glibc-langpack-en", "docs-locales"),
        ("tzdata", "docs-locales"),
        ("glibc", "libraries"),
        ("libc6", "libraries"),
        ("openssl-libs", "libraries"),
        ("bash", "shell-tools"),
        ("standin-setup", "system"),
        ("something-never-heard-of", "other"),
    ],
)
def test_a_package_has_its_class(package: str, expected: str) -> None:
    assert class_of(package) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/usr/lib/modules/6.12.107/initramfs.img", "initramfs"),
        ("/usr/lib/modules/6.12.107/modules.dep.bin", "kernel"),
        ("/usr/lib/sysimage/rpm/rpmdb.sqlite", "rpmdb"),
        ("/usr/lib/python3/dist-packages/x/__pycache__/y.cpython-313.pyc", "python"),
        ("/boot/grub/grub.cfg", "boot-loader"),
        ("/usr/etc/selinux/default/policy/policy.33", "selinux"),
        ("/var/cache/dnf/packages.solv", "package-manager"),
        ("/usr/etc/passwd", "generated"),
        ("/usr/lib/udev/hwdb.bin", "generated"),
        ("/ostree/repo/config", "ostree"),
        ("/ostree", "ostree"),
        ("/boot/vmlinuz-6.12.107", "kernel"),
        ("/boot/initramfs-6.12.107.img", "initramfs"),
        ("/usr/lib/odd\nname \udcff.py", "python"),
        ("/surprise", "other"),
    ],
)
def test_a_file_that_no_package_owns_has_its_class(path: str, expected: str) -> None:
    assert class_of_path(path) == expected


def test_nothing_of_a_debian_like_image_is_left_over() -> None:
    with open(factory.PACKAGES_FILE, encoding="utf-8") as file:
        names = [row["name"] for row in csv.DictReader(file, delimiter="\t")]
    assert len(names) > 250
    assert [name for name in names if class_of(name) == "other"] == []


def test_an_unknown_class_is_its_own_title_and_comes_last() -> None:
    rules = default_class_rules()
    assert (rules.title_of("python"), rules.title_of("cheese")) == ("Python", "cheese")
    assert rules.order_of("cheese") > rules.order_of("other") > rules.order_of("kernel")


def test_parts_that_only_an_image_has_are_titled_and_take_no_file() -> None:
    rules = default_class_rules()
    own = {image_footprint.OSTREE_METADATA, image_footprint.ETC_COPY, ext4.FILE_SYSTEM, ext4.JOURNAL, ext4.DIRECTORIES,
           disk_map.PARTITION_TABLE, disk_map.BOOT_SECTORS, disk_map.ESP, disk_map.FREE, disk_map.HOST_FILE_SYSTEM,
           disk_map.QCOW2_METADATA, disk_map.QCOW2_GAPS}  # fmt: skip
    assert own == {rule.name for rule in rules.rules if not rule.packages and not rule.paths}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: b", "must be a list"),
        ("- [", "cannot be read"),
        ("- {class: a, title: A, package: [x]}", "entry 1: unknown key 'package'"),
        ("- {class: a, packages: [x]}", "entry 1: title: must be a text"),
        ("- {class: a, title: A, packages: x}", "entry 1: packages: must be a list"),
        ("- {class: a, title: A, packages: [x]}", "the last class must take the rest"),
        ("- {class: a, title: A}\n- {class: a, title: A, packages: ['*'], paths: ['*']}", "duplicate class 'a'"),
    ],
)
def test_wrong_rules_are_refused_by_entry(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "classes.yaml"
    path.write_text(text)
    with pytest.raises(WorkbookError, match=f"classes.yaml.*{message}"):
        load_class_rules(path)
