"""The command line ``python -m export``, which builds the models that the tracker ships."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Annotated

import typer

from export import blazeface, fit_box, manifest
from tracker.errors import TrackerError
from train.errors import TrainError

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Build the models that the tracker ships.")

WeightsOption = Annotated[Path, typer.Option("--weights", help="Folder of models and manifest.")]


@app.command("blazeface")
def build_blazeface(
    wheel: Annotated[Path, typer.Option(help="Wheel of mediapipe 0.10.21, or the .tflite inside it.")],
    weights: WeightsOption = WEIGHTS,
) -> None:
    """Convert MediaPipe's face detector to ONNX.

    Get the wheel with: pip download --no-deps mediapipe==0.10.21
    """
    blazeface.build(wheel, weights)
    typer.echo(f"wrote {weights / 'blazeface-short.onnx'} and its manifest entry")


@app.command("fit-box")
def fit_box_command(
    data: Annotated[Path, typer.Option(help="Folder with 300w/ (afw, helen, lfpw) in it.")],
    weights: WeightsOption = WEIGHTS,
) -> None:
    """Fit the detector's box to the 68-point box on the 300-W training images."""
    fit = fit_box.fit_into_manifest(data, weights)
    typer.echo(f"fitted on {fit.n_faces} faces ({fit.n_missed} more were not found)")
    typer.echo("what it leaves, absolute values, median and 95th percentile:")
    typer.echo(f"  centre {fit.center_median:.1%} {fit.center_p95:.1%} of the longer side")
    typer.echo(f"  longer side {fit.side_median:.1%} {fit.side_p95:.1%}")
    degrees = math.degrees(fit.roll_rad_median), math.degrees(fit.roll_rad_p95)
    typer.echo(f"  roll {degrees[0]:.1f} {degrees[1]:.1f} degrees")


@app.command("landmarks")
def export_landmarks(
    checkpoint: Annotated[Path, typer.Option(help="Trained weights, a .safetensors file.")],
    name: Annotated[
        str, typer.Option(help="The model, as python -m train and the manifest name it.")
    ] = "resnet18",
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of the data: its validation faces calibrate quality and prove parity."),
    ] = None,
    weights: WeightsOption = WEIGHTS,
) -> None:
    """Export trained landmark weights to ONNX and prove that ONNX Runtime agrees with torch."""
    from export import landmarks

    parity = landmarks.ship(checkpoint, name, weights, data)
    typer.echo(f"wrote {weights / name}.onnx and its manifest entry")
    typer.echo(
        f"against torch over {parity.crops} crops: points within {parity.points_px:.5f} crop px, "
        f"presence within {parity.presence:.6f}"
        + (f", quality within {parity.quality:.6f}" if parity.quality is not None else "")
    )
    if parity.quality is None:
        typer.echo("without --data the model does not judge the quality of points")


@app.command("int8")
def export_int8(
    data: Annotated[Path, typer.Option(help="Folder of the data: its training faces calibrate the ranges.")],
    name: Annotated[str, typer.Option(help="A landmark model of the manifest.")] = "resnet18",
    weights: WeightsOption = WEIGHTS,
) -> None:
    """Ship a landmark model with eight-bit convolutions, too; the tracker takes it where it is faster."""
    from export import variants

    typer.echo(f"wrote {variants.ship_int8(name, weights, data)} and its manifest entry")


@app.command("fp16")
def export_fp16(
    name: Annotated[str, typer.Option(help="A landmark model of the manifest.")] = "resnet18",
    weights: WeightsOption = WEIGHTS,
) -> None:
    """Add a landmark model with float16 convolutions; the tracker takes it on CUDA."""
    from export import variants

    typer.echo(f"wrote {variants.ship_fp16(name, weights)} and its manifest entry")


@app.command("parity")
def compare_backends(
    data: Annotated[Path, typer.Option(help="Folder of the data: its 300-W test faces are compared.")],
    name: Annotated[
        list[str] | None, typer.Option(help="Landmark model; repeat for several. [default: all]")
    ] = None,
    backend: Annotated[list[str] | None, typer.Option(help="Backend; repeat for several.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="So many faces only; 0: all.")] = 0,
    weights: WeightsOption = WEIGHTS,
) -> None:
    """Hold every model, precision and backend against torch; note what eight bits cost in the manifest."""
    from export import parity_table

    parity_table.run(data, name, backend, limit, weights)


@app.command("study")
def ship_study(
    checkpoint: Annotated[Path, typer.Option(help="Trained weights, a .safetensors file.")],
    name: Annotated[str, typer.Option(help="nose-funnel, nose-fan or face58.")],
    weights: WeightsOption = WEIGHTS,
) -> None:
    """Ship a network for the IMM Face Database as it is, stored in float16."""
    from export import study

    moved = study.ship_study(checkpoint, name, weights)
    typer.echo(f"wrote {weights / name}.safetensors and its manifest entry")
    typer.echo(f"rounding to float16 moves points by at most {moved:.6f} of the picture's width")


@app.command("record")
def record_accuracy(
    evaluation: Annotated[Path, typer.Option(help="What python -m train evaluate --json wrote.")],
    name: Annotated[str, typer.Option(help="Name in the manifest.")] = "resnet18",
    weights: WeightsOption = WEIGHTS,
) -> None:
    """Put a measured NME into the manifest, where `tracker info` reads it."""
    manifest.record_nme(weights, name, evaluation)


def main() -> None:
    """Run the command line; a domain error is one line on stderr and exit code 1."""
    try:
        app()
    except (TrackerError, TrainError, OSError) as error:  # OSError: a folder that cannot be written
        typer.echo(f"error: {error}", err=True)
        sys.exit(1)
