"""Colours of written films: tags, and copies of copies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from tests.portraits import BT709, BT2020, as_hdr, portrait, write_film
from tests.video_copy import copy_video
from tracker.sinks.video import formats
from tracker.sources.video.source import VideoSource
from tracker.types import FloatArray

GENERATIONS = 5
_UNTAGGED_HD = {"matrix": BT709}


def _means(path: Path) -> FloatArray:
    """Return the mean of each channel over all frames."""
    with VideoSource(path) as source:
        return np.asarray(np.mean([frame.image_bgr.mean(axis=(0, 1)) for frame in source], axis=0))


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        (".mp4", {"preset": "veryfast", "crf": "4", "bf": "0"}),
        (".webm", {"crf": "4", "b": "0", "cpu-used": "8"}),
    ],
)
def test_a_copy_of_a_copy_does_not_darken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, options: dict[str, str]
) -> None:
    form = replace(formats._FORMATS[suffix], options=options)  # noqa: SLF001 - almost without loss
    monkeypatch.setitem(formats._FORMATS, suffix, form)  # noqa: SLF001
    path = write_film(tmp_path / "0.mp4", [portrait()] * 3)
    before = _means(path)
    np.testing.assert_allclose(before, portrait().mean(axis=(0, 1)), atol=0.2)
    for generation in range(1, GENERATIONS + 1):
        copy = tmp_path / f"{generation}{suffix}"
        copy_video(path, copy)
        path = copy
    drift = (_means(path) - before) / GENERATIONS
    assert np.abs(drift).max() < 0.2, drift


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm", ".avi"])
def test_what_is_written_is_tagged_as_it_is(tmp_path: Path, suffix: str) -> None:
    """BT.709 within 16..235: what the pixels are, whatever the input was."""
    tags = {"colorspace": 9, "color_trc": 18, "color_primaries": 9}
    hdr = [as_hdr(portrait(), "hlg")] * 3
    path = write_film(tmp_path / "in.mp4", hdr, "libx265", "yuv444p10le", BT2020, tags)
    out = tmp_path / f"out{suffix}"
    copy_video(path, out)
    with av.open(str(out)) as container:
        frame = next(container.decode(video=0))
    assert (frame.colorspace, frame.color_range) == (1, 1)
    if suffix != ".webm":  # VP9 states the matrix only
        assert (frame.color_primaries, frame.color_trc) == (1, 1)
    with VideoSource(path) as source, VideoSource(out) as copied:
        read, written = next(iter(source)).image_bgr, next(iter(copied)).image_bgr
    assert np.abs(read.mean(axis=(0, 1)) - written.mean(axis=(0, 1))).max() < 1


def test_a_gif_is_as_bright_as_its_original(tmp_path: Path) -> None:
    path = write_film(tmp_path / "in.mp4", [portrait()] * 3)
    copy_video(path, tmp_path / "out.gif")
    assert np.abs(_means(tmp_path / "out.gif") - _means(path)).max() < 3  # 256 colours
