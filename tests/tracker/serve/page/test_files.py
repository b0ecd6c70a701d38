"""Files of the page: the look of Python's pictures, nothing inline, nothing from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from tests.browser import drop, saved_lines, saved_picture, wait_for_frames
from tests.cli import REPO
from tests.moving_portrait import portrait
from tracker.drawing import theme
from tracker.drawing.faces import draw_faces
from tracker.drawing.style import LAYERS, DrawStyle
from tracker.types import Landmarks, TrackedFace

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAGE = REPO / "tracker" / "serve" / "page"
FILES = sorted(PAGE.iterdir())


def text_of(name: str) -> str:
    return (PAGE / name).read_text(encoding="utf-8")


def test_colours_are_those_of_the_pictures() -> None:
    found = {
        name: re.findall(r"#[0-9a-f]{6}", value)
        for name, value in re.findall(r"export const (\w+) = (.+);", text_of("theme.js"))
    }
    singles = {"DOT": (theme.DOT,), "INK": (theme.INK,), "PLAIN": (theme.PLAIN,)}
    colors_bgr = {**singles, "FACE_COLORS": theme.FACE_COLORS}
    expected = {
        name: [f"#{red:02x}{green:02x}{blue:02x}" for blue, green, red in colors]
        for name, colors in colors_bgr.items()
    }
    assert found == {**expected, "PRINTED_COLORS": list(theme.PRINTED_COLORS)}


@pytest.mark.slow
@pytest.mark.browser
def test_sizes_are_those_of_the_pictures(page: Page) -> None:
    for size in (5.0, 40.0, 120.0, 333.0, 2000.0):
        for scale in (1.0, 2.0):
            found = page.evaluate(f"import('/page/theme.js').then((theme) => theme.strokes({size}, {scale}))")
            assert found == pytest.approx(
                {
                    "dot": theme.dot_radius(size, scale),
                    "ring": theme.ring_width(size, scale),
                    "line": theme.line_width(size, scale),
                    "mesh": theme.mesh_width(size, scale),
                    "corner": theme.corner_width(size, scale),
                    "pill": theme.pill_height(size, scale),
                }
            )


@pytest.mark.slow
@pytest.mark.browser
def test_frames_are_made_smaller_only_where_the_server_would_not_take_them(page: Page) -> None:
    for width, height in ((640, 480), (3000, 3000), (3840, 2400), (7680, 4320), (100_000, 100)):
        size = f"{{ videoWidth: {width}, videoHeight: {height} }}"
        found = page.evaluate(f"import('/page/sender.js').then((one) => one.fitted({size}, 9e6))")
        if width * height <= 9e6:
            assert found == {}
            continue
        resized = found["resizeWidth"], found["resizeHeight"]
        assert 0.98 * 9e6 < resized[0] * resized[1] <= 9e6
        assert resized[0] / resized[1] == pytest.approx(width / height, rel=1.01 / min(resized))


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("style", ["points", "lines", "points,lines", "mesh", "box"])
def test_a_saved_picture_looks_as_the_tracker_draws_it(page: Page, tmp_path: Path, style: str) -> None:
    plain = portrait()
    cv2.imwrite(str(tmp_path / "face.png"), plain)
    for layer in LAYERS:
        page.set_checked(f"input[value={layer}]", layer in style.split(","))
    drop(page, tmp_path / "face.png", "image/png")
    wait_for_frames(page, 1)
    saved = saved_picture(page, tmp_path).astype(float)
    (line,) = saved_lines(page, tmp_path)
    (found,) = line["faces"]
    drawn = plain.copy()
    face = TrackedFace(found["id"], Landmarks(np.array(found["landmarks"]), found["score"]))
    draw_faces(drawn, [face], DrawStyle.parse(style))
    # Two renderers differ in letters and in the edges of strokes.
    unlike = np.abs(saved - drawn).sum()
    assert unlike < 0.35 * np.abs(drawn.astype(float) - plain).sum()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_files_are_short_and_name_nobody_else(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 300
    assert set(re.findall(r"https?://[\w.$]+", text)) <= {"http://www.w3.org", "http://localhost"}


def test_nothing_is_inline() -> None:
    html = text_of("index.html")
    assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:", html) == []
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", html))


def test_every_file_is_used_and_every_element_exists() -> None:
    html = text_of("index.html")
    code = "\n".join(path.read_text(encoding="utf-8") for path in FILES if path.suffix in (".js", ".html"))
    unused = [path.name for path in FILES if path.name != "index.html" and path.name not in code]
    assert unused == []
    ids = set(re.findall(r'\bid="([\w-]+)"', html))
    asked = set(re.findall(r'getElementById\("([\w-]+)"\)|\$\("([\w-]+)"\)', code))
    assert {one or other for one, other in asked} <= ids
    labels = set(re.findall(r'<label for="([\w-]+)"', html))
    assert labels <= ids


def test_the_guide_names_every_key_and_only_messages_that_exist() -> None:
    guide = (REPO / "docs" / "serve.md").read_text(encoding="utf-8")
    keys = re.findall(r'^  "?([^\s"]+| )"?: "', text_of("keys.js").partition("export const KEYS")[2], re.M)
    caps = {" ": "Space", "ArrowLeft": "Left", "ArrowRight": "Right"}
    assert len(keys) == 14
    assert [key for key in keys if f"`{caps.get(key, key)}`" not in guide] == []
    table = guide.partition("| the page says |")[2].partition("\n\n")[0]
    titles = re.findall(r"^\| (\w[^|]+) \|", table, re.MULTILINE)
    assert len(titles) == 4
    assert [title for title in titles if f'"{title}"' not in text_of("problems.js")] == []
