"""What the extension of IPython shows: one line for an error, tables with a script and their CSV."""

import base64
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

from atomic_lib.base.errors import WorkbookError
from atomic_lib.pipeline.lab.notebook_display import in_notebook, load_ipython_extension, one_line
from atomic_lib.report.elements.blocks import Details, Paragraph, Stack
from atomic_lib.report.elements.cells import Cell
from atomic_lib.report.elements.table import Table
from atomic_lib.report.figures.picture import Picture
from tests.browser import installed_browser

TABLE = Table("Sizes: two", ("name", "size"), ((Cell("a"), Cell("1")),), ({"name": "a", "size": 1},), csv="sizes.csv")


def test_an_error_is_one_line_with_the_next_step_and_the_last_reason() -> None:
    (line,) = one_line(WorkbookError("no\nsolution", hint="leave one out", log="first\n nothing provides x\n"))
    assert re.sub(r"\x1b\[\d+m", "", line) == "✗ no · solution (nothing provides x) Next step: leave one out"


def test_a_table_has_its_csv_in_the_link_wherever_it_stands() -> None:
    for shown in (TABLE, Stack((Paragraph("before"), TABLE)), Details("more", TABLE)):
        html = in_notebook(shown)
        data = re.findall(r'download="sizes.csv" href="data:text/csv;name=sizes;base64,([^"]+)"', html)
        assert base64.b64decode(data[0]).decode() == "name,size\na,1\n"


def test_nothing_links_to_a_file_of_a_run() -> None:
    picture = Picture("<svg></svg>", "<svg></svg>", "alt", "caption", csv="sizes.csv")
    for shown in (picture, Stack((picture,)), replace(TABLE, records=()), Details("more", picture)):
        assert "sizes.csv" not in in_notebook(shown)


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> InteractiveShell:
    """IPython with the extension, until the test ends."""
    monkeypatch.setattr(sys, "stderr", sys.stderr)  # which it replaces
    monkeypatch.setattr(WorkbookError, "_render_traceback_", None, raising=False)
    shell = InteractiveShell()  # type: ignore[no-untyped-call]
    load_ipython_extension(shell)
    return shell


def test_pictures_are_shown_as_tables_are(shell: InteractiveShell) -> None:
    assert shell.display_formatter
    shown = shell.display_formatter.formatters["text/html"]
    assert shown.lookup_by_type(Picture) is shown.lookup_by_type(Table) is in_notebook


def test_what_the_system_refuses_is_one_line_too(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run_cell("from pathlib import Path\nPath('/proc/none').mkdir()")  # type: ignore[no-untyped-call]
    shown = re.sub(r"\x1b\[\d+m", "", capsys.readouterr().out)
    assert shown.splitlines() == ["✗ /proc/none: No such file or directory"]


def test_each_output_has_the_script_for_its_own_tables() -> None:
    first, second = in_notebook(TABLE), in_notebook(TABLE)
    names = [re.findall(r'<div class="workbook" id="([^"]+)"', html)[0] for html in (first, second)]
    assert names[0] != names[1]
    assert f"workbookTables(document.getElementById('{names[0]}'))" in first


def test_a_figure_and_a_heading_follow_a_dark_theme(tmp_path: Path) -> None:
    svg = '<svg fill="currentColor"><rect style="fill: var(--chart-paper, #ffffff)"/><text>1 MB</text></svg>'
    table = Table("Sizes", ("", "size"), ((Cell("a"), Cell("1")), (Cell("b"), Cell("2"))), ())
    shown = in_notebook(Stack((Picture(svg, svg, "alt", "caption"), table)))
    theme = "--jp-content-font-color1: #ffffff; --jp-layout-color0: #111111"
    (tmp_path / "page.html").write_text(f'<body data-jp-theme-light="false" style="{theme}">{shown}')
    with installed_browser() as page:
        page.open(tmp_path / "page.html", 1280)
        fill = "getComputedStyle(document.querySelector('figure {}')).fill"
        assert page.evaluate(fill.format("text")) == "rgb(255, 255, 255)"
        assert page.evaluate(fill.format("rect")) == "rgb(17, 17, 17)"
        borders = "[...document.querySelectorAll('thead .sort')].map(one => getComputedStyle(one).borderTopWidth)"
        assert page.evaluate(borders) == ["0px", "0px"]
