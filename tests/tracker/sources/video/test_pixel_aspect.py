"""The shape of pixels that films and streams state, against ffmpeg's container and codec options."""

from __future__ import annotations

import re
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import cast

import pytest

from tests.portraits import portrait, set_display_matrix, stored, write_film
from tests.squeezed import film, joined
from tracker.sources.camera.stream import StreamCapture
from tracker.sources.video.pixel_aspect import aspect_text, plausible, simple_ratio
from tracker.sources.video.source import VideoSource

CODECS = {
    "mp4": ("libx264", "yuv420p"), "mov": ("prores", "yuv422p10le"), "mkv": ("libx264", "yuv420p"),
    "avi": ("mpeg4", "yuv420p"), "ts": ("libx265", "yuv420p"), "wmv": ("msmpeg4", "yuv420p"),
    "mpg": ("mpeg2video", "yuv420p"),
}  # fmt: skip


def ratios(path: Path) -> list[float]:
    with VideoSource(path) as source:
        stated, seen = source.pixel_aspect, [frame.pixel_aspect for frame in source]
    assert seen[0] == float(stated)
    return seen


def ratios_of_stream(path: Path) -> list[float]:
    capture, seen = StreamCapture(str(path)), []
    while capture.grab():
        assert capture.retrieve()[0]
        seen.append(capture.pixel_aspect)
    capture.release()
    return seen


@pytest.mark.parametrize("suffix", sorted(CODECS))
def test_the_ratio_of_each_container_is_read(tmp_path: Path, suffix: str) -> None:
    # MPEG-2 states the shape of the picture, 16:9 here, for which pixels of 96x128 are 64:27.
    aspect = Fraction(64, 27) if suffix == "mpg" else Fraction(10, 11)
    path = film(tmp_path / f"a.{suffix}", aspect, *CODECS[suffix])
    expected = [pytest.approx(float(aspect), rel=1e-3)] * 3  # AVI holds the shape of the picture in 16 bits
    assert ratios(path) == expected
    assert ratios_of_stream(path) == expected


def test_a_turned_film_has_its_ratio_turned(tmp_path: Path) -> None:
    upright = {"sample_aspect_ratio": cast(int, Fraction(2))}
    for orientation, expected in ((1, 2.0), (3, 2.0), (6, 0.5), (7, 0.5)):
        path = write_film(tmp_path / f"{orientation}.mp4", [stored(portrait(), orientation)], tags=upright)
        set_display_matrix(path, orientation)
        assert ratios(path) == [expected]
        assert ratios_of_stream(path) == [expected]


@pytest.mark.parametrize("suffix", ["webm", "mkv", "dv"])
def test_a_ratio_that_only_the_container_states_is_read(tmp_path: Path, suffix: str) -> None:
    """Written by ffmpeg, since PyAV has no way to state it."""
    program = shutil.which("ffmpeg")
    if program is None:
        pytest.skip("ffmpeg is not installed: no second opinion")
    codec = {"webm": "libvpx-vp9", "mkv": "ffv1", "dv": "dvvideo"}[suffix]
    path = tmp_path / f"a.{suffix}"
    picture = "testsrc=s=720x576:r=25,format=yuv420p,setdar=16/9"
    command = [
        program,
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        picture,
        "-frames:v",
        "3",
        "-c:v",
        codec,
        str(path),
    ]
    subprocess.run(command, check=True)
    expected = [pytest.approx(64 / 45, rel=0.03)] * 3  # DV has 118:81, for a picture of 702 columns
    assert ratios(path) == expected
    assert ratios_of_stream(path) == expected


@pytest.mark.parametrize("aspect", [0, 100, Fraction(1, 9)])
def test_unknown_and_implausible_ratios_count_as_square(tmp_path: Path, aspect: int | Fraction) -> None:
    assert ratios(film(tmp_path / "a.mp4", aspect)) == [1.0] * 3


def test_the_container_counts_and_not_the_codec(tmp_path: Path) -> None:
    """As in ffmpeg and mpv. MOV states the ratio in a box ``pasp``: ISO/IEC 14496-12, 12.1.4."""
    path = film(tmp_path / "a.mp4", 2)
    data = path.read_bytes()
    at = data.index(b"pasp") + 4
    path.write_bytes(data[:at] + (4).to_bytes(4, "big") + (3).to_bytes(4, "big") + data[at + 8 :])
    assert ratios(path) == [pytest.approx(4 / 3)] * 3


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_a_ratio_may_change_at_a_key_frame(tmp_path: Path, codec: str) -> None:
    """The decoder is ahead of the pictures that it returns, by its B-frames and by its threads."""
    path = joined(tmp_path, codec, [2, 1, Fraction(1, 2)], count=30)
    expected = [2.0] * 30 + [1.0] * 30 + [0.5] * 30
    assert ratios(path) == expected
    assert ratios_of_stream(path) == expected


def test_a_bare_stream_of_jpeg_has_square_pixels_whatever_its_densities(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mjpeg", 2, "mjpeg", "yuvj420p")
    assert re.search(
        rb"JFIF\0\x01.\0\0\x02\0\x01", path.read_bytes(), re.DOTALL
    )  # the density is in the file
    assert ratios(path) == [1.0] * 3
    assert ratios(film(tmp_path / "a.avi", 2, "mjpeg", "yuvj420p")) == [2.0] * 3


def test_a_ratio_is_made_of_the_numbers_that_it_was_written_with() -> None:
    for ratio in (Fraction(10, 11), Fraction(663, 400), Fraction(8), Fraction(1, 8), Fraction(64, 45)):
        assert simple_ratio(float(ratio)) == plausible(ratio) == ratio
    assert aspect_text(16 / 15) == "16:15"
    assert plausible(None) == plausible(Fraction(0)) == plausible(Fraction(-1, 2)) == 1
