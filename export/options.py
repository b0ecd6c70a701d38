"""Options that several commands of ``python -m export`` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"
"""Folder of the shipped models."""

OUT = Path("runs") / "export"
"""Folder that models are exported to."""


def _not_the_shipped_ones(out: Path) -> Path:
    """Return ``out``; a usage error for the folder that only ``--ship`` may change."""
    if WEIGHTS in (out.resolve(), out.resolve().parent):
        raise typer.BadParameter(f"{out} holds the shipped models: choose another folder, and say --ship")
    return out


OutOption = Annotated[
    Path,
    typer.Option(
        "--out",
        metavar="DIR",
        help="Folder to export to, models and manifest.",
        callback=_not_the_shipped_ones,
    ),
]
OutOrModelOption = Annotated[
    Path,
    typer.Option(
        "--out",
        metavar="DIR|MODEL.onnx",
        help="Folder to export to, model and manifest, or the file of a model of your own.",
        callback=_not_the_shipped_ones,
    ),
]
Precision = Literal["fp32", "fp16", "int8"]
PrecisionOption = Annotated[
    Precision, typer.Option(help="Of a model of your own: int8 is faster on most processors, fp16 on CUDA.")
]
MOST_LICENCE = 80
"""Largest number of characters of a licence line."""


def _one_line(licence: str) -> str:
    """Return ``licence``; a usage error for a text that is no line."""
    if len(licence) > MOST_LICENCE or (licence and not licence.isprintable()):
        raise typer.BadParameter(
            f"one line of {MOST_LICENCE} printable characters at most, got {licence!r:.60}"
        )
    return licence


LicenceOption = Annotated[
    str,
    typer.Option(
        "--licence",
        metavar="TEXT",
        help="Licence line of a model of your own, written into it.",
        callback=_one_line,
    ),
]
WeightsOption = Annotated[Path, typer.Option("--weights", help="Folder of the shipped models and manifest.")]
ShipOption = Annotated[
    bool,
    typer.Option("--ship", help="Then put it into --weights, if it is no worse than what it replaces there."),
]
MayLoseOption = Annotated[
    float,
    typer.Option(
        "--may-lose",
        metavar="POINTS",
        min=0.0,
        help="Ship it even if its error on the validation faces is so much larger: for a model that is "
        "better elsewhere.",
    ),
]
ValidationOption = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="Folder of the data: its validation faces judge --ship."),
]


def needed_to_ship(data: Path | None) -> Path:
    """Return ``data``; a usage error if it is missing."""
    if data is None:
        raise typer.BadParameter("--ship compares on validation faces: say --data DIR, too")
    return data
