"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DataOption = Annotated[
    Path,
    typer.Option("--data", metavar="DIR", help="Folder of the data sets, laid out as docs/train.md shows."),
]
NetworkWeightsOption = Annotated[
    Path | None,
    typer.Option("--weights", metavar="FILE", help="Weights of MODEL. [default: the shipped ones]"),
]
LabelsOption = Annotated[Path, typer.Option("--out", metavar="FILE.jsonl", help="Where the labels go.")]
TeacherOption = Annotated[str, typer.Option("--teacher", help="The network that labels: resnet18, unet...")]
TeacherWeightsOption = Annotated[
    Path | None,
    typer.Option("--weights", metavar="FILE", help="Its weights. [default: the shipped ones]"),
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
        "--out",
        metavar="DIR",
        help="Folder for checkpoint, logs and weights, and for nothing else. [default: runs/MODEL]",
    ),
]
InitOption = Annotated[
    str,
    typer.Option(
        "--init",
        metavar="FILE|imagenet",
        help="Start from the weights in a file: a model of ours (.onnx, .safetensors), torchvision's "
        "ResNet18 (.pth, .safetensors), the U-Net for brain MRI (.pt); imagenet downloads torchvision's.",
    ),
]
PartialOption = Annotated[
    bool, typer.Option("--partial", help="Start from a file that gives less than half of the weights, too.")
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
MinedOption = Annotated[
    Path | None,
    typer.Option(
        "--mined",
        metavar="FILE.jsonl",
        help="Crops without a face that look like one, as `python -m benchmarks.candidates` writes them.",
    ),
]
LimitOption = Annotated[int, typer.Option(min=0, help="Use only N faces (a dry run); 0: all.")]
EpochsOption = Annotated[
    int, typer.Option(min=0, help="Train each stage for N epochs (1: a dry run); 0: as the recipe.")
]
BatchSizeOption = Annotated[
    int | None,
    typer.Option(
        "--batch-size",
        min=1,
        metavar="N",
        help="Pictures of a step, on all devices together. [default: the recipe's]",
    ),
]
RateOption = Annotated[
    float | None,
    typer.Option(
        "--lr",
        min=1e-12,
        metavar="RATE",
        help="Peak of the learning rate; of several stages the highest, the others in proportion. "
        "[default: the recipe's]",
    ),
]
SizeOption = Annotated[
    int | None,
    typer.Option(
        "--size", min=32, metavar="PX", help="Side of the crops, in all stages. [default: the recipe's]"
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Set one value of the recipe, such as weight_decay=0.01, recipe.photometry.blur=0.3 or "
        "stages.0.peak_lr=1e-3; can be repeated.",
    ),
]
SeedOption = Annotated[
    int | None, typer.Option(min=0, help="Seed of weights and samples. [default: the recipe's]")
]
DevicesOption = Annotated[int, typer.Option(min=1, help="Devices on each machine.")]
NodesOption = Annotated[int, typer.Option("--num-nodes", min=1, help="Machines.")]
ThreadsOption = Annotated[int, typer.Option(min=0, help="CPU threads; 0: one per core.")]
WorkersOption = Annotated[int, typer.Option(min=0, help="Processes that make samples; 0: none but this.")]
