"""Signs of life of notebooks that run side by side, on one line."""

from atomic_lib.base.progress import ALIVE, ENDED, FAILED

_BETWEEN = " | "


class Signs:
    """The newest sign of life of each notebook that runs."""

    def __init__(self) -> None:
        self._newest: dict[object, str] = {}

    def joined(self, notebook: object, line: str) -> str:
        """A progress line of a notebook, as it is shown: a sign of life stands before those of the others."""
        if line.lstrip().startswith((f"{ENDED} ", f"{FAILED} ")):
            self._newest.pop(notebook, None)
        if not line.startswith(f"{ALIVE} "):
            return line
        self._newest.pop(notebook, None)
        own = line.removeprefix(f"{ALIVE} ")
        others = reversed(self._newest.values())
        text = f"{ALIVE} {_BETWEEN.join([own, *others])}"
        self._newest[notebook] = own
        return text

    def forget(self, notebook: object) -> None:
        """A notebook has ended."""
        self._newest.pop(notebook, None)
