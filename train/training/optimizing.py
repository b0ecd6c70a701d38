"""Optimiser of a run, and the moving average of its weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from train.config import TrainConfig

_Tensors = tuple[Tensor, ...] | list[Tensor]


def create_optimizer(config: TrainConfig, model: nn.Module) -> torch.optim.Optimizer:
    """Create the optimiser; its learning rate is a placeholder, which the schedule sets before every step."""
    groups = _parameter_groups(model, config.weight_decay)
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=1e-3, momentum=config.momentum, nesterov=True)
    return torch.optim.AdamW(groups, lr=1e-3, betas=(config.momentum, 0.999))


def _parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Split the parameters: weight decay for kernels only, not for biases and normalisation scales."""
    kernels = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    return [{"params": kernels, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]


def moving_average(decay: float) -> Callable[[_Tensors, _Tensors, Tensor | int], None]:
    """Return an averaging function for :class:`AveragedModel`: an exponential moving average with warm-up.

    After n updates the average keeps min(``decay``, (1 + n) / (10 + n)) of itself. With ``decay`` alone the
    initial weights would still have a weight of decay ** n, a tenth after a thousand steps at 0.998, and a
    mixture of trained and untrained weights draws no useful maps. TensorFlow's ``ExponentialMovingAverage``
    does the same with ``num_updates``. All tensors of one kind are updated in one call, which a GPU needs.
    """

    def average(averaged: _Tensors, current: _Tensors, updates: Tensor | int) -> None:
        kept = min(decay, (1 + int(updates)) / (10 + int(updates)))
        if averaged[0].is_floating_point():
            torch._foreach_lerp_(averaged, current, 1 - kept)
        else:  # a normalisation's counter of batches
            torch._foreach_copy_(averaged, current)

    return average
