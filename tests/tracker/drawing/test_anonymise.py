from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given

from tests.cli import run_cli
from tests.faces import astronaut, blazeface
from tests.media import face_video, write_video
from tests.shapes import face_box, face_points
from tests.strategies import floats
from tracker.drawing.anonymise import HOLD_S, SEARCH_EVERY_S, Anonymiser
from tracker.drawing.heads import Head, blur_heads
from tracker.drawing.picture import Picture
from tracker.geometry import CROP_SIZE, CropTransform
from tracker.inference.detection.detector import FakeDetector
from tracker.inference.detection.views import whole_picture
from tracker.sinks.video.delayed import DELAY_S, DelayedSink
from tracker.types import FaceBox, FloatArray, Frame, FrameResult, ImageArray, Landmarks, TrackedFace

PLACE, SIZE = (160.0, 120.0), 60.0


def noise(seed: int = 0) -> ImageArray:
    return np.random.default_rng(seed).integers(0, 256, (240, 320, 3), np.uint8)


def frame(index: int) -> Frame:
    return Frame(noise(index), index, index / 25, "a.mp4")


def result(shot: Frame, *places: tuple[float, float]) -> FrameResult:
    faces = tuple(TrackedFace(i, Landmarks(face_points(at, SIZE))) for i, at in enumerate(places, 1))
    return FrameResult(faces, shot.index, shot.time_s, shot.source, shot.image_hw)


def detail(image: ImageArray, at: tuple[float, float] = PLACE, reach: int = 25) -> float:
    """How much neighbouring pixels differ around ``at``: about 70 in noise, near 0 in a blur."""
    x, y = map(round, at)
    part = image[y - reach : y + reach, x - reach : x + reach].astype(float)
    return float(np.abs(np.diff(part, axis=1)).mean())


def is_hidden(image: ImageArray, at: tuple[float, float] = PLACE) -> bool:
    return detail(image, at) < 8


def covers(head: Head, points: FloatArray) -> bool:
    """Whether all ``points`` ``(N, 2)`` lie in the ellipse."""
    x, y = (points - np.array(head.center)).T
    cos, sin = math.cos(head.roll_rad), math.sin(head.roll_rad)
    along, across = (x * cos + y * sin) / head.half_width, (y * cos - x * sin) / head.half_height
    return bool((along**2 + across**2 <= 1).all())


@given(roll=floats(-math.pi, math.pi), size=floats(5, 2000), x=floats(-500, 500))
def test_a_head_covers_face_forehead_and_chin(roll: float, size: float, x: float) -> None:
    points = face_points((x, 40.0), size, roll)
    head = Head.of_points(points)
    assert covers(head, points)
    up = np.array([math.sin(roll), -math.cos(roll)])
    brows = points[17:27].mean(axis=0)
    assert covers(head, (brows + 0.5 * size * up)[None])  # the hairline
    assert covers(head, (points[8] - 0.05 * size * up)[None])
    ears = points[[0, 16]] + 0.1 * (points[[0, 16]] - points.mean(axis=0))
    assert covers(head, ears)


def test_a_box_and_the_points_in_it_give_about_the_same_head() -> None:
    of_points, of_box = Head.of_points(face_points(PLACE, SIZE)), Head.of_box(face_box(PLACE, SIZE))
    assert math.dist(of_points.center, of_box.center) < 2
    assert of_points.half_width == pytest.approx(of_box.half_width, rel=0.05)
    assert of_points.replaces(of_box)
    assert of_box.replaces(of_points)


def test_points_that_coincide_are_a_small_head() -> None:
    assert Head.of_points(np.full((68, 2), 7.0)).center == (7.0, 7.0)
    with pytest.raises(ValueError, match="finite"):
        Head((math.nan, 0), 1, 1, 0)


@given(x=floats(-400, 700), y=floats(-400, 600), size=floats(0.5, 900), roll=floats(-4, 4))
def test_any_head_can_be_blurred_also_beyond_the_picture(
    x: float, y: float, size: float, roll: float
) -> None:
    canvas = noise()
    blur_heads(canvas, [Head((x, y), size, 1.2 * size, roll)])
    assert canvas.shape == (240, 320, 3)


def test_only_the_head_is_blurred_and_little_is_left_of_it() -> None:
    canvas, head = noise(), Head(PLACE, 50, 60, 0.3)
    blur_heads(canvas, [head])
    grid = np.stack(np.meshgrid(np.arange(0, 320, 3), np.arange(0, 240, 3)), axis=-1).reshape(-1, 2)
    inside = np.array([covers(head, point[None]) for point in grid])
    near = np.array([covers(head.grown(1.3), point[None]) for point in grid])
    changed = (canvas != noise()).any(axis=2)[grid[:, 1], grid[:, 0]]
    assert changed[inside].mean() > 0.99
    assert not changed[~near].any()
    assert is_hidden(canvas)


def test_two_faces_that_differ_in_detail_look_the_same_when_blurred() -> None:
    """What tells faces apart is finer than a fifth of a face; here it is stripes and their negative."""
    stripes = np.zeros((240, 320, 3), np.uint8)
    stripes[:, ::4] = stripes[:, 1::4] = 255
    first, second = stripes.copy(), 255 - stripes
    for canvas in (first, second):
        blur_heads(canvas, [Head(PLACE, 50, 60, 0.0)])
    assert np.abs(first[90:150, 130:190].astype(int) - second[90:150, 130:190]).max() < 40


def test_points_leave_nothing_of_the_picture() -> None:
    hider = Anonymiser("points", FakeDetector())
    hidden = hider.hide(frame(1), result(frame(1), PLACE)).frame
    assert len(np.unique(hidden.image_bgr)) == 1
    assert hidden.image_hw == (240, 320)
    assert len(np.unique(hider.hide_alone(frame(2), result(frame(2))).image_bgr)) == 1


def test_the_callers_picture_is_not_touched() -> None:
    shot = frame(3)
    Anonymiser("blur", FakeDetector()).hide(shot, result(shot, PLACE))
    np.testing.assert_array_equal(shot.image_bgr, noise(3))


def test_a_face_that_only_the_detector_sees_is_covered() -> None:
    """Such as the ninth of eight, or one that the landmark model does not believe."""
    hider = Anonymiser("blur", FakeDetector(face_box(PLACE, SIZE)))
    assert is_hidden(hider.hide(frame(0), result(frame(0))).frame.image_bgr)
    assert is_hidden(hider.hide_alone(frame(0), result(frame(0))).image_bgr)


def test_a_face_missed_between_two_sightings_stays_covered() -> None:
    hider = Anonymiser("blur", FakeDetector())
    for index in range(10):
        shot = frame(index)
        seen = result(shot) if 3 <= index < 7 else result(shot, PLACE)
        assert is_hidden(hider.hide(shot, seen).frame.image_bgr), index


def test_a_lost_face_is_covered_for_a_while_and_further_around() -> None:
    hider = Anonymiser("blur", FakeDetector())
    shot = frame(0)
    covered = [(hider.hide(shot, result(shot, PLACE)).frame.image_bgr != shot.image_bgr).mean()]
    last = round(HOLD_S * 25)
    for index in range(1, last + 1):
        shot = frame(index)
        covered.append((hider.hide(shot, result(shot)).frame.image_bgr != shot.image_bgr).mean())
    assert covered == sorted(covered)
    assert covered[-1] > 2 * covered[0]
    after = frame(last + 2)
    np.testing.assert_array_equal(hider.hide(after, result(after)).frame.image_bgr, after.image_bgr)


def test_a_moving_face_leaves_no_trail_but_a_jump_does() -> None:
    hider = Anonymiser("blur", FakeDetector())
    for index in range(5):
        shot = frame(index)
        hidden = hider.hide(shot, result(shot, (100.0 + 4 * index, 120.0))).frame
    single = frame(4).image_bgr.copy()
    blur_heads(single, [Head.of_points(face_points((116.0, 120.0), SIZE))])
    np.testing.assert_array_equal(hidden.image_bgr, single)
    shot = frame(5)
    hidden = hider.hide(shot, result(shot, (250.0, 120.0))).frame
    assert is_hidden(hidden.image_bgr, (116.0, 120.0))
    assert is_hidden(hidden.image_bgr, (250.0, 120.0))


def test_a_tiny_false_face_does_not_uncover_a_large_one() -> None:
    hider = Anonymiser("blur", FakeDetector())
    hider.hide(frame(0), result(frame(0), PLACE))
    small = FaceBox.around(face_points(PLACE, 6))
    hider._detector = FakeDetector(small)
    assert is_hidden(hider.hide(frame(1), result(frame(1))).frame.image_bgr)


def test_files_are_searched_thoroughly_four_times_a_second_and_cameras_bit_by_bit() -> None:
    corners = [CropTransform((x, y), 100) for x in (60, 260) for y in (60, 180)]
    for thorough, everywhere in ((True, [0, 7]), (False, [])):
        detector = FakeDetector(close_ups=corners)
        hider = Anonymiser("blur", detector, thorough)
        for index in range(10):
            hider.hide(frame(index), result(frame(index)))
        assert [i for i, views in enumerate(detector.looks) if views is None] == everywhere
        looks = [list(views) for views in detector.looks if views is not None]
        assert all(views[0] == whole_picture((240, 320), CROP_SIZE) for views in looks)
        assert {view for views in looks[:5] for view in views[1:]} == set(corners)
    assert SEARCH_EVERY_S <= DELAY_S / 2  # what a search finds was covered since the search before
    detector = FakeDetector()
    Anonymiser("blur", detector, thorough=False).hide_alone(frame(0), result(frame(0)))
    assert detector.looks == [None]


def test_another_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="blur or points"):
        Anonymiser("pixels", FakeDetector())  # type: ignore[arg-type]


class _Film:
    def __init__(self) -> None:
        self.pictures: list[tuple[ImageArray, float]] = []

    def write(self, picture: Picture) -> None:
        self.pictures.append((picture.canvas_bgr.copy(), picture.time_s))


def _film(first_seen: int, count: int) -> _Film:
    film, hider = _Film(), Anonymiser("blur", FakeDetector())
    with DelayedSink(film) as sink:
        for index in range(count):
            shot = frame(index)
            seen = result(shot, PLACE) if index >= first_seen else result(shot)
            hidden = hider.hide(shot, seen)
            sink.write(Picture(hidden.frame.image_bgr, shot.time_s, newcomers=hidden.newcomers))
    return film


def test_a_film_covers_a_face_before_it_was_found() -> None:
    film = _film(first_seen=20, count=30)
    assert [time_s for _, time_s in film.pictures] == [index / 25 for index in range(30)]
    for index, (image, _) in enumerate(film.pictures):
        assert is_hidden(image) == (index >= 20 - math.ceil(DELAY_S * 25)), index


def test_what_waits_is_bounded_in_time_and_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    film = _Film()
    sink = DelayedSink(film)
    for index in range(100):
        sink.write(Picture(noise(), index / 25))
    assert 100 - len(film.pictures) == math.ceil(DELAY_S * 25)
    monkeypatch.setattr("tracker.sinks.video.delayed._MAX_BYTES", 3 * noise().nbytes)
    sink.write(Picture(noise(), 4.0))
    assert 101 - len(film.pictures) == 3
    monkeypatch.setattr("tracker.sinks.video.delayed._MAX_BYTES", 0)
    sink.write(Picture(noise(), 4.04))
    assert len(film.pictures) == 102
    sink.close()
    sink.close()


def fine(image: ImageArray, part: tuple[slice, slice]) -> float:
    """How much there is in ``part`` of what tells faces apart: whatever is finer than a tenth of a face."""
    sharp = image.astype(np.float32)
    return float(np.square((sharp - cv2.GaussianBlur(sharp, (0, 0), 9))[part]).mean())


@pytest.mark.parametrize("turn", [0, 25, -25])
def test_little_is_left_of_a_real_face(turn: int) -> None:
    around = cv2.getRotationMatrix2D((186, 135), turn, 1.0)
    image = np.asarray(cv2.warpAffine(astronaut(), around, (400, 400)), np.uint8)
    shot, face = Frame(image), (slice(85, 180), slice(140, 232))
    hidden = Anonymiser("blur", blazeface()).hide_alone(shot, result(shot)).image_bgr
    assert fine(hidden, face) < 0.05 * fine(image, face)


def test_videos_and_pictures_of_the_command_show_nobody(tmp_path: Path) -> None:
    video = face_video(tmp_path / "in.mp4", 8)
    done = run_cli("--video", video, "--no-window", "--output", tmp_path / "o.mp4", "--anonymise", "blur")
    assert done.exit_code == 0, done.stderr
    cv2.imwrite(str(tmp_path / "a.png"), astronaut())
    for mode in ("blur", "points"):
        done = run_cli("--images", tmp_path / "a.png", "--output", tmp_path / mode, "--anonymise", mode)
        assert done.exit_code == 0, done.stderr
    clear, hidden = (_frames(path) for path in (video, tmp_path / "o.mp4"))
    assert len(hidden) == 8
    forehead = (slice(14, 48), slice(115, 180))  # below it points are drawn
    for before, after in zip(clear, hidden, strict=True):
        assert fine(after, forehead) < 0.1 * fine(before, forehead)
    picture, forehead = cv2.imread(str(tmp_path / "blur" / "a.png")), (slice(34, 68), slice(135, 200))
    assert picture is not None
    assert fine(np.asarray(picture, np.uint8), forehead) < 0.1 * fine(astronaut(), forehead)
    points = cv2.imread(str(tmp_path / "points" / "a.png"))
    assert points is not None
    assert (points == points[0, 0]).all(axis=2).mean() > 0.95


def test_nothing_that_a_video_says_of_itself_gets_into_its_anonymised_copy(tmp_path: Path) -> None:
    write_video(tmp_path / "in.mp4", 6, audio="aac")
    told = tmp_path / "told.mp4"
    with av.open(str(tmp_path / "in.mp4")) as source, av.open(str(told), "w") as target:
        target.metadata.update(title="Jane Doe", comment="Jane at home", location="+48.1+011.5/")
        streams = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
        for stream in streams.values():
            stream.metadata["handler_name"] = "Jane's"
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                target.mux(packet)
    assert told.read_bytes().count(b"Jane") >= 4
    done = run_cli("--video", told, "--no-window", "--output", tmp_path / "o.mp4", "--anonymise", "blur")
    assert (done.exit_code, done.stderr.count("voices can be recognised")) == (0, 1)
    data = (tmp_path / "o.mp4").read_bytes()
    assert b"Jane" not in data
    assert b"+48" not in data
    silent = run_cli("--video", told, "--no-window", "--output", tmp_path / "o_%d.png", "--anonymise", "blur")
    assert (silent.exit_code, silent.stderr) == (0, "")


def _frames(path: Path) -> list[ImageArray]:
    with av.open(str(path)) as film:
        return [np.asarray(shot.to_ndarray(format="bgr24"), np.uint8) for shot in film.decode(video=0)]


def test_hidden_frames_keep_what_else_they_say() -> None:
    shot = replace(frame(4), captured_s=12.5)
    hidden = Anonymiser("blur", FakeDetector()).hide(shot, result(shot)).frame
    assert (hidden.index, hidden.time_s, hidden.source, hidden.captured_s) == (4, 0.16, "a.mp4", 12.5)


class _Seldom:
    """A detector that sees a face in one frame of eight only, as close-ups that take turns do."""

    def __init__(self) -> None:
        self._calls = -1

    def views(self, image_hw: tuple[int, int]) -> Sequence[CropTransform]:
        return [whole_picture(image_hw, 128)]

    def detect(
        self,
        image_bgr: ImageArray,  # noqa: ARG002
        views: Sequence[CropTransform] | None = None,  # noqa: ARG002
    ) -> list[FaceBox]:
        self._calls += 1
        return [] if self._calls % 8 else [face_box(PLACE, SIZE)]


def test_a_face_that_is_seen_now_and_then_is_never_shown() -> None:
    film, hider = _Film(), Anonymiser("blur", _Seldom())
    with DelayedSink(film) as sink:
        for index in range(60):
            shot = frame(index)
            hidden = hider.hide(shot, result(shot))
            sink.write(Picture(hidden.frame.image_bgr, shot.time_s, newcomers=hidden.newcomers))
    assert all(is_hidden(image) for image, _ in film.pictures)
