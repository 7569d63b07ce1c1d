"""A commit without a container runtime, served over HTTP, deployed by a kickstart as Fedora had them, booted."""

import re
from dataclasses import dataclass

import pytest

from atomic_lib.compose.remote import commit_key
from atomic_lib.compose.tree import default_ref
from atomic_lib.content.keyring import open_keyring
from atomic_lib.params.variant import variant_from
from atomic_lib.pipeline.build import open_build
from atomic_lib.pipeline.recorded_build import RecordedBuild, record_build
from atomic_lib.results.analysis.denial_reasons import unexplained
from atomic_lib.results.variant_result import VariantResult
from tests.integration.commits import archive_of
from tests.integration.disk import DiskReader
from tests.integration.small import small_variant
from tests.integration.web import web_server

pytestmark = pytest.mark.integration

KICKSTART = """\
text
lang C.UTF-8
timezone --utc Etc/UTC
selinux --enforcing
rootpw --lock --iscrypted locked
user --name=none
firewall --disabled
bootloader --timeout=1 --append="no_timer_check console=tty1 console=ttyS0,115200n8 systemd.gpt_auto=0"
network --bootproto=dhcp --device=link --activate --onboot=on
services --enabled=network,ssh
part /boot --size=300 --fstype="ext4"
part pv.01 --grow
volgroup own pv.01
logvol / --size=3000 --fstype="xfs" --name=root --vgname=own
ostreesetup --osname=own-os --remote=fedora-atomic --url={url} --ref={ref}
reboot
%post --erroronfail
set -eu
ostree remote delete fedora-atomic
ostree remote add --set=gpg-verify=false fedora-atomic 'http://updates.example/'
passwd -l root
userdel -r none
sed -i 's/^#NAutoVTs=.*/NAutoVTs=0/' /etc/systemd/logind.conf
systemctl mask tmp.mount
echo kept >/var/lib/kept
rpm -qa || :
dd bs=1M if=/dev/zero of=/var/tmp/zeros || :
rm -f /var/tmp/zeros
%end
"""


@dataclass(frozen=True)
class Deployed:
    """The kickstart's build, booted once, and its disk."""

    record: RecordedBuild
    result: VariantResult
    disk: DiskReader
    commit: str

    @property
    def deployment(self) -> str:
        """The deployment on the disk."""
        return f"/ostree/deploy/own-os/deploy/{self.commit}.0"


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    """The commit that the store has of it, pulled with its signature checked; one boot with BIOS."""
    directory = tmp_path_factory.mktemp("deployed")
    composed = open_build(small_variant())
    tools, ref = composed.context.tools, default_ref(composed.variant, composed.recipe)
    key = commit_key(tools, composed.variant, ref, directory)
    with open_keyring(tools, directory, key, 0) as keyring:
        (directory / "key.asc").write_text(keyring.public_key())
    path = directory / "own.ks"
    path.write_text(KICKSTART.format(url="http://mirror.example/", ref=ref))
    archive_of(tools, composed.tree.repo, directory / "web")
    values = small_variant(boots_uefi=0, counted_boots=0, boot_timeout_seconds=2400).model_dump()
    own = {"variant": "deployed", "parts": "", "recipe_file": str(path), "ostree_key": str(directory / "key.asc")}
    with web_server(directory) as address:
        variant = variant_from({**values, **own, "ostree_url": f"{address}/web"})
        record = record_build(variant, directory / "record")
        record.resolve()
    for step in (record.compose, record.explain, record.measure_image):
        step()
    disk = DiskReader(tools, record.build.image.raw_disk(record.build.context))
    return Deployed(record, record.boot(1), disk, str(composed.tree.commit))


def test_it_boots_and_passes_its_proof_of_life_under_selinux(deployed: Deployed) -> None:
    assert (deployed.result.status, deployed.result.error) == ("ok", None)
    (boot,) = deployed.result.boots
    assert [check for check in boot.checks if not check.passed] == []
    assert boot.failed_units == ()
    assert (boot.selinux_mode, boot.denials_lost) == ("enforcing", 0)
    assert boot.denials is not None
    assert unexplained(boot.denials) == ()


def test_it_is_the_commit_with_the_kickstarts_changes(deployed: Deployed) -> None:
    disk, deployment = deployed.disk, deployed.deployment
    assert deployed.result.commit == deployed.commit
    assert "\n    url=http" not in disk.text("/ostree/repo/config")
    remote = disk.text(f"{deployment}/etc/ostree/remotes.d/fedora-atomic.conf")
    assert re.search(r"(?m)^url=http://updates\.example/$", remote)
    assert "gpg-verify=false" in remote
    assert disk.text("/ostree/deploy/own-os/var/lib/kept") == "kept\n"
    assert f"{deployment}/etc/systemd/system/tmp.mount" in disk.listing
    assert "NAutoVTs=0" in disk.text(f"{deployment}/etc/systemd/logind.conf").splitlines()
    assert "none:" not in disk.text(f"{deployment}/etc/passwd")
    assert not any(path.startswith("/ostree/deploy/own-os/var/home/none") for path in disk.listing)


def test_every_label_is_right_and_every_byte_has_an_owner(deployed: Deployed) -> None:
    result = deployed.result
    assert result.labels is not None
    assert result.labels.wrong == ()
    assert sum(part.image_bytes for part in result.image_parts) == result.image_allocated_bytes
    assert result.package_count == len(result.packages) > 100
    assert result.download_bytes is None
