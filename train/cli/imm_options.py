"""Options and training shared by the commands for the IMM Face Database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from train.cli.interrupts import interruptible

if TYPE_CHECKING:
    from train.cli.training import Training
    from train.config import TrainConfig

FinalOption = Annotated[
    bool,
    typer.Option(
        "--final",
        help="Train on people 1-32, once the recipe is chosen, instead of 1-28 with 29-32 to validate. "
        "People 33-40 are for `evaluate` alone.",
    ),
]


def train_and_report(recipe: TrainConfig, data: Path, training: Training, final: bool) -> None:
    """Train by ``recipe``, with another seed if ``training`` has one, and print the path of the weights."""
    from train.training.imm import train_imm

    options = training.options(Path("runs") / (f"{recipe.model}-final" if final else recipe.model))
    with interruptible(options.out):
        path = train_imm(training.seeded(recipe), data, training.limit, options, final)
    if path is not None:
        typer.echo(f"wrote {path}")
