"""Configuration of a training run: typed, immutable, saved in every checkpoint."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from train.data.dataset import SampleRecipe
from train.errors import RunError
from train.models.losses import LandmarkLoss, LossFunction
from train.models.registry import check_backbone


@dataclass(frozen=True)
class Stage:
    """``epochs`` of training on crops of ``size`` pixels.

    The learning rate rises to ``peak_lr`` and falls again. ``sets`` names the data sets to train on
    (``lfpw``, ``helen``, ``afw``, ``wflw68``, ``youtube``, ``profiles``, ``hands``, ``noface``, ``pseudo``);
    empty for all that are read. ``youtube``, ``profiles``, ``hands`` and ``noface`` are read only if a stage
    names them.
    """

    size: int
    epochs: int
    peak_lr: float
    sets: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 32 or self.epochs < 1 or self.peak_lr <= 0:
            raise RunError(f"a stage needs size >= 32, epochs >= 1 and peak_lr > 0, got {self}")


_CHOICES = {
    "precision": ("auto", "32-true", "bf16-mixed"),
    "optimizer": ("adamw", "sgd"),
    "schedule": ("cosine", "linear", "constant"),
}


@dataclass(frozen=True)
class TrainConfig:
    """Configuration of one run: stages in turn, an optimiser, exponential moving average of the weights.

    ``batch_size`` counts the pictures of a step on all devices together. ``optimizer`` is AdamW or SGD with
    Nesterov momentum; ``momentum`` is that of SGD and the first beta of AdamW. ``warmup`` is the share of a
    stage in which the learning rate rises, ``schedule`` its course after that, as :func:`learning_rate`
    describes. ``precision`` ``"auto"`` is bfloat16 where the hardware computes in it, else float32. ``init``
    is the source of the initial weights: empty for random ones, ``"imagenet"``, or a file. ``backbone`` is
    the ResNet of the models ``resnet18`` and ``resnet18-plain`` if it is not to be theirs, such as
    ``"resnet34"``. ``loss`` is a :class:`LandmarkLoss` or a function of the network's output, points and
    is_face; what a resumed run compares of it is in :mod:`train.training.record`. ``repeats`` is the number
    of crops of each picture in an epoch, by data set, where it is not 1. Raises :class:`RunError` for a value
    out of range.
    """

    model: str
    stages: tuple[Stage, ...]
    batch_size: int = 32
    weight_decay: float = 0.02
    optimizer: Literal["adamw", "sgd"] = "adamw"
    momentum: float = 0.9
    warmup: float = 0.1
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    ema_decay: float = 0.998
    clip_norm: float = 5.0
    precision: Literal["auto", "32-true", "bf16-mixed"] = "auto"
    seed: int = 0
    init: str = ""
    backbone: str = ""
    recipe: SampleRecipe = field(default_factory=SampleRecipe)
    loss: LandmarkLoss | LossFunction = field(default_factory=LandmarkLoss)
    repeats: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.stages or self.batch_size < 1 or self.weight_decay < 0 or self.clip_norm <= 0:
            raise RunError(
                f"a run needs stages, batch_size >= 1, weight_decay >= 0 and clip_norm > 0, got {self}"
            )
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                *most, last = known
                raise RunError(f"{name} must be {', '.join(most)} or {last}, got {getattr(self, name)!r}")
        check_backbone(self.model, self.backbone)
        if not callable(self.loss):
            raise RunError(f"loss must be a LandmarkLoss or a function, got {self.loss!r}")
        if any(count < 1 for count in self.repeats.values()):
            raise RunError(f"repeats must be 1 or more, got {dict(self.repeats)}")
        if not (0 <= self.warmup < 1 and 0 <= self.ema_decay < 1 and 0 < self.momentum < 1):
            raise RunError(f"warmup, ema_decay and momentum must be in 0..1, below 1, got {self}")

    @property
    def sets(self) -> frozenset[str]:
        """Data sets that at least one stage names."""
        return frozenset(name for stage in self.stages for name in stage.sets)

    @property
    def epochs(self) -> int:
        """Number of epochs of all stages together."""
        return sum(stage.epochs for stage in self.stages)

    def stage_at(self, epoch: int) -> tuple[Stage, int]:
        """Return the stage of ``epoch`` (counted from 0) and the number of the epoch within it."""
        for stage in self.stages:
            if epoch < stage.epochs:
                return stage, epoch
            epoch -= stage.epochs
        raise ValueError(f"epoch is past the run's {self.epochs}")


def learning_rate(progress: float, peak: float, warmup: float, schedule: str = "cosine") -> float:
    """Return the learning rate at ``progress`` 0..1 of a stage.

    It rises linearly from 0 to ``peak`` while progress is below ``warmup``. After that it falls to 0 along
    a half cosine (L. N. Smith and N. Topin, "Super-Convergence", 2018) or, by ``schedule``, along a line, or
    stays constant. A step takes the rate at its middle, so that no step has a rate of 0.
    """
    if progress < warmup:
        return peak * progress / warmup
    if schedule == "constant":
        return peak
    after = (progress - warmup) / (1 - warmup)
    return peak * (1 - after) if schedule == "linear" else peak * 0.5 * (1 + math.cos(math.pi * after))
