"""Films with each of the eight display matrices, against the upright original and against ffmpeg."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.portraits import MATRICES, portrait, set_display_matrix, stored, write_film
from tracker.sources.camera.stream import StreamCapture
from tracker.sources.video.source import VideoSource
from tracker.types import ImageArray

CODEC_LOSS = 1.5  # mean difference in grey levels; a picture the wrong way round is off by 40 and more


@pytest.fixture(params=sorted(MATRICES))
def film(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A film of the portrait, stored in one of the eight orientations."""
    path = write_film(tmp_path / "selfie.mp4", [stored(portrait(), request.param)] * 2)
    set_display_matrix(path, request.param)
    return path


def _difference(image: ImageArray, expected: ImageArray) -> float:
    assert image.shape == expected.shape
    return float(np.abs(image.astype(int) - expected).mean())


def test_every_frame_is_upright(film: Path) -> None:
    with VideoSource(film) as source:
        size, frames = source.size, list(source)
    assert size == portrait().shape[1::-1]
    assert len(frames) == 2
    for frame in frames:
        assert frame.image_bgr.flags.c_contiguous
        assert _difference(frame.image_bgr, portrait()) < CODEC_LOSS


def test_a_stream_is_upright(film: Path) -> None:
    capture = StreamCapture(str(film))
    assert capture.grab()
    _, image = capture.retrieve()
    capture.release()
    assert image is not None
    assert _difference(image, portrait()) < CODEC_LOSS


def test_ffmpeg_shows_the_same(film: Path) -> None:
    program = shutil.which("ffmpeg")
    if program is None:
        pytest.skip("ffmpeg is not installed: no second opinion")
    command = [
        program,
        "-v",
        "error",
        "-i",
        str(film),
        "-frames:v",
        "1",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "bgr24",
        "-",
    ]
    data = subprocess.run(command, capture_output=True, check=True).stdout
    with VideoSource(film) as source:
        width, height = source.size
        ours = next(iter(source)).image_bgr
    theirs = np.frombuffer(data, np.uint8).reshape(height, width, 3)
    assert _difference(ours, theirs) < CODEC_LOSS
