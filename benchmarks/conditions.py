"""Benchmark of faces under hard conditions: turned, small, dark, blurred, covered, cut off, coded badly.

``python -m benchmarks.conditions --data DIR`` runs the shipped tracker, with its own detector, on stills: on
the 300-W common test faces below ``DIR``, or with ``--set FOLDER`` on the images there that have a ``.pts``
file beside them. :mod:`benchmarks.picture_changes` describes each condition.

The reported face whose tight box overlaps the label's most counts, as in ``python -m train evaluate``. It is
``wrong`` if its NME exceeds :data:`MAX_NME_PERCENT`, such as upright points on a face that is turned over. In
turned pictures such a face is not found; elsewhere it is, and the NME of the found contains it. All points
count, also those that are covered or lie outside of the picture.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks import picture_changes as changes
from benchmarks.command import (
    JsonOption,
    ModelOption,
    ThreadsOption,
    check_outputs,
    run_command,
    write_report,
)
from benchmarks.picture_changes import Change
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.opening import open_tracker
from tracker.types import FloatArray, Frame, ImageArray
from train.data.pictures import read_picture
from train.data.readers import LabelledFace, read_pts_folder
from train.data.splits import test_faces
from train.evaluation.predictions import match
from train.metrics import Float64Array, nme_percent
from train.progress import OnRead, progress_bar

MAX_NME_PERCENT = 10.0
"""Largest NME of points that fit a face."""

DEGREES = (90, 120, 150, 180)
"""Angles, clockwise, by which pictures are turned."""

FACE_PX = (96, 64, 48, 32)
"""Faces to which pictures are shrunk: the longer side of the landmarks' tight box in pixels."""

WIDTH = 100  # columns of the table in a file or a pipe

TURNED: Mapping[str, Change] = MappingProxyType(
    {f"turned {degrees} degrees": changes.turned_by(degrees) for degrees in DEGREES}
)
"""Conditions in which a face counts as found only if the points fit."""

CONDITIONS: Mapping[str, Change] = MappingProxyType(
    {
        "plain": changes.plain,
        **TURNED,
        **{f"face of {size} px": changes.shrunk_to(size) for size in FACE_PX},
        "dark": changes.dark,
        "blur": changes.blurred,
        "motion blur": changes.motion_blurred,
        "mask": changes.masked,
        "sunglasses": changes.sunglasses,
        "cut off": changes.cut_off,
        "JPEG quality 10": changes.jpeg,
        "infrared look": changes.infrared,
    }
)


@dataclass(frozen=True)
class Row:
    """Result of one ``condition`` on ``faces`` pictures with one labelled face each.

    ``found`` and ``wrong`` are per cent of the faces; ``median`` and ``mean`` are the NME in per cent of the
    faces found, NaN if there are none.
    """

    condition: str
    faces: int
    found: float
    median: float
    mean: float
    wrong: float


def generator(condition: str, name: str) -> np.random.Generator:
    """Return the random numbers for the picture of this file ``name``, the same in every run."""
    return np.random.default_rng([zlib.crc32(condition.encode()), zlib.crc32(name.encode())])


def error_percent(tracker: FaceTracker, image: ImageArray, points: FloatArray) -> float:
    """Return the NME of the face that ``tracker`` reports about ``points`` ``(68, 2)``; NaN for none."""
    result = tracker.find(Frame(image, 0, 0.0, ""))
    found = match(points, [face.landmarks.points_frame for face in result.faces])
    return float(nme_percent(found[None], points[None])[0])


def measure(
    tracker: FaceTracker, faces: Sequence[LabelledFace], on_picture: OnRead = lambda: None
) -> dict[str, Float64Array]:
    """Return the NME in per cent ``(N,)`` of ``faces`` under each of :data:`CONDITIONS`, NaN if missed.

    Raises :class:`~train.errors.DataError` if a picture cannot be read.
    """
    errors: dict[str, list[float]] = {name: [] for name in CONDITIONS}
    for face in faces:
        image = read_picture(face.image, colour=True)
        for name, change in CONDITIONS.items():
            changed, points = change(image, face.points, generator(name, face.image.name))
            errors[name].append(error_percent(tracker, changed, points))
            on_picture()
    return {name: np.array(values) for name, values in errors.items()}


def summarise(condition: str, errors: FloatArray) -> Row:
    """Summarise the NME in per cent ``(N,)`` of the faces under ``condition``, NaN if missed."""
    reported = np.isfinite(errors)
    wrong = reported & (errors > MAX_NME_PERCENT)
    found = reported & ~wrong if condition in TURNED else reported
    return Row(
        condition,
        len(errors),
        found=float(100 * found.mean()),
        median=float(np.median(errors[found])) if found.any() else math.nan,
        mean=float(errors[found].mean()) if found.any() else math.nan,
        wrong=float(100 * wrong.mean()),
    )


def read_faces(data: Path | None, chosen: str, limit: int | None) -> list[LabelledFace]:
    """Read the 300-W test faces below ``data``, or the folder ``chosen``; ``limit`` of them, spread evenly.

    Raises :class:`~train.errors.DataError` if they are missing.
    """
    if chosen != "300w":
        faces = read_pts_folder(Path(chosen), Path(chosen).name)
    elif data is None:
        raise typer.BadParameter("--set 300w needs --data DIR")
    else:
        faces = test_faces(data)
    count = min(limit or len(faces), len(faces))
    return [faces[index * len(faces) // count] for index in range(count)]


def print_rows(rows: Sequence[Row]) -> None:
    """Print the table and its legend."""
    terminal = Console()
    console = terminal if terminal.is_terminal else Console(width=WIDTH)
    table = Table()
    for place, heading in enumerate(("condition", "faces", "found %", "NME median", "NME mean", "wrong %")):
        table.add_column(heading, justify="right" if place else "left")
    for row in rows:
        numbers = (f"{row.found:.1f}", _number(row.median), _number(row.mean), f"{row.wrong:.1f}")
        table.add_row(row.condition, str(row.faces), *numbers)
    console.print(table)
    console.print(
        "NME: in % of the distance between the outer eye corners, of the faces found. Wrong: reported, but "
        f"with an NME above {MAX_NME_PERCENT:g} %; in turned pictures such a face is not found.",
        style="dim",
        highlight=False,
    )


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}"


def main(
    data: Annotated[Path | None, typer.Option(help="Folder with 300w.")] = None,
    model: ModelOption = "resnet18",
    chosen: Annotated[
        str,
        typer.Option(
            "--set", metavar="300w|FOLDER", help="300-W's test faces, or images with .pts files beside them."
        ),
    ] = "300w",
    limit: Annotated[
        int | None, typer.Option(min=1, help="Number of faces, spread evenly. [default: all]")
    ] = None,
    threads: ThreadsOption = 1,
    report: JsonOption = None,
) -> None:
    """Measure how well faces are found when pictures are turned, small, dark, blurred or covered."""
    check_outputs(report)
    faces = read_faces(data, chosen, limit)
    with open_tracker(model, "cpu", threads=threads) as tracker:
        label = tracker.label
        with progress_bar("conditions", len(faces) * len(CONDITIONS)) as advance:
            errors = measure(tracker, faces, advance)
    rows = [summarise(name, values) for name, values in errors.items()]
    print_rows(rows)
    write_report(report, model=label, set=chosen, rows=[asdict(row) for row in rows])


if __name__ == "__main__":
    run_command(main)
