"""Treefiles: rpm-ostree's keys and rules for includes, and errors."""

import json
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.treefile import read_treefile

REAL = Path(__file__).parents[2].parent / "shared" / "data" / "fedora-atomic-22" / "fedora-atomic-docker-host.json"
MINIMAL = "ref: atomic/x86_64/minimal\npackages: [bash]\n"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def refusal(path: Path) -> WorkbookError:
    with pytest.raises(WorkbookError) as caught:
        read_treefile(path)
    return caught.value


def test_every_honoured_key_stands_in_the_recipe(tmp_path: Path) -> None:
    script = write(tmp_path / "post.sh", "#!/usr/bin/env bash\necho file\n")
    path = write(
        tmp_path / "all.yaml",
        """\
ref: atomic/${basearch}/${releasever}/minimal
releasever: 22
automatic-version-prefix: "${releasever}.1"
repos: [fedora]
packages:
  - bash coreutils
  - "'podman >= 4.1'"
packages-x86_64: [grub2]
packages-aarch64: [shim-aa64]
exclude-packages: [python3]
recommends: false
documentation: false
install-langs: [en_US]
selinux: false
units: [sshd.service]
default-target: rescue.target
initramfs-args: [--add, iscsi]
postprocess:
  - |
    #!/bin/bash -e
    echo inline
  - echo plain
postprocess-script: post.sh
remove-files: [usr/share/doc]
tmp-is-dir: true
etc-group-members: [wheel]
""",
    )
    recipe = read_treefile(path)
    assert recipe.ref == "atomic/x86_64/22/minimal"
    assert (recipe.releasever, recipe.version_prefix) == ("22", "22.1")
    assert recipe.packages == ("bash", "coreutils", "podman >= 4.1", "grub2")
    assert recipe.excludes == ("python3",)
    assert recipe.repos == ("fedora",)
    assert (recipe.weak_dependencies, recipe.documentation, recipe.selinux) == (False, False, "disabled")
    assert recipe.languages == ("en_US",)
    assert (recipe.enabled_units, recipe.default_target) == (("sshd.service",), "rescue.target")
    assert recipe.initramfs_arguments == ("--add", "iscsi")
    assert [(script.interpreter, script.source) for script in recipe.post_scripts] == [
        ("/bin/bash -e", f"{path}:19"),
        ("/bin/sh", f"{path}:22"),
        ("/usr/bin/env bash", f"{script}:1"),
    ]
    assert recipe.post_scripts[0].text == "#!/bin/bash -e\necho inline\n"
    assert all(script.stop_on_error for script in recipe.post_scripts)
    assert recipe.removed_paths == ("usr/share/doc",)
    assert recipe.files == (path, script)
    assert recipe.notes == ("etc-group-members has no effect: all groups of the tree are in /etc/group",)


def test_defaults_are_those_of_rpm_ostree(tmp_path: Path) -> None:
    recipe = read_treefile(write(tmp_path / "a.yaml", MINIMAL))
    assert (recipe.documentation, recipe.weak_dependencies, recipe.selinux) == (True, True, "enforcing")
    assert recipe.languages is None
    assert recipe.root_size_mib is None
    assert recipe.notes == ()


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("machineid-compat: false", "machine_id", "absent"),
        ("machineid-compat: true", "machine_id", "empty"),
        ("tmp-is-dir: false", "tmp_is_link", True),
        ("opt-usrlocal: root", "opt_and_usrlocal", "root"),
        ("opt-usrlocal: stateoverlay", "opt_and_usrlocal", "state-overlay"),
        ("readonly-executables: true", "readonly_executables", True),
        ("selinux-label-version: 1", "usr_etc_as_etc", True),
        ("sysusers: compose-forced", "run_sysusers", True),
        ("no-initramfs: true", "initramfs", False),
        ("mutate-os-release: ${basearch}", "os_release_version", "x86_64"),
        ("remove-from-packages: [[cpio, /usr/share/.*, a], [dhclient, b]]", "removed_from_packages",
         (("cpio", "/usr/share/.*", "a"), ("dhclient", "b"))),
        ("repo-packages: [{repo: updates, packages: [a b, c]}]", "repo_packages", (("updates", ("a", "b", "c")),)),
        ("units: [a.socket]", "wanted_units", ("a.socket",)),
        ("add-commit-metadata: {b: '${basearch}', a: {c: [1, 2.5, true, x], d: [], e: {}}}", "commit_metadata",
         (("a", '{"c": <[<int64 1>, <double 2.5>, <true>, <"x">]>, "d": <@av []>, "e": <@a{sv} {}>}'),
          ("b", '"x86_64"'))),
    ],
)  # fmt: skip
def test_a_key_with_an_effect_sets_its_field(tmp_path: Path, line: str, field: str, value: object) -> None:
    plain = read_treefile(write(tmp_path / "plain.yaml", MINIMAL))
    recipe = read_treefile(write(tmp_path / "a.yaml", f"{MINIMAL}{line}\n"))
    assert getattr(recipe, field) == value != getattr(plain, field)
    assert recipe.notes == ()


def test_only_the_boot_location_that_is_not_done_here_is_noted(tmp_path: Path) -> None:
    assert read_treefile(write(tmp_path / "a.yaml", MINIMAL + "boot-location: modules\n")).notes == ()
    assert read_treefile(write(tmp_path / "b.yaml", MINIMAL + "boot-location: new\n")).notes == (
        "boot-location: kernel and initramfs are only in /usr/lib/modules, as with `modules`",
    )


def test_included_single_values_give_way_and_lists_come_first(tmp_path: Path) -> None:
    write(tmp_path / "shared" / "first.yaml", "ref: first\ndocumentation: false\npackages: [a]\npostprocess: [one]\n")
    write(tmp_path / "shared" / "second.yaml", "ref: second\nselinux: false\npackages: [b]\npostprocess: [two]\n")
    write(
        tmp_path / "shared" / "deep.json", json.dumps({"include": ["first.yaml", "second.yaml"], "units": ["x.socket"]})
    )
    path = write(tmp_path / "top.yaml", "include: shared/deep.json\nref: top\npackages: [c, a]\npostprocess: [three]\n")
    recipe = read_treefile(path)
    assert recipe.ref == "top"
    assert (recipe.documentation, recipe.selinux) == (False, "disabled")
    # rpm-ostree: of several included files the last one's entries stand first.
    assert recipe.packages == ("b", "a", "c")
    assert [script.text for script in recipe.post_scripts] == ["two", "one", "three"]
    assert recipe.enabled_units == ("x.socket",)
    assert [file.name for file in recipe.files] == ["top.yaml", "deep.json", "first.yaml", "second.yaml"]


def test_of_several_included_files_the_first_wins_a_single_value(tmp_path: Path) -> None:
    write(tmp_path / "first.yaml", "ref: first\n")
    write(tmp_path / "second.yaml", "ref: second\n")
    path = write(tmp_path / "top.yaml", "include: [first.yaml, second.yaml]\npackages: [bash]\n")
    assert read_treefile(path).ref == "first"


def test_the_including_script_file_wins_and_lies_beside_its_treefile(tmp_path: Path) -> None:
    write(tmp_path / "shared" / "post.sh", "#!/bin/sh\necho shared\n")
    write(tmp_path / "shared" / "base.yaml", "postprocess-script: post.sh\n")
    path = write(tmp_path / "top.yaml", f"include: shared/base.yaml\n{MINIMAL}")
    assert [script.text for script in read_treefile(path).post_scripts] == ["#!/bin/sh\necho shared\n"]
    write(tmp_path / "post.sh", "#!/bin/sh\necho own\n")
    write(path, f"include: shared/base.yaml\n{MINIMAL}postprocess-script: post.sh\n")
    assert [script.text for script in read_treefile(path).post_scripts] == ["#!/bin/sh\necho own\n"]


def test_an_include_cycle_names_the_chain(tmp_path: Path) -> None:
    a = write(tmp_path / "a.yaml", f"include: b.yaml\n{MINIMAL}")
    b = write(tmp_path / "b.yaml", "include: c.yaml\n")
    c = write(tmp_path / "c.yaml", "include: b.yaml\n")
    assert refusal(a).message == (
        f"{c}:1: include: include cycle: {b} includes {c} includes {b}, included by {b}:1, included by {a}:1"
    )


def test_a_file_included_twice_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "b.yaml", "include: c.yaml\n")
    c = write(tmp_path / "c.yaml", "units: [x.service]\n")
    a = write(tmp_path / "a.yaml", f"include: [b.yaml, c.yaml]\n{MINIMAL}")
    assert refusal(a).message == f"{a}:1: include: {c} is included twice"


def test_a_missing_file_names_who_asks_for_it_and_what_is_there(tmp_path: Path) -> None:
    a = write(tmp_path / "a.yaml", f"include: base.yml\n{MINIMAL}")
    write(tmp_path / "base.yaml", "")
    error = refusal(a)
    assert error.message == f"{a}:1: include: no such file: {tmp_path / 'base.yml'}"
    assert error.hint == f"{tmp_path} has: a.yaml, base.yaml"


@pytest.mark.parametrize(
    ("addition", "message"),
    [
        ("unit: [sshd.service]\n", "key 'unit' is not supported: did you mean 'units'?"),
        ("ostree-layer: [a]\n", "key 'ostree-layer' is not supported: did you mean 'ostree-layers'?"),
        ("packages-s390x: a\n", "packages-s390x: must be a list of strings, not 'a'"),
        ("packages-s390x:\n", "packages-s390x: must be a list of strings, not None"),
        ("repovars: {a: 3}\n", "repovars: must be a mapping of names to text"),
        ("repovars: {releasever: '3'}\n", "repovars: 'releasever' has a value already; set the key releasever"),
        ("modules: {enable: [a]}\n", "key 'modules' is not supported: rpm-ostree has no modules any more, and none "
         "is enabled here; name their packages, from a repository that has them outside of modules"),
        ("packages-local: {a: b}\n", "key 'packages-local' is not supported: it is for a system that is deployed; "
         "rpm-ostree refuses it in a compose, too"),
        ("documentation: no\n", "documentation: must be true or false, not 'no'"),
        ("documentation: 'no'\n", "documentation: must be true or false, not 'no'"),
        ("selinux: permissive\n", "selinux: must be true or false, not 'permissive'"),
        ("units: sshd.service\n", "units: must be a list of strings, not 'sshd.service'"),
        (f"repos: [{'a, ' * 9}7]\n", "repos: must be a list of strings, but entry 10 is 7: write a text in quotes"),
        ("units:\n-\n", "units: must be a list of strings, but entry 1 is null: write a text in quotes"),
        ("repos: [a: b]\n", 'repos: must be a list of strings, but entry 1 is {"a": "b"}: write a text in quotes'),
        ("units: [sshd]\n", "units: 'sshd' is not a full unit name, such as sshd.service"),
        ("boot-location: kernel-install\n", 'boot-location: only "modules" or "new" is supported: rpm-ostree has '
         "only kernel-install beside them, which a build does not run"),
        ("tmp-is-dir: 1\n", "tmp-is-dir: must be true or false, not 1"),
        ("cliwrap: true\n", "cliwrap: only false is supported: a build puts no wrappers of rpm-ostree into a tree"),
        ("cliwrap: 0\n", "cliwrap: only false is supported: a build puts no wrappers of rpm-ostree into a tree"),
        ("edition: 2024\n", 'edition: only "2014" or "2024" is supported: an edition is text, in quotes'),
        ("selinux-label-version: 2\n", "selinux-label-version: only 0 or 1 is supported"),
        ("basearch: s390x\n", 'basearch: only "x86_64" is supported: one architecture is composed'),
        ("automatic-version-suffix: ab\n", "automatic-version-suffix: 'ab' must be one ASCII character"),
        ("automatic-version-prefix: 22 a\n", "automatic-version-prefix: '22 a' makes the version '22 a', which is not "
         "accepted"),
        ("variables: {basearch: a}\n", "variables: 'basearch' is reserved; it has a value already"),
        ("variables: {a: 1.5}\n", "variables: a: must be true or false, a whole number or text"),
        ("packages-x86_64: [\"a 'b\"]\n", "packages-x86_64: \"a 'b\": a single quote is missing"),
        ("remove-files: [/usr/share]\n", "remove-files: '/usr/share' must be relative to the root of the tree"),
        ("remove-files: [usr/../..]\n", "remove-files: 'usr/../..' must be relative to the root of the tree"),
        ("exclude-packages: [python3 perl]\n", "exclude-packages: 'python3 perl' must be one package name"),
        ("include: 3\n", "include: must be a path or a list of paths"),
        ("releasever: 2.5\n", "releasever: must be text or a whole number"),
        ("install-langs: ['']\n", "install-langs: has an empty entry"),
        ("default-target: graphical\n", "default-target: 'graphical' is not a systemd target"),
        ("default_target: a.target\ndefault-target: a.target\n", "default_target: is the old spelling of "
         "default-target, which is also set"),
    ],
)  # fmt: skip
def test_a_refusal_names_file_line_and_key(tmp_path: Path, addition: str, message: str) -> None:
    path = write(tmp_path / "a.yaml", MINIMAL + addition)
    assert refusal(path).message == f"{path}:{MINIMAL.count(chr(10)) + 1}: {message}"


def test_a_treefile_without_a_ref_gets_that_of_the_variant_and_a_note(tmp_path: Path) -> None:
    path = write(tmp_path / "a.yaml", "packages: [bash]\n")
    recipe = read_treefile(path)
    assert recipe.ref is None
    assert recipe.notes == (f"{path}: ref is not set: the ref of the commit has the name of the variant",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ref: a/b\n", " packages: is required"),
        ("ref: a/b\npackages: [bash]\nexclude-packages: [bash]\n", "3: bash is in packages and in exclude-packages"),
        ("ref: a/b\nrepo-packages: [{repo: r, packages: [bash]}]\nexclude-packages: [bash]\n",
         "3: bash is in packages and in exclude-packages"),
        ("ref: a\npackages: [b]\nrepo-packages: [{repo: r, packages: ['@core']}]\n",
         "3: repo-packages: @core is a group; a treefile names packages only"),
        ("ref: a\npackages: [bash]\nremove-files: [./]\n", "3: remove-files: './' is the whole tree"),
        ("ref: a//b\npackages: [bash]\n", "1: ref: 'a//b' is not a valid ref"),
        ("ref: a/${stream}\npackages: [bash]\n", "1: ref: ${stream} has no value"),
        ("ref: a\npackages: ['@core']\n", "2: packages: @core is a group; a treefile names packages only"),
        ("ref: a\npackages: [a]\nmachineid-compat: false\nunits: [a.service]\n",
         "4: units: the first boot applies presets, because of machineid-compat: false"),
        ("- ref\n", "1: must be a mapping of keys to values"),
    ],
)  # fmt: skip
def test_a_treefile_that_cannot_be_composed_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path / "a.yaml", text)
    assert refusal(path).message == f"{path}:{message}"


def test_an_unknown_key_in_an_included_file_names_that_file_and_the_accepted_keys(tmp_path: Path) -> None:
    base = write(tmp_path / "base.yaml", "frobnicate: true\n")
    path = write(tmp_path / "a.yaml", f"include: base.yaml\n{MINIMAL}")
    error = refusal(path)
    assert error.message == f"{base}:1: key 'frobnicate' is not supported, included by {path}:1"
    assert "exclude-packages" in error.hint


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.yaml", "ref: a\nref: b\n", ":2: not valid YAML: duplicate key 'ref'"),
        ("a.yaml", "ref: a\npackages: [bash\n", ":3: not valid YAML: expected ',' or ']', but got '<stream end>'"),
        ("a.json", '{"ref": "a", "ref": "b"}', ": key 'ref' is given twice"),
        ("a.json", '{\n"ref": a}', ":2: not valid JSON: Expecting value"),
    ],
)
def test_a_broken_file_names_its_line(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = write(tmp_path / name, text)
    assert refusal(path).message == f"{path}{message}"


@pytest.mark.skipif(not REAL.exists(), reason="the treefile of Fedora 22 Atomic is not beside the checkout")
def test_the_real_fedora_22_treefile_lacks_its_script_only(tmp_path: Path) -> None:
    script = REAL.parent / "treecompose-post.sh"
    assert refusal(REAL).message == f"{REAL}:16: postprocess-script: no such file: {script}"
    for name in ("passwd", "group"):
        write(tmp_path / name, (REAL.parent / name).read_text())
    path = write(tmp_path / "host.json", REAL.read_text())
    write(tmp_path / "treecompose-post.sh", "#!/bin/sh\ntrue\n")
    recipe = read_treefile(path)
    assert recipe.ref == "fedora-atomic/f22/x86_64/docker-host"
    assert (recipe.version_prefix, recipe.repos, recipe.documentation) == ("22", ("fedora-22",), False)
    assert recipe.packages[:4] == ("atomic", "glibc", "nss-altfiles", "shadow-utils")
    assert len(recipe.packages) == len(set(json.loads(REAL.read_text())["packages"]))
    assert recipe.enabled_units == ("docker.service", "cockpit.socket", "docker-storage-setup.service")
    assert recipe.initramfs_arguments == ("--no-hostonly", "--add", "iscsi")
    assert recipe.account_rules is not None
    assert ("adm", 3, 4) in recipe.account_rules.users


def test_an_empty_list_of_languages_sets_no_limit(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("ref: a/b\npackages: [bash]\ninstall-langs: []\n")
    assert read_treefile(tmp_path / "a.yaml").languages is None


@pytest.mark.parametrize(
    "unset", ["default_target:\ndefault-target: a.target", "default_target: a.target\ndefault-target:"]
)
def test_a_spelling_without_a_value_is_not_set(tmp_path: Path, unset: str) -> None:
    (tmp_path / "a.yaml").write_text(f"ref: a/b\npackages: [bash]\n{unset}\n")
    assert read_treefile(tmp_path / "a.yaml").default_target == "a.target"
