"""JupyterLab in a real browser: the landing notebook, and a variant explored and saved.

``WORKBOOK_PICTURE=notebooks/explore.png ./workbook test tests/integration/test_in_jupyterlab.py`` takes README's
picture again.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from atomic_lib.params.variant import load_variant
from atomic_lib.recipe.load import load_recipe
from tests.browser import Page, installed_browser, missing
from tests.jupyterlab import ENVIRONMENT, Lab, open_notebook, run_all_cells, running_lab, wait_for_kernel

pytestmark = pytest.mark.integration

WIDTH, HEIGHT = 1280, 900
FIGURE = "document.querySelector('.figure-packages').textContent"
TEXT = "jupyterapp.shell.currentWidget.node.innerText"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab in a copy of the checkout."""
    if not (ENVIRONMENT / "stamp").exists():
        missing("JupyterLab is not installed")
    with running_lab(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A page of the browser that is installed."""
    with installed_browser() as opened:
        yield opened


def test_it_opens_the_landing_notebook_in_the_checkout_and_asks_about_no_news(lab: Lab, page: Page) -> None:
    page.visit(lab.address, WIDTH, height=HEIGHT)
    wait_for_kernel(page, "index.ipynb")
    page.wait_for(f"{TEXT}.includes('Which notebook answers which question?')", 30)
    assert page.evaluate("location.pathname").endswith("/lab/tree/notebooks/index.ipynb")
    page.wait_for("document.querySelector('.jp-DirListing')", 30)
    run_all_cells(page)
    page.wait_for(f"{TEXT}.includes('There are no runs yet')", 180)
    page.evaluate("document.querySelector('.workbook th .sort').click()")
    first = "document.querySelector('.workbook tbody th').textContent"
    assert page.evaluate(first) == "atomic"
    page.evaluate("document.querySelector('.workbook th .sort').click()")
    assert page.evaluate(first) == "traditional-min"
    assert page.evaluate("document.querySelector('.workbook a.csv').href").startswith("data:text/csv")
    assert page.evaluate("document.querySelector('.jp-toast, .Toastify__toast') === null"), "it asked about news"


def test_a_choice_changes_the_figures_and_is_saved_as_a_variant(lab: Lab, page: Page) -> None:
    open_notebook(page, lab, "explore.ipynb", width=WIDTH, height=HEIGHT)
    run_all_cells(page)
    page.wait_for("document.querySelector('.figure-packages')", 300)
    before = int(page.evaluate(FIGURE))
    page.type(".workbook-exclude input", "sudo")
    page.evaluate("document.querySelector('button.workbook-exclude').click()")
    page.wait_for(f"Number({FIGURE}) < {before}", 60)
    page.wait_for(f"{TEXT}.includes(\"explorer.answer(exclude=['sudo'])\")", 60)
    page.type(".workbook-name input", "without-sudo")
    page.evaluate("document.querySelector('button.workbook-save').click()")
    page.wait_for(f"{TEXT}.includes('Saved: ')", 60)
    params = lab.checkout / "params"
    saved = load_recipe(load_variant("without-sudo", params), params)
    assert "sudo" not in saved.packages
    assert "sudo" in saved.excludes
    if picture := os.environ.get("WORKBOOK_PICTURE"):
        page.evaluate("jupyterapp.commands.execute('application:toggle-left-area')")
        page.evaluate("document.querySelector('.workbook-explore').scrollIntoView()")
        page.evaluate("new Promise(done => setTimeout(done, 1000))")  # until it is drawn
        page.picture(Path(picture))
    page.evaluate("document.querySelector('button.workbook-save').click()")
    page.wait_for(f"{TEXT}.includes('exists already Next step: choose another name')", 30)


def test_an_error_is_one_line_that_says_what_to_do(lab: Lab, page: Page) -> None:
    notebook = (lab.checkout / "notebooks/explore.ipynb").read_text()
    broken = notebook.replace('variant: str = \\"atomic-min\\"', 'variant: str = \\"atomic-mni\\"')
    assert broken != notebook
    (lab.checkout / "notebooks/broken.ipynb").write_text(broken)
    open_notebook(page, lab, "broken.ipynb", width=WIDTH, height=HEIGHT)
    run_all_cells(page)
    error = "document.querySelector('.jp-OutputArea-output[data-mime-type*=\"vnd.jupyter\"]')"
    page.wait_for(error, 180)
    text = page.evaluate(f"{error}.innerText").strip()
    assert text.startswith("✗ unknown variant 'atomic-mni' (did you mean 'atomic-min'?)")
    assert "Next step: choose one of" in text
    assert len(text.splitlines()) == 1


def test_of_the_users_home_only_the_usual_places_of_settings_and_caches_are_written(lab: Lab) -> None:
    written = [path.relative_to(lab.home) for path in lab.home.rglob("*") if path.is_file()]
    assert [str(path) for path in written if path.parts[0] not in (".ipython", ".cache", ".local", ".config")] == []
