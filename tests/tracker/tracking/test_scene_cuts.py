"""Scene cuts: another scene is a cut; a change of light, noise and motion are not."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faces import astronaut
from tests.strategies import floats
from tracker.tracking.scene_cuts import CutDetector
from tracker.tracking.search import thumbnail
from tracker.types import ImageArray


def cut_detector() -> Callable[[ImageArray], bool]:
    """A new detector that takes pictures instead of their thumbnails."""
    detector = CutDetector()
    return lambda image: detector.looks_cut(thumbnail(image))


def scene(seed: int, hw: tuple[int, int] = (120, 160)) -> ImageArray:
    """Soft blotches, in other places for another seed."""
    coarse = np.random.default_rng(seed).integers(20, 230, (8, 8), dtype=np.uint8)
    grey = cv2.resize(coarse, hw[::-1], interpolation=cv2.INTER_CUBIC)
    return np.repeat(grey[..., None], 3, axis=2)


def test_another_scene_is_one_cut() -> None:
    is_cut = cut_detector()
    assert [is_cut(scene(seed)) for seed in (1, 1, 2, 2, 1)] == [False, False, True, False, True]


@given(gain=floats(0.4, 1.1), bias=st.integers(-10, 10), sigma=floats(0, 15))
def test_light_and_noise_are_no_cut(gain: float, bias: int, sigma: float) -> None:
    is_cut, noise = cut_detector(), np.random.default_rng(0).normal(0, sigma, (120, 160, 3))
    is_cut(scene(3))
    changed = (scene(3).astype(float) * gain + bias + noise).clip(0, 255).astype(np.uint8)
    assert not is_cut(changed)


def test_motion_is_no_cut() -> None:
    is_cut, picture = cut_detector(), astronaut()
    assert not any(is_cut(np.ascontiguousarray(picture[:, x : x + 300])) for x in range(0, 100, 20))


def test_blank_frames_are_skipped() -> None:
    is_cut, black = cut_detector(), np.zeros((120, 160, 3), np.uint8)
    assert not any(is_cut(image) for image in (scene(1), black, black, scene(1)))
    assert is_cut(scene(2))


@pytest.mark.parametrize("hw", [(1, 1), (2, 500), (9, 7), (1080, 1920)])
def test_frames_of_any_size_are_compared(hw: tuple[int, int]) -> None:
    is_cut = cut_detector()
    assert not is_cut(scene(1, hw))
    assert not is_cut(scene(1, hw))


def test_a_video_may_change_its_size() -> None:
    is_cut = cut_detector()
    assert not is_cut(scene(1, (240, 320)))
    assert not is_cut(scene(1, (480, 640)))
