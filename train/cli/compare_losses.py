"""The command ``python -m train compare-losses``. Slow imports happen when the command runs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from train.cli.options import DataOption, EpochsOption, JsonOption, LimitOption, ThreadsOption

if TYPE_CHECKING:
    from train.studies.losses import Comparison


def compare_losses(
    data: DataOption,
    limit: LimitOption = 256,
    epochs: EpochsOption = 0,
    threads: ThreadsOption = 0,
    json_path: JsonOption = None,
) -> None:
    """Measure what a loss on the pixels of heatmaps asks for and learns, against the loss of unet-mri.

    Small U-Nets with the same first weights are trained on the same faces, a few minutes in all, on the CPU.
    """
    import torch

    from train.data.splits import training_faces
    from train.files import replace, to_json, try_writing
    from train.studies.losses import compare
    from train.training.task import limited

    if json_path is not None:
        try_writing(json_path)
    if threads:
        torch.set_num_threads(threads)
    training, validation = (limited(faces, limit) for faces in training_faces(data))
    comparison = compare(training, validation, epochs)
    _print(comparison)
    if json_path is not None:
        replace(json_path, to_json(asdict(comparison)).encode())
        typer.echo(f"wrote {json_path}")


def _print(comparison: Comparison) -> None:
    from rich.console import Console

    console = Console()
    console.print(_answers(comparison))
    console.print(_ways(comparison))


def _answers(comparison: Comparison) -> object:
    from rich.table import Table

    from train.studies.heatmap_losses import WORTHWHILE_PX

    answers = comparison.answers
    table = Table(
        caption=f"A map drawn over {WORTHWHILE_PX:.1f} px of 224 off costs more pixel error than zeros: "
        f"{100 * answers.share_beyond:.0f} % of the points of the mean face, "
        f"whose NME is {answers.mean_face_nme_percent:.1f} %."
    )
    table.add_column("answer without a look")
    table.add_column("pixel error / zeros'", justify="right")
    table.add_column("cross-entropy, nats", justify="right")
    for name, cost in {
        "zeros, or flat": answers.nothing,
        "the mean face": answers.mean_face,
        f"mean of all targets (peak {answers.blurred_peak:.2f})": answers.blurred,
    }.items():
        ratio = cost.pixels / answers.nothing.pixels
        table.add_row(name, f"{ratio:.3f}", f"{cost.distributions:.2f}")
    return table


def _ways(comparison: Comparison) -> object:
    from rich.table import Table

    table = Table(
        caption=f"{comparison.faces} faces, {comparison.epochs} epochs; "
        f"{100 * comparison.background:.1f} % of the cells are background. Shares are of the gradient's "
        "absolute values, and of its squares."
    )
    table.add_column("loss on")
    for header in ("background, fresh %", "background, trained %", "peak / target's", "NME %"):
        table.add_column(header, justify="right")
    for name, way in comparison.ways.items():
        shares = (
            f"{100 * share.absolute:.0f}, {100 * share.squared:.0f}" for share in (way.fresh, way.trained)
        )
        table.add_row(name, *shares, f"{way.peak:.2f}", f"{way.nme_percent:.1f}")
    return table
