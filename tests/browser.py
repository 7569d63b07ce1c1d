"""A headless Chromium for tests, driven over a pair of pipes by the DevTools protocol: no port, no driver program."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

PROGRAMS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_SILENCE_SECONDS = 120
_OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
    "--disable-background-networking", "--remote-debugging-pipe",
)  # fmt: skip


def missing(what: str) -> NoReturn:
    """Skip the test; fail it in CI, which brings what is needed."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}: see .ci/run")
    pytest.skip(f"{what}: see docs/testing.md")


def find_browser() -> str | None:
    """The path of the browser that is installed, if there is one."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Page:
    """One page of the browser: its size in CSS pixels and its colour scheme can be set before a file is opened."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._out = os.fdopen(to_browser, "wb", buffering=0)
        self._in, self._received = from_browser, bytearray()
        self._count, self._session = 0, ""
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._call("Page.enable")

    def open(self, path: Path, width: int, *, dark: bool = False, height: int = 900) -> None:
        """Open a file at a width, and wait until it is loaded."""
        self.visit(path.resolve().as_uri(), width, dark=dark, height=height)

    def visit(self, address: str, width: int, *, dark: bool = False, height: int = 900) -> None:
        """Open an address at a width, and wait until it is loaded."""
        self._call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", features=[scheme])
        self._call("Page.setBypassCSP", enabled=True)  # so that a test may add its own script
        self._call("Page.navigate", url=address)
        self.evaluate(
            "new Promise(done => document.readyState == 'complete' ? done() : addEventListener('load', done))"
        )

    def wait_for(self, condition: str, seconds: float) -> None:
        """Wait until a JavaScript expression is true; raises TimeoutError if it is not in time."""
        end = time.monotonic() + seconds
        while not self.evaluate(f"Boolean({condition})"):
            if time.monotonic() > end:
                raise TimeoutError(f"not true after {seconds:g} s: {condition}")
            time.sleep(0.1)

    def type(self, selector: str, text: str) -> None:
        """Type a text into the field that a CSS selector finds."""
        self.evaluate(f"document.querySelector({json.dumps(selector)}).focus()")
        self._call("Input.insertText", text=text)

    def evaluate(self, script: str) -> Any:
        """The value of a JavaScript expression, or of what it promises; raises RuntimeError with the script's error."""
        answer = self._call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def picture(self, path: Path, *, whole: bool = False) -> None:
        """Write a PNG of what the window shows, or of the ``whole`` page."""
        answer = self._call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(answer["data"]))

    def close(self) -> None:
        """End the browser."""
        self._session = ""
        self._call("Browser.close")
        self._out.close()
        os.close(self._in)

    def _call(self, method: str, **parameters: Any) -> Any:
        number = self._send(method, parameters)
        while True:
            answer = json.loads(self._message())
            if answer.get("method") == "Page.javascriptDialogOpening":  # such as one about changes that are not saved
                self._send("Page.handleJavaScriptDialog", {"accept": True})
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def _send(self, method: str, parameters: dict[str, Any]) -> int:
        """Send a command; returns its number."""
        self._count += 1
        message: dict[str, Any] = {"id": self._count, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._out.write(json.dumps(message).encode() + b"\0")
        return self._count

    def _message(self) -> bytes:
        """The next message, which ends with a NUL."""
        while b"\0" not in self._received:
            if not select.select([self._in], [], [], _SILENCE_SECONDS)[0]:
                raise TimeoutError(f"the browser said nothing for {_SILENCE_SECONDS} s")
            if not (data := os.read(self._in, 2**16)):
                raise RuntimeError("the browser ended")
            self._received += data
        message, _, self._received = self._received.partition(b"\0")
        return bytes(message)


@contextmanager
def browser_page(program: str) -> Iterator[Page]:
    """A page of a browser of its own, which ends afterwards."""
    with tempfile.TemporaryDirectory(prefix="workbook-browser-", ignore_cleanup_errors=True) as profile:
        (read_commands, write_commands), (read_answers, write_answers) = os.pipe(), os.pipe()
        # the browser reads from descriptor 3 and writes to 4; these numbers may be taken by the pipes themselves
        given = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (read_commands, write_answers)]
        process = subprocess.Popen(
            ["bash", "-c", 'exec 3<&"$1" 4>&"$2"; shift 2; exec "$@"', "browser", *map(str, given),
             program, *_OPTIONS, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=given, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": profile},
        )  # fmt: skip
        for end in (read_commands, write_answers, *given):
            os.close(end)
        try:
            page = Page(write_commands, read_answers)
            yield page
            page.close()
        finally:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def installed_browser() -> Iterator[Page]:
    """A page of the browser that is installed."""
    program = find_browser()
    if program is None:
        missing("no Chromium is installed")
    with browser_page(program) as page:
        yield page
