import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.geometry import CropTransform
from train.data.augment import GeometryPolicy, PhotometricPolicy
from train.data.dataset import MINED_SHARE, FaceCrops, SampleRecipe
from train.data.faceless import FacelessPicture, faceless_side, place_crop, read_faceless, with_mined
from train.data.sides import Side
from train.errors import DataError


def test_pictures_are_read_with_their_kind(tmp_path: Path) -> None:
    (tmp_path / "files.csv").write_text("file,kind,origin\ncat_001.jpg,cat,somewhere\n")
    with pytest.raises(DataError, match=r"files\.csv:2: the image .*cat_001\.jpg' is missing"):
        read_faceless(tmp_path)
    assert cv2.imwrite(str(tmp_path / "cat_001.jpg"), np.zeros((40, 60, 3), np.uint8))
    assert read_faceless(tmp_path) == [FacelessPicture(tmp_path / "cat_001.jpg", "cat")]


def test_the_side_depends_on_the_name_only() -> None:
    one, other = (FacelessPicture(Path(folder) / "cat_001.jpg", "cat") for folder in ("a", "b"))
    assert faceless_side(one) is faceless_side(other)
    assert {faceless_side(FacelessPicture(Path(f"{n}.jpg"), "cat")) for n in range(500)} == set(Side)


@given(st.integers(8, 2000), st.integers(8, 2000), st.integers(0, 2**32 - 1))
def test_crops_lie_in_or_near_the_picture(height: int, width: int, seed: int) -> None:
    crop = place_crop((height, width), 64, np.random.default_rng(seed))
    x, y = crop.center
    assert -0.6 * width - height < x < 1.6 * width + height
    assert -0.6 * height - width < y < 1.6 * height + width
    assert crop.side <= max(1.2 * min(height, width), 8)
    assert crop.size == 64


def test_mined_crops_are_those_of_the_table(tmp_path: Path) -> None:
    table = tmp_path / "mined.jsonl"
    table.write_text(
        '{"image": "noface/a.jpg", "crop": [10, 20, 30, 0.5]}\n'
        '{"image": "groups/b.jpg", "crop": [1, 2, 3, 0]}\n'
        '{"image": "noface/a.jpg", "crop": [11, 21, 31, -3]}\n'
    )
    pictures = [FacelessPicture(tmp_path / "noface" / name, "dog") for name in ("a.jpg", "c.jpg")]
    first, second = with_mined(pictures, tmp_path, table)
    assert first.mined == (CropTransform((10, 20), 30, 0.5), CropTransform((11, 21), 31, -3))
    assert second.mined == ()


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        '{"image": "a.jpg", "crop": ["1", 2, 3, 0]}',
        '{"image": "a.jpg", "crop": [1, 2, 3]}',
        '{"crop": [1, 2, 0, 0]}',
        "x",
    ],
)
def test_a_line_without_a_crop_is_named(tmp_path: Path, line: str) -> None:
    table = tmp_path / "mined.jsonl"
    table.write_text(line + "\n")
    with pytest.raises(DataError, match=r"mined\.jsonl:1: not a line with a crop"):
        with_mined([], tmp_path, table)


def test_crops_are_mostly_the_mined_ones(tmp_path: Path) -> None:
    image = np.zeros((200, 200), np.uint8)
    image[90:110, 90:110] = 255  # a mined crop sees nothing but the square
    cv2.imwrite(str(tmp_path / "a.png"), image)
    mined = (CropTransform((99.5, 99.5), 10.0, 0.0),)
    still = GeometryPolicy(angle_std_deg=0, scale_std=0, shift_std=0)
    recipe = SampleRecipe(still, PhotometricPolicy(occlusion=0))
    crops = FaceCrops([FacelessPicture(tmp_path / "a.png", "thing", mined=mined)] * 300, 32, recipe)
    inside = sum(bool(crops[i][0].min() > 60) for i in range(300))
    # Four standard deviations of 300 draws.
    assert inside / 300 == pytest.approx(MINED_SHARE, abs=4 * math.sqrt(0.25 / 300))
    assert all(float(crops[i][2]) == 0 for i in range(5))
