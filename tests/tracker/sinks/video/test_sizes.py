import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.media import picture
from tracker.sinks.video.sizes import fit

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
