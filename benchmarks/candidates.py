"""Candidates of the detector in pictures with known faces, as the tracker judges them.

Each box that the detector reports in a still image is located as the tracker does it, and written as a JSON
line, whether the tracker would admit it or not:

    python -m benchmarks.candidates --data DIR --out candidates.jsonl

A line has ``image`` relative to DIR, ``kind`` (``groups``, ``profiles``, what a picture without a face shows
...), ``side`` (training, validation or held out, see ``train/data/sides.py``), the detector's ``score``,
``presence``, mean ``quality``, ``crop`` (x, y, side, angle) and ``box`` in pixels, and ``label``, the number
of the picture's labelled box that this is, or null.

``python -m benchmarks.admission`` fits the decision to such a file; training takes the candidates in pictures
without a face for hard negatives (``--mined``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer

from benchmarks.command import ModelOption, check_outputs, run_command
from tracker.geometry import CropTransform, Raster
from tracker.inference.detection.detector import FaceDetector
from tracker.inference.opening import open_blazeface, open_landmarker
from tracker.tracking.crops import CropLocator
from tracker.tracking.new_faces import locate_twice
from tracker.tracking.stage_times import StageClock
from tracker.types import N_POINTS, FaceBox, Frame
from train.data.faceless import NOFACE, faceless_side, read_faceless
from train.data.faces import GUESSED, LabelledFace
from train.data.pictures import read_picture
from train.data.sides import Side
from train.data.splits import half_faces
from train.data.tables import read_table
from train.data.text import coordinate
from train.errors import DataError
from train.files import replace
from train.progress import progress_bar
from train.studies.turned_labels import side_of

POINTS = {"profiles": "points30.csv", "hands": "points30_half.csv"}
"""Tables of the sets with 30 labelled points a face."""

SAME_IOU = 0.25
"""Least IoU of a label's box, forehead to chin, and the tight box of 68 points, brows to chin."""


@dataclass(frozen=True)
class KnownPicture:
    """A picture whose faces are known: file, kind, side, and the boxes that people drew."""

    path: Path
    kind: str
    side: Side
    boxes: tuple[FaceBox, ...] = ()


def known_pictures(data: Path) -> list[KnownPicture]:
    """Read the pictures of ``groups``, ``profiles``, ``masked`` and ``noface`` below ``data``.

    Kinds are ``groups``, ``wider`` (cuts of WIDER), ``profiles`` and ``hands`` (faces with 30 points, whose
    box is theirs), and what a picture without a face shows.

    Parts that are missing are left out. Raises :class:`~train.errors.DataError` for deviations from their
    layout.
    """
    pictures = []
    for kind, folder, prefix in (("groups", "groups", ""), ("wider", "profiles", "wider_")):
        boxes = drawn_boxes(data / folder / "labels.csv", prefix)
        pictures += [
            KnownPicture(data / folder / name, kind, side_of(name), tuple(found))
            for name, found in sorted(boxes.items())
        ]
    pictures += [
        KnownPicture(face.image, kind, side, (FaceBox.around(face.points[labelled_points(face)]),))
        for kind, folder in (("profiles", "profiles"), ("hands", "masked"))
        if (data / folder / POINTS[kind]).is_file()
        for side in Side
        for face in half_faces(data, side, (kind,))
    ]
    if (data / NOFACE).is_dir():
        found = read_faceless(data / NOFACE)
        pictures += [KnownPicture(one.image, one.kind, faceless_side(one)) for one in found]
    return pictures


def labelled_points(face: LabelledFace) -> npt.NDArray[np.bool_]:
    """Return which of the 68 points of ``face`` are labelled, not guessed."""
    return np.ones(N_POINTS, bool) if face.visibility is None else face.visibility != GUESSED


def drawn_boxes(table: Path, prefix: str) -> dict[str, list[FaceBox]]:
    """Read the boxes of each picture of ``table`` whose name starts with ``prefix``; none without a file."""
    boxes: dict[str, list[FaceBox]] = {}
    corners = ["x0", "y0", "x1", "y1"]
    for where, cells in read_table(table, ["file", *corners]) if table.is_file() else ():
        if cells["file"].startswith(prefix):
            try:
                box = FaceBox(*(coordinate(where, cells[name]) for name in corners))
            except ValueError as error:
                raise DataError(f"{where}: {error}") from error
            boxes.setdefault(cells["file"], []).append(box)
    return boxes


def candidates(
    picture: KnownPicture, detector: FaceDetector, locator: CropLocator
) -> Iterator[dict[str, Any]]:
    """Yield a line for each box that ``detector`` reports in ``picture``, without the picture's name.

    Raises :class:`~train.errors.DataError` if the picture cannot be read.
    """
    image = read_picture(picture.path, colour=True)
    boxes = detector.detect(Frame(image))
    crops = [(Raster(image), CropTransform.from_box(box)) for box in boxes]
    faces = locate_twice(crops, locator.locate_in_parts)
    for box, (_, crop), face in zip(boxes, crops, faces, strict=True):
        if not np.ptp(face.points_frame, axis=0).min() > 0:
            continue
        tight = FaceBox.around(face.points_frame)
        ious = [tight.iou(label) for label in picture.boxes]
        best = int(np.argmax(ious)) if ious else 0
        yield {
            "score": round(box.score, 5),
            "presence": round(face.presence, 6),
            "quality": None if face.quality is None else round(float(face.quality.mean()), 5),
            "crop": [round(value, 3) for value in (*crop.center, crop.side, crop.angle)],
            "box": [round(value, 2) for value in (tight.x0, tight.y0, tight.x1, tight.y1)],
            "label": best if ious and ious[best] >= SAME_IOU else None,
        }


def lines(picture: KnownPicture, data: Path, detector: FaceDetector, locator: CropLocator) -> list[str]:
    """Return the JSON lines of the candidates in ``picture``, which lies below ``data``."""
    place = picture.path.relative_to(data).as_posix()
    known = {"image": place, "kind": picture.kind, "side": picture.side.value}
    return [json.dumps({**known, **line}) for line in candidates(picture, detector, locator)]


def main(
    data: Annotated[Path, typer.Option(help="Folder with groups, profiles, masked and noface.")],
    out: Annotated[Path, typer.Option(metavar="FILE.jsonl", help="Where the candidates go.")],
    model: ModelOption = "resnet18",
    precision: Annotated[str | None, typer.Option(help="fp32 or int8. [default: the fastest here]")] = None,
) -> None:
    """Write the detector's boxes in pictures with known faces, as the tracker judges them."""
    check_outputs(out)
    detector = open_blazeface(threads=0)
    locator = CropLocator(open_landmarker(model, "cpu", precision=precision).landmarker, StageClock())
    pictures = known_pictures(data)
    written = []
    with progress_bar("detecting", len(pictures)) as advance:
        for picture in pictures:
            written += lines(picture, data, detector, locator)
            advance()
    replace(out, "".join(f"{line}\n" for line in written).encode())


if __name__ == "__main__":
    run_command(main)
