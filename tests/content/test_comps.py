"""Package groups: what a group and an environment install, and what they leave out."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import PARAMS_DIRECTORY
from atomic_lib.content.comps import Comps, conditional_packages, expand_groups, read_comps

REAL_FILE = Path(__file__).parents[3] / "shared/data/comps-f21.xml.in"
TEXT = """\
<comps>
  <group>
    <id>core</id>
    <name>Core</name>
    <packagelist>
      <packagereq>bash</packagereq>
      <packagereq type="mandatory">dnf</packagereq>
      <packagereq type="default">curl</packagereq>
      <packagereq type="optional">emacs</packagereq>
      <packagereq type="conditional" requires="x">bash-langpack</packagereq>
    </packagelist>
  </group>
  <group><id>empty</id></group>
  <environment>
    <id>server</id>
    <grouplist><groupid>core</groupid><groupid>gone</groupid></grouplist>
    <optionlist><groupid>options</groupid></optionlist>
  </environment>
</comps>
"""
SMALL = read_comps(TEXT, "comps.xml")


def test_a_group_installs_its_mandatory_and_default_packages() -> None:
    assert SMALL.groups == {"core": ("bash", "dnf", "curl"), "empty": ()}
    assert SMALL.environments == {"server": ("core", "gone")}
    assert expand_groups([SMALL], ["core"], "a.ks") == ["bash", "curl", "dnf"]


def test_an_environment_installs_its_groups_without_its_options() -> None:
    assert expand_groups([SMALL], ["^server"], "a.ks") == ["bash", "curl", "dnf"]


def test_a_group_in_several_repositories_has_the_packages_of_all() -> None:
    other = Comps({"core": ("vim", "bash")}, {})
    assert expand_groups([SMALL, other], ["core"], "a.ks") == ["bash", "curl", "dnf", "vim"]
    assert expand_groups([SMALL, other], ["empty"], "a.ks") == []
    assert expand_groups([SMALL], [], "a.ks") == []


@pytest.mark.parametrize(
    ("name", "hint"), [("cores", "@core"), ("server", "@core"), ("^core", "@^server"), ("^servers", "@^server")]
)
def test_an_unknown_group_is_named_with_the_closest_one(name: str, hint: str) -> None:
    with pytest.raises(WorkbookError) as caught:
        expand_groups([SMALL], [name], "params/a.ks")
    assert caught.value.message == f"params/a.ks: no group @{name} in the content"
    assert hint in caught.value.hint


def test_content_without_groups_says_so() -> None:
    with pytest.raises(WorkbookError) as caught:
        expand_groups([], ["core"], "a.ks")
    assert "the content has no groups" in caught.value.hint


@pytest.mark.parametrize("text", ["", "<comps>", "name,group\n", TEXT[:-20]])
def test_what_is_no_comps_file_is_named(text: str) -> None:
    with pytest.raises(WorkbookError, match=r"^repo/comps\.xml: not a comps file"):
        read_comps(text, "repo/comps.xml")


SOURCE = """\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE comps PUBLIC "-//Red Hat, Inc.//DTD Comps info//EN" "comps.dtd">
<comps>
  <group>
    <id>core</id>
    <_name>Core</_name>
    <!-- of every installation -->
    <packagelist>
      <packagereq type="mandatory">bash</packagereq>
    </packagelist>
  </group>
  <group>
    <id>cloud-server</id>
    <packagelist>
      <packagereq type="mandatory">cloud-init</packagereq>
    </packagelist>
  </group>
  <group>
    <id>standard</id>
    <packagelist>
      <packagereq type="mandatory">vim</packagereq>
    </packagelist>
  </group>
  <environment>
    <!-- Two lines
         of a comment. -->
    <id>cloud-server-environment</id>
    <_name>Cloud Server</_name>
    <grouplist>
      <groupid>cloud-server</groupid>
      <groupid>core</groupid>
    </grouplist>
    <optionlist>
      <groupid>standard</groupid>
    </optionlist>
  </environment>
  <category>
    <id>servers</id>
    <grouplist>
      <groupid>standard</groupid>
    </grouplist>
  </category>
  <langpacks>
    <match name="hunspell" install="hunspell-%s"/>
  </langpacks>
</comps>
"""
"""In the form of Fedora's comps source: comments, names to be translated, categories, language packages."""


def test_a_file_in_the_form_of_fedoras_source_expands() -> None:
    comps = read_comps(SOURCE, "comps.xml.in")
    assert comps.groups == {"core": ("bash",), "cloud-server": ("cloud-init",), "standard": ("vim",)}
    assert comps.environments == {"cloud-server-environment": ("cloud-server", "core")}
    assert expand_groups([comps], ["^cloud-server-environment"], "a.ks") == ["bash", "cloud-init"]


def test_the_groups_of_the_stand_in_content_expand() -> None:
    file = PARAMS_DIRECTORY / "content/standin/comps.xml"
    core = expand_groups([read_comps(file.read_text(), file.name)], ["core"], "a.ks")
    assert {"filesystem", "bash", "coreutils"} <= set(core)


@pytest.mark.skipif(not REAL_FILE.exists(), reason=f"the comps source of Fedora 21 is not at {REAL_FILE}")
def test_fedoras_own_file_expands() -> None:
    comps = read_comps(REAL_FILE.read_text(), REAL_FILE.name)
    assert "" not in comps.groups
    core = expand_groups([comps], ["core"], "a.ks")
    assert {"bash", "systemd", "openssh-server"} <= set(core)
    assert set(core) < set(expand_groups([comps], ["^server-product-environment"], "a.ks"))
    cloud = expand_groups([comps], ["^cloud-server-environment"], "a.ks")
    assert "cloud-init" in cloud


ARCHITECTURES = """\
<comps>
  <group><id>core</id><name>Core</name><packagelist>
    <packagereq type="mandatory">bash</packagereq>
    <packagereq type="mandatory" arch="ppc64le">lsvpd</packagereq>
    <packagereq type="default" arch="aarch64, x86_64">efibootmgr</packagereq>
    <packagereq type="optional">vim</packagereq>
    <packagereq type="optional" arch="i386">lilo</packagereq>
  </packagelist></group>
  <group><id>virt</id><biarchonly>false</biarchonly><packagelist>
    <packagereq>qemu-guest-agent</packagereq>
  </packagelist></group>
  <group><id>standard</id><name>Standard Things</name><packagelist><packagereq>man</packagereq></packagelist></group>
  <environment><id>srv</id><name>A Server</name><grouplist>
    <groupid>core</groupid><groupid arch="aarch64">virt</groupid><groupid>standard</groupid>
  </grouplist></environment>
</comps>
"""


def test_what_is_for_another_architecture_is_left_out() -> None:
    comps = read_comps(ARCHITECTURES, "comps.xml")
    assert expand_groups([comps], ["core"], "a.ks") == ["bash", "efibootmgr"]
    assert expand_groups([comps], ["^srv", "-standard"], "a.ks") == ["bash", "efibootmgr"]
    other = read_comps(ARCHITECTURES, "comps.xml", "aarch64")
    assert expand_groups([other], ["^srv"], "a.ks") == ["bash", "efibootmgr", "man", "qemu-guest-agent"]


def test_architectures_of_groups_environments_and_lists_with_spaces() -> None:
    comps = read_comps(
        """<comps>
  <group arch="i386 x86_64"><id>a</id><name>A</name><packagelist>
    <packagereq arch="i386 x86_64">one</packagereq><packagereq arch="i386 s390x">two</packagereq>
  </packagelist></group>
  <group arch="i386,s390x"><id>b</id><name>B</name><packagelist><packagereq>three</packagereq></packagelist></group>
  <environment arch="s390x"><id>e</id><name>E</name><grouplist><groupid>a</groupid></grouplist></environment>
</comps>""",
        "comps.xml",
    )
    assert (comps.groups, comps.environments, comps.names) == ({"a": ("one",)}, {}, {"A": "a"})


def test_the_options_of_a_group_choose_types_of_packages() -> None:
    comps = read_comps(ARCHITECTURES, "comps.xml")
    assert expand_groups([comps], ["core --nodefaults"], "a.ks") == ["bash"]
    assert expand_groups([comps], ["core --optional"], "a.ks") == ["bash", "efibootmgr", "vim"]
    other = read_comps(ARCHITECTURES.replace("vim", "nano"), "other.xml")
    assert expand_groups([comps, other], ["core --optional"], "a.ks") == ["bash", "efibootmgr", "nano", "vim"]


@pytest.mark.parametrize("minus", ["-standard", "-Standard Things"])
def test_an_environment_is_installed_without_the_groups_that_have_a_minus(minus: str) -> None:
    comps = read_comps(ARCHITECTURES, "comps.xml")
    assert expand_groups([comps], ["^srv", minus], "a.ks") == ["bash", "efibootmgr"]
    assert expand_groups([comps], [minus, "^A Server", "-gone"], "a.ks") == ["bash", "efibootmgr"]
    assert expand_groups([comps], ["^srv", "standard", minus], "a.ks") == ["bash", "efibootmgr", "man"]


def test_a_group_may_be_named_as_people_read_it() -> None:
    comps = read_comps(ARCHITECTURES, "comps.xml")
    assert expand_groups([comps], ["Standard Things"], "a.ks") == ["man"]
    assert expand_groups([comps], ["Core --nodefaults"], "a.ks") == ["bash"]


def test_conditional_packages_belong_to_every_option_of_their_group() -> None:
    other = read_comps(TEXT.replace('requires="x"', 'requires="y"'), "other.xml")
    for name in ("core", "core --nodefaults", "core --optional", "^server"):
        assert conditional_packages([SMALL], [name], "a.ks") == [("bash-langpack", "x")]
    assert conditional_packages([SMALL, other], ["core"], "a.ks") == [("bash-langpack", "x"), ("bash-langpack", "y")]
    assert conditional_packages([SMALL], ["empty"], "a.ks") == []
    elsewhere = TEXT.replace('requires="x"', 'requires="x" arch="s390x"')
    assert conditional_packages([read_comps(elsewhere, "a.xml")], ["core"], "a.ks") == []
    with pytest.raises(WorkbookError, match="no group @cor in the content"):
        conditional_packages([SMALL], ["cor"], "a.ks")


@pytest.mark.parametrize("name", ["st*", "STANDARD", "standard things", "*Things"])
def test_a_group_may_be_a_pattern_in_either_case(name: str) -> None:
    comps = read_comps(ARCHITECTURES, "comps.xml")
    assert expand_groups([comps], [name], "a.ks") == ["man"]
    assert expand_groups([comps], ["^SRV", f"-{name}"], "a.ks") == ["bash", "efibootmgr"]


def test_groups_and_environments_of_one_id_in_a_file_add_up_and_line_feeds_are_no_part_of_a_name() -> None:
    text = """<comps>
    <group><id>core</id><packagelist><packagereq>
a
</packagereq><packagereq type="conditional" requires="q">c</packagereq></packagelist></group>
    <group><id>
core</id><packagelist><packagereq>b</packagereq></packagelist></group>
    <group><id>more</id><packagelist><packagereq>m</packagereq></packagelist></group>
    <environment><id>srv</id><grouplist><groupid>
core
</groupid></grouplist></environment>
    <environment><id>srv</id><grouplist><groupid>more</groupid></grouplist></environment></comps>"""
    comps = read_comps(text, "comps.xml")
    assert expand_groups([comps], ["core"], "a.ks") == ["a", "b"]
    assert expand_groups([comps], ["^srv"], "a.ks") == ["a", "b", "m"]
    assert comps.conditional == {"core": (("c", "q"),), "more": ()}
