"""Points on the page: of the frame that is shown, and near those of the tracker."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

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
    points_of,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_the_number_in_a_picture_is_read_at_any_size() -> None:
    frame = film_frame(37)
    assert number_in(frame) == number_in(cv2.resize(frame, (900, 675))) == 37


def show_points_only(page: Page) -> None:
    for layer in ("lines", "box"):
        page.uncheck(f"input[value={layer}]")


def test_points_lie_on_the_frame_that_is_shown(page: Page, trackers: Trackers, tmp_path: Path) -> None:
    show_points_only(page)
    page.select_option("#smoothing", "off")
    page.click("#start")
    wait_for_frames(page, 20)
    page.keyboard.press("m")  # this computer's camera is shown mirrored
    page.keyboard.press(" ")
    page.wait_for_timeout(500)  # for the frames that were on their way
    saved = saved_picture(page, tmp_path)
    assert saved.shape == (HEIGHT, WIDTH, 3)
    frame = film_frame(number_in(saved))
    points = points_of(frame, trackers)
    assert furthest_px(saved, frame, points) < NEAR_PX
    assert furthest_px(saved, frame, points + 2 * NEAR_PX) > NEAR_PX  # or else the test shows nothing

    shot = page.locator("#canvas").screenshot()
    shown = np.asarray(cv2.imdecode(np.frombuffer(shot, np.uint8), cv2.IMREAD_COLOR), np.uint8)
    scale = page.evaluate("canvas.width / devicePixelRatio") / WIDTH
    left = (shown.shape[1] - scale * WIDTH) / 2
    top = (shown.shape[0] - scale * HEIGHT) / 2
    place = np.array([[scale, 0, left], [0, scale, top]])
    placed = cv2.warpAffine(frame, place, (shown.shape[1], shown.shape[0]))
    assert furthest_px(shown, placed, scale * points + (left, top)) < scale * NEAR_PX


def test_every_frame_has_its_own_points(page: Page, trackers: Trackers) -> None:
    page.select_option("#smoothing", "off")
    page.keyboard.press("m")
    page.evaluate(
        """([width, bit, bits, top]) => {
          window.shown = [];
          const copy = new OffscreenCanvas(bit, top + bit * bits).getContext("2d", { willReadFrequently: true });
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
        }""",
        [WIDTH, BIT, BITS, BITS_TOP],
    )
    page.click("#start")
    wait_for(page, "window.shown.length >= 30")
    shown = page.evaluate("window.shown")
    assert (np.diff([time_s for _, time_s, _ in shown]) > 0).all()
    assert len({number for number, _, _ in shown}) > 5
    expected = {number: points_of(film_frame(number), trackers) for number, _, _ in shown}
    apart = [
        np.abs(np.array(landmarks) - expected[number]).max()
        for number, _, landmarks in shown
        if landmarks is not None
    ]
    assert len(apart) > 20
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
