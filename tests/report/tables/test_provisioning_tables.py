"""The table of provisioning methods: differences from the tree without an agent, claims with their source."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.guest.counted.counted_boot import CountedBoot
from atomic_lib.guest.faults.matrix import Matrix
from atomic_lib.guest.faults.matrix import MatrixCell as Verdict
from atomic_lib.params.study_file import load_study, study_variants
from atomic_lib.params.variant import variant_names
from atomic_lib.report.tables import provisioning_tables
from atomic_lib.report.text.provisioning_words import same_source_sentences
from atomic_lib.results.analysis.provisioning import (
    CAPABILITIES_FILE,
    Capability,
    Claim,
    initramfs_bytes,
    load_capabilities,
)
from atomic_lib.results.build_result import ClassSize
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import Failure, VariantResult
from tests.report import factory
from tests.report.factory import plain

CLAIMS = (
    Capability(
        title="flies",
        agents={
            "cloud-init": Claim(can=True, note="high", source="https://example.org/a"),
            "min-cloud-agent": Claim(can=False, note="walks", source="man min-cloud-agent"),
        },
    ),
)


def way(name: str, agent: str, source: str, like: str) -> VariantResult:
    """A variant of a study of provisioning."""
    made = factory.variant_result(like)
    return made.model_copy(
        update={"variant": name, "agent": agent, "parameters": {**made.parameters, "data_source": source}}
    )


def study_of(*results: VariantResult) -> StudyResult:
    return StudyResult(
        study="provisioning", title="Ways", baseline=results[0].variant, run="r1", created="2026-01-02T03:04:05+00:00",
        variants=results,
    )  # fmt: skip


BASE = way("none", "credentials", "credentials", "atomic-min")
FAILED = BASE.model_copy(
    update={"variant": "broken", "agent": "ignition", "status": "failed", "boots": (), "classes": (), "packages": (),
            "tree_bytes": None, "tree_files": None, "package_count": None,
            "error": Failure(stage="compose", message="dracut has no module ignition\nand more")}
)  # fmt: skip


@pytest.fixture(scope="module")
def study() -> StudyResult:
    return study_of(
        BASE,
        way("small", "min-cloud-agent", "nocloud", "atomic-min"),
        way("large", "cloud-init", "ec2", "atomic-cloud-init"),
        FAILED,
    )


def rows_of(study: StudyResult) -> dict[str, list[tuple[str, str]]]:
    table = provisioning_tables.table(study, CLAIMS)
    return {row[0].text: [(plain(cell.text), plain(cell.note)) for cell in row[1:]] for row in table.rows}


def test_a_cost_is_the_difference_to_the_tree_without_an_agent(study: StudyResult) -> None:
    rows = rows_of(study)
    base, large = (study.variant(name) for name in ("none", "large"))
    assert base is not None
    assert large is not None
    none, small, big, broken = rows["packages"]
    assert none == (str(base.package_count), "without an agent")
    assert small[0] == "±0"
    assert big[0] == f"+{(large.package_count or 0) - (base.package_count or 0)}"
    assert broken == ("—", "failed: compose")
    assert rows["tree"][2][0].startswith("+")
    cells = next(row for row in provisioning_tables.table(study, CLAIMS).rows if row[0].text == "packages")
    named = cells[3].more.split(", ")
    assert cells[1].more == cells[2].more == ""
    assert "cloud-init" in named
    assert set(named) == {package.name for package in large.packages} - {package.name for package in base.packages}


def test_one_that_does_not_work_says_why(study: StudyResult) -> None:
    works = rows_of(study)["works here"]
    assert works[1] == ("✓ yes", "")
    assert works[2][0].startswith("✗")
    assert works[3] == ("✗ not working: compose", "dracut has no module ignition")


def test_times_are_not_set_against_the_baseline(study: StudyResult) -> None:
    small = rows_of(study)["ssh login after"][1]
    assert small == ("48.2 s", "")


def test_agents_are_compared_where_they_have_the_same_data_source() -> None:
    def counted(name: str, agent: str, like: str, *, busy: float, done: float) -> VariantResult:
        boot = CountedBoot(busy_seconds=busy, outside_units_seconds=1.0, milestones={"script": done}, shift=0)
        found = way(name, agent, "ec2", like)
        return found.model_copy(update={"counted_boots": (boot,)})

    small = counted("small", "min-cloud-agent", "atomic-min", busy=19.5, done=14.25)
    large = counted("large", "cloud-init", "atomic-cloud-init", busy=22.75, done=19.5)
    disc = small.model_copy(update={"variant": "disc", "parameters": {**small.parameters, "data_source": "nocloud"}})
    ((head, text),) = same_source_sentences(study_of(BASE, small, disc, large, FAILED))
    assert head == "Both with the same data source (metadata service)."
    assert plain(text) == (
        "small against large: 57.0 MB less in the tree, 3.25 counted s less of processor time, "
        "5.25 counted s less until the script is finished."
    )
    rows = rows_of(study_of(BASE, small, large))
    assert rows["script finished, on the counted clock"][1:] == [
        ("14.25 counted s", "nothing to compare with"), ("19.50 counted s", "nothing to compare with"),
    ]  # fmt: skip


def test_where_the_data_come_from_is_said(study: StudyResult) -> None:
    assert [text for text, _ in rows_of(study)["data source"]] == [
        "SMBIOS tables", "NoCloud disc", "metadata service", "SMBIOS tables",
    ]  # fmt: skip


def test_a_claim_has_its_source(study: StudyResult) -> None:
    table = provisioning_tables.table(study, CLAIMS)
    (_, none, small, large, _) = next(row for row in table.rows if row[0].text == "flies")
    assert (none.kind, none.note) == ("missing", "not known")
    assert (small.text, small.note, small.link) == ("✗ no", "walks. Source: man min-cloud-agent", "")
    assert (large.text, large.note, large.link) == ("✓ yes", "high", "https://example.org/a")


def test_faults_survived_are_those_with_a_known_outcome(study: StudyResult) -> None:
    cells = (
        Verdict("a", "cloud-init", "survived", "", True),
        Verdict("b", "cloud-init", "lost login", "", True),
        Verdict("c", "cloud-init", "unknown", "", False),
        Verdict("a", "min-cloud-agent", "survived", "", True),
    )
    matrix = Matrix((("a", "A"), ("b", "B"), ("c", "C")), ("cloud-init", "min-cloud-agent"), cells)
    row = next(row for row in provisioning_tables.table(study, CLAIMS, matrix).rows if row[0].text == "faults survived")
    assert [(cell.text, cell.kind) for cell in row[1:4]] == [("—", "missing"), ("1 of 1", "good"), ("1 of 2", "bad")]
    assert "faults survived" not in rows_of(study)


def test_faults_survived_say_why_an_agent_was_not_run_and_in_which_tree_one_was(study: StudyResult) -> None:
    cells = (Verdict("a", "cloud-init", "survived", "", True), Verdict("a", "min-cloud-agent", "survived", "", True))
    trees = (("cloud-init", "large"), ("min-cloud-agent", "another"))
    matrix = Matrix((("a", "A"),), ("cloud-init", "min-cloud-agent"), cells, trees, (("ignition", "needs a guest"),))
    row = next(row for row in provisioning_tables.table(study, CLAIMS, matrix).rows if row[0].text == "faults survived")
    assert [cell.note for cell in row[1:]] == [
        "no faults injected", "run in the tree of another", "", "not run: needs a guest",
    ]  # fmt: skip


def test_the_initramfs_is_what_no_package_owns_of_its_class() -> None:
    packages = tuple(
        package.model_copy(update={"class_": "initramfs"}) if package.name == "dracut-core" else package
        for package in BASE.packages
    )
    owned = sum(package.bytes for package in packages if package.class_ == "initramfs")
    result = BASE.model_copy(
        update={"packages": packages, "classes": (ClassSize(class_="initramfs", bytes=owned + 5, files=1),)}
    )
    assert initramfs_bytes(result) == 5
    assert initramfs_bytes(FAILED) is None


def test_a_study_whose_baseline_has_an_agent_has_no_such_section(study: StudyResult) -> None:
    assert provisioning_tables.section(study).parts
    other = study.model_copy(update={"baseline": "small"})
    assert provisioning_tables.section(other)._repr_html_() == ""


def test_every_agent_of_the_study_has_every_claim() -> None:
    variants = study_variants(load_study("provisioning"))
    agents = {variant.agent for variant in variants}
    assert agents == {"cloud-init", "min-cloud-agent", "ignition", "credentials"}
    for capability in load_capabilities():
        assert set(capability.agents) == agents, capability.title
    assert "provisioning" not in variant_names()


def test_variants_that_differ_in_their_data_source_alone_share_one_disk() -> None:
    variants = {variant.variant: variant for variant in study_variants(load_study("provisioning"))}
    for name in ("atomic-min", "atomic-cloud-init"):
        one, other = variants[name], variants[f"{name}-nocloud"]
        assert other.disk_name == name
        own = {"variant", "description", "data_source", "disk_name"}
        assert one.model_dump(exclude=own) == other.model_dump(exclude=own)
        assert (one.data_source, other.data_source) == ("ec2", "nocloud")


def test_a_claim_without_a_source_is_refused(tmp_path: Path) -> None:
    text = CAPABILITIES_FILE.read_text()
    (tmp_path / "provisioning.yaml").write_text(text.replace("source: https://systemd.io/CREDENTIALS/", 'source: ""'))
    with pytest.raises(WorkbookError, match=r"provisioning\.yaml: capabilities"):
        load_capabilities(tmp_path / "provisioning.yaml")


def test_times_of_one_boot_are_said_to_be_that(study: StudyResult) -> None:
    capabilities, times = provisioning_tables.table(study, CLAIMS).notes
    assert "not measured" in capabilities
    assert "(BIOS, TCG): one boot each, too few to show a difference" in times
