"""The command that makes the 3D face that head poses are measured with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from train.options import DataOption


def mean_face_command(
    data: DataOption,
    out: Annotated[
        Path, typer.Option(metavar="FILE.json", help="Write 68 x [x, y, z] in millimetres to this file.")
    ] = Path("mean_face.json"),
) -> None:
    """Make the mean 3D face of the labelled training images, which the tracker measures head poses with."""
    import json

    import numpy as np

    from train.data.splits import training_faces
    from train.files import replace, try_writing
    from train.mean_face import mean_face

    try_writing(out)
    training, _ = training_faces(data)
    shape = mean_face(np.stack([face.points for face in training]))
    points = ",\n".join(json.dumps(point) for point in np.round(shape, 1).tolist())
    replace(out, f"[\n{points}\n]\n".encode())
    typer.echo(f"wrote {out}, of {len(training)} faces")
