"""Evaluation of a network alone: on crops around the labels, or on whole pictures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from tracker.types import FloatArray
from train.errors import RunError
from train.evaluation.labelled import LabelCrops, LabelledSet
from train.evaluation.results import Evaluation

BATCH = 32


def label_box(
    labelled: LabelledSet,
    network: nn.Module,
    crops: LabelCrops,
    on_crop: Callable[[], None] = lambda: None,
) -> Evaluation:
    """Run ``network`` on the ``crops`` of ``labelled``; ``on_crop`` is called after each.

    The network maps uint8 ``(N, 1, H, W)`` to an output with ``points`` ``(N, P, 2)`` in crop sides from the
    crop's centre. Raises :class:`~train.errors.RunError` if it returns another number of points or one that
    is not finite.
    """
    predicted = []
    for start in range(0, len(crops), BATCH):
        rows = range(start, min(start + BATCH, len(crops)))
        for row, points in zip(rows, _points(network, crops, rows, labelled.measure.n_points), strict=True):
            predicted.append(crops.to_image(row, points))
            on_crop()
    return labelled.evaluated(labelled.alone, np.array(predicted))


@torch.inference_mode()
def _points(network: nn.Module, crops: LabelCrops, rows: range, expected: int) -> torch.Tensor:
    points: torch.Tensor = network(torch.stack([crops[row][0] for row in rows])).points.float().cpu()
    if points.shape[1:] != (expected, 2) or not torch.isfinite(points).all():
        shape = tuple(points.shape[1:])
        raise RunError(f"the network must answer with {expected} finite points a crop; it gives {shape}")
    return points


def first_filters(network: nn.Module) -> FloatArray | None:
    """Return the kernels ``(F, H, W)`` of the convolution on the grey picture; None if there is none."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.in_channels == 1:
            return np.asarray(module.weight.detach().cpu().float()[:, 0].numpy())
    return None
