from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.batches import LIGHT_ARGUMENTS
from tests.cache import Clips
from tests.cli import run_cli
from tests.faces import astronaut, blazeface
from tests.noise import PLACE, SIZE, faces_at, is_blurred, noise, noise_frame
from tests.shapes import face_box, face_points
from tracker.drawing.anonymise import HOLD_S, SEARCH_EVERY_S, Anonymiser, Mode
from tracker.drawing.heads import Head
from tracker.drawing.masks import Mask, cover_heads
from tracker.inference.detection.detector import FakeDetector
from tracker.inference.detection.views import View, whole_picture
from tracker.inference.opening import open_blazeface
from tracker.sinks.video.delayed import DELAY_S
from tracker.tracking.opening import open_tracker
from tracker.types import FaceBox, Frame, FrameResult, ImageArray


def hidden_image(anonymiser: Anonymiser, frame: Frame, result: FrameResult) -> ImageArray:
    return anonymiser.hide(frame, result).frame.image_bgr


def test_points_leaves_nothing_of_the_picture() -> None:
    anonymiser = Anonymiser("points", FakeDetector())
    hidden = anonymiser.hide(noise_frame(1), faces_at(noise_frame(1), PLACE))
    assert len(np.unique(hidden.frame.image_bgr)) == 1
    assert hidden.frame.image_hw == (240, 320)
    assert hidden.newcomers == ()
    alone = anonymiser.hide_alone(noise_frame(2), faces_at(noise_frame(2)))
    assert len(np.unique(alone.image_bgr)) == 1


def test_the_input_frame_is_not_changed() -> None:
    frame = noise_frame(3)
    Anonymiser("blur", FakeDetector()).hide(frame, faces_at(frame, PLACE))
    np.testing.assert_array_equal(frame.image_bgr, noise(3))


def test_other_fields_of_the_frame_are_kept() -> None:
    frame = replace(noise_frame(4), captured_s=12.5)
    hidden = Anonymiser("blur", FakeDetector()).hide(frame, faces_at(frame)).frame
    assert (hidden.index, hidden.time_s, hidden.source, hidden.captured_s) == (4, 0.16, "a.mp4", 12.5)


def test_a_face_that_only_the_detector_finds_is_blurred() -> None:
    # As the ninth of eight faces, or one that the landmark model does not believe.
    anonymiser = Anonymiser("blur", FakeDetector(face_box(PLACE, SIZE)))
    frame = noise_frame(0)
    assert is_blurred(hidden_image(anonymiser, frame, faces_at(frame)))
    assert is_blurred(anonymiser.hide_alone(frame, faces_at(frame)).image_bgr)


def test_newcomers_are_the_heads_that_the_frame_before_did_not_have() -> None:
    anonymiser, other = Anonymiser("blur", FakeDetector()), (60.0, 60.0)
    newcomers = []
    for index, places in enumerate([[], [PLACE], [PLACE], [PLACE, other], [other]]):
        frame = noise_frame(index)
        newcomers.append(anonymiser.hide(frame, faces_at(frame, *places)).newcomers)
    head, other_head = (Head.of_points(face_points(place, SIZE)) for place in (PLACE, other))
    assert newcomers == [(), (head,), (), (other_head,), ()]


def test_a_face_missed_between_two_sightings_stays_blurred() -> None:
    anonymiser = Anonymiser("blur", FakeDetector())
    for index in range(10):
        frame = noise_frame(index)
        result = faces_at(frame) if 3 <= index < 7 else faces_at(frame, PLACE)
        assert is_blurred(hidden_image(anonymiser, frame, result)), index


def test_the_blur_over_a_lost_face_grows_and_ends() -> None:
    anonymiser = Anonymiser("blur", FakeDetector())
    last = round(HOLD_S * 25)
    blurred = []
    for index in range(last + 1):
        frame = noise_frame(index)
        result = faces_at(frame) if index else faces_at(frame, PLACE)
        blurred.append((hidden_image(anonymiser, frame, result) != frame.image_bgr).mean())
    assert blurred == sorted(blurred)
    assert blurred[-1] > 2 * blurred[0]
    after = noise_frame(last + 2)
    np.testing.assert_array_equal(hidden_image(anonymiser, after, faces_at(after)), after.image_bgr)


def test_a_moving_face_leaves_no_trail_but_a_jump_does() -> None:
    anonymiser = Anonymiser("blur", FakeDetector())
    for index in range(5):
        frame = noise_frame(index)
        hidden = hidden_image(anonymiser, frame, faces_at(frame, (100.0 + 4 * index, 120.0)))
    single = noise(4)
    cover_heads(single, [Head.of_points(face_points((116.0, 120.0), SIZE))], Mask())
    np.testing.assert_array_equal(hidden, single)
    frame = noise_frame(5)
    hidden = hidden_image(anonymiser, frame, faces_at(frame, (250.0, 120.0)))
    assert is_blurred(hidden, (116.0, 120.0))
    assert is_blurred(hidden, (250.0, 120.0))


def test_a_tiny_false_detection_does_not_uncover_a_large_face() -> None:
    detector = FakeDetector(FaceBox.around(face_points(PLACE, 6)))
    anonymiser = Anonymiser("blur", detector)
    anonymiser.hide(noise_frame(0), faces_at(noise_frame(0), PLACE))
    assert is_blurred(hidden_image(anonymiser, noise_frame(1), faces_at(noise_frame(1))))


CORNERS = [View((x, y), 100 / 128, (128, 128)) for x in (60, 260) for y in (60, 180)]


@pytest.mark.parametrize(("thorough", "searched_everywhere"), [(True, [0, 7]), (False, [])])
def test_files_are_searched_everywhere_four_times_a_second_and_cameras_never(
    thorough: bool, searched_everywhere: list[int]
) -> None:
    detector = FakeDetector(close_ups=CORNERS)
    anonymiser = Anonymiser("blur", detector, thorough)
    for index in range(10):
        anonymiser.hide(noise_frame(index), faces_at(noise_frame(index)))
    assert [i for i, views in enumerate(detector.looks) if views is None] == searched_everywhere
    looks = [list(views) for views in detector.looks if views is not None]
    assert all(views[0] == whole_picture((240, 320)) for views in looks)
    assert {view for views in looks[:5] for view in views[1:]} == set(CORNERS)


def test_a_face_is_found_within_half_of_the_delay_of_pictures() -> None:
    assert SEARCH_EVERY_S <= DELAY_S / 2


def test_a_still_image_is_searched_everywhere() -> None:
    detector = FakeDetector()
    Anonymiser("blur", detector, thorough=False).hide_alone(noise_frame(0), faces_at(noise_frame(0)))
    assert detector.looks == [None]


def test_another_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="'pixels'"):
        Anonymiser("pixels", FakeDetector())  # type: ignore[arg-type]


def fine_detail(image: ImageArray, part: tuple[slice, slice]) -> float:
    """Return the energy of detail finer than a tenth of a face, which recognition needs."""
    sharp = image.astype(np.float32)
    return float(np.square((sharp - cv2.GaussianBlur(sharp, (0, 0), 9))[part]).mean())


@pytest.mark.parametrize("degrees", [0, 25, -25])
def test_little_detail_is_left_of_a_real_face(degrees: int) -> None:
    rotation = cv2.getRotationMatrix2D((186, 135), degrees, 1.0)
    frame = Frame(np.asarray(cv2.warpAffine(astronaut(), rotation, (400, 400)), np.uint8))
    face = (slice(85, 180), slice(140, 232))
    hidden = Anonymiser("blur", blazeface()).hide_alone(frame, faces_at(frame)).image_bgr
    assert fine_detail(hidden, face) < 0.05 * fine_detail(frame.image_bgr, face)


def _frames(path: Path) -> list[ImageArray]:
    with av.open(str(path)) as video:
        return [np.asarray(frame.to_ndarray(format="bgr24"), np.uint8) for frame in video.decode(video=0)]


def _image(path: Path) -> ImageArray:
    image = cv2.imread(str(path))
    assert image is not None
    return np.asarray(image, np.uint8)


def test_the_command_line_blurs_a_video(tmp_path: Path, clips: Clips) -> None:
    video = clips.faces(8)
    output = ("--output", tmp_path / "o.mp4", "--anonymise", "blur", "--draw", "none")
    done = run_cli("--video", video, "--no-window", *output, *LIGHT_ARGUMENTS)
    assert done.exit_code == 0, done.stderr
    before, after = _frames(video), _frames(tmp_path / "o.mp4")
    assert len(after) == 8
    face = (slice(14, 100), slice(115, 180))
    for clear, hidden in zip(before, after, strict=True):
        assert fine_detail(hidden, face) < 0.1 * fine_detail(clear, face)


@pytest.mark.parametrize("mode", ["blur", "pixelate", "solid"])
def test_without_drawing_only_the_mask_changes_the_picture(tmp_path: Path, mode: Mode) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), astronaut())
    options = ("--output", tmp_path / "o.png", "--anonymize", mode, "--draw", "none")
    done = run_cli("--images", tmp_path / "a.png", *options, *LIGHT_ARGUMENTS)
    assert done.exit_code == 0, done.stderr
    frame = Frame(astronaut())
    with open_tracker("unet-light", "cpu", threads=1) as tracker:
        result = tracker.find(frame)
    expected = Anonymiser(mode, open_blazeface(1)).hide_alone(frame, result).image_bgr
    np.testing.assert_array_equal(_image(tmp_path / "o.png"), expected)
    changed = (expected != astronaut()).any(axis=2)
    assert 0.1 < changed.mean() < 0.35  # with two places that might be faces
    (face,) = result.faces
    x, y = np.rint(face.landmarks.points_frame).astype(int).T
    assert changed[y, x].mean() > 0.95


def test_the_command_line_scales_the_mask_and_warns_of_a_small_one(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), astronaut())
    areas = []
    for scale, lines in (("0.7", 1), ("1", 0), ("1.5", 0)):
        options = ("--output", tmp_path / "o.png", "--anonymise", "solid", "--draw", "none")
        done = run_cli("--images", tmp_path / "a.png", *options, "--mask-scale", scale, *LIGHT_ARGUMENTS)
        assert (done.exit_code, done.stderr.count("covers less than a head")) == (0, lines), done.stderr
        areas.append((_image(tmp_path / "o.png") != astronaut()).any(axis=2).mean())
    assert areas[0] < 0.7 * areas[1] < 0.7 * 0.6 * areas[2]


def test_the_command_line_shows_only_what_is_drawn(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), astronaut())
    output = ("--output", tmp_path / "points", "--anonymise", "points")
    done = run_cli("--images", tmp_path / "a.png", *output, *LIGHT_ARGUMENTS)
    assert done.exit_code == 0, done.stderr
    points = _image(tmp_path / "points" / "a.png")
    assert (points == points[0, 0]).all(axis=2).mean() > 0.95


@pytest.fixture
def video_of_jane(tmp_path: Path, clips: Clips) -> Path:
    """A video with sound whose metadata names a person and a place."""
    path = tmp_path / "jane.mp4"
    with av.open(str(clips.pictures(6, audio="aac"))) as source, av.open(str(path), "w") as target:
        target.metadata.update(title="Jane Doe", comment="Jane at home", location="+48.1+011.5/")
        copies = [
            (stream, target.add_stream_from_template(stream))
            for stream in (source.streams.video[0], source.streams.audio[0])
        ]
        for _, copy in copies:
            copy.metadata["handler_name"] = "Jane's"
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = next(copy for stream, copy in copies if stream.index == packet.stream_index)
                target.mux(packet)
    assert path.read_bytes().count(b"Jane") >= 4
    return path


def test_metadata_of_a_video_are_not_copied(tmp_path: Path, video_of_jane: Path) -> None:
    options = ("--video", video_of_jane, "--no-window", "--anonymise", "blur")
    done = run_cli(*options, "--output", tmp_path / "o.mp4", *LIGHT_ARGUMENTS)
    assert (done.exit_code, done.stderr.count("voices can be recognised")) == (0, 1)
    data = (tmp_path / "o.mp4").read_bytes()
    assert b"Jane" not in data
    assert b"+48" not in data


def test_an_output_without_sound_needs_no_warning_of_voices(tmp_path: Path, video_of_jane: Path) -> None:
    options = ("--video", video_of_jane, "--no-window", "--anonymise", "blur")
    silent = run_cli(*options, "--output", tmp_path / "o_%d.png", *LIGHT_ARGUMENTS)
    assert (silent.exit_code, silent.stderr) == (0, "")
