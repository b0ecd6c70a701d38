from collections.abc import Callable, Iterator

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faces import astronaut
from tracker.types import FloatArray, ImageArray
from train.data.phash import (
    HASH_BITS,
    MAX_DISTANCE,
    MIN_CORRELATION,
    SIZE,
    Appearance,
    NearCopy,
    appearance_of,
    near_copies,
)

SEEDS = st.integers(0, 2**32 - 1)


def picture(seed: int, size: int = 64) -> ImageArray:
    """Return a grey picture of random soft spots, different for each seed."""
    rng = np.random.default_rng(seed)
    spots = rng.integers(0, 256, (12, 12), np.uint8)
    return np.asarray(cv2.resize(spots, (size, size), interpolation=cv2.INTER_CUBIC), np.uint8)


def portrait(scale: float = 1.0) -> ImageArray:
    grey = cv2.cvtColor(astronaut()[60:220, 100:260], cv2.COLOR_BGR2GRAY)
    return np.asarray(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def reference_coefficients(small: ImageArray) -> FloatArray:
    """Return the 63 lowest coefficients of the DCT-II, computed by its definition in double precision."""
    order, place = np.arange(8)[:, None], np.arange(SIZE)[None, :]
    cosines = np.cos(np.pi * order * (2 * place + 1) / (2 * SIZE))
    cosines *= np.where(order == 0, np.sqrt(1 / SIZE), np.sqrt(2 / SIZE))
    return (cosines @ small.astype(np.float64) @ cosines.T).ravel()[1:]


@given(SEEDS)
def test_the_hash_follows_its_definition(seed: int) -> None:
    small = picture(seed, SIZE)
    for image, bits in (
        (small, appearance_of(small).bits),
        (small[:, ::-1], appearance_of(small).mirrored_bits),
    ):
        coefficients = reference_coefficients(image)
        distance = coefficients - np.median(coefficients)
        sure = np.abs(distance) > 1e-2  # float32 sums of 1024 terms up to 255
        assert sure.sum() >= HASH_BITS - 6
        np.testing.assert_array_equal(bits[sure], distance[sure] > 0)


@given(SEEDS)
def test_the_detail_has_no_mean_and_unit_length(seed: int) -> None:
    detail = appearance_of(picture(seed)).detail
    assert np.linalg.norm(detail) == pytest.approx(1, abs=1e-5)
    assert detail.sum() == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize(
    "change",
    [
        lambda grey: grey,
        lambda grey: cv2.resize(grey, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA),
        lambda grey: cv2.resize(grey, (133, 133), interpolation=cv2.INTER_LINEAR),
        lambda grey: cv2.imdecode(cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, 20])[1], 0),
        lambda grey: (0.6 * grey + 60).astype(np.uint8),
        lambda grey: (255 * (grey / 255) ** 1.6).astype(np.uint8),
        lambda grey: cv2.GaussianBlur(grey, (0, 0), 2),
        lambda grey: cv2.putText(grey.copy(), "FILM", (4, 150), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255, 2),
    ],
)
def test_a_changed_copy_is_found_plain_and_mirrored(change: Callable[[ImageArray], ImageArray]) -> None:
    others = [appearance_of(picture(seed)) for seed in range(3)]
    copy = change(portrait())
    assert near_copies([appearance_of(copy)], [*others, appearance_of(portrait())]) == [NearCopy(0, 3, False)]
    mirrored = np.ascontiguousarray(copy[:, ::-1])
    assert near_copies([appearance_of(mirrored)], [*others, appearance_of(portrait())]) == [
        NearCopy(0, 3, True)
    ]


def test_other_pictures_are_no_copies() -> None:
    first = [appearance_of(picture(seed)) for seed in range(200)]
    second = [appearance_of(picture(seed)) for seed in range(200, 400)]
    assert near_copies(first, [*second, appearance_of(portrait())]) == []


def test_blank_pictures_have_no_near_copies() -> None:
    blank = [appearance_of(np.full((50, 40), grey, np.uint8)) for grey in (0, 117, 255)]
    assert not any(one.detail.any() for one in blank)
    assert near_copies(blank, blank) == []


def test_empty_lists_have_no_copies() -> None:
    assert near_copies([], [appearance_of(portrait())]) == near_copies([appearance_of(portrait())], []) == []


def appearances_near(rng: np.random.Generator, count: int, base: Appearance) -> list[Appearance]:
    """Return appearances whose bits and detail differ from those of ``base`` by about the limits."""
    drawn = []
    for _ in range(count):
        flip = rng.permutation(HASH_BITS) < rng.integers(0, 2 * MAX_DISTANCE)
        noise = rng.standard_normal((SIZE, SIZE)) / SIZE
        noisy = base.detail + rng.uniform(0.3, 0.7) * noise
        detail = (noisy / np.linalg.norm(noisy)).astype(np.float32)
        turned = rng.random() < 0.5
        bits, mirrored = base.bits ^ flip, rng.random(HASH_BITS) < 0.5
        drawn.append(
            Appearance(mirrored, bits, detail[:, ::-1]) if turned else Appearance(bits, mirrored, detail)
        )
    return drawn


def test_blockwise_comparison_equals_pairwise_comparison() -> None:
    """There are more pictures than fit into one block, on both sides of the limits."""
    rng = np.random.default_rng(7)
    bases = [
        Appearance(rng.random(HASH_BITS) < 0.5, rng.random(HASH_BITS) < 0.5, detail)
        for detail in _details(rng, 5)
    ]
    first = [one for base in bases for one in appearances_near(rng, 220, base)]
    expected = []
    for index, one in enumerate(first):
        views = ((False, one.bits, one.detail), (True, one.mirrored_bits, one.detail[:, ::-1]))
        likeness = {
            (column, mirrored): float((detail.astype(np.float64) * base.detail).sum())
            for column, base in enumerate(bases)
            for mirrored, bits, detail in views
            if (bits != base.bits).sum() <= MAX_DISTANCE
        }
        near = {pair: value for pair, value in likeness.items() if value >= MIN_CORRELATION}
        if near:
            column, mirrored = max(near, key=near.__getitem__)
            expected.append(NearCopy(index, column, mirrored))
    assert 200 < len(expected) < 900
    assert {copy.mirrored for copy in expected} == {False, True}
    assert near_copies(first, bases) == expected


def _details(rng: np.random.Generator, count: int) -> Iterator[npt.NDArray[np.float32]]:
    for _ in range(count):
        detail = rng.standard_normal((SIZE, SIZE))
        yield (detail / np.linalg.norm(detail)).astype(np.float32)


def test_arrays_of_the_wrong_shape_are_refused() -> None:
    found = appearance_of(portrait())
    with pytest.raises(ValueError, match="63 bits, got"):
        Appearance(found.bits[1:], found.mirrored_bits, found.detail)
    with pytest.raises(ValueError, match="detail must be"):
        Appearance(found.bits, found.mirrored_bits, found.detail[1:])
