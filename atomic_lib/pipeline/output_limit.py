"""Which output of an executed notebook is kept, and how much: no progress, and not what a cell prints without end."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from atomic_lib.base.progress import is_progress

PRINTED_CHARACTERS = 2**20
"""For all that the cells of a notebook print."""
SHOWN_CHARACTERS = 2**25
"""For all tables and figures of a notebook."""
ERROR_CHARACTERS = 2**16
"""For the message and for the traceback of an error."""


@dataclass
class OutputLimit:
    """What one notebook may still output, in characters."""

    printed: int = PRINTED_CHARACTERS
    shown: int = SHOWN_CHARACTERS
    reached: str = ""
    """The limit that was reached, as the end of a sentence; empty if none was."""

    def limited(self, message: Mapping[str, Any]) -> dict[str, Any] | None:
        """A message of the kernel with as much of its output as is kept; None if nothing is.

        Format: https://jupyter-client.readthedocs.io/en/stable/messaging.html
        """
        kind, content = message["msg_type"], message["content"]
        if kind == "stream":
            content = self._limited_text(content)
        elif kind in ("display_data", "execute_result", "update_display_data"):
            content = self._limited_data(content)
        elif kind == "error":
            content = _limited_error(content)
        return {**message, "content": content} if content else None

    def _limited_text(self, content: Mapping[str, Any]) -> dict[str, Any] | None:
        if self.printed < 0 or not content["text"]:
            return None
        text = content["text"][: self.printed]
        self.printed -= len(content["text"])
        note = f"\n[more output is not kept: the limit is {PRINTED_CHARACTERS} characters]\n"
        if self.printed < 0:
            self.reached = f"its cells print more than {PRINTED_CHARACTERS} characters"
        return {**content, "text": text + (note if self.printed < 0 else "")}

    def _limited_data(self, content: Mapping[str, Any]) -> dict[str, Any]:
        size = sum(len(str(value)) for value in content["data"].values())
        if size <= self.shown:
            self.shown -= size
            return dict(content)
        self.reached = f"its tables and figures have more than {SHOWN_CHARACTERS} characters"
        note = f"[an output of {size} characters is not kept: the limit of a notebook is {SHOWN_CHARACTERS}]"
        return {**content, "data": {"text/plain": note}, "metadata": {}}


def _limited_error(content: Mapping[str, Any]) -> dict[str, Any]:
    lines, left = list[str](), ERROR_CHARACTERS
    for line in reversed(content["traceback"]):  # the last lines name the cause
        lines.insert(0, line[:left])
        left -= len(line)
        if left <= 0:
            break
    return {**content, "evalue": content["evalue"][:ERROR_CHARACTERS], "traceback": lines}


def without_progress(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message of the kernel with text, without its progress lines."""
    lines = message["content"]["text"].splitlines(keepends=True)
    text = "".join(line for line in lines if not is_progress(line))
    return {**message, "content": {**message["content"], "text": text}}
