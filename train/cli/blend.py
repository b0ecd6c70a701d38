"""The command ``python -m train blend``. Slow imports happen when the command runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def blend(
    model: Annotated[str, typer.Argument(help="resnet18, unet or unet-light.")],
    tuned: Annotated[Path, typer.Option(metavar="FILE", help="Fine-tuned weights, .safetensors.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the mixture goes, .safetensors.")],
    share: Annotated[float, typer.Option(min=0, max=1, help="Share of the fine-tuned weights.")] = 0.7,
    base: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Weights that it started from. [default: the shipped ones]"),
    ] = None,
) -> None:
    """Mix fine-tuned weights with those they started from: new skills, little loss of the old ones."""
    from train.files import try_writing
    from train.models.trained import FROM_SHIPPED, goes_back_to_shipped
    from train.studies import blend as study
    from train.training.run import write_weights

    try_writing(out)
    loaded = study.blend(model, tuned, share, base)
    shipped = base is None or goes_back_to_shipped(base) or goes_back_to_shipped(tuned)
    write_weights(loaded.network, loaded.size, out, {FROM_SHIPPED: shipped})
    typer.echo(f"wrote {out}")
