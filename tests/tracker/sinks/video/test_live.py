from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.media import picture, picture_index
from tracker.sinks.video.live import LiveVideoSink, fit
from tracker.sources.video.source import VideoSource


def test_pictures_of_another_size_are_scaled_into_the_first(tmp_path: Path) -> None:
    with LiveVideoSink(tmp_path / "o.mp4") as sink:
        for index, size in enumerate([(64, 48), (128, 96), (48, 64), (64, 48)]):
            sink.write(picture(9 + index, *size), index / 25)
    with VideoSource(tmp_path / "o.mp4") as video:
        frames = list(video)
    assert [frame.image_hw for frame in frames] == [(48, 64)] * 4
    assert [picture_index(frames[i].image_bgr) for i in (0, 1, 3)] == [9, 10, 12]
    upright = frames[2].image_bgr
    assert upright[:, :10].max() < 40  # black bars left and right
    assert picture_index(upright[:, 14:50]) == 11


sides = st.integers(1, 60)


@given(sides, sides, sides, sides)
def test_fit_keeps_shape_and_centre(height: int, width: int, to_height: int, to_width: int) -> None:
    white = np.full((height, width, 3), 255, np.uint8)
    fitted = fit(white, (to_height, to_width))
    assert fitted.shape == (to_height, to_width, 3)
    rows, columns = np.flatnonzero(fitted[:, :, 0].any(1)), np.flatnonzero(fitted[:, :, 0].any(0))
    assert len(rows) == to_height or len(columns) == to_width
    scale = min(to_height / height, to_width / width)
    assert len(rows) == pytest.approx(scale * height, abs=1)
    assert len(columns) == pytest.approx(scale * width, abs=1)
    assert abs((to_height - 1 - rows[-1]) - rows[0]) <= 1
    assert abs((to_width - 1 - columns[-1]) - columns[0]) <= 1


def test_what_fits_is_not_copied() -> None:
    image = picture(1)
    assert fit(image, (48, 64)) is image
