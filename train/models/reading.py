"""What maps of logits say: where each point is, and whether there is a face at all."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from train.models.heatmap import HeatmapCodec
from train.models.output import LandmarkOutput


def read_maps(maps: Tensor, presence: nn.Linear) -> LandmarkOutput:
    """Points, and the presence that ``presence`` sees in the heights of their peaks."""
    # bfloat16 resolves half a pixel at the crop's edge: coordinates are made in float32.
    with torch.autocast(maps.device.type, enabled=False):
        return LandmarkOutput(HeatmapCodec.decode(maps), presence(peak_height(maps))[:, 0], maps)


def peak_height(maps: Tensor) -> Tensor:
    """How far each map's largest softmax weight stands above a flat map's, ``(N, P)``, in nats.

    0 for a flat map; the logarithm of the number of cells for one that is sure of a single cell.
    """
    logits = maps.float().flatten(2)
    flat = torch.log(torch.tensor(float(logits.shape[-1])))
    return logits.amax(dim=-1) - logits.logsumexp(dim=-1) + flat
