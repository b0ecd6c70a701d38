"""The commands for points of one's own: train, and measure. Slow imports happen when they run."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from train.cli.interrupts import interruptible
from train.cli.options import JsonOption
from train.cli.training import CropTraining, with_training
from train.errors import RunError

if TYPE_CHECKING:
    from tracker.scheme.value import Scheme
    from train.config import TrainConfig
    from train.configs.loading import Changes
    from train.data.readers import LabelledFace

FolderOption = Annotated[
    Path,
    typer.Option(
        "--data",
        metavar="FOLDER",
        help="Labelled pictures: a folder with .pts or .asf files beside them, or with one file of dlib's "
        "imglab (.xml), COCO keypoints (.json) or a table (.csv), or that file.",
    ),
]


@with_training
def points(  # noqa: PLR0913
    data: FolderOption,
    training: CropTraining,
    scheme: Annotated[
        str, typer.Option(metavar="NAME|FILE.toml", help="The points: a shipped scheme, or one of your own.")
    ],
    network: Annotated[
        str, typer.Option(metavar="NETWORK", help="resnet18, unet (slower) or unet-light (faster).")
    ] = "resnet18",
    validation: Annotated[
        str,
        typer.Option(
            metavar="SHARE|LIST.txt|FOLDER",
            help="What validates: a share by the hash of the names, the names in a list, or another folder.",
        ),
    ] = "0.1",
    person: Annotated[
        str,
        typer.Option(
            metavar="PATTERN",
            help="Regular expression that finds the person in a file's name: people validate, not pictures.",
        ),
    ] = "",
    init: Annotated[
        str,
        typer.Option(
            metavar="shipped|none|FILE",
            help="Start from the shipped model of the network, from nothing, or from weights in a file. "
            "[default: that of --config, else shipped]",
        ),
    ] = "",
) -> None:
    """Train a network on your own labelled pictures, of any points, and measure it on some of them."""
    from train.data.own_split import OwnData
    from train.training.points import SHIPPED, limited_split, train_points

    wanted = _scheme(scheme)
    own = OwnData(data, validation, person)
    split = limited_split(own.read(wanted), training.limit)
    chosen = _config(network, training.config, len(split.training), training.changes())
    chosen = training.seeded(replace(chosen, init=init or chosen.init or SHIPPED))
    options = training.options(Path("runs") / "points")
    with interruptible(options.out):
        path = train_points(chosen, own, split, wanted, options, partial(typer.echo, err=True))
    if path is not None:
        _finish(path, own.source, split.validation)


def points_error(
    checkpoint: Annotated[Path, typer.Argument(help="Weights that `points` wrote.")],
    data: FolderOption,
    json_path: JsonOption = None,
) -> None:
    """Measure weights that `points` wrote on labelled pictures that they have not seen."""
    from train.data.label_folder import read_labelled
    from train.evaluation.points import point_scores
    from train.files import replace as replace_file
    from train.files import to_json, try_writing
    from train.models.trained import load_trained

    if json_path is not None:
        try_writing(json_path)
    trained = load_trained(checkpoint)
    labelled = read_labelled(data, trained.scheme)
    for note in labelled.notes:
        typer.echo(f"note: {note}", err=True)
    scores = point_scores(trained, labelled.faces)
    _print(scores.rows())
    if json_path is not None:
        replace_file(json_path, to_json(scores.to_dict()).encode())


def _scheme(name: str) -> Scheme:
    from tracker.scheme.toml import find_scheme

    try:
        return find_scheme(name)
    except ValueError as error:
        line = str(error)
        raise RunError(f"--scheme {line if line.startswith(name) else f'{name}: {line}'}") from error


def _config(network: str, config: Path | None, pictures: int, changes: Changes) -> TrainConfig:
    from train.configs.loading import load_config
    from train.configs.points import NETWORKS, points_config

    if network not in NETWORKS:
        raise RunError(f"--network {network}: choose one of {', '.join(NETWORKS)}")
    recipe = replace(load_config(config), model=network) if config else points_config(network, pictures)
    return changes.apply(recipe)


def _finish(path: Path, data: Path, validation: Sequence[LabelledFace]) -> None:
    """Measure the weights on the validation faces, write the card's draft, and tell what to type next."""
    from train.evaluation.points import point_scores
    from train.evaluation.points_card import write_card
    from train.models.trained import load_trained

    trained = load_trained(path)
    scores = point_scores(trained, validation)
    _print(scores.rows())
    card = write_card(path.parent, trained, scores)
    typer.echo(f"wrote {path}, and {card}, a draft for you to complete. Next:")
    typer.echo(
        f"  python -m export landmarks --checkpoint {shlex.quote(str(path))} "
        f"--data {shlex.quote(str(data))} --out own.onnx"
    )
    typer.echo("  tracker --model own.onnx")


def _print(rows: list[tuple[str, str]]) -> None:
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        typer.echo(f"{name:{width}}  {value}")
