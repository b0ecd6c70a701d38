from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.media import picture_index
from tests.torture import SOUND, Recipe, counted
from tracker.sources import VideoSource


@pytest.mark.parametrize("recipe", SOUND, ids=lambda recipe: recipe.name)
def test_every_frame_once_with_its_own_time(tmp_path: Path, recipe: Recipe) -> None:
    path = recipe.write(tmp_path)
    with VideoSource(path) as source:
        frames = list(source)
        assert source.exhausted
        size = source.size
    count, times = counted(path)
    assert len(frames) == count == len(recipe.ticks)
    assert [f.index for f in frames] == list(range(count))
    got = [f.time_s for f in frames]
    if times is not None:
        assert got == times
    else:  # a raw stream: at the rate that it states
        np.testing.assert_allclose(np.diff(got), 1 / 30)
    upright = [np.rot90(f.image_bgr, -recipe.rotation // 90) for f in frames]
    assert [picture_index(image) for image in upright] == list(range(count))
    assert {f.image_hw[::-1] for f in frames} == {size}
    assert sorted(size) == sorted(recipe.size)
    assert all(f.damage is None for f in frames)
