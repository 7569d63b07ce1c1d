"""The panel of ``notebooks/explore.ipynb``: choices to click, and below them what they change.

Each click asks ``Explorer.answer`` with the arguments that the panel shows, so whoever types them gets the same.
"""

from collections.abc import Callable
from html import escape
from typing import Any

from atomic_lib.base.errors import WorkbookError
from atomic_lib.measure.guards.predicted_guards import PredictedGuard
from atomic_lib.pipeline.explore.choices import AGENTS, RUNTIME_NAMES, Choices, words_of
from atomic_lib.pipeline.explore.explorer import Exploration, Explorer
from atomic_lib.pipeline.explore.saved_run import LAST_STAGES, comparison, run_saved
from atomic_lib.pipeline.explore.saved_variant import SavedVariant, save_variant
from atomic_lib.pipeline.failures import explained
from atomic_lib.pipeline.lab.notebook_display import in_notebook, one_line
from atomic_lib.pipeline.lab.progress_stream import Steps, progress_shown
from atomic_lib.report.elements.blocks import Details, Paragraph, Shown, Stack
from atomic_lib.report.elements.values import delta, quantity
from atomic_lib.report.tables import explore_tables

_AS_IT_IS = "as it is"
_YES_OR_NO: dict[str, bool | None] = {_AS_IT_IS: None, "yes": True, "no": False}
_MARKS = {"holds": ("✓", "success"), "broken": ("✗", "error"), "open": ("?", "warn")}


def answer_shown(exploration: Exploration) -> Stack:
    """An answer as tables: figures, guards, packages added and removed, and the whole list."""
    figures = explore_tables.figures_table(exploration.changes)
    guards = explore_tables.predicted_guards_table(exploration.guards)
    return Stack((figures, guards, packages_shown(exploration)))


def packages_shown(exploration: Exploration) -> Stack:
    """What else follows from the choices, and the packages: added, removed, and all of them."""
    changes = exploration.changes
    notes = (*exploration.notes, *explore_tables.consequence_notes(changes))
    return Stack(
        (
            *map(Paragraph, notes),
            explore_tables.added_table(changes),
            explore_tables.removed_table(changes),
            Details("All packages", explore_tables.predicted_packages_table(changes.after)),
        )
    )


def panel(explorer: Explorer, choices: Choices | None = None) -> Any:
    """The panel with these choices; without ipywidgets, which only ``./workbook lab`` has, their answer as tables."""
    try:
        import ipywidgets
    except ImportError:
        return answer_shown(explorer.explore(choices or Choices()))
    return Panel(explorer, choices or Choices(), ipywidgets).box


class Panel:
    """The widgets. ``box`` holds all of them; ``saved`` is the variant that was saved last.

    ``exploration``: the answer to what is chosen now; None if there is none.
    """

    def __init__(self, explorer: Explorer, choices: Choices, widgets: Any) -> None:
        self._explorer, self._widgets = explorer, widgets
        self.saved: SavedVariant | None = None
        self.exploration: Exploration | None = None
        own = explorer.variant
        self.add, add_line = self._words("Add packages or @groups", choices.add, "add")
        self.exclude, exclude_line = self._words("Exclude packages or @groups", choices.exclude, "exclude")
        self.documentation = self._choice("Documentation", list(_YES_OR_NO), _word_of(choices.documentation))
        self.weak = self._choice("Weak dependencies", list(_YES_OR_NO), _word_of(choices.weak_dependencies))
        self.agent = self._choice("Agent", list(AGENTS), choices.agent or own.agent)
        self.runtime = self._choice("Runtime", list(RUNTIME_NAMES), choices.runtime or own.runtime)
        self.content = self._choice("Content", explorer.contents(), choices.content or own.content)
        self._figures, self._status = widgets.HTML(), widgets.HTML()
        self._guards, self._typed = widgets.HTML(), widgets.HTML()
        self._tables, self._compared = widgets.Output(), widgets.Output()
        switches = [self.documentation, self.weak, self.agent, self.runtime, self.content]
        left = widgets.VBox([*add_line, *exclude_line, *switches], layout={"width": "26rem", "margin": "0 1.2rem 0 0"})
        right = widgets.VBox([self._figures, self._guards, self._status], layout={"flex": "1 1 22rem"})
        head = widgets.HBox([left, right], layout={"flex_flow": "row wrap"})
        self.box = widgets.VBox([head, self._typed, self._save_line(), self._compared, self._tables])
        self.box.add_class("workbook-explore")
        for control in (self.add, self.exclude, *switches):
            control.observe(lambda _: self.refresh(), "value")
        self.refresh()

    @property
    def choices(self) -> Choices:
        """What is chosen now."""
        own = self._explorer.variant
        return Choices(
            add=tuple(self.add.value),
            exclude=tuple(self.exclude.value),
            documentation=_YES_OR_NO[self.documentation.value],
            weak_dependencies=_YES_OR_NO[self.weak.value],
            agent=_other(self.agent.value, own.agent),
            runtime=_other(self.runtime.value, own.runtime),
            content=_other(self.content.value, own.content),
        )

    def refresh(self) -> None:
        """Ask dnf, and show its answer; an error is shown in its place."""
        self.exploration = None

        def ask() -> None:
            self.exploration = self._explorer.explore(self.choices)
            self._show(self.exploration)

        try:
            self._doing("dnf solves …", ask)
        finally:
            if self.exploration is None:  # what is shown is the answer to other choices
                self._figures.value = self._guards.value = self._typed.value = ""
                self._tables.outputs = ()

    def _show(self, exploration: Exploration) -> None:
        self._figures.value = figures_html(exploration)
        self._guards.value = guards_html(exploration.guards)
        arguments = ", ".join(words_of(exploration.choices))
        self._typed.value = f"The same, typed: <code>explorer.answer({escape(arguments)})</code>"
        _put(self._tables, packages_shown(exploration))
        names = self._explorer.names()
        if len(names) != len(self._add_word.options):
            self._add_word.options = names
        self._exclude_word.options = sorted(exploration.after.packages)

    def _save(self, _: object) -> None:
        def save() -> None:
            exploration = self.exploration or self._explorer.explore(self.choices)
            self.saved = save_variant(self._name.value.strip(), exploration)
            files = ", ".join(self.saved.files)
            self._saved.value = f"Saved: {escape(files)}. <code>{escape(self.saved.command)}</code> builds it."
            self._run.disabled = False

        self._saved.value, self._run.disabled = "", True
        self._doing("saving …", save)

    def _run_it(self, _: object) -> None:
        def run() -> None:
            assert self.saved is not None
            _put(self._compared, comparison(run_saved(self.saved, self._stage.value)))

        self._doing(f"{self.saved.command if self.saved else ''} …", run)

    def _doing(self, what: str, work: Callable[[], None]) -> None:
        """Do some work: progress while it lasts, then nothing, or the error in one line."""
        self._status.value, said = escape(what), ""

        def show(steps: Steps) -> None:
            self._status.value = steps.as_html()

        try:
            with progress_shown(show):
                work()
        except (OSError, WorkbookError) as error:
            text = one_line(explained(error))[0].replace("\x1b[31m", "").replace("\x1b[0m", "")
            said = f'<div style="color:var(--jp-error-color1)" role="alert">{escape(text)}</div>'
        finally:
            self._status.value = said

    def _words(self, title: str, words: tuple[str, ...], verb: str) -> tuple[Any, list[Any]]:
        """A field that completes names, and the words that were chosen with it, each to be taken away again."""
        widgets = self._widgets
        word = widgets.Combobox(placeholder=title, ensure_option=False, layout={"width": "19rem"})
        button = widgets.Button(description=verb.capitalize(), layout={"width": "6rem"})
        chosen = widgets.TagsInput(value=list(words), allow_duplicates=False, layout={"width": "25rem"})
        setattr(self, f"_{verb}_word", word)
        for control in (word, button, chosen):
            control.add_class(f"workbook-{verb}")

        def take(_: object) -> None:
            new = [one for one in word.value.split() if one not in chosen.value]
            word.value = ""
            if new:
                chosen.value = [*chosen.value, *new]

        button.on_click(take)
        word.on_submit(take)
        return chosen, [widgets.HBox([word, button]), chosen]

    _add_word: Any
    _exclude_word: Any

    def _choice(self, title: str, options: list[str], value: str) -> Any:
        style = {"description_width": "9rem"}
        control = self._widgets.Dropdown(
            description=title, options=options, value=value, style=style, layout={"width": "25.2rem"}
        )
        control.add_class(f"workbook-{title.lower().replace(' ', '-')}")
        return control

    def _save_line(self) -> Any:
        widgets = self._widgets
        self._name = widgets.Text(placeholder="name of the new variant", layout={"width": "14rem"})
        save = widgets.Button(description="Save as variant", button_style="primary")
        self._stage = widgets.Dropdown(options=list(LAST_STAGES), description="Run it as far as the")
        self._stage.style.description_width = "9rem"
        self._run = widgets.Button(description="Run it", disabled=True)
        self._saved = widgets.HTML()
        self._name.add_class("workbook-name")
        save.add_class("workbook-save")
        save.on_click(self._save)
        self._run.on_click(self._run_it)
        line = widgets.HBox([self._name, save, self._stage, self._run], layout={"flex_flow": "row wrap"})
        return widgets.VBox([line, self._saved])


def figures_html(exploration: Exploration) -> str:
    """The three figures, large, each with its difference from the unchanged variant."""
    before, after = exploration.changes.before, exploration.changes.after
    rows = (
        ("packages", quantity(len(after.packages), "count"), delta(len(after.packages), len(before.packages), "count")),
        ("installed", quantity(after.installed_bytes, "bytes"),
         delta(after.installed_bytes, before.installed_bytes, "bytes")),
        ("download", quantity(after.download_bytes, "bytes"),
         delta(after.download_bytes, before.download_bytes, "bytes")),
    )  # fmt: skip
    cells = "".join(
        f'<div style="margin:0 1.2rem .4rem 0"><div style="font-size:1.4rem;line-height:1.3" class="figure-{title}">'
        f'{escape(value)}</div><div style="line-height:1.4">{title}<br><b>{escape(change)}</b></div></div>'
        for title, value, change in rows
    )
    what = f"{escape(exploration.variant.variant)} with these choices, by dnf in {exploration.seconds:.1f} s"
    return f'<div style="line-height:1.4;opacity:.8">{what}</div><div style="display:flex;flex-wrap:wrap">{cells}</div>'


def guards_html(guards: tuple[PredictedGuard, ...]) -> str:
    """A line for each guard, with its first reason."""
    lines = []
    for guard in guards:
        mark, colour = _MARKS[guard.verdict]
        more = f" and {len(guard.reasons) - 1} more" if len(guard.reasons) > 1 else ""
        reason = f"{guard.reasons[0]}{more}" if guard.reasons else ""
        lines.append(
            f'<div style="line-height:1.4"><b style="color:var(--jp-{colour}-color1)">{mark}</b> {escape(guard.title)}'
            f': <span style="opacity:.8">{escape(reason)}</span></div>'
        )
    return "".join(lines)


def _put(output: Any, shown: Shown) -> None:
    """Show something in an output, in place of what is there."""
    data = {"text/html": in_notebook(shown), "text/plain": ""}
    output.outputs = ({"output_type": "display_data", "data": data, "metadata": {}},)


def _word_of(value: bool | None) -> str:
    return next(word for word, one in _YES_OR_NO.items() if one is value)


def _other(value: str, own: str) -> str | None:
    return None if value == own else value
