"""The command ``python -m train mean-head``. Slow imports happen when the command runs."""

from __future__ import annotations

import typer

from train.cli.options import DataOption

PROFILES_COUNT = 2
"""Times that each profile counts, of which there are fewer than faces of 300-W."""


def mean_head(data: DataOption) -> None:
    """Derive the mean head that completes half-labelled profiles, from the training faces below DIR.

    Prints the points in millimetres, x to the right of the picture, y down, z away from the camera;
    train/data/head_shape.py holds them.
    """
    from train.data.sides import Side
    from train.data.splits import half_faces, training_faces
    from train.studies import mean_head as study

    faces, _ = training_faces(data)
    labelled = [face for face in faces if face.subset != "wflw68"]
    profiles = half_faces(data, Side.TRAINING, ("profiles",))
    for number, point in enumerate(study.mean_head(labelled + PROFILES_COUNT * profiles)):
        typer.echo(f"{number:2}  " + " ".join(f"{value:7.1f}" for value in point))
