"""Chromium with a film as its camera, and what its pages do: errors, requests, messages of sockets."""

from __future__ import annotations

import base64
import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest

from tracker.types import ImageArray

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PATIENCE_S = 60.0
"""Longest wait for anything on a page; the machine may be busy."""

# Browsers ask their makers for updates and accounts: here they find nobody but this computer.
_ALONE = ("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--no-proxy-server")
_CAMERA = (
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",  # which allows the camera
    "--use-file-for-fake-video-capture={}",
)


def write_y4m(path: Path, frames_bgr: Sequence[ImageArray], fps: int = 30) -> Path:
    """Write frames ``(H, W, 3)`` with even sides as raw video, which Chromium plays as its camera."""
    height, width = frames_bgr[0].shape[:2]
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F{fps}:1 Ip A1:1 C420jpeg\n".encode())
        for frame in frames_bgr:
            file.write(b"FRAME\n" + cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420).tobytes())
    return path


DROP = """
  ({ name, type, data }) => {
    const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([bytes], name, { type }));
    for (const kind of ["dragover", "drop"]) {
      const event = new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true });
      document.getElementById("stage").dispatchEvent(event);
    }
  }
"""
"""Drops a file on the page, as from the desktop; takes what :func:`dropped` returns."""


def dropped(path: Path, media_type: str) -> dict[str, str]:
    """Return a file for :data:`DROP`."""
    return {"name": path.name, "type": media_type, "data": base64.b64encode(path.read_bytes()).decode()}


@contextmanager
def chromium(camera: Path | None = None) -> Iterator[Browser]:
    """Start the system's Chromium, with the raw video ``camera`` as its camera; skip where there is none."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("chromium is not installed")
    args = [*_ALONE, *(option.format(camera) for option in _CAMERA if camera)]
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=args)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Watch:
    """Record of a page: its errors, the places it asked, and the messages of its sockets.

    ``sent`` and ``received`` count messages; ``most_in_flight`` is the largest difference of the two.
    """

    origin: str
    errors: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    sent: int = 0
    received: int = 0
    most_in_flight: int = 0

    @classmethod
    def of(cls, page: Page, address: str) -> Watch:
        """Return the record of what ``page`` does from now on."""
        watch = cls(urlsplit(address).netloc)
        page.on("console", lambda message: watch._said(message.type, message.text))
        page.on("pageerror", lambda error: watch.errors.append(str(error)))
        page.on("request", lambda request: watch._asked(request.url))
        page.on("websocket", lambda socket: watch._listen(socket))
        return watch

    def assert_clean(self) -> None:
        """Assert that nothing went wrong, and that nobody but the server was asked for anything."""
        assert self.errors == []
        assert self.elsewhere == []

    def _said(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.errors.append(text)

    def _asked(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("blob", "data") and parts.netloc != self.origin:
            self.elsewhere.append(url)

    def _listen(self, socket: Any) -> None:
        self._asked(socket.url)
        socket.on("framesent", lambda _: self._count(sent=1))
        socket.on("framereceived", lambda _: self._count(received=1))
        socket.on("close", lambda _: self._count(received=self.sent - self.received))

    def _count(self, sent: int = 0, received: int = 0) -> None:
        self.sent += sent
        self.received += received
        self.most_in_flight = max(self.most_in_flight, self.sent - self.received)


def wait_for(page: Page, condition: str | Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    """Wait until JavaScript in ``page`` or a function is true; a strict CSP forbids ``wait_for_function``."""
    end = time.monotonic() + patience_s
    while not (page.evaluate(condition) if isinstance(condition, str) else condition()):
        if time.monotonic() > end:
            said = page.evaluate("document.getElementById('stage')?.innerText")
            pytest.fail(f"{condition} does not come true; the page says {said!r}")
        page.wait_for_timeout(50)


def wait_for_frames(page: Page, count: int) -> None:
    """Wait until the page has shown at least ``count`` frames since it was opened or its results cleared."""
    wait_for(page, f"parseInt(document.getElementById('results-text').innerText.replace(',', '')) >= {count}")


def drop(page: Page, path: Path, media_type: str) -> None:
    """Drop a file on the page, as from the desktop."""
    page.evaluate(DROP, dropped(path, media_type))


def downloaded(page: Page, button: str, folder: Path) -> Path:
    """Click a button that saves a file, and return the file."""
    with page.expect_download(timeout=1000 * PATIENCE_S) as started:
        page.click(button)
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return path


def saved_picture(page: Page, folder: Path) -> ImageArray:
    """Return what the button "Snapshot" saves, ``(H, W, 3)`` BGR uint8."""
    image = cv2.imread(str(downloaded(page, "#snapshot", folder)))
    assert image is not None
    return np.asarray(image, np.uint8)


def saved_lines(page: Page, folder: Path) -> list[dict[str, Any]]:
    """Return what the button "JSON lines" saves."""
    path = downloaded(page, "#save-json", folder)
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
