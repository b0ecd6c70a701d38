from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.media import picture, picture_index
from tracker.drawing.picture import Picture
from tracker.sinks.video.sink import VideoSink
from tracker.sinks.video.sizes import fit, shrunk_hw
from tracker.sources.video.source import VideoSource

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


def test_a_picture_of_the_right_size_is_not_copied() -> None:
    image = picture(1)
    assert fit(image, (48, 64)) is image


@pytest.mark.parametrize(
    ("image_hw", "expected"),
    [((1080, 1920), (360, 640)), ((1920, 1080), (640, 360)), ((48, 64), (48, 64)), ((3, 6400), (1, 640))],
)
def test_a_picture_is_shrunk_to_its_longest_side(
    image_hw: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert shrunk_hw(image_hw, 640) == expected
    assert shrunk_hw(image_hw, None) == image_hw


def test_a_gif_of_a_large_film_stays_small(tmp_path: Path) -> None:
    with VideoSink(str(tmp_path / "o.gif")) as sink:
        for index in range(10):
            sink.write(Picture(picture(index, 1920, 1080), index / 25))
    with VideoSource(tmp_path / "o.gif") as source:
        frames = list(source)
    assert [frame.image_hw for frame in frames] == [(360, 640)] * 10
    assert [picture_index(frame.image_bgr) for frame in frames] == list(range(10))
