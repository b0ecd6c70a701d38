"""The page in Firefox: every source, keys, settings, and what is saved, without an error in its console."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.browser import DROP, dropped
from tests.cache import Trackers
from tests.faces import astronaut
from tests.firefox import FirefoxPage, firefox
from tests.portraits import portrait
from tests.serving import encoded, serving
from tests.tracker.serve.page.film import (
    HEIGHT,
    NEAR_PX,
    WIDTH,
    film_frame,
    furthest_px,
    number_in,
    points_of,
    write_film,
)
from tracker.types import FloatArray

pytestmark = [pytest.mark.slow, pytest.mark.browser]

FILM_FPS = 25
LEFT = "\ue012"  # of WebDriver's keys
ONLY_POINTS = """
  document.querySelectorAll("input[name=layer]").forEach((box) => {
    if (box.checked !== (box.value === "points")) box.click();
  })
"""
KEEP_IDS = """
  canvas.addEventListener("shown", ({ detail }) => {
    for (const { id } of detail.record.faces) (window.ids ??= new Set()).add(id);
  })
"""
# Firefox's own camera shows no face. The picture moves, or no frames would come.
PORTRAIT_AS_CAMERA = """
  (async () => {
    const bytes = Uint8Array.from(atob("DATA"), (sign) => sign.charCodeAt(0));
    const picture = await createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [640, 480];
    const context = canvas.getContext("2d");
    setInterval(() => context.drawImage(picture, 60 + 20 * Math.sin(performance.now() / 500), 0), 33);
    navigator.mediaDevices.getUserMedia = async () => canvas.captureStream(30);
  })()
"""


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FirefoxPage]:
    """Firefox, on no page yet."""
    with firefox(tmp_path_factory.mktemp("firefox")) as page:
        yield page


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The film of two seconds."""
    return write_film(tmp_path_factory.mktemp("film") / "film.mp4", 2 * FILM_FPS, FILM_FPS)


@pytest.fixture(scope="module")
def address(film: Path) -> Iterator[str]:
    """Address of a server that shows the film."""
    with serving("--video", film) as server:
        yield server.address


@pytest.fixture
def page(opened: FirefoxPage, address: str) -> Iterator[FirefoxPage]:
    """The page of the server, which shows its film; its console must stay empty.

    Firefox complains there of sockets that are cut off by another page, or closed while they open.
    """
    opened.goto(address)
    opened.wait_for(frames(1, "1 face"))
    yield opened
    opened.press("q")
    assert opened.errors == []


def frames(count: int, faces: str) -> str:
    """Return the condition that so many frames were shown, the last with "1 face" or "0 faces"."""
    number = "parseInt(document.getElementById('results-text').innerText.replace(',', ''))"
    return f"{number} >= {count} && document.getElementById('count').innerText === '{faces}'"


def shows(place: str, text: str) -> str:
    """Return the condition that a part of the page has this text."""
    return f"document.getElementById('{place}').innerText === {json.dumps(text)}"


def saved_lines(page: FirefoxPage) -> list[dict[str, Any]]:
    """Return what the key "d" saves."""
    return [json.loads(line) for line in page.saved("d").read_text(encoding="utf-8").splitlines()]


def points_in(line: dict[str, Any]) -> FloatArray:
    """Return the points ``(68, 2)`` of the only face in a line."""
    (face,) = line["faces"]
    return np.array(face["landmarks"])


@cache
def points_on(number: int, trackers: Trackers) -> FloatArray:
    """Return the tracker's points ``(68, 2)`` on a frame of the film."""
    return points_of(film_frame(number), trackers)


def test_points_lie_on_the_frame_of_the_servers_camera(page: FirefoxPage) -> None:
    page.wait_for(frames(5, "1 face"))
    page.press(" ")
    page.wait_for(shows("state", "frozen"))
    page.evaluate(ONLY_POINTS)
    saved = np.asarray(cv2.imread(str(page.saved("s"))), np.uint8)
    points = points_in(saved_lines(page)[-1])
    plain = film_frame(number_in(saved))
    assert furthest_px(saved, plain, points) < NEAR_PX
    assert furthest_px(saved, plain, points + 2 * NEAR_PX) > NEAR_PX  # or else the test shows nothing

    screen = page.screenshot("#canvas")
    scale = page.evaluate("canvas.width / devicePixelRatio") / WIDTH
    corner = (np.array(screen.shape[1::-1]) - scale * np.array([WIDTH, HEIGHT])) / 2
    place = np.column_stack([scale * np.eye(2), corner])
    enlarged = np.asarray(cv2.warpAffine(plain, place, (screen.shape[1], screen.shape[0])), np.uint8)
    assert furthest_px(screen, enlarged, scale * points + corner) < scale * NEAR_PX


def test_the_browsers_camera_is_tracked_and_another_model_goes_on_with_new_ids(page: FirefoxPage) -> None:
    page.press("c")
    page.wait_for(frames(5, "0 faces"))
    page.wait_for("document.getElementById('camera').options.length === 2")  # "First one" and the camera
    page.press("q")
    page.evaluate(KEEP_IDS)
    page.evaluate(PORTRAIT_AS_CAMERA.replace("DATA", base64.b64encode(encoded(astronaut())).decode()))
    page.press("c")
    page.wait_for(frames(5, "1 face"))
    page.choose("#model", "resnet18")
    page.wait_for(shows("badge-model", "resnet18"))
    page.wait_for("window.ids?.size === 2")
    page.press(" ")
    lines = saved_lines(page)
    assert {face["id"] for line in lines for face in line["faces"]} == {1, 2}
    assert np.all(np.diff([line["time_s"] for line in lines]) > 0)


def test_a_picture_has_the_points_of_the_tracker_chosen_or_dropped(
    page: FirefoxPage, trackers: Trackers, tmp_path: Path
) -> None:
    path = tmp_path / "face.png"
    cv2.imwrite(str(path), portrait())
    expected = points_of(portrait(), trackers)
    page.choose_file("#file", path)
    page.wait_for(shows("results-text", "1 frame"))
    (chosen,) = saved_lines(page)
    np.testing.assert_allclose(points_in(chosen), expected, atol=0.01)
    page.press("q")
    page.evaluate(f"({DROP})({json.dumps(dropped(path, 'image/png'))})")
    page.wait_for(shows("results-text", "1 frame"))
    (given,) = saved_lines(page)
    assert {**given, "source": chosen["source"]} == chosen


def test_a_video_is_tracked_as_it_plays(page: FirefoxPage, film: Path, trackers: Trackers) -> None:
    if not page.evaluate("document.createElement('video').canPlayType('video/mp4; codecs=\"avc1.64001E\"')"):
        pytest.skip("this Firefox plays no H.264")
    page.press("q")
    page.choose("#smoothing", "off")
    page.choose_file("#file", film)
    page.wait_for(shows("state", "at the end"))
    assert page.evaluate("document.getElementById('film-time').innerText") == "0:02 / 0:02"
    lines = saved_lines(page)
    assert len(lines) >= 2
    for line in lines:
        # The time that Firefox tells may be that of the next frame already, or still that of the last one.
        number = round(FILM_FPS * line["time_s"])
        around = range(max(number - 1, 0), min(number + 2, 2 * FILM_FPS))
        near = [points_on(one, trackers) for one in around]
        assert min(np.abs(points_in(line) - points).max() for points in near) < NEAR_PX
    page.press(LEFT)
    page.wait_for(shows("film-time", "0:00 / 0:02"))
    page.press(" ")
    page.wait_for(shows("state", "at the end"))
