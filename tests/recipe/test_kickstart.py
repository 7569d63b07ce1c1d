"""Kickstarts: supported commands, notes, and errors that name file and line."""

import shutil
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.kickstart import read_kickstart

REAL = Path(__file__).parents[2].parent / "shared" / "data" / "spin-kickstarts"
PACKAGES = "%packages --nocore\nbash\n%end\n"
needs_real_files = pytest.mark.skipif(not REAL.exists(), reason="the spin-kickstarts are not beside the checkout")


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def refusal(path: Path, version: str = "F41") -> WorkbookError:
    with pytest.raises(WorkbookError) as caught:
        read_kickstart(path, version)
    return caught.value


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
    assert recipe.repos == ("fedora",)
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
    assert recipe.groups == ("^cloud",)
    assert recipe.packages == ("bash",)
    assert (recipe.languages, recipe.weak_dependencies, recipe.documentation) == (("en", "de"), False, True)


def test_a_tailored_kickstart_includes_its_base_and_wins(tmp_path: Path) -> None:
    base = write(
        tmp_path / "shared" / "base.ks",
        "lang C\nbootloader --timeout=5 --append=quiet\nservices --enabled=sshd,cloud-init\n"
        "%packages --nocore\nbash\nvim\n@tools\n%end\n%post\necho base\n%end\n",
    )
    more = write(tmp_path / "shared" / "more.inc", "docker\n")
    path = write(
        tmp_path / "top.ks",
        "%include shared/base.ks\nlang en_US.UTF-8\nbootloader --timeout=1\n"
        "services --enabled=docker --disabled=cloud-init\n"
        "%packages --nocore\n%include shared/more.inc\n-vim\n-@tools\n%end\n%post\necho top\n%end\n",
    )
    recipe = read_kickstart(path, "F41")
    assert recipe.files == (path, base, more)
    assert recipe.locale == "en_US.UTF-8"
    assert (recipe.kernel_arguments, recipe.boot_loader_timeout_seconds) == ("quiet", 1)
    assert recipe.enabled_units == ("sshd.service", "docker.service")
    assert recipe.disabled_units == ("cloud-init.service",)
    assert (recipe.packages, recipe.excludes, recipe.groups) == (("bash", "docker"), ("vim",), ())
    assert [(script.text, script.source) for script in recipe.post_scripts] == [
        ("echo base\n", f"{base}:9"),
        ("echo top\n", f"{path}:10"),
    ]
    assert recipe.notes == (
        "top.ks:4: services --enabled: added to the units of earlier lines; Anaconda would replace them",
    )


def test_options_that_a_later_packages_section_drops_are_noted(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ks", "%packages --nocore --excludedocs\nbash\n%end\n%packages\n%end\n")
    recipe = read_kickstart(path, "F41")
    assert (recipe.documentation, recipe.groups) == (True, ("core",))
    assert recipe.notes == (
        "a.ks:4: %packages: --excludedocs of an earlier section is ignored, as in Anaconda",
        "a.ks:4: %packages: --nocore of an earlier section is ignored, as in Anaconda",
    )


def test_what_has_no_effect_is_noted(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.ks",
        "text\nzerombr\nclearpart --all\nreboot\nskipx\nfirewall --disabled\nfirstboot --disable\n"
        "network --bootproto=dhcp --device=link --activate --onboot=on\npart / --size=900 --grow\n" + PACKAGES,
    )
    assert read_kickstart(path, "F41").notes == (
        "a.ks:1: text has no effect: it only controls the installer",
        "a.ks:2: zerombr has no effect: it only controls the installer",
        "a.ks:3: clearpart has no effect: it only controls the installer",
        "a.ks:4: reboot has no effect: it only controls the installer",
        "a.ks:5: skipx has no effect: an image has no graphical display",
        "a.ks:6: firewall --disabled has no effect: an image has no firewall",
        "a.ks:7: firstboot --disable has no effect: an image has no set-up dialogue",
        "a.ks:8: network has no effect: an image always uses DHCP",
        "a.ks:9: part / --grow has no effect: --size sets the size of the root file system",
    )


def test_a_deprecation_is_a_note_and_not_on_the_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "a.ks", "# first\n%packages --nocore --instLangs=en\nbash\n%end\n")
    recipe = read_kickstart(path, "F41")
    assert recipe.languages == ("en",)
    assert recipe.notes == ("a.ks:2: %packages: --instLangs is deprecated in this kickstart version",)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("frobnicate --now", "command 'frobnicate' is not supported"),
        ("user --name=fedora", "command 'user' is not supported: users come from packages and from the "
         "metadata service"),
        ("rootpw secret", "rootpw: an image must not have a password: use rootpw --lock, keys come from the "
         "metadata service"),
        ("rootpw --lock secret", "rootpw: an image must not have a password: use rootpw --lock, keys come from the "
         "metadata service"),
        ("rootpw --lock --iscrypted $6$salt$hash", "rootpw: an image must not have a password: use rootpw --lock, "
         "keys come from the metadata service"),
        ("timezone Etc/UTC", "timezone: needs --utc: the hardware clock of a guest runs in UTC"),
        ("timezone --utc ../../etc/passwd", "timezone: '../../etc/passwd' is not a time zone, such as Etc/UTC"),
        ("selinux", "selinux: needs --enforcing, --permissive or --disabled"),
        ("bootloader --extlinux", "bootloader --extlinux: the boot loader of an image is GRUB"),
        ("bootloader --location=none", "bootloader --location: an image always has a boot loader, for BIOS and "
         "for UEFI"),
        ("bootloader --timeout=99999", "bootloader: --timeout=99999: must be 0 to 3600 seconds"),
        ("part /home --size=10", "part: /home: an image has one file system, /"),
        ("part / --fstype=xfs --size=10", "part: --fstype=xfs: the file system of an image is ext4"),
        ("part / --fstype=ext4", "part: / needs --size=MIB"),
        ("part / --size=10 --ondisk=vda", "part --ondisk: this option is not supported"),
        ("part / --size=x", "part: argument --size: invalid int value: 'x'"),
        ("firewall --enabled", "firewall: only --disabled is supported: an image has no firewall"),
        ("network --bootproto=static", "network --bootproto: an image uses DHCP"),
        ("network --hostname=a", "network --hostname: the host name comes from the metadata service"),
        ("repo --name=a --baseurl=http://a", "repo --baseurl: write its address into a file in params/repos"),
        ("services --enabled=a/b", "services: 'a/b.service' is not a unit name"),
        ("firstboot --enable", "firstboot: only --disable is supported: an image has no set-up dialogue"),
        ("lang", "lang: the following arguments are required: <lang>"),
        ("lang en --colour", "lang: Unexpected arguments to lang command: ['--colour']"),
        ('lang "en', 'no closing quotation'),
        ('"" x', 'no command'),
        ("%end", "%end without a section"),
        ("%include", "%include takes one path"),
        ("%pre\n%end", "section %pre is not supported"),
        ("%addon a\nx\n%end", "section %addon is not supported"),
        ("%frobnicate\nx\n%end", "section %frobnicate is not supported"),
        ("%post --nochroot\nx\n%end", "%post --nochroot: a script always runs in the tree of the image"),
        ("%post --log=/tmp/l\nx\n%end", "%post --log: the log of the build contains the output of the script"),
        ("%post --interpreter=bash\nx\n%end", "%post --interpreter: must be the path of a program in the tree"),
        ("%post\necho\n%post\n%end", "section %post has no %end"),
        ("%packages --ignoremissing\n%end", "%packages --ignoremissing: a missing package is an error"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_included_file_and_its_own_line(tmp_path: Path, line: str, message: str) -> None:
    included = write(tmp_path / "shared" / "bad.ks", f"# comment\n\n{line}\n")
    path = write(tmp_path / "top.ks", f"lang C\n{PACKAGES}%include shared/bad.ks\n")
    assert refusal(path).message == f"{included}:3: {message}"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("foo bar", "must be one package or one @group, without options"),
        ("@group --optional", "must be one package or one @group, without options"),
        ("-@core", "removes a group that no earlier line adds; use --nocore"),
        ("-@^cloud", "removes an environment that no earlier line adds"),
        ("%frobnicate", "must be one package or one @group, without options"),
    ],
)
def test_a_bad_entry_of_packages_names_its_line(tmp_path: Path, entry: str, message: str) -> None:
    path = write(tmp_path / "a.ks", f"%packages\nbash\n\n# comment\n{entry}\n%end\n")
    assert refusal(path).message == f"{path}:5: %packages: {entry}: {message}"


def test_all_refusals_come_at_once_with_the_accepted_commands(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ks", f"auth --enablemd5\nlang C\nselinux\n{PACKAGES}")
    error = refusal(path)
    assert [line.partition(": ")[0] for line in error.message.splitlines()] == [f"{path}:1", f"{path}:3"]
    assert error.hint.startswith("accepted commands: autostep, bootloader, ")


def test_a_second_root_file_system_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ks", f"part / --size=900\npart / --size=901\n{PACKAGES}")
    assert refusal(path).message == f"{path}:2: part: an earlier line already defines /"


def test_a_kickstart_without_packages_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ks", "")
    assert refusal(path).message == f"{path}: no %packages section, here or in an included file"


@pytest.mark.parametrize("section", ["%packages", "%post"])
def test_a_section_without_end_is_named_where_it_opens(tmp_path: Path, section: str) -> None:
    path = write(tmp_path / "a.ks", f"lang C\n{section}\nbash\n")
    assert refusal(path).message == f"{path}:2: section {section} has no %end"


def test_an_include_cycle_names_the_chain(tmp_path: Path) -> None:
    a, b = tmp_path / "a.ks", tmp_path / "sub" / "b.ks"
    write(a, "lang C\n%include sub/b.ks\n")
    write(b, "%include ../a.ks\n")
    back = tmp_path / "sub" / ".." / "a.ks"
    assert refusal(a).message == f"{b}:1: %include: include cycle: {a} includes {b} includes {back}"


def test_the_same_file_may_be_included_twice(tmp_path: Path) -> None:
    write(tmp_path / "list.inc", "bash\n")
    path = write(tmp_path / "a.ks", "%packages --nocore\n%include list.inc\n%include list.inc\n%end\n")
    assert read_kickstart(path, "F41").packages == ("bash",)


def test_a_missing_include_names_the_line_that_asks_for_it(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ks", "lang C\n%include base.ks\n")
    error = refusal(path)
    assert error.message == f"{path}:2: %include: no such file: {tmp_path / 'base.ks'}"
    assert error.hint == f"{tmp_path} has: a.ks"


def test_an_unknown_syntax_version_names_some_that_are_known(tmp_path: Path) -> None:
    error = refusal(write(tmp_path / "a.ks", PACKAGES), "F999")
    assert error.message == "kickstart_version: 'F999' is not a kickstart syntax version"
    assert "F21" in error.hint


def test_the_syntax_version_decides_what_an_option_is(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ks", "%packages --nocore --inst-langs=en\nbash\n%end\n")
    assert read_kickstart(path, "F41").languages == ("en",)
    assert refusal(path, "F21").message == f"{path}:1: %packages: unrecognized arguments: --inst-langs=en"


@needs_real_files
def test_fedora_docker_base_is_refused_line_by_line() -> None:
    path = REAL / "fedora-docker-base.ks"
    assert refusal(path, "F21").message.splitlines() == [
        f"{path}:7: bootloader --location: an image always has a boot loader, for BIOS and for UEFI",
        f"{path}:8: timezone --nontp: use services --disabled= with the name of the time service",
        f"{path}:9: rootpw: an image must not have a password: use rootpw --lock, keys come from the metadata service",
        f"{path}:31: %post --log: the log of the build contains the output of the script",
    ]


@needs_real_files
def test_fedora_docker_base_loads_without_these_lines(tmp_path: Path) -> None:
    lines = (REAL / "fedora-docker-base.ks").read_text().splitlines(keepends=True)
    del lines[6:9]
    path = write(tmp_path / "docker.ks", "".join(lines).replace("%post --log=/tmp/anaconda-post.log", "%post"))
    recipe = read_kickstart(path, "F21")
    assert recipe.packages == ("bash", "fedora-release", "rootfiles", "vim-minimal", "yum")
    assert (recipe.excludes, recipe.groups) == (("kernel",), ())
    assert (recipe.documentation, recipe.languages) == (False, ("en",))
    assert (recipe.root_size_mib, recipe.keyboard) == (3000, "us")
    assert recipe.post_scripts[0].text.endswith("rm -f /etc/fstab\n\n")
    assert recipe.post_scripts[0].source == f"{path}:28"


@needs_real_files
def test_fedora_cloud_base_lacks_its_repository_file() -> None:
    path = REAL / "fedora-cloud-base.ks"
    assert refusal(path, "F21").message == f"{path}:35: %include: no such file: {REAL / 'fedora-repo.ks'}"


@needs_real_files
def test_fedora_cloud_base_with_a_repository_file(tmp_path: Path) -> None:
    path = Path(shutil.copy(REAL / "fedora-cloud-base.ks", tmp_path))
    write(tmp_path / "fedora-repo.ks", "repo --name=fedora\n")
    assert refusal(path, "F21").message.splitlines() == [
        f"{path}:19: command 'auth' is not supported: an image must not have a password",
        f"{path}:22: command 'user' is not supported: users come from packages and from the metadata service",
        f"{path}:26: bootloader --extlinux: the boot loader of an image is GRUB",
    ]
    text = (
        path.read_text().replace(" --extlinux\n", "\n").replace("auth --", "# auth --").replace("user --", "# user --")
    )
    recipe = read_kickstart(write(path, text), "F21")
    assert recipe.packages == ("kernel-core",)
    assert recipe.groups == ("core", "^cloud-server-environment")
    assert {"plymouth", "kernel", "grub2"} < set(recipe.excludes)
    assert recipe.kernel_arguments == "no_timer_check console=tty1 console=ttyS0,115200n8"
    assert recipe.enabled_units[:2] == ("network.service", "sshd.service")
    assert recipe.repos == ("fedora",)


ATOMIC_REFUSALS = (
    "12: command 'auth' is not supported: an image must not have a password",
    "15: command 'user' is not supported: users come from packages and from the metadata service",
    "27: part: /boot: an image has one file system, /",
    "28: part: pv.01: an image has one file system, /",
    "29: command 'volgroup' is not supported: use part / --size=MIB --fstype=ext4",
    "30: command 'logvol' is not supported: use part / --size=MIB --fstype=ext4",
    "33: command 'ostreesetup' is not supported: an ostree tree is composed from a treefile",
)


@needs_real_files
def test_fedora_cloud_atomic_is_refused_line_by_line() -> None:
    path = REAL / "fedora-cloud-atomic.ks"
    assert refusal(path, "F21").message.splitlines() == [
        *(f"{path}:{line}" for line in ATOMIC_REFUSALS),
        f"{path}: no %packages section, here or in an included file",
    ]


@needs_real_files
def test_fedora_cloud_atomic_vagrant_names_its_included_file() -> None:
    path, included = REAL / "fedora-cloud-atomic-vagrant.ks", REAL / "fedora-cloud-atomic.ks"
    assert refusal(path, "F21").message.splitlines() == [
        *(f"{included}:{line}" for line in ATOMIC_REFUSALS),
        f"{path}:8: command 'user' is not supported: users come from packages and from the metadata service",
        f"{path}: no %packages section, here or in an included file",
    ]
