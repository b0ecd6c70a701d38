"""The command ``python -m train evaluate``. Slow imports happen when the command runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from train.cli.options import DataOption
from train.evaluation.breakdown_tables import print_breakdowns
from train.evaluation.families import FAMILIES
from train.evaluation.run import Only, Request, measure, misuse, write
from train.evaluation.tables import print_scores

DEFAULT_MODEL = "resnet18"

_WEIGHTS_SUFFIXES = (".onnx", ".safetensors", ".ckpt", ".pt", ".pth")


def evaluate(  # noqa: PLR0913
    data: DataOption,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MODEL] [[SUBSET=]FILE]...",
            help=f"{', '.join(FAMILIES)}; after --predictions, further prediction files.",
            show_default=DEFAULT_MODEL,
        ),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Weights of MODEL: .safetensors, .onnx, or the last.ckpt of a run, finished or not. "
            "[default: the shipped ones]",
        ),
    ] = None,
    predictions: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[SUBSET=]FILE",
            help="JSON lines that `tracker --images ... --json FILE` wrote for the images of a test set, "
            "instead of running the tracker here. SUBSET is needed only where several have an image of that "
            "name.",
        ),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Pictures of your own. The tracker finds the faces; the points are those of MODEL.",
        ),
    ] = None,
    marked: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write the pictures of --images there, as PNG with their points."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="OUT.html", help="Write a report. It shows faces of the data: keep it private."),
    ] = None,
    json_path: Annotated[
        Path | None, typer.Option("--json", metavar="OUT.json", help="Write all scores to this file.")
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The run's log.csv, for its curves in report and plots. [default: the one beside --weights]",
        ),
    ] = None,
    plots: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the plots without faces there, as PNG.")
    ] = None,
    only: Annotated[
        Only | None, typer.Option(help="Measure this alone: the network on labelled crops, or the tracker.")
    ] = None,
) -> None:
    """Measure how accurate a model is on faces that it was not trained on.

    Label box: the network alone, on crops that the labels place. Own detector: the tracker's output on whole
    pictures, nothing else; a face that it misses counts as a failure. Both are broken down by yaw, part
    and axis; the network alone is also measured under drawn masks and light from one side.
    """
    model, files = _model_and_files(arguments or (), predictions or ())
    request = Request(model, data, weights, tuple(files), images, report, json_path, log, plots, marked, only)
    if reason := misuse(request):
        raise typer.BadParameter(reason)
    outcome = measure(request)
    print_scores(outcome.evaluations)
    print_breakdowns(outcome.breakdowns, outcome.occlusion)
    for note in outcome.notes:
        typer.echo(note)
    write(request, outcome)


def _model_and_files(
    arguments: Sequence[str], predictions: Sequence[str]
) -> tuple[str, list[tuple[str | None, Path]]]:
    """Split the arguments into the model and the prediction files, each with its subset or None.

    ``--predictions`` takes one value: of the files that a shell makes of ``*.jsonl``, the others arrive as
    arguments.
    """
    models = [text for text in arguments if text in FAMILIES]
    others = [text for text in arguments if text not in FAMILIES]
    if len(models) > 1:
        raise typer.BadParameter(f"one model at a time, got {' and '.join(models)}")
    if others and not predictions and Path(others[0]).suffix.lower() in _WEIGHTS_SUFFIXES:
        raise typer.BadParameter(f"{others[0]} is a file of weights: say MODEL --weights {others[0]}")
    if others and not predictions:
        raise typer.BadParameter(f"no model {others[0]!r}: choose one of {', '.join(FAMILIES)}")
    model = models[0] if models else DEFAULT_MODEL
    return model, [_subset_and_path(text, FAMILIES[model].subsets) for text in (*predictions, *others)]


def _subset_and_path(text: str, subsets: Sequence[str]) -> tuple[str | None, Path]:
    subset, equals, path = text.partition("=")
    return (subset, Path(path)) if equals and subset in subsets else (None, Path(text))
