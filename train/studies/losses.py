"""Comparison of a pixel loss on heatmaps with the loss of the shipped recipe.

Both use the same crops, the same small U-Net and the same targets: Gaussians of 10 px in a crop of 224 px,
cut to 60x60 px. docs/unet.md discusses the figures.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import lightning_fabric
import torch
from torch import Tensor, nn

from tracker.geometry import CROP_SIZE
from train.config import Stage, TrainConfig
from train.configs.loading import Changes
from train.configs.unet_mri import CONFIG as SHIPPED
from train.data.dataset import FaceCrops
from train.data.faces import LabelledFace
from train.errors import DataError
from train.metrics import nme_percent
from train.models.output import LandmarkOutput
from train.models.unet import UNetLandmarks
from train.studies.heatmap_losses import (
    KERNEL,
    WAYS,
    WORTHWHILE_PX,
    Share,
    Way,
    background_share,
    pixel_targets,
)
from train.training.loop import train, validate
from train.training.options import RunOptions
from train.training.task import Task

_SIZE, _FEATURES, _PROBES = 64, 8, 32
_CONFIG = TrainConfig(
    model="unet-small",
    stages=(Stage(_SIZE, epochs=8, peak_lr=2e-3),),
    batch_size=8,
    ema_decay=0.95,
    precision="32-true",
    loss=SHIPPED.loss,
)


@dataclass(frozen=True)
class WayFigures:
    """Figures of a network before and after training in one way, on validation faces.

    ``peak`` is the mean height of its maps' peaks over that of the targets': 0 for maps of zeros.
    """

    fresh: Share
    trained: Share
    nme_percent: float
    peak: float


@dataclass(frozen=True)
class Cost:
    """Cost of a prediction, mean over maps: squared error of a pixel, and cross-entropy in nats."""

    pixels: float
    distributions: float


@dataclass(frozen=True)
class Answers:
    """Costs of predictions that do not depend on the picture.

    ``nothing`` is a map of zeros, as a distribution a flat one; ``mean_face`` a target drawn at the mean of
    the training points; ``blurred`` the mean of the training targets, whose peak is ``blurred_peak`` where
    that of a target is 1. ``share_beyond`` is the share 0..1 of points that are farther than
    ``WORTHWHILE_PX`` from the mean face's.
    """

    nothing: Cost
    mean_face: Cost
    blurred: Cost
    blurred_peak: float
    share_beyond: float
    mean_face_nme_percent: float


@dataclass(frozen=True)
class Comparison:
    """All figures; ``background`` is the share of a map's cells, 0..1, where the target is zero."""

    faces: int
    validation_faces: int
    epochs: int
    background: float
    answers: Answers
    ways: dict[str, WayFigures]


def costs_without_picture(training: Tensor, validation: Tensor, cells: int = _SIZE) -> Answers:
    """Measure the costs of predictions made from the points of other faces, without the picture.

    The predictions are made from ``training`` and compared with ``validation``, both ``(N, P, 2)`` in crop
    sides.
    """
    heights, weights = pixel_targets(validation, cells), KERNEL.encode(validation, cells)
    flat = torch.ones(1) / weights[0, 0].numel()
    mean = training.mean(dim=0, keepdim=True)

    def cost(answer: Tensor, distribution: Tensor) -> Cost:
        # A cell of probability 0 would cost infinitely much, so one part in a million is left everywhere.
        spread = (1 - 1e-6) * distribution + 1e-6 * flat
        crossed = -(weights * spread.log()).sum(dim=(-1, -2)).mean()
        return Cost(float((answer - heights).square().mean()), float(crossed))

    blur = _mean_target(pixel_targets, training, cells)
    off_px = CROP_SIZE * (validation - mean).norm(dim=-1)
    return Answers(
        nothing=cost(torch.zeros(1), flat),
        mean_face=cost(pixel_targets(mean, cells), KERNEL.encode(mean, cells)),
        blurred=cost(blur, _mean_target(KERNEL.encode, training, cells)),
        blurred_peak=float(blur.amax(dim=(-1, -2)).mean()),
        share_beyond=float((off_px > WORTHWHILE_PX).float().mean()),
        mean_face_nme_percent=float(nme_percent(mean.numpy(), validation.numpy()).mean()),
    )


def _mean_target(encode: Callable[[Tensor, int], Tensor], points: Tensor, cells: int) -> Tensor:
    total = sum((encode(face[None], cells)[0] for face in points), start=torch.zeros(1))
    return total / len(points)


def compare(
    training: Sequence[LabelledFace], validation: Sequence[LabelledFace], epochs: int = 0
) -> Comparison:
    """Compare all ways on the CPU, on canonical crops; networks train for ``epochs`` (0: 8).

    Raises :class:`~train.errors.DataError` without faces on either side.
    """
    if not training or not validation:
        raise DataError("the losses are compared on training and validation faces: there are none")
    config = Changes(epochs=epochs).apply(_CONFIG)
    faces, held_out = FaceCrops(training, _SIZE), FaceCrops(validation, _SIZE)
    known, asked = (_points(crops) for crops in (faces, held_out))
    return Comparison(
        len(faces),
        len(held_out),
        config.epochs,
        float((pixel_targets(asked, _SIZE) == 0).float().mean()),
        costs_without_picture(known, asked),
        {name: _try(way, config, faces, held_out) for name, way in WAYS.items()},
    )


class _Reading(nn.Module):
    """A small U-Net whose points are read from its maps in the given way."""

    def __init__(self, way: Way) -> None:
        super().__init__()
        self.network, self.way = UNetLandmarks(_FEATURES, stride=1), way

    def forward(self, crop: Tensor) -> LandmarkOutput:
        maps = self.network(crop).maps
        return LandmarkOutput(self.way.read(maps), maps=maps)


def _try(way: Way, config: TrainConfig, faces: FaceCrops, held_out: FaceCrops) -> WayFigures:
    """Train with the loss of ``way`` in the ordinary training loop, and measure the network."""

    def loss(output: LandmarkOutput, points: Tensor, _: Tensor) -> Tensor:
        return way.loss(_maps(output), points)

    fabric = lightning_fabric.Fabric(accelerator="cpu", devices=1, precision="32-true")
    fabric.seed_everything(config.seed, verbose=False)
    task = Task(len(faces), len(held_out), "", lambda _: (faces, held_out), loss, nme_percent)
    network: nn.Module = _Reading(way)
    probes = [held_out[i] for i in range(min(_PROBES, len(held_out)))]
    crops, points = (torch.stack([probe[part] for probe in probes]) for part in (0, 1))
    fresh = _share_in_training(way, network, crops, points)
    with TemporaryDirectory() as out:
        network = train(config, network, task, RunOptions(Path(out)), fabric)
    error = validate(network, held_out, task, config.batch_size, fabric).error
    with torch.no_grad():
        peaks = way.heights(_maps(network(crops))).amax(dim=(-1, -2))
    relative = peaks / way.targets(points, _SIZE).amax(dim=(-1, -2))
    return WayFigures(fresh, _share_in_training(way, network, crops, points), error, float(relative.mean()))


def _share_in_training(way: Way, network: nn.Module, crops: Tensor, points: Tensor) -> Share:
    """Return the background's share in a training step, which normalises by the statistics of the batch."""
    with torch.no_grad():
        maps = _maps(copy.deepcopy(network).train()(crops))
    return background_share(way, maps, points)


def _maps(output: LandmarkOutput) -> Tensor:
    assert output.maps is not None
    return output.maps


def _points(crops: FaceCrops) -> Tensor:
    return torch.stack([crops[i][1] for i in range(len(crops))])
