"""Recordings joined with ``cat``: nothing is lost, and nothing behind the joint is damaged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.media import picture_index
from tests.torture import B_FRAMES, UNDAMAGED, X264, Recipe
from tracker.sources.video.source import VideoSource
from tracker.types import Frame

_X265 = {"preset": "veryfast", "x265-params": "log-level=0"}
_STREAMS = (
    Recipe("sound.ts", codec_options=B_FRAMES, audio=("aac",)),
    Recipe("two_sounds.ts", codec_options=X264, audio=("mp2", "aac")),
    Recipe("hevc.ts", "libx265", codec_options=_X265, audio=("aac",)),
    Recipe("mpeg2.ts", "mpeg2video", codec_options={"bf": "2"}, audio=("mp2",)),
    Recipe("disc.m2ts", codec_options=B_FRAMES, container_options={"mpegts_m2ts_mode": "1"}),
)
# A second header in these is none: libav, like players, shows the first film only.
_FIRST_ONLY = frozenset({"mp4", "mov", "flv", "wmv"})


def _is_one_film(recipe: Recipe) -> bool:
    return recipe.name.rpartition(".")[2] in _FIRST_ONLY and recipe.format is None


def _frames(path: Path) -> list[Frame]:
    with VideoSource(path) as source:
        frames = list(source)  # an error would end this test
        assert source.exhausted
    assert all(frame.damage is None for frame in frames)
    return frames


@pytest.mark.parametrize("recipe", [*UNDAMAGED, *_STREAMS], ids=lambda recipe: recipe.name)
def test_a_film_twice_over_is_undamaged(tmp_path: Path, recipe: Recipe) -> None:
    path = recipe.write(tmp_path)
    once = _frames(path)
    path.write_bytes(2 * path.read_bytes())
    if recipe.name == "fragments.mp4":  # libav leaves fragments out, whose times it has had
        assert len(_frames(path)) >= len(once)
        return
    twice = _frames(path)
    indices = [index % 64 for index in range(len(recipe.ticks))]
    parts = 1 if _is_one_film(recipe) else 2
    upright = [np.rot90(frame.image_bgr, -recipe.rotation // 90) for frame in twice]
    assert [picture_index(image) for image in upright] == parts * indices
    times = np.array([frame.time_s for frame in twice])
    assert (np.diff(times) > 0).all()
    if parts == 2 and len(once) > 1:  # the second part has the times of the first, moved
        np.testing.assert_allclose(np.diff(times[len(once) :]), np.diff(times[: len(once)]), atol=2e-3)


@pytest.mark.parametrize("codec", ["libx264", "libx265", "mpeg2video"])
def test_recordings_of_different_length_and_clock_are_joined(tmp_path: Path, codec: str) -> None:
    options = {"libx264": B_FRAMES, "libx265": _X265}.get(codec, {"bf": "2"})
    first = Recipe("a.ts", codec, codec_options=options, ticks=range(300, 350))
    second = replace(first, name="b.ts", ticks=range(20))
    joined = tmp_path / "joined.ts"
    joined.write_bytes(first.write(tmp_path).read_bytes() + second.write(tmp_path).read_bytes())
    frames = _frames(joined)
    assert [picture_index(frame.image_bgr) for frame in frames] == [*range(50), *range(20)]
    np.testing.assert_allclose(np.diff([frame.time_s for frame in frames]), 1 / 30, atol=1e-3)
