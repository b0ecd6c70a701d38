"""Sources of the page: cameras, dropped files, the server's own, and what goes wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from tests.browser import (
    Watch,
    downloaded,
    drop,
    saved_lines,
    wait_for,
    wait_for_frames,
)
from tests.cache import Trackers
from tests.portraits import portrait
from tests.serving import serving
from tests.tracker.serve.page.conftest import READY
from tests.tracker.serve.page.film import NEAR_PX, points_of, tracked, write_film
from tracker.sinks.csv_table import CSV_HEADER, read_table
from tracker.types import ImageArray

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_a_dropped_picture_has_the_points_of_the_tracker(
    page: Page, trackers: Trackers, tmp_path: Path
) -> None:
    path = tmp_path / "=a,b.png"
    cv2.imwrite(str(path), portrait())
    drop(page, path, "image/png")
    wait_for_frames(page, 1)
    (line,) = saved_lines(page, tmp_path)
    assert line["source"] == path.name
    assert (line["width"], line["height"]) == (192, 256)
    points = points_of(portrait(), trackers)
    np.testing.assert_allclose(line["faces"][0]["landmarks"], points, atol=0.01)
    table = read_table(downloaded(page, "#save-csv", tmp_path))
    assert tuple(table) == CSV_HEADER
    assert table["source"] == [path.name]
    assert [table[f"x{i}"][0] for i in range(68)] == [point[0] for point in line["faces"][0]["landmarks"]]


def test_a_picture_that_is_none_is_refused_in_the_words_of_the_server(
    browser: Browser, address: str, tmp_path: Path
) -> None:
    path = tmp_path / "note.jpg"
    path.write_bytes(b"no picture")
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(address)
        wait_for(page, READY)
        drop(page, path, "image/jpeg")
        wait_for(page, "!document.getElementById('problem').hidden")
        assert page.inner_text("#problem-title") == "The server refused this"
        assert page.evaluate("document.activeElement.id") == "problem-retry"
        page.click("#problem-close")
        drop(page, _written(tmp_path / "face.png", portrait()), "image/png")
        wait_for_frames(page, 1)


def _written(path: Path, image: ImageArray) -> Path:
    cv2.imwrite(str(path), image)
    return path


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("NotAllowedError", "Allow the camera"),
        ("NotFoundError", "Connect one"),
        ("NotReadableError", "Close the other program"),
        ("OddError", "OddError: because"),
    ],
)
def test_a_camera_that_does_not_open_is_explained(page: Page, error: str, words: str) -> None:
    page.evaluate(
        """(name) => {
          const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
          navigator.mediaDevices.getUserMedia = async (wanted) => {
            navigator.mediaDevices.getUserMedia = open;
            throw new DOMException("because", name);
          };
        }""",
        error,
    )
    page.click("#start")
    wait_for(page, "!document.getElementById('problem').hidden")
    assert words in page.inner_text("#problem-text")
    page.click("#problem-retry")
    wait_for_frames(page, 3)


def test_a_page_that_is_not_secure_says_how_to_reach_a_camera(browser: Browser, address: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.add_init_script("Object.defineProperty(navigator, 'mediaDevices', { value: undefined })")
        page.goto(address)
        page.click("#start")
        wait_for(page, "!document.getElementById('problem').hidden")
        port = address.rstrip("/").rpartition(":")[2]
        assert f"ssh -L {port}:localhost:{port}" in page.inner_text("#problem-text")
        assert "--certificate" in page.inner_text("#problem-text")


def test_a_dropped_video_is_tracked_as_it_plays(page: Page, trackers: Trackers, tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", 50)
    page.select_option("#smoothing", "off")
    drop(page, film, "video/mp4")
    wait_for(page, "document.getElementById('state').innerText === 'at the end'")
    assert page.inner_text("#film-time") == "0:02 / 0:02"
    lines = saved_lines(page, tmp_path)
    numbers = [round(25 * line["time_s"]) for line in lines]
    assert [line["time_s"] for line in lines] == pytest.approx([number / 25 for number in numbers], abs=1e-3)
    expected = tracked([(number, number / 25) for number in numbers], trackers)
    assert len(lines) >= 2
    for line, points in zip(lines, expected, strict=True):
        if line["faces"] and points is not None:
            assert np.abs(np.array(line["faces"][0]["landmarks"]) - points).max() < NEAR_PX

    page.keyboard.press("ArrowLeft")
    wait_for(page, "document.getElementById('film-time').innerText === '0:00 / 0:02'")
    page.keyboard.press(".")
    page.click("#freeze")
    wait_for(page, "document.getElementById('state').innerText === 'at the end'")
    times = [line["time_s"] for line in saved_lines(page, tmp_path)]
    assert times == sorted(set(times))
    assert len(times) >= len(lines)


def test_a_video_that_the_browser_cannot_play_is_explained(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "film.avi"
    path.write_bytes(b"RIFF, but no film")
    drop(page, path, "video/x-msvideo")
    wait_for(page, "!document.getElementById('problem').hidden")
    assert "ffmpeg -i" in page.inner_text("#problem-text")


def test_the_page_goes_on_when_the_server_is_back(browser: Browser, tmp_path: Path) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        with serving() as server:
            page.goto(server.address)
            wait_for(page, READY)
            page.click("#start")
            wait_for_frames(page, 5)
        wait_for(page, "document.getElementById('state').innerText.startsWith('connection lost')")
        assert page.inner_text("#fps") == "0 fps"
        before = saved_lines(page, tmp_path)
        with serving("--port", server.port):
            wait_for_frames(page, len(before) + 5)
            lines = saved_lines(page, tmp_path)
    ids = [face["id"] for line in lines for face in line["faces"]]
    assert ids == sorted(ids)
    assert len(set(ids)) == 2
    times = [line["time_s"] for line in lines]
    assert times == sorted(set(times))


def test_the_camera_of_the_server_is_shown_at_once(browser: Browser, tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", 25)
    with serving("--video", film) as server, browser.new_context() as context:
        page = context.new_page()
        watch = Watch.of(page, server.address)
        page.goto(server.address)
        wait_for_frames(page, 5)
        assert page.get_attribute("#use-live", "aria-pressed") == "true"
        assert page.is_disabled("#model")
        page.click("#freeze")
        page.wait_for_timeout(300)
        received = watch.received
        page.wait_for_timeout(300)
        assert watch.received == received
        page.click("#freeze")
        wait_for(page, lambda: watch.received > received)
        page.click("#use-camera")
        wait_for(page, "document.getElementById('use-camera').ariaPressed === 'true'")
        wait_for_frames(page, 3)
        assert page.is_enabled("#model")
        watch.assert_clean()
