"""Commands that train the networks for iBUG's points, one a model. Slow imports wait until one runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import typer

from train.cli.interrupts import interruptible
from train.cli.options import (
    BatchSizeOption,
    ConfigOption,
    DataOption,
    DevicesOption,
    EpochsOption,
    InitOption,
    KeepOption,
    LimitOption,
    MinedOption,
    NodesOption,
    OutOption,
    PartialOption,
    PseudoOption,
    RateOption,
    ResumeOption,
    SeedOption,
    SetOption,
    SizeOption,
    ThreadsOption,
    WorkersOption,
)
from train.errors import RunError

MODELS = {
    "resnet18": "the ResNet18 landmark model",
    "resnet18-plain": "the plain ResNet18, torchvision's with 136 outputs, to compare with,",
    "unet": "the U-Net landmark model",
    "unet-mri": "the U-Net at full resolution, which the brain MRI checkpoint FILE.pt can start,",
    "unet-light": "the U-Net of few features for half-size crops",
}
"""Description of each model, for its command's help."""


def landmark_command(model: str) -> Callable[..., None]:
    """Return the command that trains ``model`` by the recipe ``train/configs/MODEL.py``."""

    def command(  # noqa: PLR0913
        data: DataOption,
        config: ConfigOption = None,
        init: InitOption = "",
        in_part: PartialOption = False,
        out: OutOption = None,
        resume: ResumeOption = False,
        limit: LimitOption = 0,
        epochs: EpochsOption = 0,
        batch_size: BatchSizeOption = None,
        lr: RateOption = None,
        size: SizeOption = None,
        values: SetOption = None,
        seed: SeedOption = None,
        devices: DevicesOption = 1,
        num_nodes: NodesOption = 1,
        threads: ThreadsOption = 0,
        workers: WorkersOption = 0,
        pseudo: PseudoOption = None,
        keep: KeepOption = 0.8,
        mined: MinedOption = None,
    ) -> None:
        from train.configs.loading import Changes, recipe
        from train.studies.pseudo_labels import read_labels
        from train.training.landmarks import Additions, train_landmarks
        from train.training.options import RunOptions

        changes = Changes(epochs, batch_size or 0, lr or 0.0, size or 0, tuple(values or ()))
        chosen = recipe(model, config, changes)
        if chosen.model != model:
            raise RunError(f"this recipe is for {chosen.model}, not for {model}")
        chosen = replace(chosen, init=init or chosen.init, seed=chosen.seed if seed is None else seed)
        options = RunOptions(out or Path("runs") / model, resume, devices, num_nodes, threads, workers)
        more = Additions(read_labels(pseudo, data, keep) if pseudo else (), mined, in_part)
        with interruptible(options.out):
            path = train_landmarks(chosen, data, limit, options, partial(typer.echo, err=True), more)
        if path is not None:
            typer.echo(f"wrote {path}")

    command.__doc__ = f"Train {MODELS[model]} and write its weights to OUT/{model}.safetensors."
    return command
