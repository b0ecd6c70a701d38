"""Options and training shared by the commands for the IMM Face Database."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from train.cli.interrupts import interruptible

if TYPE_CHECKING:
    from train.config import TrainConfig
    from train.training.options import RunOptions

TuningOption = Annotated[
    bool,
    typer.Option(
        "--tuning",
        help="Train on people 1-28 and validate on 29-32, to choose a recipe without a look at people 33-40.",
    ),
]


def default_out(model: str, tuning: bool) -> Path:
    """Return the folder of a run for which no ``--out`` is given."""
    return Path("runs") / (f"{model}-tuning" if tuning else model)


def train_and_report(
    recipe: TrainConfig, seed: int | None, data: Path, limit: int, options: RunOptions, tuning: bool
) -> None:
    """Train by ``recipe``, with another ``seed`` if one is given, and print the path of the weights."""
    from train.training.imm import train_imm

    if seed is not None:
        recipe = replace(recipe, seed=seed)
    with interruptible(options.out):
        path = train_imm(recipe, data, limit, options, tuning)
    if path is not None:
        typer.echo(f"wrote {path}")
