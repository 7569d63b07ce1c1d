"""Each key of rpm-ostree's reference is honoured, without effect with a reason, or refused with one."""

import re
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.treefile import read_treefile
from atomic_lib.recipe.treefile_keys import ACCEPTED, OLD_SPELLINGS, REFUSED, notes, shown, wrong_value

# docs/treefile.md of rpm-ostree
REFERENCE = """\
edition ref metadata gpg-key gpg_key repos selinux ignore-devices ima boot-location boot_location etc-group-members
install-langs mutate-os-release documentation packages exclude-packages repo-packages ostree-layers
ostree-override-layers container-cmd bootstrap_packages recommends units default-target default_target initramfs-args
rpmdb rpmdb-normalize selinux-label-version cliwrap cliwrap-binaries readonly-executables remove-files
remove-from-packages preserve-passwd check-passwd check-groups ignore-removed-users ignore-removed-groups releasever
automatic-version-prefix automatic_version_prefix automatic-version-suffix add-commit-metadata postprocess-script
postprocess include arch-include conditional-include container add-files tmp-is-dir machineid-compat platform-module
variables repo-metadata advisories-metadata lockfile-repos repovars sysusers opt-usrlocal no-initramfs basearch rojig
""".split()  # noqa: SIM905


def test_every_key_of_the_reference_is_known() -> None:
    assert [key for key in REFERENCE if OLD_SPELLINGS.get(key, key) not in {*ACCEPTED, *REFUSED}] == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("gpg-key: AB", "signing_key"),
        ("container-cmd: ['']", "no container image"),
        ("rojig: {name: a, summary: b, license: c}", "not distributed as a package"),
        ("metadata: {a: {b: [1]}}", "other programs"),
        ("rpmdb: sqlite", "format of its own rpm"),
        ("rpmdb-normalize: true", "same in each build"),
        ("etc-group-members: [wheel]", "/etc/group"),
        ("repo-metadata: detached", "no metadata of repositories"),
        ("advisories-metadata: disabled", "no metadata of advisories"),
        ("ignore-devices: true", "device files"),
        ("platform-module: platform:f36", "no modules"),
        ("check-passwd: {type: previous}", "no previous commit"),
        ("check-groups: {type: previous}", "no previous commit"),
        ("ignore-removed-users: [root]", "check-passwd is not of type file or data"),
        ("ignore-removed-groups: [root]", "check-groups is not of type file or data"),
        ("preserve-passwd: true", "no file to copy"),
        ("automatic-version-suffix: '-'", "without a date"),
    ],
)
def test_what_has_no_effect_is_noted_with_the_reason(tmp_path: Path, line: str, words: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(f"ref: a\npackages: [b]\n{line}\n")
    (note,) = read_treefile(path).notes
    key = line.partition(":")[0]
    assert note.startswith(f"{key} has no effect: ")
    assert words in note


@pytest.mark.parametrize(
    ("key", "value", "wrong"),
    [
        ("add-files", [["a", "/usr/a"], ["a", "etc/a"], ["a", "/lib/a"]], ""),
        ("add-files", [["a"]], "must be a list of pairs"),
        ("add-files", [["a", "/var/a"]], "is not below /usr"),
        ("add-files", [["a", "/usr/local/a"]], "is not below /usr"),
        ("add-files", [["a", "/usr/../var/a"]], "is not below /usr"),
        ("add-files", [["a", "/etc/"]], "does not name a file"),
        ("remove-from-packages", [["cpio", "/usr/share/.*"], ["a"]], ""),
        ("remove-from-packages", [["cpio", "("]], "is not a regular expression"),
        ("remove-from-packages", [[]], "must be a list of lists"),
        ("repo-packages", [{"repo": "a", "packages": ["b c"]}], ""),
        ("repo-packages", [{"repo": "a"}], "must be a list of mappings"),
        ("repo-packages", [{"repo": "a", "packages": ["b"], "comment": "c"}], ""),
        ("rpmdb", "b-d-b", ""),
        ("boot-location", "both", 'only "modules" or "new" is supported: rpm-ostree has only kernel-install beside'),
        ("remove-from-packages", [["cpio", "/usr/[[:alpha:]]+"]], "has a class such as [:digit:]"),
        ("remove-from-packages", [["cpio", "/usr/[_[:^alpha:]]"]], "has a class such as [:digit:]"),
        ("remove-from-packages", [["cpio", "/usr/[:,]x[]a]"]], ""),
        ("check-passwd", {"type": "data", "entries": {"a": 1, "b": [1, 2], "c": [3]}}, ""),
        ("check-passwd", {"type": "data", "entries": {"a": -1}}, "type data needs entries"),
        ("check-passwd", {"type": "data", "entries": {"a": True}}, "type data needs entries"),
        ("check-passwd", {"type": "file"}, "type file needs a filename"),
        ("check-passwd", {"type": "all"}, "must be a mapping whose type"),
        ("check-groups", {"type": "data", "entries": {"a": [1, 2]}}, "a mapping of names to an id"),
        ("add-commit-metadata", {"a.b": {"c": [1, 2.5, True, "x"]}}, ""),
        ("add-commit-metadata", {"a": [None]}, "a: None has no type in a commit"),
        ("add-commit-metadata", {"a": {"b": b"x"}}, "a: b'x' has no type in a commit"),
        ("add-commit-metadata", {"a": 1 << 63}, "a: a number needs more than 64 bits"),
        ("add-commit-metadata", {"a": -(1 << 62)}, ""),
        ("add-commit-metadata", {"a": ["x\0"]}, "a: a text has a null byte"),
        ("add-commit-metadata", {"version": "3"}, "the version is that of automatic-version-prefix"),
        ("add-commit-metadata", {"a=b": "3"}, "is not the name of a key"),
        ("arch-include", {"x86_64": "a", "s390x": ["b"]}, ""),
        ("arch-include", {"x86_64": 3}, "must be a mapping of architectures"),
        ("conditional-include", [{"if": "a == 1", "include": {"packages": []}}], ""),
        ("conditional-include", [{"if": [], "include": "a", "comment": "b"}], ""),
        ("conditional-include", [{"if": "a == 1"}], "must be a list of mappings"),
        ("releasever", 41, ""),
        ("releasever", True, "must be text or a whole number"),
        ("releasever", -1, "must be text or a whole number"),
        ("cliwrap", 0, "only false is supported"),
        ("cliwrap", True, "only false is supported: a build puts no wrappers of rpm-ostree into a tree"),
        ("ima", True, "only false is supported: signatures of IMA are not taken from packages into a commit"),
        ("container", True, ""),
        ("container", "yes", "only true or false is supported"),
        ("sysusers", "compose-forced", ""),
        ("opt-usrlocal", "overlay", 'only "var" or "root" or "state-overlay" or "stateoverlay" is supported'),
        ("remove-files", ["usr/share/doc"], ""),
        ("remove-files", ["usr/a..b"], "must be relative"),
        ("packages", ["a\nb"], ""),
        ("packages", ["a\0b"], "has a control character"),
        ("packages", [3], "must be a list of strings"),
    ],
)
def test_a_value_must_have_its_form(key: str, value: object, wrong: str) -> None:
    found = wrong_value(key, value)
    assert found == "" if not wrong else wrong in found


def test_what_container_implies_in_rpm_ostree_cannot_be_set_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("container: true\npackages: [b]\nselinux: true\ntmp-is-dir: false\n")
    recipe = read_treefile(path)
    assert not recipe.tmp_is_link
    assert recipe.notes == (
        "selinux has no effect: the tree of a container is not labelled",
        "tmp-is-dir has no effect: /tmp of a container's tree is a directory",
    )
    path.write_text("container: true\npackages: [b]\nselinux: false\ntmp-is-dir: true\n")
    assert read_treefile(path).notes == ()


def test_a_container_has_a_command_and_nothing_that_boots(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("container: true\npackages: [b]\ncontainer-cmd: [/bin/sh, -l]\n")
    recipe = read_treefile(path)
    assert (recipe.container, recipe.container_command, recipe.machine_id) == (True, ("/bin/sh", "-l"), "absent")
    assert recipe.notes == ()
    path.write_text("container: true\npackages: [b]\nunits: [a.service]\ndefault-target: a.target\n")
    with pytest.raises(WorkbookError) as caught:
        read_treefile(path)
    assert caught.value.message.splitlines() == [
        f"{path}:4: default-target: nothing boots a container's image",
        f"{path}:3: units: nothing boots a container's image",
    ]


def test_nothing_is_checked_in_the_tree_of_a_container(tmp_path: Path) -> None:
    (tmp_path / "passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    path = tmp_path / "a.yaml"
    path.write_text("container: true\npackages: [b]\ncheck-passwd: {type: file, filename: passwd}\n")
    recipe = read_treefile(path)
    assert recipe.account_rules is None
    assert recipe.notes == (
        "check-passwd has no effect: the users and groups of a container's tree are those of its packages",
    )


def test_keys_inside_of_a_value_that_rpm_ostree_ignores_are_noted(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("ref: a\nrepo-packages: [{repo: r, packages: [b], comment: c}, {repo: s, packages: [d], at: 3}]\n")
    recipe = read_treefile(path)
    assert recipe.packages == ("b", "d")
    assert [note.removeprefix(f"{path}:2: repo-packages: ") for note in recipe.notes] == [
        "'at' has no effect: rpm-ostree ignores it", "'comment' has no effect: rpm-ostree ignores it"
    ]  # fmt: skip


def test_what_another_key_makes_useless_is_noted() -> None:
    assert notes({"initramfs-args": ["a"], "no-initramfs": True}) == [
        "initramfs-args has no effect: no-initramfs is true"
    ]


def test_notes_are_of_set_keys_only() -> None:
    used = {"check-passwd": {"type": "file"}, "ignore-removed-users": ["a"], "preserve-passwd": True}
    dated = {"automatic-version-suffix": "-", "automatic-version-prefix": "2.<date:%Y>"}
    assert notes({**used, **dated, "initramfs-args": ["a"]}) == []
    assert notes({"packages": ["a"], "check-passwd": {"type": "none"}, "boot-location": "modules"}) == []


def test_a_value_in_a_message_is_short() -> None:
    assert shown("a") == "'a'"
    assert len(shown("a" * 1000)) <= 101
    assert shown(list(range(1000))) == "list of many"


def test_the_table_of_the_design_has_every_key_of_the_reference() -> None:
    text = (Path(__file__).parents[2] / "docs/design.md").read_text()
    missing = [key for key in REFERENCE if "_" not in key and not re.search(rf"`{re.escape(key)}[`:]", text)]
    assert missing == []
