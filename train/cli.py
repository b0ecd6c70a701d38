"""Commands of ``python -m train``. What is slow to import is imported by the command that needs it."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from train.errors import RunError, TrainError

if TYPE_CHECKING:
    from torch import nn

    from train.config import TrainConfig
    from train.evaluate import Score

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Train and evaluate landmark models.")

DataOption = Annotated[
    Path,
    typer.Option(
        "--data",
        metavar="DIR",
        help="Folder with 300w/{lfpw,helen}/{trainset,testset} and 300w/afw, a .pts beside each image; "
        "wflw68/trainset is used where it is there.",
    ),
]
OutOption = Annotated[Path, typer.Option(help="Folder for checkpoint, log and the final weights.")]
ResumeOption = Annotated[bool, typer.Option("--resume", help="Go on from the last epoch in --out, if any.")]
LimitOption = Annotated[int, typer.Option(min=0, help="Use only the first N faces (a dry run); 0: all.")]
EpochsOption = Annotated[
    int, typer.Option(min=0, help="Cut each stage to N epochs (a dry run); 0: as the recipe.")
]
DevicesOption = Annotated[int, typer.Option(min=1, help="Devices on each machine.")]
NodesOption = Annotated[int, typer.Option("--num-nodes", min=1, help="Machines.")]
ThreadsOption = Annotated[int, typer.Option(min=0, help="CPU threads; 0: one per core.")]
WorkersOption = Annotated[int, typer.Option(min=0, help="Processes that make samples; 0: none but this.")]
PretrainedOption = Annotated[
    Literal["imagenet"] | None, typer.Option(help="Start from torchvision's weights (downloads them).")
]


@app.command()
def resnet18(
    data: DataOption,
    out: OutOption = Path("runs/resnet18"),
    resume: ResumeOption = False,
    limit: LimitOption = 0,
    epochs: EpochsOption = 0,
    devices: DevicesOption = 1,
    num_nodes: NodesOption = 1,
    threads: ThreadsOption = 0,
    workers: WorkersOption = 0,
    pretrained: PretrainedOption = None,
) -> None:
    """Train the ResNet18 landmark model and write its weights to OUT/resnet18.safetensors."""
    import lightning_fabric
    import torch

    from train.configs.resnet18 import CONFIG
    from train.data.splits import training_faces
    from train.loop import train
    from train.models.resnet18 import ResNet18Landmarks

    if threads:
        torch.set_num_threads(threads)
    training, validation = (faces[: limit or None] for faces in training_faces(data))
    if not validation:
        typer.echo("train: no face of this data validates: the validation NME will be nan", err=True)
    config = replace(_shortened(CONFIG, epochs), pretrained=pretrained)
    fabric = lightning_fabric.Fabric(devices=devices, num_nodes=num_nodes, precision=config.precision)
    fabric.launch()
    fabric.seed_everything(config.seed, verbose=False)  # for the initial weights; all else has its own
    network = ResNet18Landmarks(pretrained)
    try:
        averaged = train(config, network, (training, validation), out, fabric, resume, workers)
    except KeyboardInterrupt:
        typer.echo(f"train: stopped; finished epochs are kept: --resume --out {out} goes on", err=True)
        raise typer.Exit(130) from None
    if fabric.is_global_zero:
        _write_weights(averaged, config.stages[-1].size, out / f"{config.model}.safetensors")


@app.command()
def evaluate(
    data: DataOption,
    predictions: Annotated[
        list[str],
        typer.Option(
            metavar="[SUBSET=]FILE",
            help="JSON lines that `tracker --images ... --json FILE` wrote for the images of a test set. "
            "SUBSET (lfpw or helen) is needed only where both have an image of that name.",
        ),
    ],
    more: Annotated[
        list[str] | None, typer.Argument(metavar="[[SUBSET=]FILE]...", help="Further prediction files.")
    ] = None,
    json_path: Annotated[
        Path | None, typer.Option("--json", metavar="OUT", help="Write the scores to this file too.")
    ] = None,
) -> None:
    """Score predictions on the 554 faces of the 300-W common test subset (lfpw 224, helen 330)."""
    from train.data.splits import TEST_FOLDERS, test_faces
    from train.evaluate import collect
    from train.evaluate import evaluate as evaluate_faces

    faces = test_faces(data)
    # The option takes one value; a shell's *.jsonl puts the others behind it.
    files = [_subset_and_path(text, tuple(TEST_FOLDERS)) for text in (*predictions, *(more or ()))]
    collected = collect(faces, files)
    scores = evaluate_faces(faces, collected)
    _print_scores(scores)
    absent = [subset for subset in TEST_FOLDERS if subset not in collected]
    if absent:
        typer.echo(f"No predictions for {', '.join(absent)}: this is not the complete {len(faces)} faces.")
    if json_path is not None:
        _write_scores(scores, not absent, json_path)


def main() -> None:
    """Run the command; a known error becomes one line on stderr and exit code 1."""
    try:
        app()
    except TrainError as error:
        typer.echo(f"train: {error}", err=True)
        sys.exit(1)


def _shortened(config: TrainConfig, epochs: int) -> TrainConfig:
    if not epochs:
        return config
    return replace(config, stages=tuple(replace(s, epochs=min(s.epochs, epochs)) for s in config.stages))


def _write_weights(model: nn.Module, size: int, path: Path) -> None:
    """The weights, and the crop size in pixels that the network was trained to see last."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    part = path.with_name(f"{path.name}.part")
    try:
        weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
        save_file(weights, part, metadata={"size": str(size)})
        part.replace(path)
    except (OSError, SafetensorError) as error:
        part.unlink(missing_ok=True)
        raise RunError(f"{path} cannot be written: {error}; make room, then go on with --resume") from error


def _subset_and_path(text: str, subsets: Sequence[str]) -> tuple[str | None, Path]:
    subset, equals, path = text.partition("=")
    return (subset, Path(path)) if equals and subset in subsets else (None, Path(text))


def _print_scores(scores: Sequence[Score]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(caption="NME: inter-ocular %, of the faces found. FR10 and AUC@8: a miss is a failure.")
    for header in ("subset", "faces", "misses", "NME mean", "median", "FR10 %", "AUC@8 %"):
        table.add_column(header, justify="left" if header == "subset" else "right")
    for s in scores:
        numbers = (s.nme_mean, s.nme_median, 100 * s.failure_rate_10, 100 * s.auc_8)
        table.add_row(s.subset, str(s.faces), str(s.misses), *(f"{number:.2f}" for number in numbers))
    Console().print(table)


def _write_scores(scores: Sequence[Score], complete: bool, path: Path) -> None:
    rows = [
        {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in row.items()
        }
        for row in map(asdict, scores)
    ]
    text = json.dumps({"complete": complete, "scores": rows}, indent=2, allow_nan=False)
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror}") from error
