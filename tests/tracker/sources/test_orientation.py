from __future__ import annotations

import numpy as np
import pytest

from tests.portraits import MATRICES, portrait, shown, stored
from tracker.sources.orientation import UPRIGHT, Orientation


@pytest.mark.parametrize("value", MATRICES)
def test_each_orientation_is_undone(value: int) -> None:
    a, b, c, d = MATRICES[value]
    image = stored(portrait(), value)
    np.testing.assert_array_equal(shown(image, value), portrait())
    exif, matrix = Orientation.from_exif(value), Orientation.from_matrix((a, b, 0, c, d, 0, 7, 9, 1))
    assert exif == matrix
    np.testing.assert_array_equal(exif.upright(image), portrait())


@pytest.mark.parametrize("turns", range(-1, 5))
def test_quarter_turns_are_those_of_numpy(turns: int) -> None:
    turned = Orientation.from_quarter_turns(turns).upright(portrait())
    np.testing.assert_array_equal(turned, np.rot90(portrait(), turns))


@pytest.mark.parametrize("value", [-1, 0, 9, 65_535])
def test_an_invalid_value_leaves_the_picture(value: int) -> None:
    assert Orientation.from_exif(value) == UPRIGHT


def test_other_matrices_count_as_the_nearest_of_the_eight() -> None:
    assert Orientation.from_matrix((0,) * 9) == UPRIGHT
    assert Orientation.from_matrix((60, 20, 0, -20, 60, 0, 0, 0, 1)) == UPRIGHT  # turned by 18 degrees
    assert Orientation.from_matrix((-10, 50, 0, -50, -10, 0, 0, 0, 1)) == Orientation.from_exif(6)
    assert Orientation.from_matrix((-131072, 0, 0, 0, 65536, 0, 0, 0, 1)) == Orientation.from_exif(2)


def test_grey_pictures_are_turned_as_well() -> None:
    grey = portrait()[..., 0]
    np.testing.assert_array_equal(Orientation.from_exif(6).upright(stored(grey, 6)), grey)
