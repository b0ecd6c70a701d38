"""The command ``python -m train quality``. Slow imports happen when the command runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from train.cli.options import ConfigOption, DataOption, JsonOption, NetworkWeightsOption

if TYPE_CHECKING:
    from train.evaluation.quality import QualityReport


def quality(
    data: DataOption,
    model: Annotated[str, typer.Argument(help="A heatmap network, such as resnet18 or unet.")] = "resnet18",
    weights: NetworkWeightsOption = None,
    config: ConfigOption = None,
    disturbed: Annotated[
        bool,
        typer.Option("--disturbed", help="Turn, blur and cover the test faces as training does."),
    ] = False,
    json_path: JsonOption = None,
) -> None:
    """Hold the quality that a network gives each point against its true error on the 300-W test faces.

    Quality is the probability that a point lies within 5 % of the distance between the outer eye corners. It
    is calibrated on the validation faces of the training images, which are augmented as in the run that
    trained the network: by --config, or else by the recipe of MODEL.
    """
    from train.configs.augmentation import augmentation
    from train.evaluation.quality import report
    from train.files import replace, to_json, try_writing
    from train.models.load import load_heatmap_network

    if json_path is not None:
        try_writing(json_path)
    loaded = load_heatmap_network(model, weights)
    found = report(loaded, data, augmentation(model, config, shipped=weights is None), disturbed)
    _print(found)
    if json_path is not None:
        replace(json_path, to_json({"model": model, "disturbed": disturbed, **found.to_dict()}).encode())


def _print(found: QualityReport) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(caption="A tenth of the points a row, the least trusted first.")
    for header in ("points", "quality", "truly good", "mean error, % inter-ocular"):
        table.add_column(header, justify="right")
    for row in found.table:
        cells = (f"{100 * row.predicted:.1f} %", f"{100 * row.actual:.1f} %", f"{row.mean_error:.2f}")
        table.add_row(str(row.count), *cells)
    Console().print(table)
    typer.echo(
        f"{found.faces} faces: quality is off by {100 * found.calibration_error:.1f} percentage points; the "
        f"least trusted tenth holds {100 * found.error_in_worst:.1f} % of all error (a judge who knows the "
        f"errors: {100 * found.possible:.1f} %)"
    )
