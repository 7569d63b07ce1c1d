"""Includes of all kinds, what each treefile refers to, and all problems of all files."""

import os
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.treefile import read_treefile

MINIMAL = "ref: atomic/x86_64/minimal\npackages: [bash]\n"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def refusal(path: Path) -> list[str]:
    """The lines of the error, without the directory."""
    with pytest.raises(WorkbookError) as caught:
        read_treefile(path)
    return caught.value.message.replace(f"{path.parent}/", "").splitlines()


def test_includes_for_the_architecture_follow_the_others(tmp_path: Path) -> None:
    for name in ("first", "pc", "main"):
        write(tmp_path / f"{name}.yaml", f"packages: [{name}]\nmutate-os-release: {name}\n")
    includes = "arch-include: {x86_64: [pc.yaml], s390x: main.yaml}\ninclude: first.yaml\n"
    recipe = read_treefile(write(tmp_path / "a.yaml", includes + MINIMAL))
    assert recipe.packages == ("pc", "first", "bash")
    assert recipe.os_release_version == "first"


def test_conditions_choose_files_lists_and_inlined_treefiles(tmp_path: Path) -> None:
    for name in ("big", "one", "two", "no"):
        write(tmp_path / f"{name}.yaml", f"packages: [{name}]\n")
    conditions = """\
releasever: 41
variables: {big: true, stream: devel}
conditional-include:
  - if: big == true
    include: big.yaml
  - if: [releasever >= 42, big == true]
    include: no.yaml
  - if: [releasever >= 41, basearch == "x86_64"]
    include: [one.yaml, two.yaml]
  - if: stream != "stable"
    include:
      packages: [strace 'a >= 1']
      recommends: false
"""
    recipe = read_treefile(write(tmp_path / "a.yaml", MINIMAL + conditions))
    assert set(recipe.packages) == {"bash", "big", "one", "two", "strace", "a >= 1"}
    assert not recipe.weak_dependencies


def test_the_variables_of_the_including_file_win_and_hold_in_the_included(tmp_path: Path) -> None:
    conditions = ["{if: prod == true, include: {packages: [prod]}}", "{if: own == 1, include: {packages: [own]}}"]
    write(
        tmp_path / "base.yaml",
        f"variables: {{prod: false, own: 1}}\nconditional-include:\n  - {conditions[0]}\n  - {conditions[1]}\n",
    )
    path = write(tmp_path / "a.yaml", "variables: {prod: true}\nref: a/${prod}/${own}\ninclude: base.yaml\n")
    recipe = read_treefile(path)
    assert set(recipe.packages) == {"prod", "own"}
    assert recipe.ref == "a/true/1"


def test_a_kickstart_may_be_included(tmp_path: Path) -> None:
    write(tmp_path / "list.ks", "%packages --exclude-weakdeps\nvim-minimal\n-nano\n%end\n")
    path = write(tmp_path / "a.yaml", MINIMAL + "include: list.ks\n")
    recipe = read_treefile(path)
    assert (recipe.packages, recipe.excludes, recipe.groups) == (("vim-minimal", "bash"), ("nano",), ())
    assert not recipe.weak_dependencies
    assert recipe.files == (path, tmp_path / "list.ks")
    write(tmp_path / "list.ks", "lang en\n%include list.ks\n")
    assert refusal(path) == [
        "list.ks:1: lang: a treefile's kickstart has %packages and %include only, included by a.yaml:3",
        "list.ks:2: %include: list.ks is included twice, included by a.yaml:3",
    ]
    write(tmp_path / "list.ks", "lang en\n")
    assert refusal(path) == [
        "list.ks:1: lang: a treefile's kickstart has %packages and %include only, included by a.yaml:3"
    ]


def test_all_problems_of_all_files_are_found_at_once(tmp_path: Path) -> None:
    write(tmp_path / "deep.yaml", 'ima: true\npackages: ["a \'b"]\n')
    write(tmp_path / "more.yaml", "frob: 1\ninclude:\n  - deep.yaml\n")
    write(tmp_path / "broken.yaml", "a: [\n")
    text = "rojig: {name: a}\ninclude: [more.yaml, none.yaml, broken.yaml]\nvariables: {n: 1}\nconditional-include:\n"
    text += "  - {if: m == 1, include: x.yaml}\n  - {if: n, include: x.yaml}\nadd-files: [[motd, /etc/motd]]\n"
    assert refusal(write(tmp_path / "a.yaml", MINIMAL + text)) == [
        "a.yaml:3: rojig: must be a mapping with the texts name, summary, license",
        "a.yaml:9: add-files: no such file: motd",
        "a.yaml:7: conditional-include: variable 'm' is not defined",
        "a.yaml:8: conditional-include: 'n' is not a condition",
        "more.yaml:1: key 'frob' is not supported, included by a.yaml:4",
        "deep.yaml:1: ima: only false is supported: signatures of IMA are not taken from packages into a commit, "
        "included by more.yaml:2, included by a.yaml:4",
        'deep.yaml:2: packages: "a \'b": a single quote is missing, included by more.yaml:2, included by a.yaml:4',
        "a.yaml:4: include: no such file: none.yaml",
        "broken.yaml:2: not valid YAML: expected the node content, but found '<stream end>', included by a.yaml:4",
    ]


def test_an_inlined_treefile_has_nothing_that_rpm_ostree_would_pass_over(tmp_path: Path) -> None:
    for line in ("include: a.yaml", "add-files: []", "packages-x86_64: [a]", "variables: {a: 1}",
                 "check-passwd: {type: file, filename: passwd}"):  # fmt: skip
        text = f"releasever: 4\nconditional-include:\n  - if: releasever > 3\n    include: {{{line}}}\n"
        key = line.partition(":")[0]
        assert refusal(write(tmp_path / "a.yaml", MINIMAL + text)) == [
            f"a.yaml:5: {key}: an inlined treefile cannot have it"
        ]


def test_a_file_that_is_missing_further_down_has_the_chain_of_its_includes(tmp_path: Path) -> None:
    write(tmp_path / "more.yaml", "include: none.yaml\n")
    write(tmp_path / "list.ks", "%include none.ks\nlang en\n%packages\n@core\n%end\n")
    path = write(tmp_path / "a.yaml", MINIMAL + "include: [more.yaml, list.ks]\n")
    assert refusal(path) == [
        "more.yaml:1: include: no such file: none.yaml, included by a.yaml:3",
        "list.ks:2: lang: a treefile's kickstart has %packages and %include only, included by a.yaml:3",
        "list.ks:4: @core: a treefile's kickstart has one package in a line, and no groups, included by a.yaml:3",
        "list.ks:1: %include: no such file: none.ks, included by a.yaml:3",
    ]


def test_a_file_of_accounts_that_cannot_be_read_is_the_only_problem_of_both_keys(tmp_path: Path) -> None:
    write(tmp_path / "passwd", "root:x:0:0:root:/root:/bin/bash\n")
    write(tmp_path / "group", "rkt:x:996\n")
    text = "check-passwd: {type: file, filename: passwd}\ncheck-groups: {type: file, filename: group}\n"
    assert refusal(write(tmp_path / "a.yaml", MINIMAL + text)) == [
        "a.yaml:4: check-groups: group:1: is not a line of group(5): 'rkt:x:996'"
    ]


def test_includes_end_at_a_depth(tmp_path: Path) -> None:
    for number in range(60):
        write(tmp_path / f"{number}.yaml", f"include: {number + 1}.yaml\n" + (MINIMAL if number == 0 else ""))
    assert refusal(tmp_path / "0.yaml") == [
        "50.yaml:1: include: 51.yaml: includes are nested more than 50 levels deep, included by 49.yaml:1, included by "
        "48.yaml:1, included by 47.yaml:1, included by 46.yaml:1, included by 45 more, included by 0.yaml:1"
    ]


def test_null_is_as_unset_and_old_spellings_are_known(tmp_path: Path) -> None:
    text = (
        "units:\nrecommends: null\nbootstrap_packages: [sed]\ndefault_target: a.target\nautomatic_version_prefix: '2'\n"
    )
    recipe = read_treefile(write(tmp_path / "a.yaml", MINIMAL + text))
    assert (recipe.packages, recipe.enabled_units, recipe.weak_dependencies) == (("bash", "sed"), (), True)
    assert (recipe.default_target, recipe.version_prefix) == ("a.target", "2")


def test_unknown_keys_of_json_are_noted_and_do_not_matter_twice(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", '{"ref": "a", "comment": 1, "packages": ["b"], "unit": [], "comment": 2}')
    assert [note.replace(f"{tmp_path}/", "") for note in read_treefile(path).notes] == [
        "a.json: 'comment' has no effect: rpm-ostree ignores unknown keys of JSON",
        "a.json:1: 'unit' has no effect: rpm-ostree ignores unknown keys of JSON: did you mean 'units'?",
    ]
    path.write_text('{"ref": "a", "packages": ["b"], "ref": "b"}')
    assert refusal(path) == ["a.json: key 'ref' is given twice"]


def test_packages_of_other_architectures_are_checked_and_ignored(tmp_path: Path) -> None:
    path = write(tmp_path / "a.yaml", MINIMAL + "packages-armhfp: [a]\npackages-x86_64: [b c]\npackages-vax: [d]\n")
    recipe = read_treefile(path)
    assert recipe.packages == ("bash", "b", "c")
    assert recipe.notes == (f"{path}:5: packages-vax has no effect: it is for another architecture than x86_64",)


def test_files_are_added_with_the_modes_that_git_keeps(tmp_path: Path) -> None:
    write(tmp_path / "sub/tool", "#!/bin/sh\n").chmod(0o775)
    (tmp_path / "sub/data").write_bytes(b"\xff\0")
    (tmp_path / "sub/data").chmod(0o664)
    write(tmp_path / "sub/base.yaml", "add-files:\n  - [tool, /usr/bin/tool]\n  - [data, /etc/data]\n")
    path = write(tmp_path / "a.yaml", MINIMAL + "include: sub/base.yaml\n")
    recipe = read_treefile(path)
    assert [(file.path, oct(file.mode), file.content) for file in recipe.added_files] == [
        ("usr/bin/tool", "0o100755", b"#!/bin/sh\n"),
        ("etc/data", "0o100644", b"\xff\0"),
    ]
    assert recipe.files == (path, tmp_path / "sub/base.yaml", tmp_path / "sub/tool", tmp_path / "sub/data")


@pytest.mark.parametrize("key", ["add-files: [[{}, /etc/x]]", "check-passwd: {{type: file, filename: {}}}",
                                 "ostree-layers: [overlay/{}]"])  # fmt: skip
def test_nothing_outside_of_the_directory_is_read(tmp_path: Path, key: str) -> None:
    write(tmp_path / "secret", "hunter2:x:0:0:::\n")
    path = write(tmp_path / "recipe/a.yaml", MINIMAL)
    (path.parent / "link").symlink_to("../secret")
    (path.parent / "overlay.d").mkdir()
    os.symlink("../..", path.parent / "overlay.d/link")
    write(path, MINIMAL + key.format("link") + "\n")
    (line,) = refusal(path)
    assert "outside of the recipe's directory" in line
    assert "hunter2" not in line


def test_an_edition_sets_the_defaults_of_its_own_file_and_those_included(tmp_path: Path) -> None:
    write(tmp_path / "base.yaml", "tmp-is-dir: false\nboot-location: new\n")
    path = write(tmp_path / "a.yaml", MINIMAL + "edition: '2024'\ninclude: base.yaml\n")
    assert (read_treefile(path).tmp_is_link, read_treefile(path).notes) == (False, ())
    write(path, MINIMAL + "edition: '2014'\ninclude: base.yaml\n")
    assert read_treefile(path).tmp_is_link
    assert "boot-location" in read_treefile(path).notes[0]


def test_each_package_that_is_excluded_too_is_told_with_its_place(tmp_path: Path) -> None:
    write(tmp_path / "own.yaml", "exclude-packages:\n- tar\n- vim\n")
    write(tmp_path / "list.ks", "%packages\n-bash\n%end\n")
    lines = "packages: [bash, nano, vim]\nexclude-packages: [git]\ninclude: [own.yaml, list.ks]\n"
    assert refusal(write(tmp_path / "a.yaml", lines)) == [
        "list.ks: bash is in packages and in exclude-packages",
        "own.yaml:3: vim is in packages and in exclude-packages",
    ]


def test_the_place_of_a_script_is_that_of_its_condition_if_it_is_inlined(tmp_path: Path) -> None:
    lines = 'postprocess:\n- one\nconditional-include:\n- if: basearch == "x86_64"\n  include: {postprocess: [two]}\n'
    recipe = read_treefile(write(tmp_path / "a.yaml", MINIMAL + lines))
    sources = [script.source.replace(f"{tmp_path}/", "") for script in recipe.post_scripts]
    assert sources == ["a.yaml:6: postprocess[0]", "a.yaml:4"]


def test_an_include_for_an_unknown_architecture_is_noted(tmp_path: Path) -> None:
    lines = "arch-include: {amd64: no.yaml, aarch64: no.yaml}\n"
    recipe = read_treefile(write(tmp_path / "a.yaml", MINIMAL + lines))
    assert [note.rpartition("/")[2] for note in recipe.notes] == [
        "a.yaml:3: arch-include of amd64 has no effect: it is for another architecture than x86_64"
    ]


def test_a_link_that_leads_out_of_the_directory_is_named_as_one(tmp_path: Path) -> None:
    write(tmp_path / "other.yaml", "")
    path = write(tmp_path / "own/a.yaml", MINIMAL + "include: b.yaml\n")
    (tmp_path / "own/b.yaml").symlink_to("../other.yaml")
    (line,) = refusal(path)
    assert (
        line == f"a.yaml:3: include: b.yaml leads to {tmp_path}/other.yaml, which is outside of the recipe's "
        f"directory {path.parent}"
    )
