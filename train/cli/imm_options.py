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

FinalOption = Annotated[
    bool,
    typer.Option(
        "--final",
        help="Train on people 1-32, once the recipe is chosen, instead of 1-28 with 29-32 to validate. "
        "People 33-40 are for `evaluate` alone.",
    ),
]


def default_out(model: str, final: bool) -> Path:
    """Return the folder of a run for which no ``--out`` is given."""
    return Path("runs") / (f"{model}-final" if final else model)


def train_and_report(
    recipe: TrainConfig, seed: int | None, data: Path, limit: int, options: RunOptions, final: bool
) -> None:
    """Train by ``recipe``, with another ``seed`` if one is given, and print the path of the weights."""
    from train.training.imm import train_imm

    if seed is not None:
        recipe = replace(recipe, seed=seed)
    with interruptible(options.out):
        path = train_imm(recipe, data, limit, options, final)
    if path is not None:
        typer.echo(f"wrote {path}")
