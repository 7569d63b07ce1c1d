"""Kickstarts: supported commands, notes, and errors that name file and line."""

from pathlib import Path

import pytest

from atomic_lib.recipe.kickstart.kickstart_reader import read_kickstart
from tests.recipe.kickstart.kickstart_files import PACKAGES, refusal, write


@pytest.mark.parametrize("version", ["F21", "F41", "RHEL9"])
def test_every_honoured_command_stands_in_the_recipe(tmp_path: Path, version: str) -> None:
    path = write(
        tmp_path / "a.ks",
        """\
lang en_US.UTF-8
keyboard --vckeymap=us
timezone --utc Europe/Oslo
selinux --permissive
rootpw --lock --iscrypted locked
bootloader --timeout=3 --append="no_timer_check  console=ttyS0"
services --enabled=sshd,docker.socket --disabled=rsyslog
repo --name=fedora
part / --size 3000 --fstype ext4
%packages --excludedocs
@docker
kernel*
-plymouth
%end
%post --erroronfail --interpreter=/bin/bash
cat > /etc/rpm/macros <<EOF
%_install_langs en
EOF
%end
""",
    )
    recipe = read_kickstart(path, version)
    assert (recipe.locale, recipe.keyboard, recipe.timezone) == ("en_US.UTF-8", "us", "Europe/Oslo")
    assert (recipe.selinux, recipe.root_locked, recipe.root_size_mib) == ("permissive", True, 3000)
    assert (recipe.kernel_arguments, recipe.boot_loader_timeout_seconds) == ("no_timer_check console=ttyS0", 3)
    assert recipe.enabled_units == ("sshd.service", "docker.socket")
    assert recipe.disabled_units == ("rsyslog.service",)
    assert (recipe.repos, recipe.extra_repos) == ((), ("fedora",))
    assert (recipe.packages, recipe.excludes) == (("kernel*",), ("plymouth",))
    assert recipe.groups == ("core", "docker")
    assert (recipe.documentation, recipe.weak_dependencies, recipe.languages) == (False, True, None)
    (script,) = recipe.post_scripts
    assert script.text == "cat > /etc/rpm/macros <<EOF\n%_install_langs en\nEOF\n"
    assert (script.interpreter, script.stop_on_error, script.source) == ("/bin/bash", True, f"{path}:15")
    assert recipe.files == (path,)
    assert recipe.notes == ()


def test_the_options_of_packages(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.ks", "%packages --nocore --inst-langs=en:de --exclude-weakdeps\n@^cloud\nbash # why\n%end\n"
    )
    recipe = read_kickstart(path, "F41")
    assert recipe.groups == ("^cloud", "-core")
    assert recipe.packages == ("bash",)
    assert (recipe.languages, recipe.weak_dependencies, recipe.documentation) == (("en", "de"), False, True)


def test_options_that_a_later_packages_section_drops_are_noted(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ks", "%packages --nocore --excludedocs\nbash\n%end\n%packages\n%end\n")
    recipe = read_kickstart(path, "F41")
    assert (recipe.documentation, recipe.groups) == (True, ("core",))
    assert recipe.notes == (
        "a.ks:4: %packages: --excludedocs of an earlier section is ignored, as in Anaconda",
        "a.ks:4: %packages: --nocore of an earlier section is ignored, as in Anaconda",
    )


NOTES = [
    ("text", "text has no effect: it only controls the installer"),
    ("zerombr", "zerombr has no effect: an image has one disk, which is new, and no other storage"),
    ("clearpart --all", "clearpart has no effect: an image has one disk, which is new, and no other storage"),
    ("reboot --eject", "reboot has no effect: it only controls the installer"),
    ("skipx", "skipx: the tree starts multi-user.target, even if xconfig --startxonboot asks for another"),
    ("cdrom", "cdrom has no effect: packages come from the variant's content"),
    ("repo --name=a --baseurl=http://a --noverifyssl", "repo a --noverifyssl: the signatures of packages are checked "
     "all the same"),
    ("network --bootproto=dhcp --device=link --activate --onboot=on", "network has no effect: an image always uses "
     "DHCP on its only interface"),
    ("part / --size=900 --grow", "part / --grow: the root file system has the variant's root_size_mib, if that is more "
     "than 900"),
    ("part / --fstype=xfs --size=900", "part / --fstype=xfs has no effect: the root file system of an image is ext4"),
    ("part / --grow", "part / without --size: the root file system has the variant's root_size_mib"),
    ("part /boot --size=300 --asprimary", "part /boot has no effect: it is in the root file system"),
    ("part /boot/efi --fstype=efi --size=9", "part /boot/efi has no effect: an image always has an EFI system "
     "partition of the size that it needs"),
    ("part biosboot --fstype=biosboot --size=1", "part biosboot has no effect: an image always has a BIOS boot "
     "partition"),
    ("part swap --recommended", "part swap has no effect: an image has no swap"),
    ("part /home --size=10", "part /home has no effect: it is a directory of the root file system"),
    ("reqpart --add-boot", "reqpart has no effect: an image always has the partitions that firmware needs, and /boot "
     "in its root file system"),
    ("part pv.01 --size=9", "part pv.01 has no effect: an image has no LVM, but one ext4 root file system"),
    ("volgroup a pv.01", "volgroup has no effect: an image has no LVM, but one ext4 root file system"),
    ("logvol /home --vgname=a --name=b --size=9", "logvol /home: an image has no LVM, but one ext4 root file system"),
    ("part btrfs.1 --size=9", "part btrfs.1 has no effect: an image has no btrfs, but one ext4 root file system"),
    ("btrfs none --data=0 btrfs.1", "btrfs: an image has no btrfs, but one ext4 root file system"),
    ("part raid.1 --size=9", "part raid.1 has no effect: an image has no RAID, but one ext4 root file system"),
    ("raid /srv --device=0 --level=1 raid.1 raid.2", "raid /srv: an image has no RAID, but one ext4 root file system"),
    ("autopart --type=btrfs", "autopart: an image has one ext4 root file system, of the variant's root_size_mib, and "
     "no LVM, btrfs or swap"),
    ("bootloader --extlinux", "bootloader --extlinux has no effect: the boot loader of an image is GRUB"),
    ("bootloader --location=none", "bootloader --location has no effect: an image has a boot loader all the same, for "
     "BIOS and for UEFI"),
    ("timezone Etc/UTC", "timezone without --utc: the hardware clock of a guest runs in UTC all the same"),
    ("timezone --utc --nontp Etc/UTC", "timezone --nontp: chronyd.service is disabled, if the tree has it"),
    ("timesource --ntp-disable", "timesource --ntp-disable: chronyd.service is disabled, if the tree has it"),
    ("firstboot --disable", "firstboot --disable: initial-setup.service is disabled, if the tree has it"),
    ("firstboot --reconfig", "firstboot has no effect: initial-setup starts if services --enabled= or its package says "
     "so"),
    ("firewall --disabled", "firewall --disabled takes effect only if firewalld is in the tree: an image has no other "
     "firewall"),
    ("keyboard --xlayouts=us", "keyboard --xlayouts has no effect: only the keymap of the console is set"),
    ("authselect select minimal", "authselect has no effect: the tree keeps the login configuration of its packages; "
     "to change it, run the program in %post"),
    *((line, f"{what}: an image must not have a password, so none is set; keys come from sshkey or the metadata "
       "service")
      for line, what in (
          ("rootpw secret", "rootpw"), ("rootpw --lock secret", "rootpw"), ("rootpw --iscrypted !$6$a$b", "rootpw"),
          ("rootpw --iscrypted aaaaaaaaaaaaa", "rootpw"), ("rootpw --lock --iscrypted $6$salt$hash", "rootpw"),
          ("user --name=a --password=b", "user a"), ("user --name=a --iscrypted --password=$6$a$b", "user a"),
      )),
    ("%packages --ignoremissing\n%end", "%packages --ignoremissing has no effect: a package that no repository has is "
     "an error all the same"),
    ("part prepboot --fstype=prepboot --size=4", "part prepboot has no effect: it is for other machines than those of "
     "this architecture"),
    ("rootpw --iscrypted nope", "rootpw --iscrypted: no password has such a hash, so root is locked"),
    ("xconfig --startxonboot --defaultdesktop=X", "xconfig --defaultdesktop has no effect: the tree keeps the session "
     "that its packages choose"),
    ("%pre\nx\n%end", "%pre has no effect: it runs in the installer before an installation, and there is no installer "
     "here"),
    ("%onerror\nx\n%end", "%onerror has no effect: it runs when the installer fails, and there is no installer here"),
    ("%anaconda\nx\n%end", "%anaconda has no effect: it only controls the installer"),
    ("%addon com_redhat_kdump --disable\n%end", "%addon com_redhat_kdump --disable has no effect: nothing sets up "
     "kdump"),
    ("%post --log=/root/l\nx\n%end", "%post --log has no effect: the output of the script is in the log of the build, "
     "and not in the tree"),
    ("%post --nochroot\nx\n%end", "%post --nochroot runs among the workbook's tools, with the tree at "
     "$ANA_INSTALL_PATH, /mnt/sysroot and /mnt/sysimage; it sees no other files of the machine, and cannot mount or "
     "unmount"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "note"), NOTES, ids=[line for line, _ in NOTES])
def test_what_has_no_effect_is_noted(tmp_path: Path, line: str, note: str) -> None:
    path = write(tmp_path / "a.ks", f"# first\n{line}\n{PACKAGES}")
    assert f"a.ks:2: {note}" in read_kickstart(path, "F41").notes


@pytest.mark.parametrize(
    ("line", "why"),
    [
        *((f"xconfig {option}", "a guest's display needs no description")
          for option in ("--card=a", "--depth=16", "--driver=vesa", "--hsync=1", "--monitor=a", "--noprobe",
                         "--resolution=800x600", "--server=a", "--videoram=9", "--vsync=1")),
        ("bootloader --lba32", "GRUB finds a disk of any size"),
        ("bootloader --hvargs=a", "an image has no hypervisor"),
        ("bootloader --upgrade", "an image has no boot loader before"),
        ("bootloader --useLilo", "the boot loader of an image is GRUB"),
    ],
)  # fmt: skip
def test_options_of_old_versions_have_no_effect(tmp_path: Path, line: str, why: str) -> None:
    path = write(tmp_path / "a.ks", f"# first\n{line}\n%packages\nbash\n%end\n")
    assert f"a.ks:2: {line.partition('=')[0]} has no effect: {why}" in read_kickstart(path, "F41").notes


def test_a_deprecation_is_a_note_and_not_on_the_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "a.ks", "# first\n%packages --nocore --instLangs=en\nbash\n%end\n")
    recipe = read_kickstart(path, "F41")
    assert recipe.languages == ("en",)
    assert recipe.notes == ("a.ks:2: %packages: --instLangs is deprecated in this kickstart version",)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("frobnicate --now", "command 'frobnicate' is not supported: no command of a kickstart has this name"),
        ("user --name=a --homedir=b", "user: 'b' is not an absolute path"),
        ('user --name=a --gecos="a:b"', "user: --gecos must be one line without colons"),
        ("sshkey --username=a b", 'sshkey: needs one public key in quotes, such as "ssh-ed25519 AAAA... NAME"'),
        ("part home --size=9", "part: home: is not a mount point; an image has one file system, /"),
        ("part / --size=9 --encrypted --passphrase=x", "part --encrypted: the file system of an image is not "
         "encrypted"),
        ("autopart --encrypted", "autopart --encrypted: the file system of an image is not encrypted"),
        ("logvol / --vgname=a --name=b --size=9 --encrypted", "logvol --encrypted: the file system of an image is not "
         "encrypted"),
        ("ostreecontainer --url=b", "command 'ostreecontainer' is not supported: a commit in a container image is not "
         "deployed here: use ostreesetup, with the repository of the commit"),
        ("firewall --service=a/../b;c", "firewall: 'a/../b;c' is not the name of a service, an interface or "
         "PORT:PROTOCOL"),
        ("repo --name=a --baseurl=http://a --sslcacert=file:///b", "repo --sslcacert: a certificate or key is a file "
         "of the installer's machine, which a recipe cannot name"),
        ("repo --name=a --baseurl=file:///srv", "repo: 'file:///srv' is not an http, https or ftp address without "
         "password"),
        ("url --url=nfs://a/b", "url: 'nfs://a/b' is not an http, https or ftp address without password"),
        ("%pre-install\n%end", "section %pre-install is not supported: it would change the tree before the packages "
         "are installed; use %post"),
        ("timezone --utc ../../etc/passwd", "timezone: '../../etc/passwd' is not a time zone, such as Etc/UTC"),
        ("bootloader --iscrypted --password=a", "bootloader --password: an image must not have a password"),
        ("bootloader --md5pass=a", "bootloader --md5pass: an image must not have a password"),
        ("repo --name=a --baseurl=http://a --ignoregroups=true", "repo --ignoregroups: groups are those of all "
         "repositories; name packages in %packages instead of groups"),
        ("user --name=1a", "user: '1a' is not a name: a letter or underscore, then letters, digits, dots, dashes or "
         "underscores"),
        ("selinux", "selinux: needs --enforcing, --permissive or --disabled"),
        ("bootloader --timeout=99999", "bootloader: --timeout=99999: must be 0 to 3600 seconds"),
        ("part / --size=x", "part: argument --size: invalid int value: 'x'"),
        ("network --bootproto=static --ip=1.2.3.4 --netmask=255.0.0.0 --gateway=1.0.0.1 --nameserver=1.0.0.1",
         "network --bootproto: an image uses DHCP on its only interface; to configure it otherwise, write its files in "
         "%post"),
        ("services --enabled=a/b", "services: 'a/b.service' is not a unit name"),
        ("lang", "lang: the following arguments are required: <lang>"),
        ("lang en --colour", "lang: Unexpected arguments to lang command: ['--colour']"),
        ('lang "en', 'no closing quotation'),
        ('"" x', 'no command'),
        ("%end", "%end without a section"),
        ("%include", "%include takes one path"),
        ("%addon a\nx\n%end", "section %addon is not supported: addons of the installer do not run here; do in %post "
         "what it would do"),
        ("%frobnicate\nx\n%end", "section %frobnicate is not supported: no section has this name"),
        ("%post --interpreter=bash\nx\n%end", "%post --interpreter: must be the path of a program"),
        ("%post\necho\n%post\n%end", "section %post has no %end"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_included_file_and_its_own_line(tmp_path: Path, line: str, message: str) -> None:
    included = write(tmp_path / "shared" / "bad.ks", f"# comment\n\n{line}\n")
    path = write(tmp_path / "top.ks", f"lang C\n{PACKAGES}%include shared/bad.ks\n")
    assert refusal(path).message.split("\n")[0] == f"{included}:3: {message}"
    assert refusal(path).hint


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("foo bar", "must be one package or one @group"),
        ("%frobnicate", "must be one package or one @group"),
        ("@", "must be one package or one @group"),
        ("-", "must be one package or one @group"),
        ("-@ cloud", "Anaconda would not find a group whose name begins with a space"),
        ("@^cloud --optional", "an environment has no options"),
        ("@nodejs:20/default", "module streams are not supported: name the packages"),
    ],
)
def test_a_bad_entry_of_packages_names_its_line(tmp_path: Path, entry: str, message: str) -> None:
    path = write(tmp_path / "a.ks", f"%packages\nbash\n\n# comment\n{entry}\n%end\n")
    assert refusal(path).message == f"{path}:5: %packages: {entry}: {message}"


def test_all_refusals_come_at_once_with_the_accepted_commands(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ks", f"lilo\nlang C\nselinux\n{PACKAGES}")
    error = refusal(path)
    assert [line.partition(": ")[0] for line in error.message.splitlines()] == [f"{path}:1", f"{path}:3"]
    assert error.hint.startswith("accepted commands: auth, authconfig, ")


def test_the_last_line_for_the_root_file_system_counts(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ks", f"part / --size=900\npart / --size=901\n{PACKAGES}")
    recipe = read_kickstart(path, "F41")
    assert recipe.root_size_mib == 901
    assert recipe.notes == ("a.ks:2: part / --size=901 replaces the 900 MiB of an earlier line",)


def test_a_kickstart_without_packages_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ks", "")
    assert refusal(path).message == f"{path}: no %packages section and no ostreesetup, here or in an included file"


@pytest.mark.parametrize("section", ["%packages", "%post"])
def test_a_section_without_end_is_named_where_it_opens(tmp_path: Path, section: str) -> None:
    path = write(tmp_path / "a.ks", f"lang C\n{section}\nbash\n")
    assert refusal(path).message == f"{path}:2: section {section} has no %end"


@pytest.mark.parametrize(
    ("lines", "disabled"),
    [
        ("timezone --utc --nontp Etc/UTC", ("chronyd.service",)),
        ("timesource --ntp-disable", ("chronyd.service",)),
        ("timezone --utc Etc/UTC", ()),
        ("firstboot --disable", ("initial-setup.service",)),
        ("firstboot --enable", ()),
        ("firstboot --disable\nservices --disabled=a\nservices --disabled=b", ("b.service", "initial-setup.service")),
        ("firstboot --disable\nservices --enabled=initial-setup", ()),
    ],
)
def test_units_that_other_commands_disable(tmp_path: Path, lines: str, disabled: tuple[str, ...]) -> None:
    assert read_kickstart(write(tmp_path / "a.ks", f"{lines}\n{PACKAGES}"), "F41").disabled_units == disabled


def test_the_graphical_target(tmp_path: Path) -> None:
    assert read_kickstart(write(tmp_path / "a.ks", PACKAGES), "F41").default_target == "multi-user.target"
    path = write(tmp_path / "a.ks", f"xconfig --startxonboot\n{PACKAGES}")
    assert read_kickstart(path, "F41").default_target == "graphical.target"


@pytest.mark.parametrize("lines", ["xconfig --startxonboot\nskipx", "skipx\nxconfig --startxonboot"])
def test_skipx_wins_over_xconfig(tmp_path: Path, lines: str) -> None:
    path = write(tmp_path / "a.ks", f"{lines}\n{PACKAGES}")
    assert read_kickstart(path, "F41").default_target == "multi-user.target"


def test_a_volume_for_the_root_file_system_gives_its_size(tmp_path: Path) -> None:
    text = "part pv.1 --size=1\nvolgroup a pv.1\nlogvol / --vgname=a --name=b --size={}\n%packages\nbash\n%end\n"
    assert read_kickstart(write(tmp_path / "a.ks", text.format(2048)), "F41").root_size_mib == 2048
    grown = read_kickstart(write(tmp_path / "b.ks", text.format("1 --grow")), "F41")
    assert (grown.root_size_mib, grown.root_grows) == (1, True)


def test_a_host_name_is_a_file_and_the_last_one_counts(tmp_path: Path) -> None:
    lines = "network --hostname=a.example\nnetwork --activate --hostname=b.example\n"
    recipe = read_kickstart(write(tmp_path / "a.ks", f"{lines}%packages\nbash\n%end\n"), "F41")
    assert [(file.path, file.content) for file in recipe.added_files] == [("etc/hostname", b"b.example\n")]
    assert recipe.notes == (
        "a.ks:2: network: only --hostname has an effect: an image always uses DHCP on its only interface",
    )
    error = refusal(write(tmp_path / "b.ks", "network --hostname='a b'\n%packages\nbash\n%end\n"), "F41")
    assert error.message == f"{tmp_path}/b.ks:1: network: 'a b' is not the name of a host"


def test_time_servers_of_either_command_are_lines_of_chrony(tmp_path: Path) -> None:
    old = "timezone --utc Etc/UTC --ntpservers=a.example,b.example\n%packages\nbash\n%end\n"
    assert read_kickstart(write(tmp_path / "a.ks", old), "F29").time_sources == (
        "server a.example iburst", "server b.example iburst",
    )  # fmt: skip
    bad = "timesource --ntp-server='a b'\n%packages\nbash\n%end\n"
    assert "'a b' is not the name or address of a time server" in refusal(write(tmp_path / "b.ks", bad), "F41").message


@pytest.mark.parametrize(
    ("lines", "zone"), [("timezone --utc", None), ("timezone A/B\ntimezone --ntpservers=c", "A/B")]
)
def test_a_time_zone_without_a_name_sets_none(tmp_path: Path, lines: str, zone: str | None) -> None:
    assert read_kickstart(write(tmp_path / "a.ks", f"{lines}\n{PACKAGES}"), "F41").timezone == zone


def test_a_password_of_the_boot_loader_is_one_problem(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ks", f"bootloader --iscrypted --password=a\n{PACKAGES}")
    assert refusal(path).message == f"{path}:1: bootloader --password: an image must not have a password"


def test_an_empty_option_of_a_user_is_as_none(tmp_path: Path) -> None:
    plain, said = (
        read_kickstart(write(tmp_path / "a.ks", f"user --name=me{options}\n{PACKAGES}"), "F41")
        for options in ("", ' --shell="" --homedir="" --gecos="" --groups="" --uid=0')
    )
    assert said == plain


def test_one_kickstart_is_read_once_in_each_version_until_a_file_changes(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ks", f"%include b.ks\n{PACKAGES}")
    included = write(tmp_path / "b.ks", "lang en_US.UTF-8\n")
    first = read_kickstart(path, "F41")
    assert read_kickstart(path, "F41") is first
    assert read_kickstart(path, "F21") is not first
    write(included, "lang nb_NO.UTF-8\n")
    assert read_kickstart(path, "F41").locale == "nb_NO.UTF-8"
