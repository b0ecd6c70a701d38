"""Points on the page: of the frame that is shown, and near those of the tracker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np
import pytest

from tests.browser import Watch, saved_picture, wait_for, wait_for_frames
from tests.cache import Trackers
from tests.tracker.serve.page.film import (
    BIT,
    BITS,
    BITS_TOP,
    HEIGHT,
    NEAR_PX,
    WIDTH,
    film_frame,
    furthest_px,
    number_in,
    tracked,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_the_number_in_a_picture_is_read_at_any_size() -> None:
    frame = film_frame(37)
    larger = np.asarray(cv2.resize(frame, (900, 675)), np.uint8)
    assert number_in(frame) == number_in(larger) == 37


RECORD = """
  ([width, bit, bits, top]) => {
    window.shown = [];
    const strip = new OffscreenCanvas(bit, top + bit * bits);
    const copy = strip.getContext("2d", { willReadFrequently: true });
    canvas.addEventListener("shown", ({ detail }) => {
      const scale = width / canvas.width;
      copy.setTransform(scale, 0, 0, scale, 0, 0);
      copy.drawImage(canvas, 0, 0);
      let number = 0;
      for (let i = 0; i < bits; i++) {
        const [red] = copy.getImageData(bit / 2, top + bit * (i + 0.5), 1, 1).data;
        number += (red > 127) << i;
      }
      window.shown.push([number, detail.record.time_s, detail.record.faces[0]?.landmarks ?? null]);
    });
  }
"""
"""Keeps number, time and points of each frame that is drawn; the number is read from the canvas itself."""

Shown = list[tuple[int, float, list[list[float]] | None]]


@pytest.fixture
def shown(page: Page) -> Callable[[], Shown]:
    """Frames that the page has shown, as :data:`RECORD` keeps them; unsmoothed, and not mirrored."""
    page.select_option("#smoothing", "off")
    page.keyboard.press("m")
    page.evaluate(RECORD, [WIDTH, BIT, BITS, BITS_TOP])

    def frames() -> Shown:
        return cast(Shown, page.evaluate("window.shown"))

    return frames


def test_points_lie_on_the_frame_that_is_shown(
    page: Page, shown: Callable[[], Shown], trackers: Trackers, tmp_path: Path
) -> None:
    for layer in ("lines", "box"):
        page.uncheck(f"input[value={layer}]")
    page.click("#start")
    wait_for(page, "window.shown.length >= 10")
    page.click("#freeze")
    page.wait_for_timeout(500)  # for the frames that were on their way
    saved = saved_picture(page, tmp_path)
    frames = shown()
    frame = film_frame(frames[-1][0])
    points = tracked([(number, time_s) for number, time_s, _ in frames], trackers)[-1]
    assert points is not None
    assert saved.shape == (HEIGHT, WIDTH, 3)
    assert number_in(saved) == frames[-1][0]
    assert furthest_px(saved, frame, points) < NEAR_PX
    assert furthest_px(saved, frame, points + 2 * NEAR_PX) > NEAR_PX  # or else the test shows nothing

    shot = page.locator("#canvas").screenshot()
    screen = np.asarray(cv2.imdecode(np.frombuffer(shot, np.uint8), cv2.IMREAD_COLOR), np.uint8)
    scale = page.evaluate("canvas.width / devicePixelRatio") / WIDTH
    corner = (np.array(screen.shape[1::-1]) - scale * np.array([WIDTH, HEIGHT])) / 2
    place = np.column_stack([scale * np.eye(2), corner])
    plain = np.asarray(cv2.warpAffine(frame, place, (screen.shape[1], screen.shape[0])), np.uint8)
    assert furthest_px(screen, plain, scale * points + corner) < scale * NEAR_PX


def test_every_frame_has_its_own_points(page: Page, shown: Callable[[], Shown], trackers: Trackers) -> None:
    page.click("#start")
    wait_for(page, "window.shown.length >= 30")
    frames = shown()
    assert (np.diff([time_s for _, time_s, _ in frames]) > 0).all()
    assert len({number for number, _, _ in frames}) > 5
    expected = tracked([(number, time_s) for number, time_s, _ in frames], trackers)
    apart = [
        np.abs(np.array(landmarks) - points).max()
        for (_, _, landmarks), points in zip(frames, expected, strict=True)
        if landmarks is not None and points is not None
    ]
    assert len(apart) >= len(frames) / 2
    assert max(apart) < NEAR_PX


def test_two_frames_are_on_their_way_and_the_newest_wins(page: Page, address: str) -> None:
    watch = Watch.of(page, address)
    page.click("#start")
    wait_for_frames(page, 30)
    assert watch.most_in_flight <= 2
    page.click("#stop")
    page.wait_for_timeout(300)
    sent = watch.sent
    page.wait_for_timeout(500)
    assert watch.sent == sent


def test_nothing_is_sent_while_nobody_looks(page: Page, address: str) -> None:
    watch = Watch.of(page, address)
    page.click("#start")
    wait_for_frames(page, 5)
    hide = """(hidden) => {
      Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }"""
    page.evaluate(hide, True)
    page.wait_for_timeout(500)
    sent = watch.sent
    page.wait_for_timeout(700)
    assert watch.sent == sent
    page.evaluate(hide, False)
    wait_for(page, lambda: watch.sent > sent + 5)
