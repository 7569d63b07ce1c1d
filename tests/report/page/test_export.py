"""Pages: the notebook executed by papermill, converted, self-contained, without a trace of the machine."""

import base64
import hashlib
import html.parser
import json
import re
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from atomic_lib.base import command
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import CHECKOUT
from atomic_lib.base.scrub import scrubber
from atomic_lib.report.page import export as pages
from atomic_lib.report.page.export import PageFrame
from atomic_lib.results.result_files import write_study_results
from tests.report import factory
from tests.report.page.notebook_factory import NOTEBOOK, PAGES, code, markdown, write_notebook


class Loads(html.parser.HTMLParser):
    """Collects what a browser would fetch, the links, and the anchors of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name in ("src", "srcset", "poster", "data") or (name == "href" and tag == "link"):
                self.loads.append(value or "")
            elif name == "href":
                self.links.append(value or "")
            elif name == "id":
                self.ids.append(value or "")


def shown(page: Path) -> str:
    """The main part of a page without its hidden code."""
    main = page.read_text().partition("<main")[2].partition(">")[2]
    return re.sub(r'<div [^>]*class="code".*?</pre></div>\s*</div>', "", main, flags=re.DOTALL)


def test_the_page_answers_the_question(run: Path) -> None:
    text = (run / "index.html").read_text()
    assert "<title>What does each choice of the Atomic Cloud Image cost?</title>" in text
    assert "atomic-broken failed at the stage compose" in text
    assert "\N{MINUS SIGN}70" in text
    assert text.index("What each variant costs") < text.index("What changed, and why") < text.index("Every figure")
    assert "Traceback" not in text
    boots = (run / "boots.html").read_text()
    assert boots.count("<figure") == 3  # no time line of atomic-cloud-init: its one boot failed a check


@pytest.mark.parametrize("page", PAGES)
def test_a_page_begins_with_its_content_and_date_and_says_that_it_is_not_fedora(run: Path, page: str) -> None:
    text = shown(run / page)
    assert re.match(r"\s*Stand-in content \(Debian 13 as RPMs\), \d+ \w+ \d{4}\s*\S", re.sub(r"<[^>]+>", "", text))
    assert text.count("not Fedora's sizes or boot times") == 1
    assert text.count("<h1") == 1


def test_the_counted_second_is_explained_where_it_first_stands(run: Path) -> None:
    text = shown(run / "index.html")
    table, next_heading = text.index('id="overview"'), text.index("What changed, and why")
    assert "A counted second is one second of the guest" in text[table:next_heading]
    assert "counted" not in text[:table]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_loads_nothing(run: Path, page: str) -> None:
    text = (run / page).read_text()
    seen = Loads(text)
    assert all(load.startswith("data:") for load in seen.loads)
    assert not seen.tags & {"iframe", "object", "embed", "base"}
    assert not re.search(r"\burl\((?!#)|@import", text)
    assert not re.search(r"https?://", text)
    assert "default-src 'none'" in text


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(run: Path, page: str) -> None:
    seen = Loads((run / page).read_text())
    assert len(seen.links) > 10
    for link in seen.links:
        if link.startswith("#"):
            assert link[1:] in seen.ids
        elif "console" not in link:  # the run of this test was never booted
            assert ((run / page).parent / link).exists(), link


@pytest.mark.parametrize("page", PAGES)
def test_every_table_and_figure_has_an_anchor_of_its_own(run: Path, page: str) -> None:
    text = (run / page).read_text()
    seen = Loads(text)
    assert [name for name in seen.ids if seen.ids.count(name) > 1] == []
    anchors = re.findall(r'<(?:div|figure) class="block" id="([^"]+)"', text)
    assert len(anchors) >= 2
    assert {f"#{name}" for name in anchors} <= set(seen.links)


@pytest.mark.parametrize("page", PAGES)
def test_the_one_script_is_allowed_by_its_hash(run: Path, page: str) -> None:
    text = (run / page).read_text()
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", text, flags=re.DOTALL)
    assert [attributes for attributes, _ in scripts] == [""]
    digest = base64.b64encode(hashlib.sha256(scripts[0][1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text


def test_each_csv_of_a_table_is_beside_the_page(run: Path) -> None:
    texts = [(run / page).read_text() for page in PAGES if "/" not in page]
    found = {name for text in texts for name in re.findall(r'<a class="csv" href="([^"]+)"', text)}
    assert {
        "figures.csv",
        "packages.csv",
        "units.csv",
        "image_parts.csv",
        "departures.csv",
        "counted_units.csv",
    } <= found


def test_the_front_page_is_light(run: Path) -> None:
    assert (run / "index.html").stat().st_size < 300_000


def test_pages_link_each_other_the_tables_and_the_console_logs(run: Path) -> None:
    index = Loads((run / "index.html").read_text()).links
    variant = Loads((run / "atomic-min/index.html").read_text()).links
    assert {"atomic-min/index.html", "results.json", "packages.csv", "boots.csv", "compare.ipynb"} <= set(index)
    assert {"bytes.html", "boots.html", "packages.html", "checks.html", "summary.md"} <= set(index)
    assert "cloud-docker/index.html" not in index
    assert {"../index.html", "../bytes.html", "console-uefi-1.log"} <= set(variant)


def test_no_page_tells_where_it_was_made(run: Path) -> None:
    for page in (*PAGES, "summary.md"):
        text = (run / page).read_text()
        for trace in (str(run), str(CHECKOUT), sys.prefix, "papermill", socket.gethostname()):
            assert trace not in text
    text = (run / "index.html").read_text()
    assert 'run_directory = "."' in re.sub(r"<[^>]+>|&quot;", lambda m: '"' if m[0] == "&quot;" else "", text)


def test_the_page_of_a_failed_variant_begins_with_its_cause(run: Path) -> None:
    text = (run / "atomic-broken/index.html").read_text()
    assert text.index("atomic-broken failed at the stage compose") < text.index("<h1")
    assert 'class="alert"' in text.partition("<h1")[0]
    assert 'class="alert"' not in (run / "atomic-min/index.html").read_text().partition("<h1")[0]


def test_code_is_there_and_hidden_without_a_script(run: Path) -> None:
    text = (run / "index.html").read_text()
    assert 'id="show-code" type="checkbox"' in text or 'type="checkbox" id="show-code"' in text
    assert "body:has(#show-code:checked) .code { display: block; }" in text
    assert "overview_tables" in re.sub(r"<[^>]+>", "", text)


def notebook_with(path: Path, *outputs: Mapping[str, object]) -> Path:
    """A notebook with one cell of these outputs."""
    banner = markdown("An Exception was encountered", "papermill-error-cell-tag")
    failed = code("1/0", *outputs, papermill={"exception": True})
    write_notebook(path, [banner, failed], papermill={"output_path": "/srv/secret/out.ipynb"})
    return path


def test_parameters_of_a_run_show_names_of_files_without_their_directories(tmp_path: Path) -> None:
    text = 'ostree_key = "/srv/customer/key.asc"\nostree_url = "file:///srv/customer/repo"\nref = "a/b"\nn = 3\n'
    write_notebook(tmp_path / "n.ipynb", [code(text, tags=["injected-parameters"])])
    pages.remove_traces(tmp_path / "n.ipynb", tmp_path / "stored.ipynb")
    (stored,) = json.loads((tmp_path / "stored.ipynb").read_text())["cells"]
    assert "".join(stored["source"]) == 'ostree_key = "key.asc"\nostree_url = "repo"\nref = "a/b"\nn = 3\n'


def test_a_traceback_is_shown_without_directories_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    line = f"\x1b[36mFile \x1b[39m\x1b[32m{CHECKOUT}/atomic_lib/x.py:3\x1b[39m, {Path.home()}/.cache/y"
    value = f"bad <value> of {CHECKOUT}/x"
    output = {"output_type": "error", "ename": "E", "evalue": value, "traceback": [line, "E: bad <value>"]}
    data = {"application/json": {"paths": [f"{tmp_path}/y"]}, "image/svg+xml": f"<svg><!-- {CHECKOUT}/z --></svg>"}
    shown = {"output_type": "display_data", "data": data, "metadata": {}}
    pages.export_html(notebook_with(tmp_path / "n.ipynb", shown, output), tmp_path / "n.html", PageFrame("T & T"))
    pages.remove_traces(tmp_path / "n.ipynb", tmp_path / "stored.ipynb")
    stored = (tmp_path / "stored.ipynb").read_text()
    assert [trace for trace in (str(tmp_path), str(CHECKOUT), "secret") if trace in stored] == []
    assert '"evalue": "bad <value> of ./x"' in stored
    text = (tmp_path / "n.html").read_text()
    assert "./atomic_lib/x.py:3" in text
    assert "~/.cache/y" in text
    assert "bad &lt;value&gt;" in text
    assert "<title>T &amp; T</title>" in text
    assert "secret" not in text
    assert "Exception was encountered" not in text


def test_the_scrubber_takes_directories_and_leaves_guests_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.setattr(socket, "gethostname", lambda: "builder7")
    monkeypatch.setenv("WORKBOOK_CACHE", "/srv/cache")
    scrub = scrubber(tmp_path)
    assert scrub(f"open {tmp_path}/results.json") == "open ./results.json"
    assert scrub("'/home/ann/x' /home/ann:/home/ann /sysroot/home/ann /home/anna") == (
        "'~/x' ~:~ /sysroot/home/ann /home/anna"
    )
    assert scrub("/tmp/ipykernel_12/345.py:2: UserWarning") == "cell:2: UserWarning"
    assert scrub("/srv/cache/tools on builder7, builder77") == "CACHE/tools on HOST, builder77"


def test_the_home_of_root_is_no_trace_but_what_a_guest_has_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/root")
    assert scrubber(tmp_path)("/root/.bashrc: missing") == "/root/.bashrc: missing"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": 3}', "[" * 100_000])
def test_a_damaged_notebook_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "n.ipynb").write_text(text)
    with pytest.raises(WorkbookError, match=r"n\.ipynb: not a notebook"):
        pages.export_html(tmp_path / "n.ipynb", tmp_path / "n.html", PageFrame("T"))
    assert not (tmp_path / "n.html").exists()


def test_a_run_without_its_notebook_says_so(tmp_path: Path) -> None:
    write_study_results(tmp_path, factory.STUDY, [])
    with pytest.raises(WorkbookError, match=r"compare\.ipynb: no such file"):
        pages.write_pages(tmp_path)


def test_the_notebook_is_committed_thin_and_stripped() -> None:
    node = json.loads(NOTEBOOK.read_text())
    code = [cell for cell in node["cells"] if cell["cell_type"] == "code"]
    assert [cell["outputs"] for cell in code] == [[]] * len(code)
    assert {cell["execution_count"] for cell in code} == {None}
    assert len({cell["id"] for cell in node["cells"]}) == len(node["cells"])
    assert not re.search(r"^\s*(def|class|try)\b", "\n".join("".join(cell["source"]) for cell in code), re.MULTILINE)


def test_importing_the_report_loads_neither_pandas_nor_matplotlib() -> None:
    files = (CHECKOUT / "atomic_lib/report").rglob("*.py")
    names = [".".join(path.relative_to(CHECKOUT).with_suffix("").parts) for path in files if path.stem != "__init__"]
    heavy = "{'pandas', 'matplotlib', 'nbconvert', 'nbformat', 'numpy'}"
    program = "; ".join([*(f"import {name}" for name in names), "import sys",
                         f"print(sorted({heavy} & set(sys.modules)))"])  # fmt: skip
    done = command.run([sys.executable, "-c", program], cwd=CHECKOUT)
    assert (len(names) > 30, done.stdout.strip()) == (True, "[]")
