"""Decoding of maps of logits into points and presence."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from train.models.heatmap import HeatmapCodec
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
    logits = maps.float().flatten(2)
    flat = torch.log(torch.tensor(float(logits.shape[-1])))
    return logits.amax(dim=-1) - logits.logsumexp(dim=-1) + flat
