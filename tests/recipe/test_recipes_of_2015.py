"""Whole recipes in the forms that Fedora's own had in 2014 and 2015: each refusal at once, and loaded without it."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.kickstart.kickstart_reader import read_kickstart
from atomic_lib.recipe.recipe import OstreeSource
from atomic_lib.recipe.treefile import read_treefile

SYNTAX = "F21"
CONTAINER = """\
# A small base for containers.
cmdline
bootloader --location=none
timezone --isUtc --nontp Etc/UTC
rootpw --plaintext secret
keyboard us
firewall --disable
part / --size 900 --fstype ext4
reboot
%packages --excludedocs --instLangs=en --nocore
bash
rootfiles
#vim # waits for its review
-kernel

%end
%post --log=/tmp/post.log
awk '{print "override='$LANG'"}' \\
    < /etc/yum.conf > /etc/yum.conf.new
rm -f /etc/fstab

%end
"""
CLOUD = """\
lang en_US.UTF-8
timezone --utc Etc/UTC
auth --useshadow --enablemd5
selinux --enforcing
rootpw --lock --iscrypted locked
user --name=none
bootloader --timeout=1 --append="no_timer_check console=ttyS0,115200n8" --extlinux
services --enabled=network,sshd,cloud-init
part / --size 3000 --fstype ext4
%include repository.ks
%packages --instLangs=en
kernel-core
@^cloud-server-environment
# not in a cloud
-plymouth
-grub2
%end
%post --erroronfail
passwd -l root
%end
"""
ATOMIC = """\
lang en_US.UTF-8
auth --useshadow --enablemd5
selinux --enforcing
rootpw --lock --iscrypted locked
user --name=none
part /boot --size=300 --fstype="ext4"
part pv.01 --grow
volgroup atomicos pv.01
logvol / --size=3000 --fstype="xfs" --name=root --vgname=atomicos
ostreesetup --nogpg --osname=own --remote=own --url=http://updates.example/ --ref=own/x86_64/host
%post --erroronfail
ostree remote delete own
%end
"""
VAGRANT = """\
%include atomic.ks

services --disabled=cloud-init
user --name=vagrant --password=vagrant
"""
# Tabs and keys with an underscore, as they were written then.
HOST = """\
{
    "ref": "own/f22/x86_64/host",
    "repos": ["fedora-22"],
    "documentation": false,
    "automatic_version_prefix": "22",
    "initramfs-args": ["--no-hostonly", "--add", "iscsi"],
    "postprocess-script": "post.sh",
    "etc-group-members": ["wheel", "docker"],
    "ignore-removed-users": ["root"],
    "ignore-removed-groups": ["root"],
    "check-passwd": { "type": "file", "filename": "passwd" },
    "check-groups": { "type": "file", "filename": "group" },
    "packages": ["atomic",
\t\t "shadow-utils", "less",
\t\t "less"],
    "default_target": "multi-user.target",
    "units": ["docker.service", "cockpit.socket"]
}
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def refusals(path: Path) -> list[str]:
    """What is refused, without the name of the file where that is the one that was asked for."""
    with pytest.raises(WorkbookError) as caught:
        read_treefile(path) if path.suffix == ".json" else read_kickstart(path, SYNTAX)
    return [line.removeprefix(f"{path}:") for line in caught.value.message.splitlines()]


def test_a_container_s_kickstart_is_read_without_its_password(tmp_path: Path) -> None:
    path = write(tmp_path / "container.ks", CONTAINER)
    recipe = read_kickstart(path, SYNTAX)
    assert any(note.startswith("container.ks:5: rootpw: an image must not have a password") for note in recipe.notes)
    assert recipe.root_locked
    assert (recipe.packages, recipe.excludes, recipe.groups) == (("bash", "rootfiles"), ("kernel",), ())
    assert (recipe.documentation, recipe.languages) == (False, ("en",))
    assert (recipe.root_size_mib, recipe.keyboard) == (900, "us")
    (script,) = recipe.post_scripts
    assert script.text.endswith("> /etc/yum.conf.new\nrm -f /etc/fstab\n\n")
    assert script.source == f"{path}:17"


def test_a_cloud_s_kickstart_lacks_its_repository_file(tmp_path: Path) -> None:
    path = write(tmp_path / "cloud.ks", CLOUD)
    assert refusals(path) == [f"10: %include: no such file: {tmp_path / 'repository.ks'}"]


def test_a_cloud_s_kickstart_is_read(tmp_path: Path) -> None:
    write(tmp_path / "repository.ks", "repo --name=fedora\n")
    recipe = read_kickstart(write(tmp_path / "cloud.ks", CLOUD), SYNTAX)
    assert (recipe.packages, recipe.excludes) == (("kernel-core",), ("grub2", "plymouth"))
    assert recipe.groups == ("core", "^cloud-server-environment")
    assert recipe.kernel_arguments == "no_timer_check console=ttyS0,115200n8"
    assert recipe.enabled_units == ("network.service", "sshd.service", "cloud-init.service")
    assert (recipe.extra_repos, recipe.selinux, recipe.root_locked) == (("fedora",), "enforcing", True)


def test_an_ostree_installation_deploys_a_commit(tmp_path: Path) -> None:
    path = write(tmp_path / "atomic.ks", ATOMIC)
    recipe = read_kickstart(path, SYNTAX)
    commit = OstreeSource("own", "own", "http://updates.example/", "own/x86_64/host", False, f"{path}:10")
    assert (recipe.ostree_source, recipe.ref) == (commit, commit.ref)
    assert (recipe.packages, recipe.groups, recipe.root_size_mib) == ((), (), 3000)
    assert [script.text for script in recipe.post_scripts] == ["ostree remote delete own\n"]


def test_an_included_ostreesetup_names_that_file(tmp_path: Path) -> None:
    included, path = write(tmp_path / "atomic.ks", ATOMIC), write(tmp_path / "vagrant.ks", VAGRANT)
    recipe = read_kickstart(path, SYNTAX)
    assert recipe.ostree_source is not None
    assert recipe.ostree_source.source == f"{included}:10"
    assert recipe.disabled_units == ("cloud-init.service",)


def test_a_treefile_lacks_its_files_and_loads_with_them(tmp_path: Path) -> None:
    path = write(tmp_path / "host.json", HOST)
    assert refusals(path) == [
        f"{line}: {key}: no such file: {tmp_path / name}"
        for line, key, name in (
            (7, "postprocess-script", "post.sh"),
            (11, "check-passwd", "passwd"),
            (12, "check-groups", "group"),
        )
    ]
    write(tmp_path / "post.sh", "#!/bin/sh\ntrue\n")
    write(tmp_path / "passwd", "root:x:0:0:root:/root:/bin/bash\nsvc:x:912:913::/:/sbin/nologin\n")
    write(tmp_path / "group", "root:x:0:\nsvc:x:913:\n")
    recipe = read_treefile(path)
    assert (recipe.ref, recipe.default_target) == ("own/f22/x86_64/host", "multi-user.target")
    assert (recipe.version_prefix, recipe.repos, recipe.documentation) == ("22", ("fedora-22",), False)
    assert recipe.packages == ("atomic", "shadow-utils", "less")
    assert recipe.enabled_units == ("docker.service", "cockpit.socket")
    assert recipe.initramfs_arguments == ("--no-hostonly", "--add", "iscsi")
    assert recipe.account_rules is not None
    assert (recipe.account_rules.users, recipe.account_rules.groups) == (
        (("root", 0, 0), ("svc", 912, 913)),
        (("root", 0), ("svc", 913)),
    )
    assert (recipe.account_rules.removable_users, recipe.account_rules.removable_groups) == (("root",), ("root",))
