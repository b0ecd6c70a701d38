"""Live view: what it shows, and what its keys do."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.fake_run import GREY, fake_tracker, frames, left_tracker
from tracker.drawing.panel import Panel
from tracker.runs.keys import KEYS
from tracker.runs.live_stats import LiveStats
from tracker.runs.loop import Run, run_frames
from tracker.runs.outputs import Outputs
from tracker.runs.view import View
from tracker.runs.window import FakeWindow
from tracker.sinks.json_lines import JsonSink
from tracker.sources.images.read import read_image
from tracker.sources.video.source import VideoSource
from tracker.types import Frame


def show(count: int, window: FakeWindow, folder: Path) -> None:
    """Run ``count`` frames with a view that closes at the end."""
    with View(window, folder) as view:
        run_frames(frames(count), Run(fake_tracker(), view=view))


def test_q_and_a_closed_window_end_the_run(tmp_path: Path) -> None:
    for window, expected in ((FakeWindow([None, None, "q"]), 3), (FakeWindow(), 12)):
        show(12, window, tmp_path)
        assert len(window.shown) == expected
    window = FakeWindow()
    window.closed = True
    show(12, window, tmp_path)
    assert len(window.shown) == 1


def test_s_saves_the_picture_as_shown_and_its_results(tmp_path: Path) -> None:
    window = FakeWindow([None, "s", "q"])
    show(9, window, tmp_path)
    (path,) = tmp_path.glob("tracker-*.png")
    assert np.array_equal(read_image(path), window.shown[1])
    results = json.loads(path.with_suffix(".json").read_text())
    assert results["frame"] == 1
    assert len(results["faces"]) == 1


def test_results_of_a_snapshot_do_not_depend_on_mirroring(tmp_path: Path) -> None:
    landmarks = []
    for keys in (["s", "q"], ["m", "s", "q"]):
        folder = tmp_path / keys[0]
        folder.mkdir()
        run_frames(frames(9), Run(left_tracker(), view=View(FakeWindow(keys), folder)))
        (path,) = folder.glob("*.json")
        landmarks.append(np.array(json.loads(path.read_text())["faces"][0]["landmarks"]))
    plain, mirrored = landmarks
    np.testing.assert_allclose(plain, mirrored, atol=0.5)  # the second is a frame later
    assert plain.mean(axis=0)[0] < 100


def test_s_before_the_first_frame_saves_nothing(tmp_path: Path) -> None:
    View(FakeWindow(["s"]), tmp_path).idle(None)
    assert list(tmp_path.iterdir()) == []


def test_h_shows_and_hides_the_help_overlay(tmp_path: Path) -> None:
    window = FakeWindow(["h", "h", None, "q"])
    show(9, window, tmp_path)
    before, with_help, after, _ = (np.any(image[:, 0] != GREY, axis=1).sum() for image in window.shown)
    assert with_help > before + len(KEYS) * 8  # rows of the panel; a line has at least 8
    assert after < with_help


def test_r_records_until_it_is_pressed_again_or_the_run_ends(tmp_path: Path) -> None:
    show(9, FakeWindow([None, "r", None, None, "r", None, "r", None, "q"]), tmp_path)
    counts = []
    for path in sorted(tmp_path.glob("tracker-*.mp4")):
        with VideoSource(path) as video:
            counts.append(len(list(video)))
    assert counts == [3, 2]


def test_p_and_m_change_the_picture_but_not_the_results(tmp_path: Path) -> None:
    window = FakeWindow(["p", "p", "p", "m", "m", "q"])
    with JsonSink(tmp_path / "a.jsonl") as sink:
        run_frames(frames(6), Run(fake_tracker(), Outputs(results=(sink,)), view=View(window, tmp_path)))
    faces = [json.loads(line)["faces"] for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert all(face == faces[0] for face in faces)
    below_panel = [image[90:] for image in window.shown]
    points, lines, mesh, again, mirrored, back = below_panel
    assert not np.array_equal(points, lines)
    assert not np.array_equal(points, mesh)
    assert not np.array_equal(lines, mesh)
    assert np.array_equal(points, again)
    assert not np.array_equal(points, mirrored)
    assert np.array_equal(points, back)


def test_a_view_that_starts_mirrored_has_the_same_results(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 255, (240, 320, 3), np.uint8)
    written, shown = [], []
    for mirrored in (False, True):
        window = FakeWindow([None, "m"])
        with JsonSink(tmp_path / "a.jsonl") as sink:
            view = View(window, tmp_path, mirrored=mirrored)
            run = Run(left_tracker(), Outputs(results=(sink,)), view=view)
            run_frames([Frame(image), Frame(image, 1), Frame(image, 2)], run)
        written.append((tmp_path / "a.jsonl").read_text())
        shown.append([picture[200:] for picture in window.shown])  # below panel and face
    assert written[0] == written[1]
    plain, mirror = image[200:], image[200:, ::-1]
    assert all(map(np.array_equal, shown[0], (plain, plain, mirror)))
    assert all(map(np.array_equal, shown[1], (mirror, mirror, plain)))


def test_without_new_frames_a_notice_replaces_the_panel_and_keys_work(tmp_path: Path) -> None:
    window = FakeWindow([None, None, None, "m", "s", "q"])
    view = View(window, tmp_path)
    assert view.idle(None)  # there is no picture yet
    assert view.idle("camera 0 is away")
    assert window.shown == []
    (frame,) = frames(1)
    assert view.show(frame, fake_tracker().step(frame), Panel(("a", "panel")))
    assert view.idle("camera 0 is away")
    assert view.idle("camera 0 is away")
    assert not view.idle("camera 0 is away")
    plain, noticed, saved, mirrored = window.shown
    assert np.array_equal(plain[100:], noticed[100:])  # the picture
    assert not np.array_equal(plain[:40], noticed[:40])  # the panel
    (path,) = tmp_path.glob("tracker-*.png")
    assert np.array_equal(read_image(path), saved)
    assert mirrored.shape == plain.shape
    count = len(window.shown)
    view.idle(None)  # a slow camera: no reason to draw again
    assert len(window.shown) == count


def test_a_recording_continues_when_the_size_of_the_pictures_changes(tmp_path: Path) -> None:
    sizes = [(240, 320), (240, 320), (160, 90), (240, 320)]
    stream = [Frame(np.full((*hw, 3), GREY, np.uint8), i, i / 25) for i, hw in enumerate(sizes)]
    with View(FakeWindow(["r"]), tmp_path) as view:
        run_frames(stream, Run(fake_tracker(), view=view))
    (path,) = tmp_path.glob("tracker-*.mp4")
    with VideoSource(path) as video:
        assert [frame.image_hw for frame in video] == [(240, 320)] * 3


def test_statistics_of_a_camera_include_latency_and_bottleneck(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracker.runs.loop.time.monotonic", lambda: 7.05)
    window, camera, video = FakeWindow(), LiveStats("test"), LiveStats("test")
    image = next(frames(1)).image_bgr
    stream = [Frame(image, 3 * i, i / 25, "camera 0", captured_s=7.0) for i in range(4)]
    run_frames(stream, Run(fake_tracker(), view=View(window), stats=camera))
    expected = "50 ms from capture to screen, median   the loop limits FPS: 60% of frames skipped"
    assert camera.panel().lines[-1] == expected
    run_frames(frames(4), Run(fake_tracker(), view=View(window), stats=video))
    assert not any("capture" in line for line in video.panel().lines)
