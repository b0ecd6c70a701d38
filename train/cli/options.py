"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DataOption = Annotated[
    Path, typer.Option("--data", metavar="DIR", help="Folder of the data sets; README.md shows its layout.")
]
NetworkWeightsOption = Annotated[
    Path | None,
    typer.Option("--weights", metavar="FILE", help="Weights of MODEL. [default: the shipped ones]"),
]
JsonOption = Annotated[
    Path | None, typer.Option("--json", metavar="OUT.json", help="Write the figures to this file.")
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="A Python file that sets CONFIG, a train.config.TrainConfig: see train/configs/.",
    ),
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="DIR", help="Folder for checkpoint, logs and weights. [default: runs/MODEL]"
    ),
]
InitOption = Annotated[
    str,
    typer.Option(
        "--init",
        metavar="FILE|imagenet",
        help="Start from a trained model (.onnx or .safetensors), from ImageNet weights (downloads them), or "
        "unet-mri from the published brain MRI checkpoint (.pt).",
    ),
]
ResumeOption = Annotated[bool, typer.Option("--resume", help="Go on from the last epoch in --out, if any.")]
PseudoOption = Annotated[
    Path | None,
    typer.Option(
        "--pseudo", metavar="FILE.jsonl", help="Train on the faces that `pseudo-label` labelled, too."
    ),
]
KeepOption = Annotated[
    float, typer.Option(min=0.01, max=1.0, help="Of those the share that the teacher was surest of.")
]
LimitOption = Annotated[int, typer.Option(min=0, help="Use only N faces (a dry run); 0: all.")]
EpochsOption = Annotated[
    int, typer.Option(min=0, help="Cut each stage to N epochs (a dry run); 0: as the recipe.")
]
SeedOption = Annotated[
    int | None, typer.Option(min=0, help="Seed of weights and samples. [default: the recipe's]")
]
DevicesOption = Annotated[int, typer.Option(min=1, help="Devices on each machine.")]
NodesOption = Annotated[int, typer.Option("--num-nodes", min=1, help="Machines.")]
ThreadsOption = Annotated[int, typer.Option(min=0, help="CPU threads; 0: one per core.")]
WorkersOption = Annotated[int, typer.Option(min=0, help="Processes that make samples; 0: none but this.")]
