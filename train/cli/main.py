"""Commands of ``python -m train``. What is slow to import is imported by the command that needs it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import typer

from train.cli.compare_losses import compare_losses
from train.cli.evaluate import evaluate
from train.cli.imm import compare_nose, face58, nose
from train.cli.leaks import check_leaks_command
from train.cli.options import (
    ConfigOption,
    DataOption,
    DevicesOption,
    EpochsOption,
    InitOption,
    KeepOption,
    LimitOption,
    NodesOption,
    OutOption,
    PseudoOption,
    ResumeOption,
    SeedOption,
    ThreadsOption,
    WorkersOption,
    interruptible,
)
from train.cli.pictures import pictures
from train.cli.presence import presence
from train.cli.pseudo_label import pseudo_label
from train.cli.quality import quality
from train.errors import RunError, TrainError
from train.processes import is_first_process

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Train and evaluate landmark models.")


def landmark_command(model: str, what: str) -> Callable[..., None]:
    """The command that trains ``model``, which is ``what``, by the recipe ``train/configs/MODEL.py``."""

    def command(
        data: DataOption,
        config: ConfigOption = None,
        init: InitOption = "",
        out: OutOption = None,
        resume: ResumeOption = False,
        limit: LimitOption = 0,
        epochs: EpochsOption = 0,
        seed: SeedOption = None,
        devices: DevicesOption = 1,
        num_nodes: NodesOption = 1,
        threads: ThreadsOption = 0,
        workers: WorkersOption = 0,
        pseudo: PseudoOption = None,
        keep: KeepOption = 0.8,
    ) -> None:
        from train.studies.pseudo_labels import read_labels
        from train.training.landmarks import train_landmarks
        from train.training.run import RunOptions, recipe

        chosen = recipe(model, config, epochs)
        if chosen.model != model:
            raise RunError(f"this recipe is for {chosen.model}, not for {model}")
        chosen = replace(chosen, init=init or chosen.init, seed=chosen.seed if seed is None else seed)
        options = RunOptions(out or Path("runs") / model, resume, devices, num_nodes, threads, workers)
        more = read_labels(pseudo, data, keep) if pseudo else ()
        with interruptible(options.out):
            path = train_landmarks(chosen, data, limit, options, partial(typer.echo, err=True), more)
        if path is not None:
            typer.echo(f"wrote {path}")

    command.__doc__ = f"Train {what} and write its weights to OUT/{model}.safetensors."
    return command


for _model, _what in {
    "resnet18": "the ResNet18 landmark model",
    "unet": "the U-Net landmark model",
    "unet-mri": "the U-Net at full resolution, which the brain MRI checkpoint FILE.pt can start,",
    "unet-light": "the U-Net of few features for half-size crops",
}.items():
    app.command(_model)(landmark_command(_model, _what))
app.command()(nose)
app.command()(face58)
app.command("compare-nose")(compare_nose)
app.command()(evaluate)
app.command("compare-losses")(compare_losses)
app.command()(quality)
app.command()(presence)
app.command()(pictures)
app.command("pseudo-label")(pseudo_label)
app.command("check-leaks")(check_leaks_command)


def main() -> None:
    """Run the command; a known error becomes one line on stderr and exit code 1."""
    try:
        app()
    except TrainError as error:
        if is_first_process():
            typer.echo(f"train: {error}", err=True)
        sys.exit(1)
