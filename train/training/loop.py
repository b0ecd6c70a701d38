"""The training loop."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import islice

import lightning_fabric
import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader

from train.config import TrainConfig, learning_rate
from train.data.dataset import Sample
from train.errors import RunError
from train.models.losses import compute_loss
from train.training.checkpoint import Run
from train.training.curves import write_curves
from train.training.display import Display, TimeLeft, run_display
from train.training.events import write_events
from train.training.failures import CAUGHT, explained
from train.training.folder import CURVES, EVENTS, LOG, another, open_folder
from train.training.log import EpochReport, Validation, write_log
from train.training.optimizing import create_optimizer, moving_average
from train.training.options import LAST, RunOptions
from train.training.record import new_record, read_record, session, write_record
from train.training.samples import write_samples
from train.training.sampling import Batches, BatchPlan, stage_batches
from train.training.task import Crops, Task

CURVES_EVERY_S = 60.0
"""Seconds between two drawings of the curves, which take half a second; the last epoch always draws them."""


def train(
    config: TrainConfig,
    model: nn.Module,
    task: Task,
    options: RunOptions,
    fabric: lightning_fabric.Fabric,
) -> nn.Module:
    """Train ``model`` on ``task`` and return it with averaged weights.

    ``out`` gets the record of the run and sheets of its samples at the start, and after each epoch the
    checkpoint, the log, its event file and its plot. A run resumed from its checkpoint continues with the
    same samples and learning rates, and on one CPU ends with exactly the same weights; a complete run only
    returns its model.

    The caller keeps other runs out of ``out``, see :func:`train.training.folder.alone_in`. Raises
    :class:`RunError` if it cannot be written, holds anything else, or a run that is not to be resumed, if the
    loss is not finite or memory runs out.
    """
    run = _prepare(config, model, task, fabric)
    there = open_folder(options.out, options.resume, fabric)
    if there:
        run.load(options.out / LAST, fabric)
    if run.epoch < config.epochs:
        _go_on(run, task, options, fabric)
    module = run.averaged.module
    assert isinstance(module, nn.Module)
    return module.eval()


def _go_on(run: Run, task: Task, options: RunOptions, fabric: lightning_fabric.Fabric) -> None:
    """Run the epochs that are left, and show how far they are."""
    config = run.config
    plans = [
        BatchPlan.of(config.batch_size, len(task.indices(stage)), fabric.world_size)
        for stage in config.stages
    ]
    left = TimeLeft(config, [plan.steps for plan in plans], run.epoch)
    with run_display(left, task.unit, silent=not fabric.is_global_zero) as display:
        epochs = _Epochs(run, task, options, fabric, display)
        try:
            epochs.run_all(plans[0].size)
        except CAUGHT as error:
            failure = explained(error, epochs.smaller(), fabric)
            if failure is error:
                raise
            raise failure from error


def _prepare(config: TrainConfig, model: nn.Module, task: Task, fabric: lightning_fabric.Fabric) -> Run:
    model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = moving_average(config.ema_decay)
    averaged = AveragedModel(model, multi_avg_fn=average, use_buffers=True, device=fabric.device)
    wrapped, optimizer = fabric.setup(model, create_optimizer(config, model))
    return Run(config, wrapped, averaged, optimizer, task.data)


class _Epochs:
    """The remaining epochs of a run."""

    def __init__(
        self,
        run: Run,
        task: Task,
        options: RunOptions,
        fabric: lightning_fabric.Fabric,
        display: Display,
    ) -> None:
        self.run, self.task, self.fabric, self.display = run, task, fabric, display
        self.out, self.workers = options.out, options.workers
        self._drawn = time.monotonic()

    def run_all(self, share: int) -> None:
        """Run the epochs that are left; ``share`` is the number of pictures of a batch on each device."""
        run, config = self.run, self.run.config
        self._announce(share)
        with self.display.reading(self.task.training + self.task.validation) as on_read:
            training, validation = self.task.read(on_read)
        self._begin(training, validation)
        batches: Batches | None = None
        for epoch in range(run.epoch, config.epochs):
            stage, done = config.stage_at(epoch)
            if batches is None or done == 0:
                batches = stage_batches(config, training, self.task, epoch, self.fabric, self.workers)
            self.display.begin(epoch, batches.steps)
            report = self._epoch(batches, validation.at(stage.size, epoch))
            run.rows.append(report.row())
            run.save(self.out / LAST, self.fabric)
            self._write(anew=False)
            self._look(validation.at(stage.size, epoch))
            self.display.end(report)

    def smaller(self) -> str:
        """Return how to begin again with less memory."""
        config = self.run.config
        if self.workers > 1:
            less = f"--workers {self.workers // 2}, or --batch-size {max(1, config.batch_size // 2)}"
        else:
            less = f"--batch-size {config.batch_size // 2}" if config.batch_size > 1 else "smaller crops"
        return f"begin again with {less}{self._elsewhere()}"

    def _elsewhere(self) -> str:
        """Return the option for a new run beside this one if this one has a checkpoint."""
        return f" {another(self.out)}" if (self.out / LAST).exists() else ""

    def _announce(self, share: int) -> None:
        task, config, devices = self.task, self.run.config, self.fabric.world_size
        self.display.say(
            f"training on {task.training} pictures, validating on {task.validation}, "
            f"in batches of {min(config.batch_size, share * devices)} on {self.fabric.device}"
        )
        if devices > 1:
            self.display.say(
                f"{devices} devices share each batch, {share} pictures each: the steps are those of one "
                "device, but batch normalisation sees its device's pictures only"
            )

    def _begin(self, training: Crops, validation: Crops) -> None:
        """Write what a run writes before its first step, or what an interrupted one left unfinished."""
        run, out = self.run, self.out
        if run.epoch == 0:
            held_out = self._validate(validation.at(run.config.stages[0].size, 0))
            run.rows = []
            if self.task.validation:
                run.rows.append(EpochReport(0, run.config.stages[0].size, held_out).row())
        if not self.fabric.is_global_zero:
            return
        record = (read_record(out) if run.epoch else None) or new_record(run.config, self.task)
        record["sessions"].append(session(self.fabric, run.epoch))
        write_record(out, record)
        if run.epoch == 0:
            write_samples(out, run.config, self.task, training)
        if run.rows:
            self._write(anew=True)

    def _write(self, anew: bool) -> None:
        """Write the log, and to the event file the last row of it, or all of them if it is made ``anew``."""
        if not self.fabric.is_global_zero:
            return
        rows = self.run.rows
        write_log(self.out / LOG, rows)
        write_events(self.out / EVENTS, rows, anew=anew or len(rows) == 1)
        if time.monotonic() - self._drawn >= CURVES_EVERY_S or self.run.epoch == self.run.config.epochs:
            write_curves(self.out / CURVES, rows, self.task.unit)
            self._drawn = time.monotonic()

    def _look(self, validation: Crops) -> None:
        """Show the predictions after 1, 2, 4, 8 ... epochs, and after the last."""
        epoch, last = self.run.epoch, self.run.config.epochs
        if self.task.look and self.fabric.is_global_zero and (epoch == last or not epoch & (epoch - 1)):
            self.task.look(self.run.averaged, validation, self.out, epoch)

    def _validate(self, crops: Crops) -> Validation:
        return validate(self.run.averaged, crops, self.task, self.run.config.batch_size, self.fabric)

    def _epoch(self, batches: Batches, validation: Crops) -> EpochReport:
        run, config, fabric = self.run, self.run.config, self.fabric
        stage, stage_epoch = config.stage_at(run.epoch)
        run.model.train()
        started, losses, images = time.perf_counter(), [], 0
        for step, batch in enumerate(islice(batches.stream, batches.steps)):
            progress = (stage_epoch + (step + 0.5) / batches.steps) / stage.epochs
            lr = learning_rate(progress, stage.peak_lr, config.warmup, config.schedule)
            for group in run.optimizer.param_groups:
                group["lr"] = lr
            losses.append(self._step(batch))
            images += len(batch[0]) * fabric.world_size
            self.display.step()
        images_per_s = images / (time.perf_counter() - started)
        held_out = self._validate(validation)
        if len(validation) and not np.isfinite(held_out.loss):
            raise RunError(self._diverged("validation loss", held_out.loss))
        run.epoch, run.elapsed_s = run.epoch + 1, run.elapsed_s + time.perf_counter() - started
        means = _means(losses)
        loss = means.pop("")
        return EpochReport(run.epoch, stage.size, held_out, lr, loss, means, images_per_s, run.elapsed_s)

    def _step(self, batch: Sample) -> dict[str, float]:
        """Train on one batch and return the loss, named "", and its terms, means over all devices."""
        run, fabric = self.run, self.fabric
        crops, points, is_face = batch
        output = run.model(crops.contiguous(memory_format=torch.channels_last))
        loss, terms = compute_loss(self.task.loss, output, points, is_face)
        values = torch.stack([loss.detach(), *terms.values()])
        if fabric.world_size > 1:  # all processes see the same values, so that all of them stop, or none
            reduced = fabric.all_reduce(values, reduce_op="mean")
            assert isinstance(reduced, Tensor)
            values = reduced
        total, *others = values.tolist()
        if not np.isfinite(total):
            raise RunError(self._diverged("loss", total))
        run.optimizer.zero_grad()
        fabric.backward(loss)
        fabric.clip_gradients(run.model, run.optimizer, max_norm=run.config.clip_norm)
        run.optimizer.step()
        run.averaged.update_parameters(run.model.module)
        return dict(zip(("", *terms), (total, *others), strict=True))

    def _diverged(self, name: str, loss: float) -> str:
        lr = max(stage.peak_lr for stage in self.run.config.stages) / 4
        return (
            f"the {name} is {loss} in epoch {self.run.epoch + 1}: begin again with a lower learning rate, "
            f"--lr {lr:.2g}{self._elsewhere()}"
        )


@torch.inference_mode()
def validate(
    model: nn.Module, crops: Crops, task: Task, batch_size: int, fabric: lightning_fabric.Fabric
) -> Validation:
    """Return the task's mean error, the mean presence and the loss of ``model`` on ``crops``, in float32."""
    if len(crops) == 0:
        return Validation()
    model.eval()
    predicted, truth, presence, losses, sizes = [], [], [], [], []
    for batch, points, is_face in DataLoader(crops, batch_size):  # type: ignore[arg-type]
        output = model(batch.to(fabric.device))
        predicted.append(output.points.float().cpu().numpy())
        truth.append(points.numpy())
        loss = compute_loss(task.loss, output, points.to(fabric.device), is_face.to(fabric.device))
        losses.append({"": float(loss.total), **{name: float(term) for name, term in loss.terms.items()}})
        sizes.append(len(batch))
        if output.presence_logit is not None:
            presence.append(output.presence_logit.float().sigmoid().cpu().numpy())
    error = task.error(np.concatenate(predicted), np.concatenate(truth))
    means = _means(losses, sizes)
    seen = float(np.concatenate(presence).mean()) if presence else float("nan")
    return Validation(float(error.mean()), seen, means.pop(""), means)


def _means(losses: Sequence[Mapping[str, float]], sizes: Sequence[int] | None = None) -> dict[str, float]:
    """Return the mean of each loss, weighted by ``sizes``."""
    return {name: float(np.average([loss[name] for loss in losses], weights=sizes)) for name in losses[0]}
