"""The command ``python -m train pictures``. Slow imports happen when the command runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from train.cli.options import NetworkWeightsOption


def pictures(
    model: Annotated[str, typer.Argument(help="A heatmap network: resnet18, unet, unet-mri or unet-light.")],
    image: Annotated[
        Path, typer.Option(metavar="FILE", help="A photograph with one face, to draw the maps over.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the pictures.")],
    weights: NetworkWeightsOption = None,
    scores: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="What `evaluate MODEL --json FILE` wrote. Several are drawn side by side, part by part.",
        ),
    ] = None,
) -> None:
    """Draw what a heatmap network sees: maps over a face, targets, peaks before and after training."""
    from train.evaluation.heatmaps import draw

    for path in draw(model, image, out, weights, scores or []):
        typer.echo(f"wrote {path}")
