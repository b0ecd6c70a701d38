"""Decoding of maps of logits into points and presence."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from train.models.heatmap import HeatmapCodec, cell_weights
from train.models.output import LandmarkOutput


def read_maps(maps: Tensor, presence: nn.Linear) -> LandmarkOutput:
    """Return the points of ``maps``, and the presence that ``presence`` predicts from the peak heights."""
    # bfloat16 resolves half a pixel at the crop's edge, so coordinates are computed in float32.
    with torch.autocast(maps.device.type, enabled=False):
        return LandmarkOutput(HeatmapCodec.decode(maps), presence(peak_height(maps))[:, 0], maps)


def peak_height(maps: Tensor) -> Tensor:
    """Return by how much each map's largest log-softmax exceeds that of a flat map, ``(N, P)``, in nats.

    0 for a flat map; the logarithm of the number of cells for a map concentrated in a single cell.
    """
    weights = cell_weights(maps)
    # The largest weight is at least that of a flat map, so its logarithm is finite.
    return weights.amax(dim=-1).log() + math.log(weights.shape[-1])
