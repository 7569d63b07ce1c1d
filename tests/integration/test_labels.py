"""Labels looked up by libselinux itself: of small disk images with something planted, and of real ones."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import cache_directory
from atomic_lib.compose.file_contexts import NO_LABEL, labels_to_give, set_labels, wanted_labels
from atomic_lib.formats.disk.attributes import LABEL
from atomic_lib.formats.disk.file_system import read_file_system, root_of
from atomic_lib.image.sysroot import ImageRequest, make_sysroot
from atomic_lib.measure.label_exceptions import LabelException
from atomic_lib.measure.labels import LabelCheck, LabelFinding, check_labels
from atomic_lib.pipeline.build import open_build
from atomic_lib.tools.memory import in_memory
from atomic_lib.tools.sandbox import Bind, Tools
from atomic_lib.tools.tools_tree import open_tools
from tests.formats.disk.disk_image import make_raw
from tests.measure.planted import debugfs

pytestmark = pytest.mark.integration

CONTEXTS = """\
/.*             system_u:object_r:default_t:s0
/               -d system_u:object_r:root_t:s0
/lost\\+found    -d system_u:object_r:lost_found_t:s0
/mnt            -d system_u:object_r:mnt_t:s0
/etc(/.*)?      system_u:object_r:etc_t:s0
/etc/g?shadow   -- system_u:object_r:shadow_t:s0
/home           -d system_u:object_r:home_root_t:s0
/home           -l system_u:object_r:link_t:s0
/proc           -d <<none>>
/usr(/.*)?      system_u:object_r:usr_t:s0
/var(/.*)?      system_u:object_r:var_t:s0
"""
BESIDE = {
    "file_contexts.local": "/usr/own system_u:object_r:own_t:s0\n",
    "file_contexts.homedirs": "/home/[^/]+ -d user_u:object_r:user_home_dir_t:s0\n",
    "file_contexts.subs_dist": "/usr/etc /etc\n/var/home /home\n",
    "file_contexts.bin": "compiled long ago",
}
FILES = "/etc/selinux/own/contexts/files"
REASON = "It is planted in this very test."


@dataclass(frozen=True)
class Planted:
    """A root file system made of files, and the labels that it has, by path."""

    directory: Path
    tools: Tools

    def check(self, labels: dict[str, str], *, top: str = "", exceptions: Sequence[LabelException] = ()) -> LabelCheck:
        """Check a disk on which ``labels`` are those of the given paths, others as the contexts have it."""
        raw, root = self.directory / "disk.raw", self.directory / "root"
        make_raw(raw, root)
        given = {**dict.fromkeys(every(root), ""), **usual(root, top), **labels}
        debugfs(raw, [f'ea_set "{path}" security.selinux {label(type_)}' for path, type_ in given.items() if type_])
        return check_labels(read_file_system(raw), self.tools, exceptions)

    def put(self, path: str, text: str = "") -> Path:
        """Write a file of the root."""
        file = self.directory / "root" / path[1:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file


def label(type_: str) -> str:
    return type_ if ":" in type_ else f"system_u:object_r:{type_}:s0"


def every(root: Path) -> list[str]:
    return ["/", "/lost+found", *(f"/{path.relative_to(root)}" for path in sorted(root.rglob("*")))]


def usual(root: Path, top: str) -> dict[str, str]:
    """The types that the paths of a root should have, where ``top`` is the deployment's."""
    types = {"/": "root_t", "/lost+found": "lost_found_t", **({top: "root_t"} if top else {})}
    for path in every(root)[2:]:
        first = path.removeprefix(top).split("/")[1] if path.startswith(f"{top}/") else ""
        types |= {path: f"{first}_t"} if first in ("etc", "usr", "var") else {}
    return types


@pytest.fixture(scope="module")
def tools() -> Tools:
    return open_tools(cache_directory())


@pytest.fixture
def planted(tmp_path: Path, tools: Tools) -> Planted:
    return with_policy(Planted(tmp_path, tools), "")


def with_policy(made: Planted, top: str) -> Planted:
    made.put(f"{top}/etc/selinux/config", "SELINUX=enforcing\nSELINUXTYPE=own\n")
    for name, text in {"file_contexts": CONTEXTS, **BESIDE}.items():
        made.put(f"{top}{FILES}/{name}", text)
    return made


def test_right_labels_are_all_right(planted: Planted) -> None:
    planted.put("/usr/bin/tool")
    checked = planted.check({})
    assert (checked.policy, checked.findings, checked.right) == ("own", (), checked.checked)
    assert checked.checked == len(every(planted.directory / "root"))


def test_wrong_missing_and_unknown_ones_are_named(planted: Planted) -> None:
    for path in ("/usr/wrong", "/usr/none", "/usr/user", "/elsewhere/file"):
        planted.put(path)
    found = planted.check(
        {"/usr/wrong": "etc_t", "/usr/none": "", "/usr/user": "user_u:object_r:usr_t:s0", "/elsewhere": "default_t",
         "/elsewhere/file": "root_t"}
    )  # fmt: skip
    assert found.wrong == found.findings
    assert {one.path: (one.label, one.wanted) for one in found.wrong} == {
        "/usr/wrong": (label("etc_t"), label("usr_t")),
        "/usr/none": ("", label("usr_t")),
        "/usr/user": ("user_u:object_r:usr_t:s0", label("usr_t")),
        "/elsewhere": (label("default_t"), label("default_t")),
        "/elsewhere/file": (label("root_t"), label("default_t")),
    }
    assert [one.path for one in found.unlabelled] == ["/usr/none"]
    assert [one.path for one in found.unknown] == ["/elsewhere"]


def test_substitutions_local_contexts_and_homes_count_and_a_links_type(planted: Planted) -> None:
    planted.put("/var/home/me/.profile")
    planted.put("/usr/etc/shadow")
    planted.put("/usr/own")
    (planted.directory / "root/home").symlink_to("var/home")
    right = {
        "/var/home": "home_root_t", "/var/home/me": "user_u:object_r:user_home_dir_t:s0", "/usr/etc": "etc_t",
        "/usr/etc/shadow": "shadow_t", "/usr/own": "own_t", "/home": "link_t", "/var/home/me/.profile": "usr_t",
    }  # fmt: skip
    found = planted.check(right)
    assert [(one.path, one.wanted) for one in found.findings] == [("/var/home/me/.profile", label("default_t"))]


def test_shadow_is_shadow_whatever_explains_it(planted: Planted) -> None:
    planted.put("/etc/shadow")
    anything = LabelException(exception="all", reason=REASON, paths=("/etc/.*",), label=label("etc_t"))
    assert planted.check({}, exceptions=[anything]).wrong == (LabelFinding("/etc/shadow", label("etc_t"), "shadow_t"),)
    assert planted.check({"/etc/shadow": "shadow_t"}).findings == ()


def test_an_exception_explains(planted: Planted) -> None:
    (planted.directory / "root/proc").mkdir()
    exception = LabelException(exception="proc", reason=REASON, paths=("/proc",), label=label("mnt_t"))
    found = planted.check({"/proc": "mnt_t"}, exceptions=[exception])
    assert found.findings == (LabelFinding("/proc", label("mnt_t"), NO_LABEL, "proc"),)
    assert (found.wrong, found.right, found.reasons) == ((), found.checked - 1, {"proc": REASON})


def test_a_deployment_and_the_repository_that_it_is_linked_from(tmp_path: Path, tools: Tools) -> None:
    top, objects = f"/ostree/deploy/os/deploy/{'c' * 64}.0", "/ostree/repo/objects"
    planted = with_policy(Planted(tmp_path, tools), top)
    tool = planted.put(f"{top}/usr/bin/tool", "#!")
    for name in ("aa", "bb"):
        (tmp_path / "root" / objects[1:] / name).mkdir(parents=True)
    linked, alone, tree = f"{objects}/aa/{'0' * 62}.file", f"{objects}/bb/{'0' * 62}.file", f"{objects}/aa/x.dirtree"
    (tmp_path / "root" / linked[1:]).hardlink_to(tool)
    planted.put(alone, "never deployed")
    planted.put(tree)
    planted.put("/ostree/deploy/os/var/log/x")
    outside = {path: "root_t" for path in every(tmp_path / "root") if path.startswith("/ostree")}
    inside = usual(tmp_path / "root", top)
    var = {f"/ostree/deploy/os/var{name}": "var_t" for name in ("", "/log", "/log/x")}
    exception = LabelException(exception="ostree", reason=REASON, paths=("/ostree(/.*)?",), label=label("root_t"))
    found = planted.check(
        {**outside, **inside, **var, linked: "usr_t", alone: "usr_t"}, top=top, exceptions=[exception]
    )
    assert [one.path for one in found.wrong] == [alone]
    explained = [one.path for one in found.findings if one.exception]
    assert {"/ostree", "/ostree/deploy/os", objects, tree} <= set(explained)
    assert not [path for path in explained if path.startswith((f"{top}/", *var, linked))]


def test_a_disk_whose_policy_is_not_there_cannot_be_checked(planted: Planted) -> None:
    planted.put("/etc/selinux/config", "SELINUXTYPE=other\n")
    with pytest.raises(WorkbookError, match="the policy 'other' has no /etc/selinux/other/contexts/files/file_cont"):
        planted.check({})


def test_contexts_that_cannot_be_read_are_an_error(planted: Planted) -> None:
    planted.put(f"{FILES}/file_contexts", "/usr( system_u:object_r:usr_t:s0\n")
    with pytest.raises(WorkbookError, match="matchpathcon"):
        planted.check({})


def test_many_odd_names_are_looked_up_in_order(planted: Planted) -> None:
    contexts = planted.directory / "root" / FILES[1:]
    names = [f"/usr/{number} \udcff\n'{'x' * 100}" for number in range(30_000)]
    said = wanted_labels(planted.tools, contexts, [*((name, "file") for name in names), ("/etc", "directory")])
    assert [said[name, "file"] for name in names] == [label("usr_t")] * len(names)
    assert said["/etc", "directory"] == label("etc_t")


def test_what_is_labelled_gets_the_policys_label_or_one_that_services_may_read(planted: Planted) -> None:
    contexts = planted.directory / "root" / FILES[1:]
    asked = {"a": "/etc/shadow", "b": "/ostree"}
    given = labels_to_give(planted.tools, contexts, {name: (place, "file") for name, place in asked.items()})
    assert given == {"a": label("shadow_t"), "b": label("root_t")}
    assert labels_to_give(planted.tools, contexts, {"c": ("/proc", "directory")}) == {"c": label("mnt_t")}


@pytest.mark.parametrize("name", ["atomic-min", "traditional-min"])
def test_every_path_of_a_real_image_has_its_policys_label_or_a_reason(name: str) -> None:
    labels = open_build(name).labels
    assert labels is not None
    assert [str(one) for one in labels.wrong] == []
    assert (labels.unlabelled, labels.unknown) == (0, 0)
    assert labels.checked > {"atomic-min": 10_000, "traditional-min": 5_000}[name]
    assert labels.right > 0.9 * labels.checked


@pytest.mark.parametrize("name", ["atomic-min", "traditional-min"])
def test_passwords_are_shadow_before_the_first_boot(name: str) -> None:
    build = open_build(name)
    root = root_of(read_file_system(build.image.raw_disk(build.context)))
    found = {path: entry.attributes[LABEL] for path, entry in root.entries.items() if path.endswith("shadow")}
    assert {"/etc/shadow", "/etc/gshadow"} <= set(found)
    assert set(found.values()) == {label("shadow_t")}


def test_labelling_leaves_the_repository_whole(tmp_path: Path) -> None:
    build = open_build("atomic-min")
    image = ImageRequest(build.variant, build.recipe, build.content, build.tree)
    with in_memory(tmp_path / "memory") as memory:
        sysroot = make_sysroot(image, build.context.tools, memory, tmp_path / "log")
        for repo in (sysroot / "ostree/repo", build.tree.repo):
            binds = [Bind(repo, "/mnt/repo", writable=True)]
            said = build.context.tools.run(["ostree", "fsck", "--repo=/mnt/repo"], binds=binds, rights="label").stdout
            assert "no errors found" in said


def test_a_label_that_is_set_ends_with_a_null_byte_as_those_of_setfiles_do(tmp_path: Path) -> None:
    """Whatever a file is called; a link gets the label, not what it leads to."""
    names = ["file", "odd", 'a\nline\r\\052 = "x" ', os.fsdecode(b"\xff"), "link"]
    labels = {f"/mnt/own/{name}": f'system_u:object_r:a"b\\c{number}_t:s0' for number, name in enumerate(names)}
    with in_memory(tmp_path / "memory") as memory:
        for name in names[:-1]:
            (memory / name).touch()
        (memory / "link").symlink_to("file")
        binds = [Bind(memory, "/mnt/own", writable=True)]
        set_labels(open_tools(cache_directory()), binds, labels)
        for path, label_ in labels.items():
            found = os.getxattr(memory / path.removeprefix("/mnt/own/"), LABEL, follow_symlinks=False)
            assert found == f"{label_}\0".encode()
        with pytest.raises(CommandError, match="/mnt/own/gone"):
            set_labels(open_tools(cache_directory()), binds, {"/mnt/own/gone": "x", **labels})
