"""The command line ``python -m export``, which builds the models that the tracker ships.

Models go to a folder or file of their own; only ``--ship`` changes the shipped ones.
"""

from __future__ import annotations

import math
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from export import blazeface, fit_box, manifest
from export.options import (
    OUT,
    WEIGHTS,
    LicenceOption,
    MayLoseOption,
    OutOption,
    OutOrModelOption,
    Precision,
    PrecisionOption,
    ShipOption,
    ValidationOption,
    WeightsOption,
    needed_to_ship,
)
from tracker.errors import TrackerError
from tracker.inference.weights import MANIFEST
from train.errors import TrainError
from train.processes import was_interrupted

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Build the models that the tracker ships.")


@app.command("blazeface")
def build_blazeface(
    wheel: Annotated[Path, typer.Option(help="Wheel of mediapipe 0.10.21, or the .tflite inside it.")],
    out: OutOption = OUT,
    ship: ShipOption = False,
    weights: WeightsOption = WEIGHTS,
) -> None:
    """Convert MediaPipe's face detector to ONNX.

    Get the wheel with: pip download --no-deps mediapipe==0.10.21
    """
    folder = weights if ship else out  # the source's hash is checked, so there is nothing to compare
    if not ship and (weights / MANIFEST).exists():
        manifest.adopt(blazeface.NAME, out, weights)  # for its fitted box
    blazeface.build(wheel, folder)
    typer.echo(f"wrote {folder / 'blazeface-short.onnx'} and its manifest entry")


@app.command("fit-box")
def fit_box_command(
    data: Annotated[Path, typer.Option(help="Folder with 300w/ (afw, helen, lfpw), and profiles/ if there.")],
    out: OutOption = OUT,
    ship: ShipOption = False,
    weights: WeightsOption = WEIGHTS,
) -> None:
    """Fit the detector's box to the box of iBUG's points on training images of 300-W and of profiles."""
    manifest.adopt(blazeface.NAME, out, weights)
    fit = fit_box.fit_into_manifest(data, out)
    typer.echo(f"wrote {out / MANIFEST}")
    typer.echo(f"fitted on {fit.n_faces} faces ({fit.n_missed} more were not found)")
    typer.echo("what it leaves, absolute values, median and 95th percentile:")
    typer.echo(f"  centre {fit.center_median:.1%} {fit.center_p95:.1%} of the longer side")
    typer.echo(f"  longer side {fit.side_median:.1%} {fit.side_p95:.1%}")
    degrees = math.degrees(fit.roll_rad_median), math.degrees(fit.roll_rad_p95)
    typer.echo(f"  roll {degrees[0]:.1f} {degrees[1]:.1f} degrees")
    if ship:
        from export import shipping

        typer.echo(f"shipped to {weights}: {shipping.ship_box(out, weights, data)}")


@app.command("landmarks")
def export_landmarks(  # noqa: PLR0913
    checkpoint: Annotated[Path, typer.Option(help="Trained weights, a .safetensors file.")],
    name: Annotated[
        str, typer.Option(help="The network, for weights that do not tell it, and its name in the manifest.")
    ] = "resnet18",
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the data: its validation faces calibrate quality, prove parity and judge --ship."
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Recipe of the run, whose augmentation calibrates quality. [default: the model's own]",
        ),
    ] = None,
    out: OutOrModelOption = OUT,
    licence: LicenceOption = "",
    precision: PrecisionOption = "fp32",
    ship: ShipOption = False,
    may_lose: MayLoseOption = 0.0,
    weights: WeightsOption = WEIGHTS,
) -> None:
    """Export trained landmark weights to ONNX and prove that ONNX Runtime agrees with torch."""
    if out.suffix.lower() == ".onnx":
        if ship:
            raise typer.BadParameter("--ship is for a shipped model: give a folder as --out")
        _export_own(checkpoint, out, OwnValues(name, licence, precision, data, config))
        return
    if licence or precision != "fp32":
        raise typer.BadParameter("--licence and --precision are for a model of your own: --out MODEL.onnx")
    from export import landmarks

    if ship:
        needed_to_ship(data)
    parity = landmarks.write_landmarks(checkpoint, name, out, data, config, None if ship else typer.echo)
    typer.echo(f"wrote {out / name}.onnx and its manifest entry")
    typer.echo(
        f"against torch over {parity.crops} crops: points within {parity.points_px:.5f} crop px, "
        f"presence within {parity.presence:.6f}"
        + (f", quality within {parity.quality:.6f}" if parity.quality is not None else "")
    )
    if data is None:
        typer.echo("without --data the model does not judge the quality of points")
    if ship:
        from export import shipping

        judge = shipping.landmark_judge(needed_to_ship(data))
        typer.echo(f"shipped to {weights}: {shipping.ship(name, out, weights, judge, may_lose)}")


class OwnValues(NamedTuple):
    """Options of a model of one's own."""

    name: str
    licence: str
    precision: Precision
    data: Path | None
    config: Path | None


def _export_own(checkpoint: Path, out: Path, values: OwnValues) -> None:
    from export.own import OwnModel, write_own

    name, licence, precision, data, config = values
    model = OwnModel(out, name, licence, precision, data, config)
    parity = write_own(checkpoint, model, partial(typer.echo, err=True))
    typer.echo(
        f"wrote {out}: points within {parity.points_px:.5f} crop px of torch over {parity.crops} crops"
    )


@app.command("int8")
def export_int8(
    data: Annotated[
        Path,
        typer.Option(
            help="Folder of the data: training faces calibrate ranges, validation faces judge --ship."
        ),
    ],
    name: Annotated[str, typer.Option(help="A landmark model of --out, else of --weights.")] = "resnet18",
    out: OutOption = OUT,
    ship: ShipOption = False,
    may_lose: MayLoseOption = 0.0,
    weights: WeightsOption = WEIGHTS,
) -> None:
    """Add a landmark model with eight-bit convolutions; the tracker takes it where it is faster."""
    from export import variants

    manifest.adopt(name, out, weights)
    typer.echo(f"wrote {variants.write_int8(name, out, data)} and its manifest entry")
    if ship:
        _ship_variant(name, "int8", out, weights, data, may_lose)


@app.command("fp16")
def export_fp16(
    name: Annotated[str, typer.Option(help="A landmark model of --out, else of --weights.")] = "resnet18",
    data: ValidationOption = None,
    out: OutOption = OUT,
    ship: ShipOption = False,
    may_lose: MayLoseOption = 0.0,
    weights: WeightsOption = WEIGHTS,
) -> None:
    """Add a landmark model with float16 convolutions; the tracker takes it on CUDA."""
    from export import variants

    if ship:
        needed_to_ship(data)
    manifest.adopt(name, out, weights)
    typer.echo(f"wrote {variants.write_fp16(name, out)} and its manifest entry")
    if ship:
        _ship_variant(name, "fp16", out, weights, needed_to_ship(data), may_lose)


def _ship_variant(name: str, precision: str, out: Path, weights: Path, data: Path, may_lose: float) -> None:
    from export import shipping

    judge = shipping.landmark_judge(data)
    verdict = shipping.ship_variant(name, precision, out, weights, judge, may_lose)
    typer.echo(f"shipped to {weights}: {verdict}")


@app.command("parity")
def compare_backends(
    data: Annotated[Path, typer.Option(help="Folder of the data: its 300-W test faces are compared.")],
    name: Annotated[
        list[str] | None, typer.Option(help="Landmark model; repeat for several. [default: all]")
    ] = None,
    backend: Annotated[list[str] | None, typer.Option(help="Backend; repeat for several.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="So many faces only; 0: all.")] = 0,
    weights: Annotated[Path, typer.Option("--weights", help="Folder of models and manifest.")] = WEIGHTS,
) -> None:
    """Hold every model, precision and backend against torch. Writes nothing."""
    from export import parity_table

    parity_table.run(data, name, backend, limit, weights)


@app.command("study")
def export_study(  # noqa: PLR0913
    checkpoint: Annotated[Path, typer.Option(help="Trained weights, a .safetensors file.")],
    name: Annotated[str, typer.Option(help="nose-funnel, nose-fan or face58.")],
    data: ValidationOption = None,
    out: OutOption = OUT,
    ship: ShipOption = False,
    may_lose: MayLoseOption = 0.0,
    weights: WeightsOption = WEIGHTS,
) -> None:
    """Store a network for the IMM Face Database as it is, in float16."""
    from export import study

    if ship:
        needed_to_ship(data)
    moved = study.write_study(checkpoint, name, out)
    typer.echo(f"wrote {out / name}.safetensors and its manifest entry")
    typer.echo(f"rounding to float16 moves points by at most {moved:.6f} of the picture's width")
    if ship:
        from export import shipping

        judge = shipping.study_judge(name, needed_to_ship(data))
        typer.echo(f"shipped to {weights}: {shipping.ship(name, out, weights, judge, may_lose)}")


@app.command("record")
def record_accuracy(
    evaluation: Annotated[Path, typer.Option(help="What python -m train evaluate --json wrote.")],
    name: Annotated[str, typer.Option(help="Name in the manifest.")] = "resnet18",
    out: OutOption = OUT,
    ship: ShipOption = False,
    weights: WeightsOption = WEIGHTS,
) -> None:
    """Put a measured NME into the manifest, where `tracker info` reads it."""
    if not ship:
        manifest.adopt(name, out, weights)
    folder = weights if ship else out
    manifest.record_nme(folder, name, evaluation)
    typer.echo(f"wrote {folder / MANIFEST}")


def main() -> None:
    """Run the command line; a domain error is one line on stderr and exit code 1, Ctrl-C exit code 130."""
    try:
        app()
    except (TrackerError, TrainError, OSError) as error:  # OSError: a folder that cannot be written
        typer.echo(f"error: {error}", err=True)
        sys.exit(1)
    except (KeyboardInterrupt, Exception) as error:
        if was_interrupted(error):
            sys.exit(130)
        raise
