from __future__ import annotations

import numpy as np
import pytest

from tests.portraits import as_hdr, portrait
from tracker.sources.colour import is_bt709, matrix_of, to_bt709

SDR, PQ, HLG = 14, 16, 18
BT2020, P3 = 9, 12
_KNEE_CODE = 232  # 255 * 0.8 ** (1 / 2.4): below it tone mapping changes nothing


@pytest.mark.parametrize(
    ("size", "matrix"),
    [
        ((640, 480), 6),
        ((720, 576), 6),
        ((1024, 719), 6),
        ((1025, 480), 1),
        ((960, 720), 1),
        ((3840, 2160), 1),
    ],
)
def test_an_untagged_film_is_bt709_in_hd_and_bt601_below(size: tuple[int, int], matrix: int) -> None:
    assert matrix_of(2, 2, *size) == matrix
    assert [matrix_of(stated, 2, *size) for stated in (1, 5, 6, 9)] == [1, 5, 6, 9]
    assert matrix_of(2, PQ, *size) == matrix_of(2, HLG, *size) == BT2020


def test_only_hdr_and_wide_colours_are_converted() -> None:
    assert all(is_bt709(primaries, transfer) for primaries in (1, 2, 5, 6) for transfer in (1, 2, 6, 13))
    assert not any(is_bt709(*tags) for tags in [(1, PQ), (2, HLG), (BT2020, SDR), (P3, 13)])


@pytest.mark.parametrize(("name", "transfer"), [("pq", PQ), ("hlg", HLG)])
@pytest.mark.parametrize("primaries", [BT2020, 2])
def test_tone_mapping_gives_back_the_portrait(name: str, transfer: int, primaries: int) -> None:
    image = to_bt709(as_hdr(portrait(), name), 65_535, primaries, transfer)
    plain = portrait().max(axis=2) <= _KNEE_CODE
    assert plain.mean() > 0.9
    difference = np.abs(image.astype(int) - portrait())
    assert difference[plain].max() <= 2  # rounding of the matrices to four digits
    assert (image[~plain] <= portrait()[~plain].astype(int) + 2).all()
    assert image[~plain].mean() > 200


def test_bt2020_in_sdr_gives_back_the_portrait() -> None:
    image = to_bt709(as_hdr(portrait(), "sdr"), 65_535, BT2020, SDR)
    assert np.abs(image.astype(int) - portrait()).max() <= 2


def test_greys_keep_their_order_up_to_the_brightest_light() -> None:
    codes = np.repeat(np.arange(0, 65_536, 16, dtype=np.uint16)[None, :, None], 3, axis=2)
    for transfer in (PQ, HLG):
        image = to_bt709(codes, 65_535, BT2020, transfer)
        assert (np.diff(image[0, :, 0].astype(int)) >= 0).all()
        assert (image[0, 0].tolist(), image[0, -1].tolist()) == ([0, 0, 0], [255, 255, 255])
        assert (np.ptp(image, axis=2) <= 1).all()


def test_p3_red_is_redder_than_bt709_can_be() -> None:
    red, grey = np.array([[[0, 0, 255]]], np.uint8), np.full((1, 1, 3), 128, np.uint8)
    assert to_bt709(red, 255, P3, 13).tolist() == [[[0, 0, 255]]]
    assert to_bt709(grey, 255, P3, 13).tolist() == [[[128, 128, 128]]]
    soft = np.array([[[0, 0, 200]]], np.uint8)
    # Linear light (200/255)^2.4 = 0.558, times 1.2249, is 0.684 and code 218.
    assert to_bt709(soft, 255, P3, 13).tolist() == [[[0, 0, 218]]]


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 300_000, 3), (700, 1000, 3)])
def test_pictures_of_any_shape_are_converted_whole(shape: tuple[int, int, int]) -> None:
    codes = np.random.default_rng(0).integers(0, 65_536, shape, dtype=np.uint16)
    image = to_bt709(codes, 65_535, BT2020, HLG)
    for row in (0, shape[0] // 2, shape[0] - 1):
        alone = to_bt709(codes[row : row + 1], 65_535, BT2020, HLG)
        np.testing.assert_array_equal(image[row : row + 1], alone)
