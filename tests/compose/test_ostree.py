"""rpm-ostree's rules for a tree, on a small fake one."""

import os
import re
import shutil
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.chroot import Installroot
from atomic_lib.compose.ostree import TOPLEVEL_LINKS, make_ostree_tree
from atomic_lib.tools.sandbox import Tools

SEMANAGE = "module-store = direct\nstore-root = /var/lib/selinux\nexpand-check = 0\n"
AUTOVAR = "usr/lib/tmpfiles.d/rpm-ostree-1-autovar.conf"
COMPATIBLE = "usr/lib/tmpfiles.d/rpm-ostree-0-integration-opt-usrlocal-compat.conf"
INTEGRATION = "usr/lib/tmpfiles.d/00-rpm-ostree-integration.conf"


def put(root: Path, name: str, text: str = "") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def link_in_place_of(directory: Path, target: str) -> None:
    """Put a link in the place of an empty directory, a link or nothing."""
    if directory.is_symlink():
        directory.unlink()
    elif directory.exists():
        shutil.rmtree(directory)
    directory.symlink_to(target)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    top = tmp_path / "root"
    for name in (
        "boot",
        "dev",
        "home",
        "mnt",
        "opt",
        "proc",
        "root",
        "run",
        "srv",
        "sys",
        "tmp",
        "usr/local/bin",
        "usr/share",
    ):
        (top / name).mkdir(parents=True)
    (top / "media").symlink_to("mnt")
    put(top, "boot/vmlinuz-6.12", "kernel")
    put(top, "boot/.hidden")
    put(top, "root/.bashrc", "alias")
    put(top, "usr/lib/tmpfiles.d/skeleton.conf", "C /root/.bashrc - - - - /usr/share/skeleton\n")
    put(top, "etc/hostname", "h\n")
    put(top, "etc/selinux/semanage.conf", SEMANAGE)
    put(top, "etc/selinux/default/contexts/files/file_contexts")
    put(top, "etc/selinux/default/contexts/files/file_contexts.bin")
    put(top, "var/lib/selinux/default/active/modules/100/base/cil", "policy")
    put(top, "usr/lib/sysimage/rpm/rpmdb.sqlite", "db")
    put(top, "var/lib/app/state", "lost")
    put(top, "var/odd/name with space/50%")
    (top / "var/mail").mkdir(mode=0o2775)
    (top / "var/mail").chmod(0o2775)
    (top / "var/opt").mkdir()
    (top / "var/run").symlink_to("/run")
    return top


def make(root: Path) -> list[str]:
    return make_ostree_tree(Installroot(Tools(root, ""), root, 0))


def lines_of(root: Path, name: str) -> list[str]:
    return (root / name).read_text().splitlines()


def test_top_level_directories_become_links(root: Path) -> None:
    make(root)
    assert {name: os.readlink(root / name) for name in TOPLEVEL_LINKS} == TOPLEVEL_LINKS
    assert (root / "sysroot").is_dir()
    assert os.readlink(root / "ostree") == "sysroot/ostree"


def test_what_the_links_lead_to_is_made_at_boot(root: Path) -> None:
    make(root)
    made = {line.split()[1]: line for line in lines_of(root, INTEGRATION)}
    for target in TOPLEVEL_LINKS.values():
        if target.startswith("var/"):
            assert f"/{target}" in made
    assert made["/var/roothome"] == "d /var/roothome 0700 root root -"
    assert "/var/usrlocal" in made


def test_configuration_moves_to_usr(root: Path) -> None:
    make(root)
    assert not (root / "etc").exists()
    assert (root / "usr/etc/hostname").read_text() == "h\n"


def test_var_is_empty_and_made_anew_at_boot(root: Path) -> None:
    uid, gid = os.getuid(), os.getgid()
    make(root)
    assert list((root / "var").iterdir()) == []
    lines = lines_of(root, AUTOVAR)
    assert f"d /var/mail 2775 {uid} {gid} -" in lines
    assert "L /var/run - - - - /run" in lines
    assert f"d /var/odd/name\\x20with\\x20space 0755 {uid} {gid} -" in lines
    assert not any(line.startswith("d /var/opt ") for line in lines), "is made by the other file"


def test_parents_are_made_before_what_is_in_them(root: Path) -> None:
    make(root)
    paths = [line.split()[1] for line in lines_of(root, AUTOVAR)]
    assert paths == sorted(paths)
    assert paths.index("/var/lib") < paths.index("/var/lib/app")


def test_files_in_var_that_a_commit_cannot_carry_are_named(root: Path) -> None:
    assert make(root) == ["/var/lib/app/state", "/var/odd/name with space/50%"]


def test_the_policy_store_moves_out_of_var(root: Path) -> None:
    make(root)
    assert (root / "usr/etc/selinux/default/active/modules/100/base/cil").read_text() == "policy"
    lines = lines_of(root, "usr/etc/selinux/semanage.conf")
    assert [line for line in lines if "store-root" in line] == ["store-root=/etc/selinux"]
    assert {"module-store = direct", "expand-check = 0"} <= set(lines)


def test_compiled_contexts_are_removed_and_their_text_stays(root: Path) -> None:
    make(root)
    assert [path.name for path in (root / "usr/etc/selinux/default/contexts/files").iterdir()] == ["file_contexts"]


def test_the_package_database_is_found_where_rpm_ostree_looks(root: Path) -> None:
    make(root)
    assert (root / "usr/share/rpm/rpmdb.sqlite").read_text() == "db"


def test_boot_is_empty_and_what_is_no_copy_of_the_kernel_moves_to_usr(root: Path) -> None:
    put(root, "usr/lib/modules/6.12/vmlinuz", "kernel")
    put(root, "boot/efi/EFI/own/grubx64.efi", "grub")
    make(root)
    assert list((root / "boot").iterdir()) == []
    kept = {str(path.relative_to(root)) for path in (root / "usr/lib/ostree-boot").rglob("*") if path.is_file()}
    assert kept == {"usr/lib/ostree-boot/.hidden", "usr/lib/ostree-boot/efi/EFI/own/grubx64.efi"}


def test_what_is_in_opt_moves_to_usr_and_is_linked_at_boot(root: Path) -> None:
    put(root, "opt/vendor/bin/app", "program")
    (root / "opt/it's 50%").mkdir()
    make(root)
    assert (root / "usr/lib/opt/vendor/bin/app").read_text() == "program"
    lines = [line for line in lines_of(root, AUTOVAR) if "/opt" in line]
    assert lines == [
        r"L /var/opt/it\x27s\x2050%% - - - - ../../usr/lib/opt/it\x27s\x2050%%",
        "L /var/opt/vendor - - - - ../../usr/lib/opt/vendor",
    ]


def test_links_that_leave_what_moves_lead_to_the_same_file(root: Path) -> None:
    links = {
        "opt/vendor/lib": "../../usr/lib/vendor", "opt/vendor/bin/same": "../lib", "opt/vendor/other": "../it/x",
        "opt/vendor/absolute": "/usr/lib/vendor", "opt/top": "../etc/hostname", "boot/out": "../usr/share",
        "srv/data": "../usr/share/data", "srv/www/up": "../data", "root/home": "../home", "usr/local/out": "../lib/x",
        "var/lib/out": "../../etc",
    }  # fmt: skip
    for name, target in links.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(target)
    make(root)
    moved = {name: os.readlink(root / f"usr/lib/{name}") for name in links if name.startswith("opt/")}
    assert moved == {
        "opt/vendor/lib": "/usr/lib/vendor", "opt/vendor/bin/same": "../lib", "opt/vendor/other": "../it/x",
        "opt/vendor/absolute": "/usr/lib/vendor", "opt/top": "/etc/hostname",
    }  # fmt: skip
    assert os.readlink(root / "usr/lib/ostree-boot/out") == "/usr/share"
    lines = [line.split(" ") for line in lines_of(root, AUTOVAR) if line.startswith("L")]
    assert {line[1]: line[-1] for line in lines if not line[1].startswith("/var/opt/")} == {
        "/var/srv/data": "/usr/share/data", "/var/srv/www/up": "../data", "/var/roothome/home": "/home",
        "/var/usrlocal/out": "/usr/lib/x", "/var/lib/out": "../../etc", "/var/run": "/run",
    }  # fmt: skip


@pytest.mark.parametrize(
    "path",
    ["home/user/x", "mnt/x", "ostree/x", "root/.vendorrc", "srv/www/x", "usr/local/bin/x", "usr/etc/x"],
)
def test_a_file_that_a_commit_would_lose_is_refused_by_name(root: Path, path: str) -> None:
    put(root, path, "x")
    with pytest.raises(WorkbookError) as caught:
        make(root)
    assert caught.value.message.startswith(f"/{path}: ")
    assert caught.value.hint


@pytest.mark.parametrize(
    ("name", "target", "leads_to"),
    [
        ("srv", "usr/share/www", "/var/srv"),
        ("opt", "/usr/share", "/var/opt"),
        ("usr/local", "share/www", "/var/usrlocal"),
        ("home", "/", "/var/home"),
        ("media", "usr/share/www/x", "/run/media"),
    ],
)
def test_a_link_to_files_that_would_not_be_found_there_is_refused(
    root: Path, name: str, target: str, leads_to: str
) -> None:
    put(root, "usr/share/www/x", "x")
    link_in_place_of(root / name, target)
    led_to = os.path.normpath(os.path.join("/", os.path.dirname(name), target))
    with pytest.raises(WorkbookError, match=f"^/{name}: is a link to {led_to}, but in a commit it leads to {leads_to}"):
        make(root)


def test_a_link_that_leads_nowhere_or_where_that_of_a_commit_does_is_replaced(root: Path) -> None:
    for name, target in (("srv", "/var/srv"), ("home", "nowhere"), ("mnt", "usr/share/empty")):
        link_in_place_of(root / name, target)
    (root / "usr/share/empty").mkdir(parents=True)
    make(root)
    assert {name: os.readlink(root / name) for name in TOPLEVEL_LINKS} == TOPLEVEL_LINKS


def test_directories_and_links_of_linked_directories_are_made_at_boot(root: Path) -> None:
    (root / "srv/www").mkdir(mode=0o750)
    (root / "usr/local/games").symlink_to("bin")
    (root / "home/declared").mkdir()
    put(root, "usr/lib/tmpfiles.d/own.conf", "d /home/declared 0700 alice alice -\n")
    make(root)
    uid, gid = os.getuid(), os.getgid()
    lines = [line for line in lines_of(root, AUTOVAR) if re.search("srv|usrlocal|home", line)]
    assert lines == [f"d /var/srv/www 0750 {uid} {gid} -", "L /var/usrlocal/games - - - - bin"]


def test_the_lines_of_tmpfiles_have_this_text_in_this_order(root: Path) -> None:
    (root / "var/lib-old").mkdir()
    make(root)
    owner = f"{os.getuid()} {os.getgid()}"
    assert (root / AUTOVAR).read_text() == (
        f"d /var/lib 0755 {owner} -\nd /var/lib/app 0755 {owner} -\nd /var/lib/selinux 0755 {owner} -\n"
        f"d /var/lib/selinux/default 0755 {owner} -\nd /var/lib-old 0755 {owner} -\nd /var/mail 2775 {owner} -\n"
        f"d /var/odd 0755 {owner} -\nd /var/odd/name\\x20with\\x20space 0755 {owner} -\nL /var/run - - - - /run\n"
    )
    assert (root / INTEGRATION).read_text() == (
        "d /var/home 0755 root root -\nd /var/mnt 0755 root root -\nd /var/opt 0755 root root -\n"
        "d /var/roothome 0700 root root -\nd /var/srv 0755 root root -\nd /var/usrlocal 0755 root root -\n"
        "d /var/usrlocal/bin 0755 root root -\nd /var/usrlocal/etc 0755 root root -\n"
        "d /var/usrlocal/lib 0755 root root -\nd /var/usrlocal/sbin 0755 root root -\n"
        "d /var/usrlocal/share 0755 root root -\nd /var/usrlocal/src 0755 root root -\n"
    )


def test_a_tree_without_a_policy_is_left_without(root: Path) -> None:
    for path in sorted((root / "var/lib/selinux").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    make(root)
    assert (root / "usr/etc/selinux/semanage.conf").read_text() == SEMANAGE


def test_what_packages_declare_is_not_declared_again(root: Path) -> None:
    (root / "var/tmp").mkdir()
    put(root, "usr/lib/tmpfiles.d/tmp.conf", "# d /var/lib 0755\nq /var/tmp 1777 root root 30d\nx /var/mail/keep\n")
    make(root)
    declared = [line.split()[1] for line in lines_of(root, AUTOVAR)]
    assert "/var/tmp" not in declared
    assert {"/var/lib", "/var/mail"} <= set(declared)


def test_what_systemd_refuses_of_a_package_is_declared_anew(root: Path) -> None:
    """A line with a mode that is none would have its directory missing at boot."""
    for name in ("wrong", "odd", "slashes"):
        (root / "var/lib" / name).mkdir()
    text = "d /var/lib/wrong 0999\ndd /var/lib/odd\nd /var//lib/./slashes/\n"
    put(root, "usr/lib/tmpfiles.d/own.conf", text)
    make(root)
    declared = {line.split()[1] for line in lines_of(root, AUTOVAR)}
    assert {"/var/lib/wrong", "/var/lib/odd"} <= declared
    assert "/var/lib/slashes" not in declared


def test_tmp_can_be_a_link(root: Path) -> None:
    make_ostree_tree(Installroot(Tools(root, ""), root, 0), tmp_is_link=True)
    assert os.readlink(root / "tmp") == "sysroot/tmp"


def test_tmp_is_a_directory_otherwise(root: Path) -> None:
    make(root)
    assert (root / "tmp").is_dir()
    assert not (root / "tmp").is_symlink()


def test_opt_and_usr_local_can_be_the_commits_own(root: Path) -> None:
    put(root, "opt/own/file")
    put(root, "usr/local/bin/tool")
    make_ostree_tree(Installroot(Tools(root, ""), root, 0), opt_and_usrlocal="root")
    assert (root / "opt/own/file").is_file()
    assert (root / "usr/local/bin/tool").is_file()
    assert os.readlink(root / "srv") == "var/srv"
    assert [line for line in lines_of(root, INTEGRATION) if "/opt" in line or "usrlocal" in line] == []
    assert any("/var/home" in line for line in lines_of(root, INTEGRATION))


def test_opt_and_usr_local_can_be_under_state_overlays(root: Path) -> None:
    put(root, "opt/own/file")
    put(root, "usr/local/bin/tool")
    tree = Installroot(Tools(root, ""), root, 0)
    with pytest.raises(WorkbookError, match=r"there is no unit ostree-state-overlay@\.service in the tree"):
        make_ostree_tree(tree, opt_and_usrlocal="state-overlay")
    put(root, "usr/lib/systemd/system/ostree-state-overlay@.service")
    make_ostree_tree(tree, opt_and_usrlocal="state-overlay")
    assert os.readlink(root / "opt") == "usr/lib/opt"
    assert (root / "opt/own/file").is_file()
    assert (root / "usr/local/bin/tool").is_file()
    assert not (root / "usr/local").is_symlink()
    required = root / "usr/lib/systemd/system/local-fs.target.requires"
    assert {path.name: os.readlink(path) for path in required.iterdir()} == {
        f"ostree-state-overlay@{name}.service": f"../ostree-state-overlay@{name}.service"
        for name in ("usr-lib-opt", "usr-local")
    }
    assert [line for line in lines_of(root, COMPATIBLE) if "/opt" in line] == ["L /var/opt - - - - ../usr/lib/opt"]
    assert [line for line in lines_of(root, INTEGRATION) if "/opt" in line or "usrlocal" in line] == []


def test_directories_in_run_and_tmp_are_made_at_boot_and_files_are_named(root: Path) -> None:
    (root / "run/vendor").mkdir(mode=0o710)
    (root / "run/vendor/now").symlink_to("../vendor")
    put(root, "run/vendor/pid", "1")
    put(root, "tmp/vendor/x")
    assert {"/run/vendor/pid", "/tmp/vendor/x"} <= set(make(root))
    owner = f"{os.getuid()} {os.getgid()}"
    assert [line for line in lines_of(root, AUTOVAR) if "vendor" in line] == [
        f"d /run/vendor 0710 {owner} -", "L /run/vendor/now - - - - ../vendor", f"d /tmp/vendor 0755 {owner} -",
    ]  # fmt: skip
    assert [*(root / "run").iterdir(), *(root / "tmp").iterdir()] == []


def test_a_file_where_the_disk_is_mounted_is_refused(root: Path) -> None:
    put(root, "sysroot/x")
    with pytest.raises(WorkbookError, match=r"^/sysroot/x: a commit has no place for it, because /sysroot is where"):
        make(root)


def test_a_directory_at_the_top_that_nobody_knows_stays(root: Path) -> None:
    put(root, "vendor/app", "x")
    put(root, "top", "y")
    assert "/vendor/app" not in make(root)
    assert ((root / "vendor/app").read_text(), (root / "top").read_text()) == ("x", "y")


def test_only_what_the_kernel_has_elsewhere_goes_from_boot(root: Path) -> None:
    for name in ("vmlinuz", "config", ".vmlinuz.hmac"):
        put(root, f"usr/lib/modules/6.12/{name}", "of the kernel")
    of_kernel = ["vmlinuz-6.12", "config-6.12", ".vmlinuz-6.12.hmac", "initramfs-6.12.img", "initrd.img-6.12"]
    others = ["System.map-6.12", "vendor-6.12.bin", "vmlinuz-6.1", "initramfs-6.11.img", "vmlinuz"]
    for name in (*of_kernel, *others):
        put(root, f"boot/{name}", name)
    make(root)
    assert sorted(path.name for path in (root / "usr/lib/ostree-boot").iterdir()) == sorted([*others, ".hidden"])
    assert (root / "usr/lib/modules/6.12/vmlinuz").read_text() == "of the kernel"
