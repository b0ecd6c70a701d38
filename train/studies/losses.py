"""What a loss on the pixels of heatmaps asks for, measured against the loss that is trained with.

Both see the same crops, the same small U-Net and the same targets: Gaussians of 10 px in a crop of 224 px,
cut to 60x60 px. docs/unet.md tells what follows from the figures.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import lightning_fabric
import torch
from torch import Tensor, nn

from tracker.geometry import CROP_SIZE
from train.config import Stage, TrainConfig
from train.configs.unet_mri import CONFIG as SHIPPED
from train.data.dataset import FaceCrops
from train.data.faces import LabelledFace
from train.errors import DataError
from train.metrics import nme_percent
from train.models.heatmap import RING, HeatmapCodec, KernelCodec, cell_centers
from train.models.output import LandmarkOutput
from train.models.unet import UNetLandmarks
from train.training.loop import train, validate
from train.training.run import shortened
from train.training.task import Task

KERNEL = KernelCodec(sigma_px=10, kernel_px=60)
"""The targets of the original attempt."""

WORTHWHILE_PX = 2 * KERNEL.sigma_px * math.sqrt(math.log(2))
"""How far off a Gaussian may be drawn before it costs more squared error than a map of zeros.

Two Gaussians at a distance of d overlap by exp(-d^2 / 4 sigma^2): the squared error of one against the
other is twice the square of one, less twice that part of it.
"""

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
class Way:
    """A way to ask for maps.

    Of maps of logits ``(N, P, K + 2, K + 2)`` ``heights`` gives the values that ``loss`` compares with
    ``targets``, of the same shape, and ``read`` the points. ``targets`` takes points ``(N, P, 2)`` and K, the
    crop's cells; ``loss`` maps and points.
    """

    targets: Callable[[Tensor, int], Tensor]
    heights: Callable[[Tensor], Tensor]
    loss: Callable[[Tensor, Tensor], Tensor]
    read: Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Share:
    """What cells with a target of zero give, 0..1, of a loss's gradient by the maps.

    ``absolute`` of the sum of its absolute values, ``squared`` of the sum of its squares.
    """

    absolute: float
    squared: float


@dataclass(frozen=True)
class WayFigures:
    """A network before and after it is trained one way, on validation faces.

    ``peak`` is the mean height of its maps' peaks over that of the targets': 0 for maps of nothing.
    """

    fresh: Share
    trained: Share
    nme_percent: float
    peak: float


@dataclass(frozen=True)
class Cost:
    """What an answer costs, mean over maps: squared error of a pixel, and cross-entropy in nats."""

    pixels: float
    distributions: float


@dataclass(frozen=True)
class Answers:
    """Answers that need no look at the picture.

    ``nothing`` is a map of zeros, as a distribution a flat one; ``mean_face`` a target drawn at the mean of
    the training points; ``blurred`` the mean of the training targets, ``blurred_peak`` high where a target
    is 1. Of the mean face, ``share_beyond`` of the points, 0..1, lie farther off than ``WORTHWHILE_PX``.
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


def pixel_targets(points: Tensor, cells: int) -> Tensor:
    """Gaussians of height 1, zero beyond the kernel, for points ``(N, P, 2)``: ``(N, P, K + 2, K + 2)``."""
    away_px = CROP_SIZE * (cell_centers(cells, points.device) - points[..., None])
    inside = away_px.abs() <= KERNEL.kernel_px / 2
    along = torch.exp(-0.5 * (away_px / KERNEL.sigma_px) ** 2) * inside
    return along[..., 1, :, None] * along[..., 0, None, :]


def highest_cell(maps: Tensor) -> Tensor:
    """The centre of the highest cell of each map ``(N, P, K + 2, K + 2)``, ``(N, P, 2)`` in crop sides."""
    best = maps.flatten(2).argmax(dim=-1)
    centers = cell_centers(_cells(maps), maps.device)
    side = maps.shape[-1]
    return torch.stack([centers[best % side], centers[best // side]], dim=-1)


def _pixels(heights: Callable[[Tensor], Tensor]) -> Way:
    def loss(maps: Tensor, points: Tensor) -> Tensor:
        return (heights(maps) - pixel_targets(points, _cells(maps))).square().mean()

    return Way(pixel_targets, heights, loss, highest_cell)


def _distributions() -> Way:
    def loss(maps: Tensor, points: Tensor) -> Tensor:
        is_face = torch.ones(len(points), device=maps.device)
        return _CONFIG.loss(LandmarkOutput(HeatmapCodec.decode(maps), maps=maps), points, is_face)

    def heights(maps: Tensor) -> Tensor:
        return maps.flatten(2).softmax(dim=-1).view_as(maps)

    return Way(KERNEL.encode, heights, loss, HeatmapCodec.decode)


WAYS = {
    "pixels": _pixels(lambda maps: maps),
    "pixels, sigmoid": _pixels(torch.sigmoid),
    "distributions": _distributions(),
}
"""The mean squared error over pixels, of the maps or, as the published network ends, of their sigmoid; and
the shipped recipe's loss: the cross-entropy of the maps' softmax, and the distance of its mean."""


def background_share(way: Way, maps: Tensor, points: Tensor) -> Share:
    """The share of the background in the gradient of ``way``'s loss by ``maps``, at ``points``."""
    maps = maps.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(way.loss(maps, points), maps)
    outside = pixel_targets(points, _cells(maps)) == 0
    absolute, squared = (
        float((size * outside).sum() / size.sum())
        for size in (gradient.abs().double(), gradient.double().square())
    )
    return Share(absolute, squared)


def picture_free_answers(training: Tensor, validation: Tensor, cells: int = _SIZE) -> Answers:
    """What answers cost at points of ``validation`` faces that know points of ``training`` faces alone.

    Both are ``(N, P, 2)`` in crop sides.
    """
    heights, weights = pixel_targets(validation, cells), KERNEL.encode(validation, cells)
    flat = torch.ones(1) / weights[0, 0].numel()
    mean = training.mean(dim=0, keepdim=True)

    def cost(answer: Tensor, distribution: Tensor) -> Cost:
        # A cell that is ruled out would cost infinitely much: one part in a million is left everywhere.
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
    """Measure all ways on the CPU, on canonical crops; networks train for ``epochs`` (0: 8).

    Raises :class:`~train.errors.DataError` without faces on either side.
    """
    if not training or not validation:
        raise DataError("the losses are compared on training and validation faces: there are none")
    config = shortened(_CONFIG, epochs)
    faces, held_out = FaceCrops(training, _SIZE), FaceCrops(validation, _SIZE)
    known, asked = (_points(crops) for crops in (faces, held_out))
    return Comparison(
        len(faces),
        len(held_out),
        config.epochs,
        float((pixel_targets(asked, _SIZE) == 0).float().mean()),
        picture_free_answers(known, asked),
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
    """Train with the loss of ``way``: everything else is the trainer's own."""

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
        network = train(config, network, task, Path(out), fabric)
    error, _ = validate(network, held_out, task, config.batch_size, fabric)
    with torch.no_grad():
        peaks = way.heights(_maps(network(crops))).amax(dim=(-1, -2))
    relative = peaks / way.targets(points, _SIZE).amax(dim=(-1, -2))
    return WayFigures(fresh, _share_in_training(way, network, crops, points), error, float(relative.mean()))


def _share_in_training(way: Way, network: nn.Module, crops: Tensor, points: Tensor) -> Share:
    """The background's share as a training step sees it: normalised by the statistics of the batch."""
    with torch.no_grad():
        maps = _maps(copy.deepcopy(network).train()(crops))
    return background_share(way, maps, points)


def _maps(output: LandmarkOutput) -> Tensor:
    assert output.maps is not None
    return output.maps


def _points(crops: FaceCrops) -> Tensor:
    return torch.stack([crops[i][1] for i in range(len(crops))])


def _cells(maps: Tensor) -> int:
    """Cells of the crop's side, for maps with a ring around it."""
    return maps.shape[-1] - 2 * RING
