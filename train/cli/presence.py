"""The command ``python -m train presence``. Slow imports happen when the command runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from train.cli.options import DataOption, JsonOption, NetworkWeightsOption

if TYPE_CHECKING:
    from train.evaluation.presence import PresenceReport


def presence(
    data: DataOption,
    model: Annotated[str, typer.Argument(help="A landmark network, such as resnet18 or unet.")] = "resnet18",
    weights: NetworkWeightsOption = None,
    draws: Annotated[int, typer.Option(min=1, help="Crops of each validation face.")] = 10,
    json_path: JsonOption = None,
) -> None:
    """Hold the presence that a network gives a crop against whether it holds a face.

    Half of the crops are the validation faces, turned, blurred and covered as in training; the others lie
    beside them, far too near, too far or overturned, or are drawn patterns.
    """
    from train.data.splits import training_faces
    from train.evaluation.presence import presence_report
    from train.files import replace, to_json, try_writing
    from train.models.load import load_network
    from train.progress import progress_bar

    if json_path is not None:
        try_writing(json_path)
    loaded, faces = load_network(model, weights), training_faces(data)[1]
    with progress_bar("asking", draws) as advance:
        found = presence_report(loaded, faces, draws, advance)
    _print(found)
    if json_path is not None:
        replace(json_path, to_json({"model": model, **found.to_dict()}).encode())


def _print(found: PresenceReport) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for header in ("presence", "crops", "predicted", "faces among them"):
        table.add_column(header, justify="right")
    for row in found.table:
        cells = (f"{row.low:g} to {row.high:g}", str(row.count), f"{row.predicted:.3f}", f"{row.actual:.3f}")
        table.add_row(*cells)
    Console().print(table)
    typer.echo(
        f"{found.faces} faces, {100 * found.missed:.2f} % missed; {found.others} other crops, "
        f"{100 * found.invented:.2f} % taken for a face; presence is off by "
        f"{100 * found.calibration_error:.2f} percentage points in the mean"
    )
