"""Tables in pages: inserted from their files, found when stale, made from a finished run."""

import json
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.guest.faults.matrix import Matrix, MatrixCell
from atomic_lib.guest.faults.outcome import Outcome
from atomic_lib.results.variant_result import CountedBoot, ExplainedLabels, Labels, StudyResult, VariantResult
from benchmarks.docs import RUN_PAGES, insert, main, problems, publish
from benchmarks.measured import Column, MeasuredTable, Source, write_table
from benchmarks.run_tables import run_tables
from tests.report.factory import failed_result, study_of, variant_result


def table(name: str, value: int) -> MeasuredTable:
    columns = (Column(title="what"), Column(title="count", format="count"))
    return MeasuredTable(
        name=name, caption="A caption", source=Source(command="hand"), columns=columns, rows=(("a", value),)
    )


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    (tmp_path / "docs/measured").mkdir(parents=True)
    (tmp_path / "README.md").write_text("Start.\n\n<!-- measured: one -->\n<!-- end -->\n\nEnd.\n")
    (tmp_path / "docs/page.md").write_text("Page.\n")
    write_table(table("one", 1), tmp_path / "docs/measured")
    return tmp_path


def test_a_table_is_inserted_between_its_markers(pages: Path) -> None:
    assert problems(pages) == ["README.md: table one differs from its file; run python -m benchmarks.docs"]
    assert main([], pages) == 0
    text = (pages / "README.md").read_text()
    assert text.startswith("Start.\n\n<!-- measured: one -->\nA caption:\n\n| what | count |\n")
    assert text.endswith("| a | 1 |\n\nSource: hand.\n<!-- end -->\n\nEnd.\n")
    assert problems(pages) == []
    insert(pages)
    assert (pages / "README.md").read_text() == text


def test_stale_and_edited_tables_are_found(pages: Path) -> None:
    insert(pages)
    write_table(table("one", 2), pages / "docs/measured")
    assert len(problems(pages)) == 1
    insert(pages)
    text = (pages / "README.md").read_text()
    (pages / "README.md").write_text(text.replace("| a | 2 |", "| a | 3 |"))
    assert len(problems(pages)) == 1
    assert main(["check"], pages) == 1


def test_markers_and_files_belong_together(pages: Path) -> None:
    insert(pages)
    write_table(table("two", 2), pages / "docs/measured")
    assert problems(pages) == ["docs/measured/two.json: no page shows it"]
    (pages / "docs/page.md").write_text("<!-- measured: two -->\n")
    assert "docs/page.md: a marker has no counterpart" in problems(pages)
    (pages / "docs/measured/two.json").unlink()
    (pages / "docs/page.md").write_text("<!-- measured: two -->\n<!-- end -->\n")
    assert problems(pages) == ["marker two: there is no docs/measured/two.json"]
    assert main([], pages) == 1


def with_counts(variant: str) -> VariantResult:
    labels = Labels(
        policy="default", checked=17_000, right=16_998, unlabelled=0, unknown=0, wrong_paths=0,
        explained=(ExplainedLabels(exception="boot", reason="a reason", paths=2, example="/boot"),),
    )  # fmt: skip
    counted = CountedBoot(
        busy_seconds=19.5, outside_units_seconds=4.0, milestones={"ssh": 16.5, "script": 18.5}, shift=0
    )
    return variant_result(variant).model_copy(update={"labels": labels, "counted_boots": (counted,)})


def write_run(study: StudyResult, directory: Path) -> Path:
    directory.mkdir(exist_ok=True)
    (directory / "results.json").write_text(study.model_dump_json())
    return directory


def test_the_tables_of_a_run(tmp_path: Path) -> None:
    result = with_counts("atomic-min")
    run = write_run(study_of(with_counts("cloud-docker"), result), tmp_path)
    tables = {table.name: table for table in run_tables(run)}
    assert tables.keys() == {"sizes", "boots", "labels", "stages"} < RUN_PAGES.keys()
    assert tables["sizes"].rows[1] == (
        "`atomic-min`", result.package_count, result.tree_bytes, result.image_allocated_bytes,
        result.image_compressed_bytes,
    )  # fmt: skip
    assert tables["labels"].rows[1] == ("`atomic-min`", 17_000, 16_998, 2, 0)
    boot = result.boots[0]
    assert tables["boots"].rows[1] == (
        "`atomic-min`", (boot.ssh_login_seconds,), (boot.docker_ready_seconds,), (19.5,),
    )  # fmt: skip
    assert tables["stages"].rows[1] == ("`atomic-min`", None, None, 21.0)
    source = tables["sizes"].source
    assert (source.revision, source.date, source.load_1m) == ("0" * 40, "2026-01-02", 1.4)
    assert "stand-in" in source.note


def test_a_warm_up_is_not_in_the_table_of_boots(tmp_path: Path) -> None:
    whole = variant_result("atomic-min", boots=2)
    boots = (whole.boots[0].model_copy(update={"warm_up": True}), whole.boots[1])
    run = write_run(study_of(whole.model_copy(update={"boots": boots})), tmp_path)
    tables = {table.name: table for table in run_tables(run)}
    assert tables["boots"].rows[0][1] == (boots[1].ssh_login_seconds,)


def test_ways_of_provisioning_are_differences_to_the_tree_without_an_agent(tmp_path: Path) -> None:
    agent, bare = with_counts("atomic-min"), with_counts("cloud-docker")
    run = write_run(study_of(agent, bare).model_copy(update={"study": "provisioning"}), tmp_path)
    with pytest.raises(WorkbookError, match=r"conformance\.json: no such file"):
        run_tables(run)
    outcomes: list[tuple[str, Outcome]] = [("a", "survived"), ("a", "lost login"), ("a", "unknown"), ("b", "survived")]
    cells = tuple(MatrixCell(str(i), agent, outcome, why="", run=True) for i, (agent, outcome) in enumerate(outcomes))
    matrix = Matrix((("0", "zero"),), ("a", "b"), cells, not_run=(("b", "needs a guest"),))
    (run / "conformance.json").write_text(json.dumps(matrix.to_json()))
    costs, faults = run_tables(run)
    assert [row[0] for row in costs.rows] == ["`cloud-docker`", "`atomic-min`"]
    assert costs.rows[1][1:] == (agent.package_count, agent.tree_bytes, 19.5, 16.5, 18.5)
    assert all(column.difference for column in costs.columns[1:])
    assert faults.columns[0].title == "agent"
    assert faults.rows == (("`a`", 2, 1),)


def test_runs_without_usable_figures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match="atomic-broken is not ok"):
        run_tables(write_run(study_of(variant_result("cloud-docker"), failed_result()), tmp_path))
    mine = study_of(variant_result("cloud-docker")).model_copy(update={"study": "mine"})
    with pytest.raises(WorkbookError, match="no table of study 'mine'"):
        run_tables(write_run(mine, tmp_path))


def test_a_run_gets_into_the_pages(pages: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in set(RUN_PAGES.values()):
        (pages / name).write_text("# A page\n")
    run = write_run(study_of(with_counts("cloud-docker"), with_counts("atomic-min")), tmp_path / "run")
    assert main(["from-run", str(run)], pages) == 0
    assert problems(pages) == []
    assert "| `atomic-min` | 17,000 | 16,998 | 2 | 0 |" in (pages / "docs/selinux.md").read_text()
    text = (pages / "docs/measuring.md").read_text()
    assert main(["from-run", str(run)], pages) == 0
    assert (pages / "docs/measuring.md").read_text() == text
    assert main(["from-run", str(tmp_path / "nowhere")], pages) == 1
    assert "no such file" in capsys.readouterr().err


def test_a_table_that_no_page_shows_is_refused(pages: Path) -> None:
    with pytest.raises(WorkbookError, match="no page has the marker"):
        publish([table("unknown", 1)], pages)
    assert not (pages / "docs/measured/unknown.json").exists()
