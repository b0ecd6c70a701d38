"""The training loop."""

from __future__ import annotations

import csv
import math
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import lightning_fabric
import numpy as np
import torch
from rich.progress import Progress
from tensorboardX import SummaryWriter
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader

from train.config import TrainConfig, one_cycle
from train.data.dataset import Sample
from train.errors import RunError
from train.progress import progress_bars
from train.training.checkpoint import LAST, Run
from train.training.options import RunOptions
from train.training.sampling import Batches, stage_batches
from train.training.task import Crops, Task

LOG, EVENTS = "log.csv", "tensorboard"

_Tensors = tuple[Tensor, ...] | list[Tensor]


@dataclass(frozen=True)
class EpochReport:
    """One line of the log, written after ``epoch`` epochs.

    ``lr`` is the learning rate of the last step, ``loss`` the mean over the epoch (on the first process, if
    there are several). ``validation_error`` is the error of the averaged weights in the task's unit,
    ``validation_presence`` their mean presence; NaN without validation pictures. ``images_per_s`` counts
    training only, ``elapsed_s`` all of the run, resumed parts included.
    """

    epoch: int
    size: int
    lr: float
    loss: float
    validation_error: float
    validation_presence: float
    images_per_s: float
    elapsed_s: float


def train(
    config: TrainConfig,
    model: nn.Module,
    task: Task,
    options: RunOptions,
    fabric: lightning_fabric.Fabric,
) -> nn.Module:
    """Train ``model`` on ``task`` and return it with averaged weights.

    After each epoch ``out/last.ckpt`` is replaced, a line is added to ``out/log.csv`` and an event file to
    ``out/tensorboard``. A run resumed from its checkpoint continues with the same samples and learning rates,
    and on one CPU ends with exactly the same weights; a complete run only returns its model.

    Raises :class:`RunError` if ``out`` cannot be written, holds a run that is not to be resumed, or the loss
    is not finite.
    """
    run = _prepare(config, model, task, fabric)
    _open_folder(run, options, fabric)
    if run.epoch < config.epochs:
        with progress_bars(disable=not fabric.is_global_zero) as progress:
            _Epochs(run, task, options, fabric, progress).run_all()
    module = run.averaged.module
    assert isinstance(module, nn.Module)
    return module.eval()


def _prepare(config: TrainConfig, model: nn.Module, task: Task, fabric: lightning_fabric.Fabric) -> Run:
    model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = moving_average(config.ema_decay)
    averaged = AveragedModel(model, multi_avg_fn=average, use_buffers=True, device=fabric.device)
    # The learning rate is a placeholder: the schedule sets it before every step.
    optimizer = torch.optim.AdamW(_parameter_groups(model, config.weight_decay), lr=1e-3)
    wrapped, optimizer = fabric.setup(model, optimizer)
    return Run(config, wrapped, averaged, optimizer, task.data)


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


def _parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Split the parameters: weight decay for kernels only, not for biases and normalisation scales."""
    kernels = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    return [{"params": kernels, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]


def _open_folder(run: Run, options: RunOptions, fabric: lightning_fabric.Fabric) -> None:
    """Create the output folder, or restore the run from the checkpoint in it."""
    out = options.out
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{out} cannot be made: {error.strerror}; choose another --out") from error
    last = out / LAST
    there = fabric.broadcast(last.is_file())
    if last.is_file() != there:
        raise RunError(f"{out} differs between machines: put --out on a disk that all of them share")
    if not there:
        _clear_logs(out, fabric)
        return
    if not options.resume:
        raise RunError(f"{last} is there already: go on with --resume, or choose another --out")
    run.load(last, fabric)


def _clear_logs(out: Path, fabric: lightning_fabric.Fabric) -> None:
    """Remove the logs of an abandoned run without checkpoint; the new run must not append to them."""
    if not fabric.is_global_zero:
        return
    try:
        (out / LOG).unlink(missing_ok=True)
        if (out / EVENTS).exists():
            shutil.rmtree(out / EVENTS)
    except OSError as error:
        raise RunError(
            f"{error.filename} cannot be replaced: {error.strerror}; choose another --out"
        ) from error


class _Epochs:
    """The remaining epochs of a run."""

    def __init__(
        self,
        run: Run,
        task: Task,
        options: RunOptions,
        fabric: lightning_fabric.Fabric,
        progress: Progress,
    ) -> None:
        self.run, self.task, self.fabric, self.progress = run, task, fabric, progress
        self.out, self.workers = options.out, options.workers

    def run_all(self) -> None:
        run, config = self.run, self.run.config
        training, validation = self._read_images()
        epochs = self.progress.add_task("epochs", total=config.epochs, completed=run.epoch)
        steps = self.progress.add_task("steps", total=None)
        batches: Batches | None = None
        for epoch in range(run.epoch, config.epochs):
            stage, done = config.stage_at(epoch)
            if batches is None or done == 0:
                batches = stage_batches(config, training, self.task, epoch, self.fabric, self.workers)
            self.progress.reset(steps, total=batches.steps)
            on_step = partial(self.progress.advance, steps)
            report = self._epoch(batches, validation.at(stage.size, epoch), on_step)
            run.save(self.out / LAST, self.fabric)
            if self.fabric.is_global_zero:
                _append_log(self.out / LOG, report)
                _append_events(self.out / EVENTS, report)
            self.progress.update(epochs, advance=1, description=_describe(report, self.task.unit))

    def _read_images(self) -> tuple[Crops, Crops]:
        task = self.progress.add_task("reading images", total=self.task.training + self.task.validation)
        sets = self.task.read(lambda: self.progress.advance(task))
        self.progress.remove_task(task)
        return sets

    def _epoch(self, batches: Batches, validation: Crops, on_step: Callable[[], object]) -> EpochReport:
        run, config, fabric = self.run, self.run.config, self.fabric
        stage, stage_epoch = config.stage_at(run.epoch)
        run.model.train()
        started, losses, images = time.perf_counter(), [], 0
        for step, batch in enumerate(islice(batches.stream, batches.steps)):
            lr = one_cycle((stage_epoch + step / batches.steps) / stage.epochs, stage.peak_lr, config.warmup)
            for group in run.optimizer.param_groups:
                group["lr"] = lr
            losses.append(_train_step(run, self.task, batch, fabric))
            images += len(batch[0]) * fabric.world_size
            on_step()
        images_per_s = images / (time.perf_counter() - started)
        error, presence = validate(run.averaged, validation, self.task, config.batch_size, fabric)
        run.epoch, run.elapsed_s = run.epoch + 1, run.elapsed_s + time.perf_counter() - started
        loss = float(np.mean(losses))
        return EpochReport(run.epoch, stage.size, lr, loss, error, presence, images_per_s, run.elapsed_s)


def _train_step(run: Run, task: Task, batch: Sample, fabric: lightning_fabric.Fabric) -> float:
    crops, points, is_face = batch
    loss = task.loss(run.model(crops.contiguous(memory_format=torch.channels_last)), points, is_face)
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
    model: nn.Module, crops: Crops, task: Task, batch_size: int, fabric: lightning_fabric.Fabric
) -> tuple[float, float]:
    """Return the task's mean error and the mean presence of ``model`` on ``crops``, in float32.

    Both are NaN if ``crops`` is empty; presence also for a network that does not predict it.
    """
    if len(crops) == 0:
        return float("nan"), float("nan")
    model.eval()
    predicted, truth, presence = [], [], []
    for batch, points, _ in DataLoader(crops, batch_size):  # type: ignore[arg-type]
        output = model(batch.to(fabric.device))
        predicted.append(output.points.float().cpu().numpy())
        truth.append(points.numpy())
        if output.presence_logit is not None:
            presence.append(output.presence_logit.float().sigmoid().cpu().numpy())
    error = task.error(np.concatenate(predicted), np.concatenate(truth))
    return float(error.mean()), float(np.concatenate(presence).mean()) if presence else float("nan")


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


def _append_events(folder: Path, report: EpochReport) -> None:
    """Write the report for TensorBoard, which reads all files of a folder as one run.

    Each epoch gets a file of its own: it is complete when it is closed, and a resumed run cannot overwrite an
    earlier one.
    """
    try:
        with SummaryWriter(str(folder), filename_suffix=f".{report.epoch:04d}") as events:
            for name, value in asdict(report).items():
                if name != "epoch" and math.isfinite(value):
                    events.add_scalar(name, value, report.epoch)
    except OSError as error:
        raise RunError(f"{folder} cannot be written: {error.strerror}; make room, then --resume") from error


def _describe(report: EpochReport, unit: str) -> str:
    return f"{report.size} px  loss {report.loss:.3f}  error {report.validation_error:.2f} {unit}"
