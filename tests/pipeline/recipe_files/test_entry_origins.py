"""Where the entries of a recipe come from."""

from collections.abc import Mapping
from pathlib import Path

from atomic_lib.pipeline.recipe_files.entry_origins import origins_of
from atomic_lib.recipe.load import read_recipe


def origins(path: Path) -> Mapping[str, Mapping[str, list[str]]]:
    """The places of each field's entries, without the directory."""
    return {
        field: {entry: [place.removeprefix(f"{path.parent}/") for place in places] for entry, places in entries.items()}
        for field, entries in origins_of(read_recipe(path)).items()
    }


def test_entries_of_a_treefile_are_found_in_the_files_that_name_them(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(
        "# bash\npackages:\n  - bash tar\n  - \"'podman >= 4.1'\"\nunits: [sshd.service]\n"
    )
    (tmp_path / "own.yaml").write_text(
        "ref: own\ninclude: base.yaml\nbootstrap_packages: [nano]\nexclude-packages:\n- vim\n"
    )
    assert origins(tmp_path / "own.yaml") == {
        "packages": {"bash": ["base.yaml:3"], "tar": ["base.yaml:3"], "podman >= 4.1": ["base.yaml:4"],
                     "nano": ["own.yaml:3"]},
        "excludes": {"vim": ["own.yaml:5"]},
        "enabled_units": {"sshd.service": ["base.yaml:5"]},
    }  # fmt: skip


def test_what_a_treefile_says_elsewhere_is_no_place_of_an_entry(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(
        "ref: bash\npackages: [bash, docker]\nunits: [docker.service]\nmetadata: {packages: [bash]}\n"
        "postprocess:\n- bash docker\nadd-files: [[docker.json, /etc/a], [own.yml, /etc/b]]\n"
        'conditional-include:\n- if: basearch == "x86_64"\n  include:\n    packages: [tar]\n'
        "repo-packages:\n- repo: own\n  packages: [vim]\n"
    )
    (tmp_path / "docker.json").write_text("{% bash: - [")
    (tmp_path / "own.yml").write_bytes(b"\xff")
    (tmp_path / "own.repo").write_text("# own\n[own]\nbaseurl=https://own.example/\n")
    assert origins(tmp_path / "own.yaml") == {
        "packages": {"bash": ["own.yaml:2"], "docker": ["own.yaml:2"], "tar": ["own.yaml:11"], "vim": ["own.yaml:14"]},
        "enabled_units": {"docker.service": ["own.yaml:3"]},
        "repos": {"own": ["own.repo:2"]},
    }


def test_entries_of_json_with_tabs_are_found(tmp_path: Path) -> None:
    (tmp_path / "own.json").write_text('{\t"ref": "own",\n\t"packages": ["bash",\n\t\t"tar"]}\n')
    assert origins(tmp_path / "own.json") == {"packages": {"bash": ["own.json:2"], "tar": ["own.json:3"]}}


def test_entries_of_a_kickstart_are_found_in_their_section_and_in_any_file(tmp_path: Path) -> None:
    (tmp_path / "own.ks").write_text(
        'url --url=https://own.example/\nservices --enabled=sshd,dbus-org.tar --disabled="nfs, rpc.socket"\n%packages\n'
        "@core  # tar\n@^host\n@ Some Group  --optional\n-@other\n-nano\n%include more.txt\n%end\n"
        "%post\ntar nano\n%end\n"
    )
    (tmp_path / "more.txt").write_text("#\ntar\n")
    assert origins(tmp_path / "own.ks") == {
        "packages": {"tar": ["more.txt:2"]},
        "groups": {"core": ["own.ks:4"], "^host": ["own.ks:5"], "Some Group --optional": ["own.ks:6"],
                   "-other": ["own.ks:7"]},
        "excludes": {"nano": ["own.ks:8"]},
        "repos": {"anaconda": ["own.ks:1"]},
        "enabled_units": {"sshd.service": ["own.ks:2"], "dbus-org.tar.service": ["own.ks:2"]},
        "disabled_units": {"nfs.service": ["own.ks:2"], "rpc.socket": ["own.ks:2"]},
    }  # fmt: skip


def test_a_section_of_old_syntax_ends_where_the_next_one_begins(tmp_path: Path) -> None:
    (tmp_path / "own.ks").write_text("#version=RHEL5\n%packages\ntar\n%post\ntar\n")
    assert origins(tmp_path / "own.ks")["packages"] == {"tar": ["own.ks:3"]}


def test_entries_of_a_kickstart_that_a_treefile_includes_are_found(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("ref: own\ninclude: list.ks\n")
    (tmp_path / "list.ks").write_text("# tar\n%packages\ntar\n-nano\n%end\n")
    assert origins(tmp_path / "own.yaml") == {"packages": {"tar": ["list.ks:3"]}, "excludes": {"nano": ["list.ks:4"]}}
