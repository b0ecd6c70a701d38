"""Look of the page: legible, on any screen, and at rest while faces come and go."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from tests.browser import Watch, drop, wait_for, wait_for_frames
from tests.serving import serving
from tests.tracker.serve.page.conftest import READY
from tests.tracker.serve.page.test_files import text_of
from tracker.reports.bench.clip import portrait_frames

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

AA_TEXT, AA_OTHER = 4.5, 3.0
"""Least contrasts of WCAG 2.2: criteria 1.4.3 and 1.4.11."""

LEAST_TOUCH_PX = 44
PHONE = {"is_mobile": True, "has_touch": True}
SCREENS: dict[str, dict[str, Any]] = {
    "phone": {"viewport": {"width": 390, "height": 844}, **PHONE},
    "phone on its side": {"viewport": {"width": 844, "height": 390}, **PHONE},
    "small phone on its side": {"viewport": {"width": 667, "height": 375}, **PHONE},
    "reflow": {"viewport": {"width": 320, "height": 256}},
    "desktop": {"viewport": {"width": 1024, "height": 768}},
}

Rgb = tuple[int, int, int]


def rgb(text: str) -> Rgb:
    red, green, blue = (int(text[place : place + 2], 16) for place in (1, 3, 5))
    return red, green, blue


def contrast(one: Rgb, other: Rgb) -> float:
    """Return the contrast ratio of two colours, as WCAG 2.2 defines it."""
    shares = np.array([one, other]) / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    dark, light = np.sort(linear @ (0.2126, 0.7152, 0.0722)) + 0.05
    return float(light / dark)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast(rgb("#777777"), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("place", [0, 1], ids=["light", "dark"])
def test_text_and_focus_stand_out_in_light_and_dark(place: int) -> None:
    found = re.findall(r"--([\w-]+): (#[0-9a-f]{6});", text_of("style.css"))
    names = [name for name, _ in found]
    assert len(names) == 2 * len(set(names))  # each once for light, once for dark
    colors = {name: rgb(color) for name, color in found[place * len(set(names)) :][: len(set(names))]}
    for ground in (colors["back"], colors["plate"]):
        for name in ("text", "soft", "bad"):
            assert contrast(colors[name], ground) >= AA_TEXT, name
        for name in ("focus", "strong"):
            assert contrast(colors[name], ground) >= AA_OTHER, name
    assert contrast(colors["on-strong"], colors["strong"]) >= AA_TEXT


def test_badges_are_legible_over_a_white_picture() -> None:
    css = text_of("stage.css").partition("\n.badge {")[2].partition("}")[0]
    (color,) = re.findall(r"\n  color: (#[0-9a-f]{6});", css)
    (opacity,) = re.findall(r"rgb\(var\(--ink\) / ([\d.]+)\)", css)
    (ink,) = re.findall(r"--ink: (\d+) (\d+) (\d+);", text_of("style.css"))
    red, green, blue = (round(float(opacity) * int(part) + (1 - float(opacity)) * 255) for part in ink)
    assert contrast(rgb(color), (red, green, blue)) >= AA_TEXT


@pytest.fixture(params=list(SCREENS))
def sized(browser: Browser, address: str, request: pytest.FixtureRequest) -> Any:
    """A fresh page on each of :data:`SCREENS`."""
    with browser.new_context(**SCREENS[request.param]) as context:
        page = context.new_page()
        page.goto(address)
        wait_for(page, READY)
        yield page


@pytest.fixture
def crowd(tmp_path: Path) -> Callable[[int], Path]:
    """Pictures of as many faces as wanted, all of one size."""

    def picture(faces: int) -> Path:
        (frame,) = portrait_frames(1, (1280, 720), max(faces, 1))
        path = tmp_path / f"{faces}.png"
        cv2.imwrite(str(path), frame.image_bgr if faces else np.zeros_like(frame.image_bgr))
        return path

    return picture


OUTSIDE = """
  () => [...document.querySelectorAll("body *")].filter((element) => {
    if (element.closest("canvas, [hidden], dialog:not([open]), .unseen, svg")) return false;
    const { left, right, width } = element.getBoundingClientRect();
    return width && (left < -1 || right > document.documentElement.clientWidth + 1);
  }).map(({ id, tagName, className }) => `${tagName} ${id} ${className}`)
"""

TARGETS = """
  () => [...document.querySelectorAll("button, select, input")].map((element) => {
    const { width, height } = (element.closest("label") ?? element).getBoundingClientRect();
    return [element.id || element.value || element.innerText, width, height];
  }).filter(([, width]) => width)
"""


@pytest.mark.slow
@pytest.mark.browser
def test_everything_fits_on_any_screen_and_can_be_touched(sized: Page, crowd: Callable[[int], Path]) -> None:
    def check() -> None:
        assert sized.evaluate(OUTSIDE) == []
        if sized.evaluate("matchMedia('(pointer: coarse)').matches"):
            assert [row for row in sized.evaluate(TARGETS) if min(row[1:]) < LEAST_TOUCH_PX - 0.5] == []

    check()
    drop(sized, crowd(9), "image/png")
    wait_for_frames(sized, 1)
    check()
    sized.click("#help-button")
    check()
    assert sized.evaluate("document.querySelector('dialog').scrollTop") == 0
    sized.keyboard.press("Escape")
    note = crowd(0).with_name("note.png")
    note.write_bytes(b"no picture")
    drop(sized, note, "image/png")
    wait_for(sized, "!document.getElementById('problem').hidden")
    check()


@pytest.mark.slow
@pytest.mark.browser
def test_nothing_moves_while_faces_come_and_go(page: Page, crowd: Callable[[int], Path]) -> None:
    def places() -> Any:
        return page.evaluate(
            """["stage", "stop", "chart-pose", "model", "save-json"].map((id) => {
              const { left, top, width, height } = document.getElementById(id).getBoundingClientRect();
              return [left, top, width, height];
            })"""
        )

    found = []
    for faces in (0, 1, 5):
        drop(page, crowd(faces), "image/png")
        wait_for_frames(page, 1)
        wait_for(page, f"document.querySelectorAll('#faces button').length === {faces}")
        found.append(places())
    assert found[0] == found[1] == found[2]


@pytest.mark.slow
@pytest.mark.browser
def test_somebody_without_the_token_reads_what_to_do(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("0123456789abcdef\n")
    with serving("--token-file", tmp_path / "token") as server, browser.new_context() as context:
        page = context.new_page()
        address = server.address.partition("?")[0]
        watch = Watch.of(page, address)
        page.goto(address)
        assert "A token is needed: open the address" in page.inner_text("main")
        assert page.evaluate("getComputedStyle(document.querySelector('main')).maxWidth") != "none"
        assert [error for error in watch.errors if "401" not in error] == []
        assert watch.elsewhere == []
