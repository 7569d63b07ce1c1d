"""What dracut's scripts name, and so which files of a tree count for the initramfs."""

from pathlib import Path

import pytest

from atomic_lib.compose.dracut import Names, names_in_scripts, possible_modules
from atomic_lib.compose.tree_access.tree_files import TreeFiles

ON_REQUEST = "check() {\n  # only if asked for\n  return 255\n}\n"
PROGRAM, DATA, LINK = 0o100755, 0o100644, 0o120777


def put(root: Path, name: str, text: str = "") -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    put(tmp_path, "usr/bin/dracut", "#!/bin/bash\ninst_multiple sh mount\n")
    put(tmp_path, "usr/lib/dracut/dracut-install", "ELF\0")
    put(tmp_path, "usr/lib/dracut/dracut-initramfs-restore", "#!/bin/bash\nsetfiles contexts/own_contexts.txt\n")
    put(tmp_path, "usr/lib/dracut/dracut-functions.sh", '. "$dracutsysrootdir"/etc/os-release # comment\n')
    put(
        tmp_path,
        "usr/lib/dracut/modules.d/99base/module-setup.sh",
        '# not-this\nall="aes ctr"\n_cryptomodules="ecb xts"\ninst_multiple -o "$systemdutildir"/systemd-fsck \\\n'
        '  /etc/vconsole.conf "/usr/sbin/fsck."*\ninst_libdir_file "libnss_files*" "libfoo.so.*"\n'
        'inst_rules 60-block.rules\ninst_simple "mount.$fs"\n. "$moddir"/lists.sh\nls "$1"/lib*/modules\n',
    )
    put(tmp_path, "usr/lib/dracut/modules.d/99base/lists.sh", "inst sourced-program\n")
    put(tmp_path, "usr/lib/dracut/modules.d/99base/hook.sh", "run-later\n")
    put(
        tmp_path,
        "usr/lib/dracut/modules.d/90lvm/module-setup.sh",
        "check() {\n require_binaries lvm || return 1\n}\ninst pv\n",
    )
    return tmp_path


def names(root: Path, *arguments: str, programs: str = "") -> Names:
    return names_in_scripts(TreeFiles(root), arguments, set(programs.split()))


@pytest.mark.parametrize(
    ("path", "mode"),
    [
        ("usr/bin/mount", PROGRAM),
        ("usr/sbin/fsck.ext4", LINK),
        ("usr/sbin/mount.nfs", PROGRAM),
        ("usr/lib/systemd/systemd-fsck", PROGRAM),
        ("usr/bin/sourced-program", PROGRAM),
        ("etc/vconsole.conf", DATA),
        ("etc/os-release", LINK),
        ("usr/lib64/libfoo.so.1", PROGRAM),
        ("usr/lib/x86_64-linux-gnu/libnss_files.so.2", DATA),
        ("usr/lib/udev/rules.d/60-block.rules", DATA),
        ("usr/lib/modules/6.12/modules.dep", DATA),
        ("usr/lib/firmware/any/thing", DATA),
        ("etc/modprobe.d/own.conf", DATA),
        ("usr/lib/dracut/modules.d/90lvm/module-setup.sh", DATA),
    ],
)
def test_what_dracut_looks_for_counts(root: Path, path: str, mode: int) -> None:
    assert names(root).concern(path, mode)


@pytest.mark.parametrize(
    ("path", "mode"),
    [
        ("usr/bin/docker", PROGRAM),
        ("usr/bin/not-this", PROGRAM),
        ("usr/bin/xts", PROGRAM),
        ("usr/bin/run-later", PROGRAM),
        ("etc/selinux/own/contexts/own_contexts.txt", DATA),
        ("usr/bin/pv", PROGRAM),
        ("usr/share/mount", DATA),
        ("usr/share/doc/mount/vconsole.conf", DATA),
        ("usr/lib/python3/dist-packages/mount.py/vconsole.conf", DATA),
        ("usr/lib/x86_64-linux-gnu/perl/5.40/asm/vconsole.conf", DATA),
        ("usr/lib64/perl5/vconsole.conf", DATA),
        ("usr/share/perl5/vconsole.conf", DATA),
        ("usr/lib/x86_64-linux-gnu/libbar.so.1", PROGRAM),
        ("usr/lib/systemd/system/docker.service", DATA),
        ("etc/passwd-", DATA),
    ],
)
def test_what_no_script_names_does_not(root: Path, path: str, mode: int) -> None:
    assert not names(root).concern(path, mode)


def test_a_module_counts_once_its_program_is_there(root: Path) -> None:
    assert names(root, programs="lvm").concern("usr/bin/pv", PROGRAM)


def test_arguments_and_configuration_count(root: Path) -> None:
    assert names(root, "--install=extra-tool").concern("usr/bin/extra-tool", PROGRAM)
    assert names(root, "--include", "/usr/share/own", "/own").concern("usr/share/own/any", DATA)
    put(root, "etc/dracut.conf.d/a.conf", 'install_items+=" /usr/bin/configured "\n')
    assert names(root).concern("usr/bin/configured", PROGRAM)


MESSAGES = """\
usage() {
    cat << EOF
Useful when running dracut from a git checkout.
EOF
}
printf "%s\\n" "dracut[F]: Are you running from a git checkout?" >&2
"""


def test_the_words_of_a_message_do_not_count(root: Path) -> None:
    put(root, "usr/bin/dracut", MESSAGES + "inst_multiple sh mount\n")
    found = names(root)
    assert not found.concern("usr/bin/git", PROGRAM)
    assert found.concern("usr/bin/mount", PROGRAM)


@pytest.mark.parametrize(
    "script",
    [
        "cat << EOF\n$(git --version)\nEOF\n",
        "cat << EOF > /etc/list\ngit\nEOF\n",
        "cat << EOF\n`git --version`\nEOF\n",
        "cat << EOF\nhelp\nEOF\ninst git\ncat << EOF\nhelp\nEOF\n",
        'echo "$(git --version)" >&2\n',
        "echo one >&2; inst git >&2\n",
    ],
)
def test_a_command_in_or_between_messages_counts(root: Path, script: str) -> None:
    put(root, "usr/bin/dracut", script)
    assert names(root).concern("usr/bin/git", PROGRAM)


def test_scripts_behind_links_inside_the_tree_count(root: Path) -> None:
    (root / "usr/lib/dracut/modules.d/99base/lists.sh").rename(root / "usr/lib/dracut/elsewhere")
    (root / "usr/lib/dracut/modules.d/99base/lists.sh").symlink_to("../../elsewhere")
    assert names(root).concern("usr/bin/sourced-program", PROGRAM)


def test_drop_ins_count_for_units_that_are_named(root: Path) -> None:
    put(root, "etc/dracut.conf", "emergency.service\n")
    found = names(root)
    assert found.concern("etc/systemd/system/emergency.service.d/own.conf", DATA)
    assert not found.concern("usr/lib/systemd/system/docker.service.d/own.conf", DATA)


def test_any_library_counts_where_dracut_follows_what_is_loaded_at_run_time(root: Path) -> None:
    put(root, "usr/lib/dracut/dracut-install", "ELF\0.note.dlopen\0")
    assert names(root).concern("usr/lib64/libbar.so.1", PROGRAM)
    assert not names(root).concern("usr/bin/docker", PROGRAM)


def test_modules_on_request_come_by_configuration_or_by_another_that_can_come() -> None:
    setups = {
        "base": "depends() {\n  echo fs-lib\n}\n",
        "fs-lib": ON_REQUEST,
        "fips": ON_REQUEST,
        "policies": "depends() {\n  echo fips\n}\n" + ON_REQUEST,
        "net": "check() {\n  [ -e /x ] && return 0\n  return 255\n}\n",
    }
    assert possible_modules(setups, "--add=ostree", set()) == {"base", "fs-lib", "net"}
    assert possible_modules(setups, "--add=policies", set()) == {"base", "fs-lib", "net", "policies", "fips"}


def test_a_module_without_its_programs_cannot_come() -> None:
    setups = {"lvm": 'check() {\n  require_binaries lvm "$systemdutildir"/systemd-x || return 1\n}\n'}
    assert possible_modules(setups, "--add=lvm", {"lvm"}) == set()
    assert possible_modules(setups, "", {"lvm", "systemd-x"}) == {"lvm"}


def test_accounts_that_scripts_look_up() -> None:
    found = Names(frozenset({"root", "bus", "systemd"}), (), frozenset())
    text = "root:x:0\ndocker:x:994:\nmessagebus:x:992\nsystemd-network:x:990\n"
    assert found.accounts(text) == ["root:x:0", "messagebus:x:992", "systemd-network:x:990"]
