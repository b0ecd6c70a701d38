"""Commands of ``python -m train``. What is slow to import is imported by the command that needs it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import typer

from train.cli_evaluate import evaluate
from train.cli_imm import compare_nose, face58, nose
from train.cli_leaks import check_leaks_command
from train.errors import RunError, TrainError
from train.options import (
    ConfigOption,
    DataOption,
    DevicesOption,
    EpochsOption,
    InitOption,
    LimitOption,
    NodesOption,
    OutOption,
    ResumeOption,
    SeedOption,
    ThreadsOption,
    WorkersOption,
    interruptible,
    is_first_process,
)

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Train and evaluate landmark models.")


@app.command()
def resnet18(
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
) -> None:
    """Train the ResNet18 landmark model and write its weights to OUT/resnet18.safetensors."""
    from train.configs.resnet18 import CONFIG
    from train.landmarks import train_landmarks
    from train.running import RunOptions, load_config, shortened

    recipe = shortened(load_config(config) if config else CONFIG, epochs)
    if recipe.model != "resnet18":
        raise RunError(f"this recipe is for {recipe.model}, not for resnet18")
    recipe = replace(recipe, init=init or recipe.init, seed=recipe.seed if seed is None else seed)
    options = RunOptions(out or Path("runs") / recipe.model, resume, devices, num_nodes, threads, workers)
    with interruptible(options.out):
        path = train_landmarks(recipe, data, limit, options)
    if path is not None:
        typer.echo(f"wrote {path}")


app.command()(nose)
app.command()(face58)
app.command("compare-nose")(compare_nose)
app.command()(evaluate)
app.command("check-leaks")(check_leaks_command)


def main() -> None:
    """Run the command; a known error becomes one line on stderr and exit code 1."""
    try:
        app()
    except TrainError as error:
        if is_first_process():
            typer.echo(f"train: {error}", err=True)
        sys.exit(1)
