"""Live view: what it shows, and what its keys do."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.fake_run import GREY, fake_tracker, frames, left_tracker
from tests.media import picture_index, write_video
from tracker.drawing.annotate import annotate
from tracker.drawing.style import DEFAULT_STYLE, DrawStyle
from tracker.runs.keys import KEYS
from tracker.runs.live_stats import LiveStats
from tracker.runs.loop import Run, run_frames, run_playback
from tracker.runs.observer import ItemObserver
from tracker.runs.outputs import Outputs
from tracker.runs.overlay import Overlay
from tracker.runs.playback import Extent, Playback
from tracker.runs.view import View
from tracker.runs.window import FakeWindow
from tracker.sinks.json_lines import JsonSink
from tracker.sources.images.read import read_image
from tracker.sources.seeking import Seeker
from tracker.sources.video.source import VideoSource
from tracker.tracking.state import TrackerState
from tracker.types import Frame, ImageArray


def show(count: int, window: FakeWindow, folder: Path, still: bool = False) -> None:
    """Run ``count`` frames with a view that closes at the end.

    With ``still`` no time passes, so that figures and notes stay.
    """
    clock = (lambda: 5.0) if still else time.monotonic
    with View(window, folder, clock=clock) as view:
        run_frames(frames(count), Run(fake_tracker(), view=view))


def test_q_and_a_closed_window_end_the_run(tmp_path: Path) -> None:
    for window, expected in ((FakeWindow([None, None, "q"]), 3), (FakeWindow(), 12)):
        show(12, window, tmp_path)
        assert len(window.shown) == expected
    window = FakeWindow()
    window.closed = True
    show(12, window, tmp_path)
    assert len(window.shown) == 1


def faces_alone(frame: Frame, style: DrawStyle = DEFAULT_STYLE, mirrored: bool = False) -> ImageArray:
    """Return what snapshots and recordings are to hold: the frame with the drawing of its faces."""
    tracker = fake_tracker()
    for earlier in frames(frame.index):
        tracker.step(earlier)
    return annotate(frame, tracker.step(frame), style, mirrored)


def test_s_saves_the_drawing_of_the_faces_alone_and_its_results(tmp_path: Path) -> None:
    window = FakeWindow(["i", "h", "r", "s", "q"])  # with everything that the window can show
    show(9, window, tmp_path)
    (path,) = tmp_path.glob("tracker-*.png")
    expected = faces_alone(list(frames(4))[3])
    assert np.array_equal(read_image(path), expected)
    assert not np.array_equal(window.shown[3], expected)  # badge, panel and help are only there
    results = json.loads(path.with_suffix(".json").read_text())
    assert results["frame"] == 3
    assert len(results["faces"]) == 1


def test_a_snapshot_has_the_size_of_the_film_whatever_that_of_the_window(tmp_path: Path) -> None:
    window = FakeWindow(["p", "m", "s", "q"], hw=(97, 301))
    show(9, window, tmp_path)
    assert {image.shape for image in window.shown} == {(97, 301, 3)}
    (path,) = tmp_path.glob("tracker-*.png")
    expected = faces_alone(list(frames(3))[2], DEFAULT_STYLE.next(), mirrored=True)
    assert np.array_equal(read_image(path), expected)


def test_a_recording_holds_the_drawing_of_the_faces_alone(tmp_path: Path) -> None:
    show(9, FakeWindow(["r", "i", "h", "s", None, "q"]), tmp_path)
    (path,) = tmp_path.glob("tracker-*.mp4")
    with VideoSource(path) as video:
        recorded = [frame.image_bgr.astype(int) for frame in video]
    assert len(recorded) == 5
    for frame, image in zip(list(frames(6))[1:], recorded, strict=True):
        difference = np.abs(image - faces_alone(frame))
        assert difference.mean() < 2  # H.264
        assert difference[-40:].max() < 4  # plain grey where the window has its badges


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
    window = FakeWindow(["h", None, "h", None, "q"], hw=(480, 640))
    show(9, window, tmp_path, still=True)
    plain, with_help, still, after, _ = window.shown
    darker = (with_help.astype(int).mean(axis=2) < plain.astype(int).mean(axis=2) - 20).sum(axis=1)
    assert (darker > 100).sum() > len(KEYS) * 12  # rows of the plate; a line has at least 12
    assert np.array_equal(with_help, still)
    assert np.array_equal(after, plain)


def test_r_records_until_it_is_pressed_again_or_the_run_ends(tmp_path: Path) -> None:
    show(9, FakeWindow([None, "r", None, None, "r", None, "r", None, "q"]), tmp_path)
    counts = []
    for path in sorted(tmp_path.glob("tracker-*.mp4")):
        with VideoSource(path) as video:
            counts.append(len(list(video)))
    assert counts == [3, 2]


def test_p_and_m_change_the_picture_but_not_the_results(tmp_path: Path) -> None:
    window = FakeWindow(["p", "p", "p", "p", "p", "m", "m", "q"])
    with JsonSink(tmp_path / "a.jsonl") as sink:
        view = View(window, tmp_path)
        run_frames(frames(8), Run(left_tracker(), Outputs(results=(sink,)), view=view))
    faces = [json.loads(line)["faces"] for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert all(face == faces[0] for face in faces)
    *styles, again, mirrored, back = (image[42:195] for image in window.shown)  # without the badges
    assert len({image.tobytes() for image in styles}) == 5  # one after the other, and none twice
    assert (styles[-1] == GREY).all()  # nothing is drawn
    assert np.array_equal(styles[0], again)
    assert not np.array_equal(again, mirrored)
    assert np.array_equal(again, back)


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
        shown.append([picture[140:195] for picture in window.shown])  # between face and badge
    assert written[0] == written[1]
    plain, mirror = image[140:195], image[140:195, ::-1]
    assert all(map(np.array_equal, shown[0], (plain, plain, mirror)))
    assert all(map(np.array_equal, shown[1], (mirror, mirror, plain)))


def test_while_a_camera_is_lost_that_is_told_and_keys_work(tmp_path: Path) -> None:
    window = FakeWindow([None, None, None, None, "m", "s", None, "q"])
    view = View(window, tmp_path, clock=lambda: 5.0)
    assert view.idle(None)  # there is no picture yet
    assert view.idle("camera 0 is away")
    assert window.shown == []
    (frame,) = frames(1)
    assert view.show(frame, fake_tracker().step(frame), LiveStats())
    for _ in range(4):
        assert view.idle("camera 0 is away")
    plain, lost, mirrored, saved = window.shown
    assert np.array_equal(plain[42:195], lost[42:195])
    assert not np.array_equal(plain[195:], lost[195:])  # 0 fps
    assert not np.array_equal(plain[:42], lost[:42])
    assert not np.array_equal(mirrored, lost)
    assert not np.array_equal(saved, mirrored)  # it tells of the file
    (path,) = tmp_path.glob("tracker-*.png")
    assert np.array_equal(read_image(path), faces_alone(frame, mirrored=True))
    assert not view.idle("camera 0 is away")


def test_what_is_on_the_screen_already_is_not_drawn_again(tmp_path: Path) -> None:
    window = FakeWindow()
    view = View(window, tmp_path)
    (frame,) = frames(1)
    view.show(frame, fake_tracker().step(frame), LiveStats())
    for _ in range(5):
        view.idle(None)
    assert len(window.shown) == 1
    window.hw = (100, 200)  # the user makes the window smaller
    view.idle(None)
    view.idle(None)
    assert [image.shape[:2] for image in window.shown] == [(240, 320), (100, 200)]


NOTES = {"s": "saved", "m": "mirrored", "p": "drawing", "f": "full screen", "left": "only a video"}


@pytest.mark.parametrize("key", [key for key in KEYS if key != "q"])
def test_every_key_shows_at_once_that_it_was_pressed(key: str, tmp_path: Path) -> None:
    window = FakeWindow([None, key, None, "q"])
    show(9, window, tmp_path, still=True)
    before, pressed, after = window.shown[:3]
    assert np.array_equal(before, pressed)
    assert not np.array_equal(pressed, after)


@pytest.mark.parametrize(("key", "shown"), NOTES.items())
def test_a_note_says_what_a_key_did_and_goes(
    key: str, shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes: list[tuple[float, list[str]]] = []
    now_s = itertools.count()

    def keep(_: ImageArray, overlay: Overlay) -> None:
        notes.append((last[0], [span.text for spans in overlay.notes for span in spans]))

    last = [0.0]

    def clock() -> float:
        last[0] = next(now_s) / 20
        return last[0]

    monkeypatch.setattr("tracker.runs.view.draw_overlay", keep)
    with View(FakeWindow([None, key]), tmp_path, clock=clock) as view:
        run_frames(frames(60), Run(fake_tracker(), view=view))
    said = [when for when, texts in notes if any(text.startswith(shown) for text in texts)]
    assert 1.5 < said[-1] - said[0] < 2.5
    assert notes[-1][1] == []


def test_a_snapshot_that_cannot_be_written_is_told_and_the_run_goes_on(tmp_path: Path) -> None:
    window = FakeWindow([None, "s", None, "r", None, "q"])
    show(9, window, tmp_path / "gone", still=True)
    plain, _, warned, _, again, _ = window.shown
    assert not np.array_equal(plain, warned)
    assert not np.array_equal(plain, again)
    red = warned[..., 2].astype(int) - warned[..., 1] > 100
    assert red[:60].sum() > 20


def test_space_freezes_the_picture_of_a_camera_and_nothing_else(tmp_path: Path) -> None:
    stream = [Frame(np.full((240, 320, 3), 10 * i, np.uint8), i, i / 25, "camera") for i in range(8)]
    window = FakeWindow([None, "space", None, "s", None, "space", None, "q"])
    with JsonSink(tmp_path / "a.jsonl") as sink:
        view = View(window, tmp_path, clock=lambda: 5.0)
        run_frames(stream, Run(fake_tracker(), Outputs(results=(sink,)), view=view))
    assert len((tmp_path / "a.jsonl").read_text().splitlines()) == 8
    levels = [int(image[120, 5, 0]) for image in window.shown]
    # The frozen picture is drawn again with "frozen", with what was saved, and without.
    assert levels == [0, 10, 10, 10, 60, 70]
    (path,) = tmp_path.glob("tracker-*.png")
    assert read_image(path)[120, 5, 0] == 10


def test_what_a_frozen_camera_shows_meanwhile_is_recorded(tmp_path: Path) -> None:
    show(9, FakeWindow(["r", "space", None, None, "space", "q"]), tmp_path)
    (path,) = tmp_path.glob("tracker-*.mp4")
    with VideoSource(path) as video:
        assert len(list(video)) == 5


class Steps:
    """Film of 30 frames in a window whose keys are pressed while the given frames are shown."""

    def __init__(
        self, folder: Path, presses: Mapping[int, Sequence[str | None]], outputs: bool = False
    ) -> None:
        write_video(folder / "a.mp4", 30, size=(320, 240))
        self.shown: list[int] = []
        self.overlays: list[Overlay] = []
        self._now_s, self._presses = 0.0, {at: list(keys) for at, keys in presses.items()}
        self.window = FakeWindow()
        self.window.key = self._key  # type: ignore[method-assign]
        with VideoSource(folder / "a.mp4") as film, View(self.window, folder, clock=self._clock) as view:
            seeker = None if outputs else Seeker(film)
            self.tracker = fake_tracker()
            self.playback = Playback(
                film, Extent.of(film), seeker, self._restart, film.close, clock=self._clock
            )
            view.control(self.playback)
            observer = ItemObserver(lambda: None)
            self.ended = run_playback(self.playback, Run(self.tracker, observer=observer, view=view))

    def _restart(self) -> None:
        self.tracker.restore(TrackerState())

    def _clock(self) -> float:
        return self._now_s

    def _key(self, wait_s: float = 0.0) -> str | None:
        self._now_s += wait_s
        at = picture_index(self.window.shown[-1])
        if not self.shown or self.shown[-1] != at:
            self.shown.append(at)
        keys = self._presses.get(len(self.shown), [])
        return keys.pop(0) if keys else None


def test_a_film_is_paused_searched_and_stepped_through_by_keys(tmp_path: Path) -> None:
    presses: dict[int, list[str | None]] = {
        3: ["space", "."],
        4: ["."],
        5: [","],
        6: [",", None, None],
        7: ["right"],  # to the last frame, still paused
        8: ["left"],
        9: ["space"],
        11: ["q"],
    }
    film = Steps(tmp_path, presses)
    assert film.shown == [0, 1, 2, 3, 4, 3, 2, 29, 0, 1, 2]
    assert not film.ended


def test_with_outputs_a_film_cannot_be_searched_but_paused(tmp_path: Path) -> None:
    presses: dict[int, list[str | None]] = {3: ["right", "left", ",", "."], 5: ["space", None, None, "space"]}
    film = Steps(tmp_path, presses, outputs=True)
    assert film.shown == list(range(30))
    assert film.ended


def test_quitting_in_a_pause_does_not_count_as_the_end(tmp_path: Path) -> None:
    film = Steps(tmp_path, {3: ["space", None, "q"]}, outputs=True)
    assert film.shown == [0, 1, 2]
    assert not film.ended


def test_the_line_below_a_film_grows(tmp_path: Path) -> None:
    film = Steps(tmp_path, {})
    lengths = [int((image[-1] == 255).all(axis=1).sum()) for image in film.window.shown]
    assert lengths == sorted(lengths)
    assert lengths[0] <= 320 / 30
    assert lengths[-1] == pytest.approx(320 * 29 / 30, abs=2)


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
    assert ("frames skipped", "60%") in camera.panel().tables[-1]
    assert [span.text for span in camera.status()][1] == "50 ms"
    run_frames(frames(4), Run(fake_tracker(), view=View(window), stats=video))
    assert len(video.panel().tables) == 1


def test_the_window_shows_the_true_shape_and_a_snapshot_the_stored_pixels(tmp_path: Path) -> None:
    window = FakeWindow([None, "r", "s", "q"])
    with View(window, tmp_path) as view:
        squeezed = (replace(frame, pixel_aspect=2.0) for frame in frames(9))
        run_frames(squeezed, Run(fake_tracker(), view=view))
    assert {image.shape for image in window.shown} == {(240, 640, 3)}
    (snapshot,) = tmp_path.glob("*.png")
    assert read_image(snapshot).shape == (240, 320, 3)
    assert json.loads(snapshot.with_suffix(".json").read_text())["pixel_aspect"] == 2
    with VideoSource(next(tmp_path.glob("*.mp4"))) as recording:
        assert (recording.size, recording.pixel_aspect) == ((320, 240), Fraction(2))
