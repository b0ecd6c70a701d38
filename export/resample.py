"""Resampling of crops inside an exported graph, by operators that every runtime computes alike and fast."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate, pad, pixel_shuffle

from tracker.geometry import CROP_SIZE

KERNEL = "resample.kernel"
"""Name of the kernel in an exported graph."""


class Resample(nn.Module):
    """Resampling of square crops to ``size`` pixels, fewer than they have.

    The filter is that of bilinear interpolation with antialiasing, pixel centres at whole numbers. Its taps
    repeat after every ``phases`` = size / gcd(size, 224) output pixels, so that one strided convolution with
    ``phases`` squared outputs computes all of them. At the borders of the crop taps are missing and the
    others weigh more, which ``gain`` ``(1, 1, size, size)`` makes up for.
    """

    kernel: Tensor
    gain: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        common = math.gcd(size, CROP_SIZE)
        self._phases, self._stride = size // common, CROP_SIZE // common
        taps, before = _taps(size, common, self._stride)
        after = (common - 1) * self._stride + taps.shape[1] - before - CROP_SIZE
        self._pad = (before, max(after, 0))
        kernel = taps[:, None, :, None] * taps[None, :, None, :]
        self.register_buffer("kernel", kernel.reshape(-1, 1, *kernel.shape[2:]))
        self.register_buffer("gain", torch.ones(1, 1, 1, 1))
        self.gain = 1 / self(torch.ones(1, 1, CROP_SIZE, CROP_SIZE))

    def forward(self, crop: Tensor) -> Tensor:
        """Resample ``(N, 1, 224, 224)`` to ``(N, 1, size, size)``, both float grey levels."""
        before, after = self._pad
        if before != after:
            crop, before = pad(crop, self._pad * 2), 0
        small = conv2d(crop, self.kernel, stride=self._stride, padding=before)
        return (pixel_shuffle(small, self._phases) if self._phases > 1 else small) * self.gain


def _taps(size: int, common: int, stride: int) -> tuple[Tensor, int]:
    """Return the taps of each phase ``(phases, K)``, and how many lie before a phase's first input pixel.

    They are taken from the middle of the crop, where none is missing.
    """
    unit = torch.eye(CROP_SIZE)[None, None]
    rows = interpolate(unit, size=(size, CROP_SIZE), mode="bilinear", antialias=True)[0, 0]
    phases, middle = size // common, common // 2
    taps = rows[middle * phases : (middle + 1) * phases]
    used = taps.abs().sum(dim=0).nonzero()[:, 0].tolist()
    return taps[:, used[0] : used[-1] + 1], middle * stride - used[0]
