"""The training loop, top to bottom."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightning_fabric
import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, Sampler

from train.checkpoint import LAST, Run
from train.config import TrainConfig, one_cycle
from train.data.dataset import FaceCrops, Sample
from train.data.readers import LabelledFace
from train.errors import DataError, RunError
from train.losses import landmark_loss
from train.metrics import nme_percent

LOG = "log.csv"


@dataclass(frozen=True)
class EpochReport:
    """One line of the log, written after ``epoch`` epochs.

    ``lr`` and ``loss`` are of the last step and the mean of the epoch. ``validation_nme`` is
    inter-ocular per cent of the averaged weights, NaN where no face validates. ``images_per_s``
    counts training only, ``elapsed_s`` all of the run, resumed parts included.
    """

    epoch: int
    size: int
    lr: float
    loss: float
    validation_nme: float
    validation_presence: float
    images_per_s: float
    elapsed_s: float


class EpochOrder(Sampler[int]):
    """All indices below ``count`` once, shuffled by ``generator``.

    Unlike torch's RandomSampler, which a distributed run replaces by one that starts every epoch
    with the same seed, Fabric only divides this one among the processes.
    """

    def __init__(self, count: int, generator: torch.Generator) -> None:
        self._count, self._generator = count, generator

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[int]:
        yield from torch.randperm(self._count, generator=self._generator).tolist()


def train(
    config: TrainConfig,
    model: nn.Module,
    faces: tuple[Sequence[LabelledFace], Sequence[LabelledFace]],
    out: Path,
    fabric: lightning_fabric.Fabric,
    resume: bool = False,
    workers: int = 0,
) -> nn.Module:
    """Train ``model`` on ``faces`` (training, validation) and return it with averaged weights.

    After each epoch ``out/last.ckpt`` is replaced and ``out/log.csv`` grows by a line. A run resumed
    from its checkpoint continues with the same samples and learning rates, and on one CPU ends with
    the very same weights; one that was complete only returns its model.

    Raises :class:`DataError` without training faces and :class:`RunError` if ``out`` cannot be
    written, holds a run that is not to be resumed, or the loss is not finite.
    """
    if not faces[0]:
        raise DataError("there are no training faces")
    run = _prepare(config, model, fabric)
    _open_folder(run, out, fabric, resume)
    if run.epoch < config.epochs:
        with _progress(fabric) as progress:
            _run_epochs(run, _read_images(config, faces, progress), out, fabric, workers, progress)
    module = run.averaged.module
    assert isinstance(module, nn.Module)
    return module.eval()


def _prepare(config: TrainConfig, model: nn.Module, fabric: lightning_fabric.Fabric) -> Run:
    model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = get_ema_multi_avg_fn(config.ema_decay)  # type: ignore[no-untyped-call]
    averaged = AveragedModel(model, multi_avg_fn=average, use_buffers=True, device=fabric.device)
    optimizer = torch.optim.AdamW(_parameter_groups(model, config.weight_decay), lr=1e-3)
    wrapped, optimizer = fabric.setup(model, optimizer)
    return Run(config, wrapped, averaged, optimizer)


def _parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Decay the kernels only: biases and normalisation scales have no size to keep small."""
    kernels = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    return [{"params": kernels, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]


def _open_folder(run: Run, out: Path, fabric: lightning_fabric.Fabric, resume: bool) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{out} cannot be made: {error.strerror}; choose another --out") from error
    last = out / LAST
    if not last.is_file():
        return
    if not resume:
        raise RunError(f"{last} is there already: go on with --resume, or choose another --out")
    run.load(last, fabric)


def _read_images(
    config: TrainConfig, faces: tuple[Sequence[LabelledFace], Sequence[LabelledFace]], progress: Progress
) -> tuple[FaceCrops, FaceCrops]:
    training, validation = faces
    task = progress.add_task("reading images", total=len(training) + len(validation))
    size, on_read = config.stages[0].size, lambda: progress.advance(task)
    sets = (
        FaceCrops(training, size, config.recipe, config.seed, on_read),
        FaceCrops(validation, size, on_read=on_read),
    )
    progress.remove_task(task)
    return sets


def _run_epochs(
    run: Run,
    sets: tuple[FaceCrops, FaceCrops],
    out: Path,
    fabric: lightning_fabric.Fabric,
    workers: int,
    progress: Progress,
) -> None:
    config = run.config
    epochs = progress.add_task("epochs", total=config.epochs, completed=run.epoch)
    steps = progress.add_task("steps", total=None)
    for epoch in range(run.epoch, config.epochs):
        stage, _ = config.stage_at(epoch)
        training, validation = (crops.at(stage.size, epoch) for crops in sets)
        loader = _loader(config, training, fabric, workers)
        progress.reset(steps, total=len(loader))
        report = _train_epoch(run, loader, validation, fabric, lambda: progress.advance(steps))
        run.save(out / LAST, fabric)
        if fabric.is_global_zero:
            _append_log(out / LOG, report)
        progress.update(epochs, advance=1, description=_describe(report))


def _loader(config: TrainConfig, crops: FaceCrops, fabric: lightning_fabric.Fabric, workers: int) -> Any:
    order = torch.Generator().manual_seed(config.seed * 100_003 + crops.epoch)
    loader = DataLoader(
        crops,
        config.batch_size,
        sampler=EpochOrder(len(crops), order),
        generator=order,
        num_workers=workers,
        # A small last batch would give noisy batch statistics; a set smaller than one batch is all there is.
        drop_last=len(crops) >= config.batch_size * fabric.world_size,
    )
    return fabric.setup_dataloaders(loader)


def _train_epoch(
    run: Run,
    loader: Any,
    validation: FaceCrops,
    fabric: lightning_fabric.Fabric,
    on_step: Callable[[], object],
) -> EpochReport:
    config = run.config
    stage, stage_epoch = config.stage_at(run.epoch)
    run.model.train()
    started, losses, images = time.perf_counter(), [], 0
    for step, batch in enumerate(loader):
        lr = one_cycle((stage_epoch + step / len(loader)) / stage.epochs, stage.peak_lr, config.warmup)
        for group in run.optimizer.param_groups:
            group["lr"] = lr
        losses.append(_train_step(run, batch, fabric))
        images += len(batch[0]) * fabric.world_size
        on_step()
    images_per_s = images / (time.perf_counter() - started)
    nme, presence = validate(run.averaged, validation, config.batch_size, fabric)
    run.epoch, run.elapsed_s = run.epoch + 1, run.elapsed_s + time.perf_counter() - started
    loss = float(np.mean(losses))
    return EpochReport(run.epoch, stage.size, lr, loss, nme, presence, images_per_s, run.elapsed_s)


def _train_step(run: Run, batch: Sample, fabric: lightning_fabric.Fabric) -> float:
    crops, points, is_face = batch
    loss = landmark_loss(run.model(crops.contiguous(memory_format=torch.channels_last)), points, is_face)
    if not torch.isfinite(loss):
        raise RunError(f"the loss is {loss.item()} in epoch {run.epoch + 1}: lower the learning rate")
    run.optimizer.zero_grad()
    fabric.backward(loss)
    fabric.clip_gradients(run.model, run.optimizer, max_norm=run.config.clip_norm)
    run.optimizer.step()
    run.averaged.update_parameters(run.model.module)
    return float(loss.detach())


@torch.inference_mode()
def validate(
    model: nn.Module, faces: FaceCrops, batch_size: int, fabric: lightning_fabric.Fabric
) -> tuple[float, float]:
    """NME (inter-ocular %) and mean presence of ``model`` on canonical crops, in float32.

    Both are NaN when ``faces`` is empty.
    """
    if len(faces) == 0:
        return float("nan"), float("nan")
    model.eval()
    predicted, truth, presence = [], [], []
    for crops, points, _ in DataLoader(faces, batch_size):
        output = model(crops.to(fabric.device))
        predicted.append(output.points.float().cpu().numpy())
        presence.append(output.presence_logit.float().sigmoid().cpu().numpy())
        truth.append(points.numpy())
    nme = nme_percent(np.concatenate(predicted), np.concatenate(truth))
    return float(nme.mean()), float(np.concatenate(presence).mean())


def _append_log(path: Path, report: EpochReport) -> None:
    row = {k: f"{v:.6g}" if isinstance(v, float) else v for k, v in asdict(report).items()}
    try:
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, row)
            if file.tell() == 0:
                writer.writeheader()
            writer.writerow(row)
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror}; make room, then --resume") from error


def _describe(report: EpochReport) -> str:
    return f"{report.size} px  loss {report.loss:.3f}  NME {report.validation_nme:.2f} %"


def _progress(fabric: lightning_fabric.Fabric) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), disable=not fabric.is_global_zero)
