"""The command ``python -m train turned-labels``. Slow imports happen when the command runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from train.cli.options import DataOption


def turned_labels(
    data: DataOption,
    out: Annotated[Path, typer.Option(metavar="FILE.jsonl", help="Where the labels go.")],
    teacher: Annotated[str, typer.Option(help="The network that labels: resnet18, unet...")] = "unet",
    weights: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Its weights. [default: the shipped ones]")
    ] = None,
) -> None:
    """Label the turned and masked faces of DIR that have a box or five points only, to train on them."""
    from train.data.sides import Side
    from train.files import try_writing
    from train.models.load import load_heatmap_network
    from train.progress import progress_bar
    from train.studies.pseudo_labels import write_labels
    from train.studies.turned_labels import guesses, label_turned

    try_writing(out)
    loaded = load_heatmap_network(teacher, weights)
    found = guesses(data, Side.TRAINING)
    with progress_bar("labelling", len(found)) as advance:
        labels = label_turned(loaded.network, loaded.size, found, advance)
        count = write_labels(labels, data, out)
    typer.echo(f"wrote {out}: {count} of {len(found)} faces")
