"""BlazeFace gives the same faces as MediaPipe's FaceDetector on the same pixels.

MediaPipe runs in a process of its own: under ``$TRACKER_MEDIAPIPE_PYTHON``, an interpreter of any
environment with mediapipe in it, or under this one if it has mediapipe.
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.faces import HERE, astronaut, blazeface
from tracker.errors import BackendError
from tracker.geometry import Raster
from tracker.inference.detection.blazeface import _network_input as network_input
from tracker.inference.detection.box_correction import BoxCorrection, RawFace
from tracker.inference.detection.mediapipe import MediaPipeDetector
from tracker.inference.detection.views import View, close_ups, passes, whole_picture
from tracker.inference.weights import find_model
from tracker.types import FaceBox, Frame, ImageArray

MIN_IOU = 0.98
MAX_SCORE_DIFFERENCE = 0.01
STILLS = 60
FRAMES_PER_CLIP = 5

has_mediapipe = importlib.util.find_spec("mediapipe") is not None


def converted(image_bgr: ImageArray, view: View) -> ImageArray:
    """Return ``view`` as MediaPipe's OpenCV converter does, rounding included, by the same calls."""
    corners = np.array([[0, 1], [0, 0], [1, 0], [1, 1]], np.float32) * np.array(view.size, np.float32)
    to_view = cv2.getPerspectiveTransform(view.to_frame(corners).astype(np.float32), corners)
    seen = cv2.warpPerspective(image_bgr, to_view, view.size, flags=cv2.INTER_LINEAR)
    return np.asarray(cv2.cvtColor(seen, cv2.COLOR_BGR2RGB), np.uint8)


@pytest.mark.parametrize("quarters", range(4))
@pytest.mark.parametrize("image_hw", [(512, 512), (480, 640), (301, 517), (100, 90)])
def test_our_affine_map_samples_the_same_pixels(image_hw: tuple[int, int], quarters: int) -> None:
    """Either form may round a place to 1/32 of a pixel, and the bars are edges of 255 levels a pixel."""
    image = np.asarray(cv2.resize(astronaut(), image_hw[::-1]), np.uint8)
    for view in (whole_picture(image_hw), *passes(image_hw, quarters), *close_ups(image_hw)):
        apart = np.abs(network_input(Raster(image), view).astype(int) - converted(image, view))
        assert apart.max() <= 255 / 32
        assert apart.mean() < 0.1


def ask_mediapipe(pictures: list[ImageArray], folder: Path) -> dict[str, Any]:
    """MediaPipe's faces for BGR ``pictures``, as ``mediapipe_oracle.py`` prints them."""
    python = os.environ.get("TRACKER_MEDIAPIPE_PYTHON") or (sys.executable if has_mediapipe else None)
    if python is None:
        pytest.skip("mediapipe is not installed and TRACKER_MEDIAPIPE_PYTHON is not set")
    paths = [folder / f"{i}.npy" for i in range(len(pictures))]
    for path, picture in zip(paths, pictures, strict=True):
        np.save(path, picture[..., ::-1])
    model = find_model("blazeface-short-tflite", "mediapipe").verified()
    command = [python, HERE / "mediapipe_oracle.py", model, *paths]
    run = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    answer: dict[str, Any] = json.loads(run.stdout)
    return answer


def assert_same(ours: RawFace, theirs: dict[str, Any], whole_pixels: bool) -> None:
    assert abs(ours.box.score - theirs["score"]) <= MAX_SCORE_DIFFERENCE
    tolerance = (1 - MIN_IOU) / 2 * ours.box.width
    np.testing.assert_allclose(ours.keypoints_frame, theirs["keypoints"], rtol=0, atol=tolerance)
    other = FaceBox(*theirs["box"])
    if not whole_pixels:
        assert ours.box.iou(other) >= MIN_IOU
        return
    # Newer releases round corner and size to whole pixels and clip the box to the picture.
    corner = max(ours.box.x0, 0.0), max(ours.box.y0, 0.0)
    np.testing.assert_allclose((other.x0, other.y0), corner, rtol=0, atol=1 + tolerance)
    np.testing.assert_allclose(other.width, ours.box.width, rtol=0, atol=1 + tolerance)
    np.testing.assert_allclose(other.height, ours.box.height, rtol=0, atol=1 + tolerance)


def assert_parity(pictures: list[ImageArray], folder: Path) -> int:
    """Compare all faces of all pictures and return their number."""
    detector = blazeface()
    answer = ask_mediapipe(pictures, folder)
    count = 0
    for picture, theirs in zip(pictures, answer["pictures"], strict=True):
        ours = detector.detect_raw(picture)
        assert len(ours) == len(theirs)
        for one, other in zip(ours, sorted(theirs, key=lambda face: -face["score"]), strict=True):
            assert_same(one, other, answer["whole_pixels"])
        count += len(ours)
    return count


def varied_pictures() -> Iterator[ImageArray]:
    """The portrait whole, tall, wide, turned, tiny and huge, and a picture without a face."""
    image = astronaut()
    yield image
    yield image[:, 90:289]
    yield image[20:261]
    yield cv2.warpAffine(image, cv2.getRotationMatrix2D((187, 117), 35, 1), (400, 400))  # type: ignore[misc]
    for size in (57, 128, 333, 2000):
        yield cv2.resize(image, (size, size))  # type: ignore[misc]
    yield np.zeros((1, 1, 3), np.uint8)
    yield np.full((90, 160, 3), 127, np.uint8)


def frames_of(clip: Path) -> Iterator[ImageArray]:
    capture = cv2.VideoCapture(str(clip))
    step = max(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) // FRAMES_PER_CLIP, 1)
    for index in itertools.count():
        if not capture.grab():
            break
        if index % step == 0:
            yield np.asarray(capture.retrieve()[1], np.uint8)
    capture.release()


def test_parity_on_variations_of_one_portrait(tmp_path: Path) -> None:
    assert assert_parity(list(varied_pictures()), tmp_path) >= 7


@pytest.mark.slow
def test_parity_on_real_pictures(tmp_path: Path, data_dir: Path) -> None:
    stills = sorted((data_dir / "300w").glob("*/testset/*.jpg"))
    pictures = [
        np.asarray(cv2.imread(str(path)), np.uint8) for path in stills[:: max(len(stills) // STILLS, 1)]
    ]
    for clip in sorted((data_dir / "videos").glob("*.mp4")):
        pictures.extend(frames_of(clip))
    assert assert_parity(pictures, tmp_path) >= STILLS


@pytest.mark.skipif(not has_mediapipe, reason="mediapipe is not installed")
def test_the_mediapipe_detector_agrees_with_blazeface() -> None:
    ours = blazeface()
    model = find_model("blazeface-short-tflite", "mediapipe").verified()
    correction = BoxCorrection.from_meta(find_model("blazeface-short", "detector").meta)
    image = astronaut()[:300]
    with contextlib.closing(MediaPipeDetector(model, correction)) as adapter:
        (raw,), (other,) = ours.detect_raw(image), adapter.detect(Frame(image))  # whole picture, no close-ups
        assert adapter.detect(Frame(np.zeros((1, 1, 3), np.uint8))) == []
        with pytest.raises(ValueError, match=r"uint8 \(H, W, 3\)"):
            adapter.detect_raw(image[..., 0])
    one = correction.apply(raw)
    assert other.score == pytest.approx(one.score, abs=MAX_SCORE_DIFFERENCE)
    assert other.roll_rad == pytest.approx(one.roll_rad, abs=1e-3)
    np.testing.assert_allclose(other.xyxy, one.xyxy, rtol=0, atol=0.1)


@pytest.mark.skipif(not has_mediapipe, reason="mediapipe is not installed")
def test_an_error_names_the_file_that_mediapipe_does_not_open(tmp_path: Path) -> None:
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"TFL3 and nothing")
    for path in (broken, tmp_path / "gone.tflite"):
        with pytest.raises(BackendError, match=path.name):
            MediaPipeDetector(path, BoxCorrection(np.zeros((4, 13))))


@pytest.mark.skipif(not has_mediapipe, reason="mediapipe is not installed")
def test_its_libraries_write_nothing_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    model = find_model("blazeface-short-tflite", "mediapipe").verified()
    with contextlib.closing(MediaPipeDetector(model, BoxCorrection(np.zeros((4, 13))))) as adapter:
        assert len(adapter.detect_raw(astronaut())) == 1
    assert capfd.readouterr().err == ""
