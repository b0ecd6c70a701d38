"""Options that the commands for training share, as one parameter of each."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

from train.cli.options import (
    BatchSizeOption,
    ConfigOption,
    DevicesOption,
    EpochsOption,
    LimitOption,
    NodesOption,
    OutOption,
    RateOption,
    ResumeOption,
    SeedOption,
    SetOption,
    SizeOption,
    ThreadsOption,
    WorkersOption,
)

if TYPE_CHECKING:
    from train.config import TrainConfig
    from train.configs.loading import Changes
    from train.training.options import RunOptions


@dataclass(frozen=True)
class Training:
    """Recipe, folder and hardware of a run; each field is an option."""

    config: ConfigOption = None
    out: OutOption = None
    resume: ResumeOption = False
    limit: LimitOption = 0
    epochs: EpochsOption = 0
    batch_size: BatchSizeOption = None
    lr: RateOption = None
    values: SetOption = None
    seed: SeedOption = None
    devices: DevicesOption = 1
    num_nodes: NodesOption = 1
    threads: ThreadsOption = 0
    workers: WorkersOption = 0

    def changes(self) -> Changes:
        """Return the changes to the recipe but for the seed."""
        from train.configs.loading import Changes

        return Changes(self.epochs, self.batch_size or 0, self.lr or 0.0, values=tuple(self.values or ()))

    def seeded(self, recipe: TrainConfig) -> TrainConfig:
        """Return ``recipe`` with the seed, if one is given."""
        return recipe if self.seed is None else replace(recipe, seed=self.seed)

    def options(self, folder: Path) -> RunOptions:
        """Return the options of the run in ``--out``, or else in ``folder``."""
        from train.training.options import RunOptions

        hardware = (self.devices, self.num_nodes, self.threads, self.workers)
        return RunOptions(self.out or folder, self.resume, *hardware)


@dataclass(frozen=True)
class CropTraining(Training):
    """The options of a run whose crops can have any size."""

    size: SizeOption = None

    def changes(self) -> Changes:
        """Return the changes to the recipe but for the seed."""
        return replace(super().changes(), size=self.size or 0)


def with_training(command: Callable[..., None]) -> Callable[..., None]:
    """Return ``command`` with one option for each field of its parameter ``training``."""
    given = inspect.signature(command, eval_str=True)
    kind = given.parameters["training"].annotation
    hints = get_type_hints(kind, include_extras=True)
    by_name = inspect.Parameter.KEYWORD_ONLY
    shared = [
        inspect.Parameter(field.name, by_name, default=field.default, annotation=hints[field.name])
        for field in fields(kind)
    ]

    @wraps(command)
    def spread(**values: Any) -> None:
        training = kind(**{one.name: values.pop(one.name) for one in shared})
        command(**values, training=training)

    parameters: list[inspect.Parameter] = []
    for name, one in given.parameters.items():
        parameters += shared if name == "training" else [one.replace(kind=by_name)]
    spread.__signature__ = given.replace(parameters=parameters)  # type: ignore[attr-defined]
    spread.__annotations__ = {one.name: one.annotation for one in parameters}
    return spread
