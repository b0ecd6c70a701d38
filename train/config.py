"""Configuration of a training run: typed, immutable, saved in every checkpoint."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from train.data.dataset import SampleRecipe
from train.errors import RunError
from train.models.losses import LandmarkLoss


@dataclass(frozen=True)
class Stage:
    """``epochs`` of training on crops of ``size`` pixels.

    The learning rate rises to ``peak_lr`` and falls to 0. ``sets`` names the data sets to train on (``lfpw``,
    ``helen``, ``afw``, ``wflw68``, ``youtube``); empty for all that are read. ``youtube`` is read only if
    some stage names it.
    """

    size: int
    epochs: int
    peak_lr: float
    sets: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 32 or self.epochs < 1 or self.peak_lr <= 0:
            raise RunError(f"a stage needs size >= 32, epochs >= 1 and peak_lr > 0, got {self}")


@dataclass(frozen=True)
class TrainConfig:
    """Configuration of one run: stages in turn, AdamW, exponential moving average of the weights.

    ``warmup`` is the share of a stage in which the learning rate rises. ``precision`` ``"auto"`` is bfloat16
    where the hardware computes in it, else float32. ``init`` is the source of the initial weights: empty for
    random ones, ``"imagenet"``, or a file. Raises :class:`RunError` for a value out of range.
    """

    model: str
    stages: tuple[Stage, ...]
    batch_size: int = 32
    weight_decay: float = 0.02
    warmup: float = 0.1
    ema_decay: float = 0.998
    clip_norm: float = 5.0
    precision: Literal["auto", "32-true", "bf16-mixed"] = "auto"
    seed: int = 0
    init: str = ""
    recipe: SampleRecipe = field(default_factory=SampleRecipe)
    loss: LandmarkLoss = field(default_factory=LandmarkLoss)

    def __post_init__(self) -> None:
        if not self.stages or self.batch_size < 1 or self.weight_decay < 0 or self.clip_norm <= 0:
            raise RunError(
                f"a run needs stages, batch_size >= 1, weight_decay >= 0 and clip_norm > 0, got {self}"
            )
        if self.precision not in ("auto", "32-true", "bf16-mixed"):
            raise RunError(f"precision must be auto, 32-true or bf16-mixed, got {self.precision!r}")
        if not (0 <= self.warmup < 1 and 0 <= self.ema_decay < 1):
            raise RunError(f"warmup and ema_decay must be in 0..1, below 1, got {self}")

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


def one_cycle(progress: float, peak: float, warmup: float) -> float:
    """Return the learning rate at ``progress`` 0..1 of a stage.

    It rises linearly from 0 to ``peak``, then falls along a half cosine to 0. L. N. Smith and N. Topin,
    "Super-Convergence", 2018.
    """
    if progress < warmup:
        return peak * progress / warmup
    return peak * 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))
