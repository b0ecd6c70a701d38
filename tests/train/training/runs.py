"""A tiny network and runs of it, for the tests of the training loop."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from train.config import Stage, TrainConfig
from train.data.readers import LabelledFace
from train.models.losses import LandmarkLoss, Loss, LossFunction
from train.models.output import LandmarkOutput
from train.training import loop
from train.training.folder import LOG, alone_in
from train.training.options import RunOptions
from train.training.task import landmark_task

Faces = tuple[list[LabelledFace], list[LabelledFace]]
"""Training and validation faces."""

WholeRun = tuple[Path, nn.Module]
"""Folder and model of a finished run."""

CONFIG = TrainConfig(
    model="tiny",
    stages=(Stage(32, 2, 1e-2), Stage(64, 2, 5e-3)),
    batch_size=4,
    ema_decay=0.5,
    precision="32-true",
)


class TinyNetwork(nn.Module):
    """Replacement for a ResNet: batch statistics, any crop size, the same kind of output."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(8)
        )
        self.head = nn.Linear(4 * 64, 137)

    def forward(self, crop: Tensor) -> LandmarkOutput:
        """Predict points and presence."""
        out = self.head(self.stem(crop.float() / 64 - 2).flatten(1))
        return LandmarkOutput(out[:, :-1].reshape(-1, 68, 2), out[:, -1])


class Before(LandmarkLoss):
    """The recipe's loss, before which ``action`` is called at each training step."""

    def __init__(self, action: Callable[[], object]) -> None:
        super().__init__()
        self.action = action

    def with_terms(self, output: LandmarkOutput, points: Tensor, is_face: Tensor) -> Loss:
        """Act if this is a training step, and return the recipe's loss."""
        if torch.is_grad_enabled():
            self.action()
        return super().with_terms(output, points, is_face)


class StopsAt(Before):
    """The recipe's loss, which raises ``error`` at ``step``."""

    def __init__(self, step: int, error: BaseException) -> None:
        super().__init__(self.count)
        self.step, self.error = step, error

    def count(self) -> None:
        """Count a step, and raise at the last."""
        self.step -= 1
        if self.step < 0:
            raise self.error


def network() -> TinyNetwork:
    """Create the network, always with the same weights."""
    torch.manual_seed(7)
    return TinyNetwork()


def train(
    model: nn.Module,
    faces: Faces,
    options: RunOptions,
    fabric: Fabric,
    config: TrainConfig = CONFIG,
    loss: LossFunction | None = None,
) -> nn.Module:
    """Train on ``faces`` in the loop under test, with the recipe's loss or another one."""
    task = landmark_task(config, *faces)
    with alone_in(options.out, fabric):
        return loop.train(config, model, replace(task, loss=loss or task.loss), options, fabric)


def log_of(folder: Path) -> list[dict[str, str]]:
    """Read the log of a run."""
    with (folder / LOG).open(newline="") as file:
        return list(csv.DictReader(file))


def untimed(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return rows of a log without what depends on the machine's speed."""
    return [{k: v for k, v in row.items() if k not in ("images_per_s", "elapsed_s")} for row in rows]


def same_weights(a: nn.Module, b: nn.Module) -> bool:
    """Return whether both networks hold exactly the same numbers."""
    pairs = zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    return all(torch.equal(x, y) for x, y in pairs)
