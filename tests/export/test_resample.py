"""Resampling inside exported graphs, against torch's own."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.nn.functional import interpolate  # noqa: E402

from export.resample import Resample  # noqa: E402
from tracker.geometry import CROP_SIZE  # noqa: E402


@pytest.mark.parametrize("size", [32, 64, 96, 112, 128, 160, 223])
def test_every_pixel_is_that_of_antialiased_bilinear_interpolation(size: int) -> None:
    """Both sum up to 13 x 13 products of grey levels in float32, in another order: 255 * 169 * 2**-24."""
    crops = torch.from_numpy(
        np.random.default_rng(size).uniform(0, 255, (2, 1, CROP_SIZE, CROP_SIZE))
    ).float()
    expected = interpolate(crops, size=(size, size), mode="bilinear", antialias=True)
    assert (Resample(size)(crops) - expected).abs().max().item() < 5e-3


def test_the_border_keeps_a_flat_crop_flat() -> None:
    flat = torch.full((1, 1, CROP_SIZE, CROP_SIZE), 200.0)
    assert (Resample(96)(flat) - 200.0).abs().max().item() < 1e-3


def test_resampling_keeps_pixel_centres() -> None:
    """A linear ramp is preserved, sampled at the centres of the new pixels; borders lose half a filter.

    The sampled triangle is off centre by at most 1/24 of a pixel; a wrong convention by 0.67.
    """
    ys, xs = np.mgrid[:CROP_SIZE, :CROP_SIZE].astype(np.float32)
    size, scale = 96, CROP_SIZE / 96
    inner = slice(2, -2)
    small = Resample(size)(torch.from_numpy(np.stack([xs, ys])[:, None])).numpy()[:, 0]
    centres = (np.arange(size) + 0.5) * scale - 0.5
    assert np.abs(small[0] - centres[None, :])[inner, inner].max() < 0.05
    assert np.abs(small[1] - centres[:, None])[inner, inner].max() < 0.05
