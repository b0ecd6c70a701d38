"""The runs of the command line, with a fake screen, detector and landmarker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.shapes import canonical_points, face_box
from tracker.drawing.annotate import annotate
from tracker.drawing.panel import Panel
from tracker.errors import SourceError
from tracker.inference.detection.detector import FakeDetector
from tracker.inference.landmarker import FakeLandmarker
from tracker.runs.live_stats import Hud
from tracker.runs.loop import Outputs, View, run_frames, run_images
from tracker.runs.window import FakeWindow
from tracker.sinks.csv_table import CsvSink
from tracker.sinks.images import ImageSink
from tracker.sinks.json_lines import JsonSink
from tracker.sinks.protocols import FakePictureSink, FakeResultSink
from tracker.sinks.video.sink import VideoSink
from tracker.sources.images.source import ReadFailure
from tracker.sources.video.source import VideoSource
from tracker.tracking.face_tracker import FaceTracker
from tracker.types import Frame


def frames(count: int) -> Iterator[Frame]:
    for index in range(count):
        yield Frame(np.full((240, 320, 3), 60, np.uint8), index, index / 25, "test")


def fake_tracker(presence: float = 0.9) -> FaceTracker:
    return FaceTracker(FakeDetector(face_box((160, 120), 100)), FakeLandmarker(canonical_points(), presence))


def lopsided() -> FaceTracker:
    """As :func:`fake_tracker`, with the face at the left of the picture."""
    return FaceTracker(FakeDetector(face_box((60, 90), 60)), FakeLandmarker(canonical_points(), 0.9))


def test_every_frame_reaches_every_output(tmp_path: Path) -> None:
    with (
        JsonSink(tmp_path / "a.jsonl") as json_sink,
        CsvSink(tmp_path / "a.csv") as csv_sink,
        VideoSink(tmp_path / "a.mp4") as video_sink,
    ):
        run_frames(frames(12), fake_tracker(), Outputs(json_sink, csv_sink, video_sink), Hud("test"))
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [line["frame"] for line in lines] == list(range(12))
    assert all(len(line["faces"]) == 1 for line in lines)
    assert len((tmp_path / "a.csv").read_text().splitlines()) == 1 + 12
    with VideoSource(tmp_path / "a.mp4") as video:
        written = list(video)
    assert len(written) == 12
    assert np.std(written[5].image_bgr.astype(float)) > 2  # the flat frame has been drawn on


def test_q_ends_the_run_and_a_closed_window_does(tmp_path: Path) -> None:
    for window, expected in ((FakeWindow([None, None, "q"]), 3), (FakeWindow(), 12)):
        with JsonSink(tmp_path / "a.jsonl") as sink:
            run_frames(frames(12), fake_tracker(), Outputs(sink), Hud("test"), View(window, tmp_path))
        assert len(window.shown) == expected
        assert len((tmp_path / "a.jsonl").read_text().splitlines()) == expected
    window = FakeWindow()
    window.closed = True
    run_frames(frames(12), fake_tracker(), Outputs(), Hud("test"), View(window, tmp_path))
    assert len(window.shown) == 1


def test_s_writes_what_is_shown(tmp_path: Path) -> None:
    window = FakeWindow([None, "s", "q"])
    run_frames(frames(9), fake_tracker(), Outputs(), Hud("test"), View(window, tmp_path))
    (path,) = tmp_path.glob("tracker-*.png")
    image = cv2.imread(str(path))
    assert image is not None
    assert np.array_equal(image, window.shown[1])
    results = json.loads(path.with_suffix(".json").read_text())
    assert results["frame"] == 1
    assert len(results["faces"]) == 1


def test_a_snapshot_of_the_mirrored_view_has_the_true_results(tmp_path: Path) -> None:
    tracked = []
    for keys in (["s", "q"], ["m", "s", "q"]):
        folder = tmp_path / keys[0]
        folder.mkdir()
        run_frames(frames(9), lopsided(), Outputs(), Hud("test"), View(FakeWindow(keys), folder))
        (path,) = folder.glob("*.json")
        tracked.append(np.array(json.loads(path.read_text())["faces"][0]["landmarks"]))
    np.testing.assert_allclose(*tracked, atol=0.5)  # the one is a frame later
    assert tracked[0].mean(axis=0)[0] < 100


def test_s_before_the_first_frame_writes_nothing(tmp_path: Path) -> None:
    View(FakeWindow(["s"]), tmp_path).idle(None)
    assert list(tmp_path.iterdir()) == []


def test_h_shows_all_keys_and_hides_them_again(tmp_path: Path) -> None:
    window = FakeWindow(["h", "h", None, "q"])
    run_frames(frames(9), fake_tracker(), Outputs(), Hud("test"), View(window, tmp_path))
    before, helping, after, _ = (np.any(image[:, 0] != 60, axis=1).sum() for image in window.shown)
    assert helping > before + 6 * 8  # rows of panel at the left edge: six keys, no letters smaller than that
    assert after < helping


def test_r_records_from_the_press_to_the_next_or_the_end(tmp_path: Path) -> None:
    window = FakeWindow([None, "r", None, None, "r", None, "r", None, "q"])
    with View(window, tmp_path) as view:
        run_frames(frames(9), fake_tracker(), Outputs(), Hud("test"), view)
    counts = []
    for path in sorted(tmp_path.glob("tracker-*.mp4")):
        with VideoSource(path) as video:
            counts.append(len(list(video)))
    assert counts == [3, 2]


def test_p_and_m_change_the_picture_and_nothing_else(tmp_path: Path) -> None:
    window = FakeWindow(["p", "p", "p", "m", "m", "q"])
    with JsonSink(tmp_path / "a.jsonl") as sink:
        run_frames(frames(6), fake_tracker(), Outputs(sink), Hud("test"), View(window, tmp_path))
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


def test_a_view_mirrored_from_the_start_leaves_results_as_they_are(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 255, (240, 320, 3), np.uint8)
    written, shown = [], []
    for mirrored in (False, True):
        window = FakeWindow([None, "m"])
        with JsonSink(tmp_path / "a.jsonl") as sink:
            view = View(window, tmp_path, mirrored=mirrored)
            run_frames(
                [Frame(image), Frame(image, 1), Frame(image, 2)], lopsided(), Outputs(sink), Hud("t"), view
            )
        written.append((tmp_path / "a.jsonl").read_text())
        shown.append([picture[200:] for picture in window.shown])  # below panel and face
    assert written[0] == written[1]
    plain, mirror = image[200:], image[200:, ::-1]
    assert all(map(np.array_equal, shown[0], (plain, plain, mirror)))
    assert all(map(np.array_equal, shown[1], (mirror, mirror, plain)))


def test_while_no_frame_comes_the_last_picture_stays_with_a_notice_and_keys_work(tmp_path: Path) -> None:
    window = FakeWindow([None, None, None, "m", "s", "q"])
    view = View(window, tmp_path)
    assert view.idle(None)  # before the first picture there is nothing to show
    assert view.idle("camera 0 is away")
    assert window.shown == []
    (frame,) = frames(1)
    assert view.show(frame, fake_tracker().step(frame), Panel(("a", "panel")))
    assert view.idle("camera 0 is away")
    assert view.idle("camera 0 is away")
    assert not view.idle("camera 0 is away")
    plain, noticed, snapped, mirrored = window.shown
    assert np.array_equal(plain[100:], noticed[100:])  # the picture
    assert not np.array_equal(plain[:40], noticed[:40])  # the panel, which is the notice now
    assert np.array_equal(noticed, window.shown[1])
    (path,) = tmp_path.glob("tracker-*.png")
    image = cv2.imread(str(path))
    assert image is not None
    assert np.array_equal(image, snapped)
    assert mirrored.shape == plain.shape
    count = len(window.shown)
    view.idle(None)  # a slow camera: nothing is drawn anew
    assert len(window.shown) == count


def test_a_recording_goes_on_when_the_pictures_change_their_size(tmp_path: Path) -> None:
    window = FakeWindow(["r"])
    pictures = [(240, 320), (240, 320), (160, 90), (240, 320)]
    stream = [Frame(np.full((*hw, 3), 60, np.uint8), i, i / 25) for i, hw in enumerate(pictures)]
    with View(window, tmp_path) as view:
        run_frames(stream, fake_tracker(), Outputs(), Hud("test"), view)
    (path,) = tmp_path.glob("tracker-*.mp4")
    with VideoSource(path) as video:
        assert [frame.image_hw for frame in video] == [(240, 320)] * 3


def test_the_panel_tells_latency_of_cameras_and_what_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracker.runs.loop.time.monotonic", lambda: 7.05)
    hud, window = Hud("test"), FakeWindow()
    image = next(frames(1)).image_bgr
    stream = [Frame(image, 3 * i, i / 25, "camera 0", captured_s=7.0) for i in range(4)]
    run_frames(stream, fake_tracker(), Outputs(), hud, View(window))
    assert (
        hud.panel().lines[-1]
        == "50 ms from capture to screen, median   the loop limits FPS: 60% of frames skipped"
    )
    video = Hud("test")
    run_frames(frames(4), fake_tracker(), Outputs(), video, View(window))
    assert not any("capture" in line for line in video.panel().lines)


def test_the_mirrored_view_is_the_mirror_image_where_there_is_no_text() -> None:
    image = np.random.default_rng(0).integers(0, 255, (240, 320, 3), np.uint8)
    frame = Frame(image)
    result = FaceTracker(FakeDetector(), FakeLandmarker(canonical_points())).step(frame)
    assert np.array_equal(annotate(frame, result, mirrored=True), image[:, ::-1])


def test_outputs_are_complete_when_the_loop_raises(tmp_path: Path) -> None:
    def damaged() -> Iterator[Frame]:
        yield from frames(5)
        raise SourceError("ends after 5 frames")

    with (
        pytest.raises(SourceError),
        JsonSink(tmp_path / "a.jsonl") as json_sink,
        VideoSink(tmp_path / "a.mp4") as video_sink,
    ):
        run_frames(damaged(), fake_tracker(), Outputs(json_sink, None, video_sink), Hud("test"))
    assert len((tmp_path / "a.jsonl").read_text().splitlines()) == 5
    with VideoSource(tmp_path / "a.mp4") as video:
        assert len(list(video)) == 5


def test_an_unreadable_image_leaves_its_line_and_the_others_are_done(tmp_path: Path) -> None:
    good = next(frames(1))
    images = [
        Frame(good.image_bgr, source="a.png"),
        ReadFailure("b.png", "b.png is not an image"),
        Frame(good.image_bgr, source="c.png"),
    ]
    with (
        JsonSink(tmp_path / "a.jsonl") as sink,
        ImageSink(tmp_path / "out", []) as pictures,
        pytest.raises(SourceError, match="1 image could not be read"),
    ):
        run_images(images, fake_tracker(), Outputs(sink, images=pictures))
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [line["source"] for line in lines] == ["a.png", "b.png", "c.png"]
    assert ["error" in line for line in lines] == [False, True, False]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a.png", "c.png"]


def test_other_programs_get_every_frame_and_one_picture_is_drawn_for_all(tmp_path: Path) -> None:
    osc, camera = FakeResultSink(), FakePictureSink()
    with VideoSink(tmp_path / "a.mp4") as video:
        outputs = Outputs(video=video, osc=osc, camera=camera)  # type: ignore[arg-type]
        run_frames(frames(3), fake_tracker(), outputs, Hud("test"))
    assert [result.index for result in osc.results] == [0, 1, 2]
    assert [picture.time_s for picture in camera.pictures] == [0, 1 / 25, 2 / 25]
    plain = next(frames(1)).image_bgr
    assert all(np.any(picture.canvas_bgr != plain) for picture in camera.pictures)
    run_images([next(frames(1))], fake_tracker(), Outputs(osc=osc))  # type: ignore[arg-type]
    assert len(osc.results) == 4
