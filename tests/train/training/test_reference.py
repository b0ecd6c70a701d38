"""The loop against the same training written out in plain torch: default recipes keep their numbers."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from tests.train.training.runs import CONFIG, Faces, network, train
from train.config import TrainConfig
from train.data.dataset import FaceCrops
from train.models.losses import LandmarkLoss
from train.training.options import RunOptions


def rate(progress: float, peak: float, schedule: str) -> float:
    """Return the learning rate after a tenth of warm-up."""
    if progress < 0.1:
        return peak * progress / 0.1
    after = (progress - 0.1) / 0.9
    return {"cosine": peak * 0.5 * (1 + math.cos(math.pi * after)), "linear": peak * (1 - after)}[schedule]


def written_out(config: TrainConfig, model: nn.Module, faces: Faces) -> nn.Module:
    """Train ``model`` and return its average, without any part of the loop under test."""
    model = model.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    kernels = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim < 2]
    groups = [{"params": kernels, "weight_decay": 0.02}, {"params": others, "weight_decay": 0.0}]
    optimizer: torch.optim.Optimizer = (
        torch.optim.AdamW(groups, betas=(0.9, 0.999))
        if config.optimizer == "adamw"
        else torch.optim.SGD(groups, momentum=0.9, nesterov=True)
    )
    loss, average = LandmarkLoss(), network()
    average.load_state_dict(model.state_dict())
    crops = FaceCrops(faces[0], max(stage.size for stage in config.stages), config.recipe, config.seed)
    epoch, updates = 0, 0
    for stage in config.stages:
        for within in range(stage.epochs):
            drawn = torch.Generator().manual_seed(config.seed * 100_003 + epoch)
            torch.empty((), dtype=torch.int64).random_(generator=drawn)
            order, sized = torch.randperm(10, generator=drawn).tolist(), crops.at(stage.size, epoch)
            for step in range(2):  # batches of 4 of 10 faces; the rest is left out
                samples = [sized[index] for index in order[4 * step : 4 * step + 4]]
                batch, points, is_face = (torch.stack(column) for column in zip(*samples, strict=True))
                for group in optimizer.param_groups:
                    progress = (within + (step + 0.5) / 2) / stage.epochs
                    group["lr"] = rate(progress, stage.peak_lr, config.schedule)
                total = loss(model(batch.contiguous(memory_format=torch.channels_last)), points, is_face)
                optimizer.zero_grad()
                torch.autograd.backward(total)
                nn.utils.clip_grad_norm_(model.parameters(), 5.0)
                optimizer.step()
                follow(average, model, min(config.ema_decay, (1 + updates) / (10 + updates)), updates)
                updates += 1
            epoch += 1
    return average


@torch.no_grad()
def follow(average: nn.Module, model: nn.Module, kept: float, updates: int) -> None:
    """Move ``average`` towards ``model``; the first update copies it."""
    for old, new in zip(average.state_dict().values(), model.state_dict().values(), strict=True):
        old.copy_(torch.lerp(old, new, 1 - kept) if updates and old.is_floating_point() else new)


def settled(model: nn.Module) -> dict[str, Tensor]:
    """Return the state without the bias in front of a normalisation, and the mean that follows it.

    The gradient of this bias is zero but for rounding, which AdamW makes as large as any other.
    """
    free = ("stem.0.bias", "stem.1.running_mean")
    return {name: tensor.double() for name, tensor in model.state_dict().items() if name not in free}


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
@pytest.mark.parametrize("schedule", ["cosine", "linear"])
def test_the_loop_ends_with_the_weights_of_plain_torch(
    faces: Faces,
    fabric: Fabric,
    tmp_path: Path,
    optimizer: Literal["adamw", "sgd"],
    schedule: Literal["cosine", "linear"],
) -> None:
    config = replace(CONFIG, optimizer=optimizer, schedule=schedule)
    if (optimizer, schedule) == ("adamw", "cosine"):
        assert config == CONFIG, "these are the defaults"
    found = train(network(), faces, RunOptions(tmp_path), fabric, config)
    expected = settled(written_out(config, network(), faces))
    for name, tensor in settled(found).items():
        assert torch.allclose(tensor, expected[name], rtol=1e-4, atol=2e-5), name
