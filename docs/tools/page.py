"""The picture of the page of ``tracker serve``, and the face on its start.

python -m docs.tools.page [FOLDER]

``page.webp`` shows the page in Chromium, half in light and half in dark colours, while it tracks the portrait
in motion. The face is a part of the page itself: a test compares it with what :func:`start_face` draws.
"""

from __future__ import annotations

import re
import sys
import tempfile
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np
from PIL import Image

from docs.tools.diagrams import FOLDER
from docs.tools.pictures import FPS, SECONDS, moving_frame
from tests.browser import chromium, wait_for, wait_for_frames, write_y4m
from tests.serving import serving
from tracker.scheme.ibug68 import IBUG68
from tracker.types import ImageArray

if TYPE_CHECKING:
    from playwright.sync_api import Page, ViewportSize

SCREEN: ViewportSize = {"width": 1440, "height": 900}
FINER = 1.25
"""Pixels of the picture for one of the screen."""

CAMERA = 640, 480
CHARTS_S = 31
"""Seconds until the charts are full."""

SLANT = 0.56, 0.40
"""Ends of the line between the halves, at the top and at the bottom, as shares of the width."""

_LEAVE = """
  () => {
    Object.defineProperty(document, "hidden", { value: true, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }
"""
"""Keeps the page as it is, as when its tab is left."""


def start_face() -> tuple[str, str]:
    """Return the paths, in SVG's words, of the lines and of the dots of the face in ``points.svg``."""
    drawn = (FOLDER / "points.svg").read_text(encoding="utf-8")
    dots = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', drawn)
    places = [f"{float(x):.0f} {float(y):.0f}" for x, y in dots]
    lines, last = [], None
    for start, end in IBUG68.edges:
        lines.append(f"L{places[end]}" if start == last else f"M{places[start]}L{places[end]}")
        last = end
    return "".join(lines), "".join(f"M{place}h0" for place in places)


def halves(light: ImageArray, dark: ImageArray) -> ImageArray:
    """Return the left of one picture and the right of another ``(H, W, 3)``, along a slanted line."""
    height, width = light.shape[:2]
    top, bottom = (share * width for share in SLANT)
    corners = np.array([[0, 0], [top, 0], [bottom, height], [0, height]])
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [np.rint(16 * corners).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    share = mask[..., None] / 255
    return np.asarray(np.rint(share * light + (1 - share) * dark), np.uint8)


def shots() -> list[ImageArray]:
    """Return the page in light and in dark colours with the same frame, ``(H, W, 3)`` RGB."""
    frames = [moving_frame(index).image_bgr for index in range(FPS * SECONDS)]
    larger = [
        np.asarray(cv2.resize(frame, CAMERA, interpolation=cv2.INTER_CUBIC), np.uint8) for frame in frames
    ]
    with tempfile.TemporaryDirectory() as folder:
        camera = write_y4m(Path(folder) / "camera.y4m", larger, FPS)
        with serving("--model", "resnet18") as server, chromium(camera) as browser:
            page = browser.new_page(viewport=SCREEN, device_scale_factor=FINER)
            page.goto(server.address)
            wait_for(page, "document.getElementById('version').innerText !== ''")
            page.click("#start")
            wait_for_frames(page, FPS)
            page.wait_for_timeout(1000 * CHARTS_S)
            page.evaluate(_LEAVE)
            page.wait_for_timeout(500)  # for the frames that are on their way
            return [_shot(page, "light"), _shot(page, "dark")]


def _shot(page: Page, scheme: Literal["light", "dark"]) -> ImageArray:
    page.emulate_media(color_scheme=scheme)
    page.wait_for_timeout(300)
    return np.asarray(Image.open(BytesIO(page.screenshot())).convert("RGB"))


def main(folder: Path = FOLDER) -> None:
    """Write the picture to ``folder``."""
    Image.fromarray(halves(*shots())).save(folder / "page.webp", quality=82, method=6)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
