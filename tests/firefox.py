"""Firefox with a camera that shows no face, driven by WebDriver BiDi (w3c.github.io/webdriver-bidi)."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from websockets.sync.client import ClientConnection, connect

from tests.browser import PATIENCE_S
from tests.cli import start_process, wait_until
from tracker.types import ImageArray

# Nobody but this computer is reached: any other address goes to a proxy that is not there.
_PREFERENCES = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,  # which allows the camera
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    "browser.download.folderList": 2,
}


@contextmanager
def firefox(folder: Path) -> Iterator[FirefoxPage]:
    """Start the system's Firefox with a new profile in ``folder``; skip where there is none."""
    program = shutil.which("firefox") or shutil.which("firefox-esr")
    if program is None:
        pytest.skip("firefox is not installed")
    profile, downloads = folder / "profile", folder / "downloads"
    for new in (profile, downloads):
        new.mkdir()
    wanted = {**_PREFERENCES, "browser.download.dir": str(downloads)}
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in wanted.items()]
    (profile / "user.js").write_text("".join(lines), encoding="utf-8")
    command = [program, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port=0"]
    ready = profile / "WebDriverBiDiServer.json"
    none = subprocess.DEVNULL
    with start_process(command, env={"HOME": str(folder)}, stdout=none, stderr=none) as process:
        wait_until(lambda: process.poll() is not None or ready.exists())
        port = json.loads(ready.read_text())["ws_port"]
        address = f"ws://127.0.0.1:{port}/session"
        with connect(address, max_size=None, proxy=None, open_timeout=PATIENCE_S) as socket:
            page = FirefoxPage(socket, downloads)
            yield page
            page.close()
            process.wait(PATIENCE_S)


class FirefoxPage:
    """The only page of a Firefox.

    ``errors`` holds what console and scripts complained of, ``downloads`` is the folder of saved files.
    """

    def __init__(self, socket: ClientConnection, downloads: Path) -> None:
        self._socket = socket
        self.downloads = downloads
        self._count = 0
        self.errors: list[str] = []
        self._command("session.new", capabilities={})
        self._command("session.subscribe", events=["log.entryAdded"])
        (context,) = self._command("browsingContext.getTree")["contexts"]
        self._context = context["context"]

    def goto(self, address: str) -> None:
        """Open an address and wait until it is loaded."""
        self._command("browsingContext.navigate", context=self._context, url=address, wait="complete")

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression, by way of JSON; a promise is waited for."""
        wrapped = f"Promise.resolve({expression}).then((value) => JSON.stringify(value ?? null))"
        done = self._evaluate(wrapped)
        assert done["type"] == "success", done["exceptionDetails"]["text"]
        return json.loads(done["result"]["value"])

    def _evaluate(self, expression: str) -> dict[str, Any]:
        target = {"context": self._context}
        done: dict[str, Any] = self._command(
            "script.evaluate", expression=expression, target=target, awaitPromise=True
        )
        return done

    def wait_for(self, condition: str) -> None:
        """Wait until a JavaScript expression is true."""
        end = time.monotonic() + PATIENCE_S
        while not self.evaluate(condition):
            if time.monotonic() > end:
                said = self.evaluate("document.getElementById('stage').innerText")
                pytest.fail(f"{condition} does not come true; the page says {said!r}")
            time.sleep(0.05)

    def click(self, selector: str) -> None:
        """Click an element."""
        self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")

    def choose(self, selector: str, value: str) -> None:
        """Choose an option of a list, as a user does."""
        change = "new Event('change', { bubbles: true })"
        element = f"document.querySelector({json.dumps(selector)})"
        self.evaluate(f"({element}.value = {json.dumps(value)}, {element}.dispatchEvent({change}))")

    def press(self, key: str) -> None:
        """Press and release a key."""
        keys = [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        source = {"type": "key", "id": "keyboard", "actions": keys}
        self._command("input.performActions", context=self._context, actions=[source])

    def choose_file(self, selector: str, path: Path) -> None:
        """Choose a file for an input."""
        element = self._element(selector)
        self._command("input.setFiles", context=self._context, element=element, files=[str(path)])

    def screenshot(self, selector: str) -> ImageArray:
        """Return what is seen of an element, ``(H, W, 3)`` BGR uint8."""
        clip = {"type": "element", "element": self._element(selector)}
        shot = self._command("browsingContext.captureScreenshot", context=self._context, clip=clip)
        image = cv2.imdecode(np.frombuffer(base64.b64decode(shot["data"]), np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        return np.asarray(image, np.uint8)

    def _element(self, selector: str) -> dict[str, str]:
        found = self._evaluate(f"document.querySelector({json.dumps(selector)})")["result"]
        return {"sharedId": found["sharedId"]}

    def saved(self, key: str) -> Path:
        """Press a key that saves a file, and return the file."""
        before = set(self.downloads.iterdir())
        self.press(key)

        def new() -> list[Path]:
            return [path for path in self.downloads.iterdir() if path not in before and path.stat().st_size]

        wait_until(lambda: len(new()) == 1 and new()[0].suffix != ".part")
        return new()[0]

    def close(self) -> None:
        """End the browser."""
        self._command("browser.close")

    def _command(self, method: str, **params: object) -> Any:
        self._count += 1
        self._socket.send(json.dumps({"id": self._count, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv(PATIENCE_S))
            if message["type"] == "event":
                self._heard(message)
            elif message["id"] == self._count:
                assert message["type"] == "success", f"{method}: {message['message']}"
                return message["result"]

    def _heard(self, event: dict[str, Any]) -> None:
        entry = event["params"]
        if entry.get("level") in ("error", "warn"):
            self.errors.append(entry["text"])
