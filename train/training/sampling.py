"""Order and batches of the samples of a training stage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

import cv2
import lightning_fabric
import torch
from torch.utils.data import DataLoader, Sampler

from train.config import TrainConfig
from train.data.dataset import Sample
from train.errors import RunError
from train.training.task import Crops, Task

Key = tuple[int, int]
"""Epoch of the run, from 0, and index of a picture."""


@dataclass(frozen=True)
class StageOrder(Sampler[Key]):
    """Order of samples over ``epochs``: in each, ``count`` of ``indices``, shuffled anew.

    The order of an epoch depends on ``seed`` and the epoch only, and equals that of torch's own shuffling.
    ``count`` drops the last indices, or repeats the first ones if there are too few. Unlike torch's
    RandomSampler, which a distributed run replaces by one that starts every epoch with the same seed, Fabric
    only distributes these keys among the processes.
    """

    indices: Sequence[int]
    epochs: range
    count: int
    seed: int

    def __len__(self) -> int:
        return len(self.epochs) * self.count

    def __iter__(self) -> Iterator[Key]:
        for epoch in self.epochs:
            generator = torch.Generator().manual_seed(self.seed * 100_003 + epoch)
            # A DataLoader draws one number for its workers before it shuffles.
            torch.empty((), dtype=torch.int64).random_(generator=generator)
            order = torch.randperm(len(self.indices), generator=generator).tolist()
            yield from ((epoch, self.indices[place]) for place in islice(cycle(order), self.count))


class AnyEpoch:
    """Dataset of ``crops`` at ``size`` pixels, indexed by epoch and picture."""

    def __init__(self, crops: Crops, size: int) -> None:
        self._crops, self._size = crops, size

    def __len__(self) -> int:
        return len(self._crops)

    def __getitem__(self, key: Key) -> Sample:
        epoch, index = key
        return self._crops.at(self._size, epoch)[index]

    def __getitems__(self, keys: Sequence[Key]) -> list[Sample]:
        """Return the samples of a batch, which a loader asks for at once."""
        crops = {epoch: self._crops.at(self._size, epoch) for epoch in {epoch for epoch, _ in keys}}
        return [crops[epoch][index] for epoch, index in keys]


@dataclass(frozen=True)
class BatchPlan:
    """Batches of an epoch: ``steps`` batches, of which each process takes ``size`` pictures."""

    size: int
    steps: int

    @classmethod
    def of(cls, batch_size: int, pictures: int, processes: int) -> BatchPlan:
        """Plan batches of ``batch_size`` for all processes together.

        A small last batch would give noisy batch statistics, so it is dropped, unless it is the only one.
        Raises :class:`~train.errors.RunError` if the processes cannot share a batch evenly.
        """
        if batch_size % processes:
            less = batch_size // processes * processes
            fits = f"{less} or {less + processes}" if less else str(processes)
            raise RunError(
                f"{processes} devices cannot share batches of {batch_size} evenly: give --batch-size {fits}"
            )
        size = min(batch_size // processes, -(-pictures // processes))
        return cls(size, max(1, pictures // (size * processes)))


@dataclass(frozen=True)
class Batches:
    """Remaining batches of a stage as ``stream``, with ``steps`` batches an epoch."""

    steps: int
    stream: Iterator[Sample]


def stage_batches(
    config: TrainConfig, crops: Crops, task: Task, epoch: int, fabric: lightning_fabric.Fabric, workers: int
) -> Batches:
    """Return the batches from ``epoch`` of the run, counted from 0, to the end of its stage.

    One loader serves all of these epochs: ``workers`` start once, and prepare batches ahead between epochs
    too.
    """
    stage, done = config.stage_at(epoch)
    indices, processes = task.indices(stage), fabric.world_size
    plan = BatchPlan.of(config.batch_size, len(indices), processes)
    epochs = range(epoch, epoch + stage.epochs - done)
    order = StageOrder(indices, epochs, plan.steps * plan.size * processes, config.seed)
    loader: DataLoader[Any] = DataLoader(
        AnyEpoch(crops, stage.size),  # type: ignore[arg-type]  # torch asks for its own base class only
        plan.size,
        sampler=order,
        num_workers=workers,
        worker_init_fn=_one_thread,
        pin_memory=fabric.device.type == "cuda",
    )
    ready: Any = fabric.setup_dataloaders(loader)
    return Batches(plan.steps, iter(ready))


def _one_thread(_: int) -> None:
    """Limit OpenCV to one thread, since it would use all cores in each worker."""
    cv2.setNumThreads(1)
