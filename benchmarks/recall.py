"""Benchmark of finding faces in still images: recall by size, profiles, masks, false faces, time.

``python -m benchmarks.recall --data DIR`` runs the shipped tracker on each picture as ``tracker --images``
does. ``DIR`` holds ``groups``, ``profiles``, ``masked`` and ``noface``; parts that are missing are left out.
Pictures of the held-out side are measured, on which no threshold was chosen and which the last steps of
training did not see (``wflw68`` shares photographs with ``groups`` and ``wider``, and the first did), unless
``--side`` asks for another one (see ``train/data/sides.py``).

A labelled box is found if a reported face, by the tight box of its landmarks, overlaps it with an IoU of at
least :data:`~benchmarks.candidates.SAME_IOU`; each face counts for one box. Of faces with 30 labelled points,
profiles and those behind hands, the error is the mean distance over these points in per cent of the root of
the area of their box.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.candidates import (
    POINTS,
    SAME_IOU,
    KnownPicture,
    known_pictures,
    labelled_points,
)
from benchmarks.command import (
    BackendOption,
    JsonOption,
    ModelOption,
    check_outputs,
    run_command,
    write_report,
)
from benchmarks.recall_mediapipe import mediapipe_boxes
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.opening import open_tracker
from tracker.types import FaceBox, FloatArray, Frame, ImageArray, TrackedFace
from train.data.faces import LabelledFace
from train.data.pictures import read_picture
from train.data.sides import Side
from train.data.splits import half_faces
from train.progress import progress_bar
from train.studies.turned_labels import side_of

HEIGHTS = (24, 32, 48, 64, math.inf)
"""Borders of the classes of box heights in pixels; lower boxes are left out."""

SINGLES = (("profiles", "aflw80_"), ("masked", "mask_"))
"""Folders and beginnings of the names of pictures that show one face each."""


@dataclass
class Tally:
    """Count of ``found`` faces among ``total``, with the errors of the found ones where points are known."""

    found: int = 0
    total: int = 0
    errors: list[float] = field(default_factory=list)
    quality: list[float] = field(default_factory=list)

    def add(self, is_found: bool) -> None:
        """Count one face."""
        self.found += is_found
        self.total += 1

    def __str__(self) -> str:
        share = 100 * self.found / self.total if self.total else math.nan
        text = f"{self.found:5} of {self.total:5}  {share:6.1f} %"
        if self.errors:
            text += (
                f"  error {statistics.mean(self.errors):.2f} %  quality {statistics.mean(self.quality):.2f}"
            )
        return text

    def to_dict(self) -> dict[str, float]:
        """Convert to a dict for JSON."""
        means = {"error_percent": self.errors, "mean_quality": self.quality}
        known = {name: round(statistics.mean(values), 3) for name, values in means.items() if values}
        return {"found": self.found, "total": self.total, **known}


class Stills:
    """Runs a tracker on pictures of their own and keeps the milliseconds of each."""

    def __init__(self, tracker: FaceTracker) -> None:
        self._tracker = tracker
        self.ms: list[float] = []

    def faces(self, image: ImageArray) -> tuple[TrackedFace, ...]:
        """Return the faces in ``image``."""
        started = time.perf_counter()
        result = self._tracker.find(Frame(image, 0, 0.0, ""))
        self.ms.append(1000 * (time.perf_counter() - started))
        return result.faces

    def boxes(self, path: Path) -> list[FaceBox]:
        """Return the tight box of each face in the picture ``path``."""
        return [
            FaceBox.around(face.landmarks.points_frame)
            for face in self.faces(read_picture(path, colour=True))
        ]


def match(labels: Sequence[FaceBox], found: Sequence[FaceBox]) -> list[bool]:
    """Return for each of ``labels`` whether it has a face, best IoU first, each face used once."""
    pairs = sorted(
        ((label.iou(face), i, j) for i, label in enumerate(labels) for j, face in enumerate(found)),
        reverse=True,
    )
    hit, used = [False] * len(labels), set()
    for iou, i, j in pairs:
        if iou >= SAME_IOU and not hit[i] and j not in used:
            hit[i] = True
            used.add(j)
    return hit


def size_class(height: float) -> str | None:
    """Return the name of the class of a box ``height`` in pixels, such as ``32-48``; None below the first."""
    for low, high in pairwise(HEIGHTS):
        if low <= height < high:
            return f"{low}-{high}" if high < math.inf else f">={low}"
    return None


def recall_by_size(pictures: Iterable[tuple[KnownPicture, Sequence[FaceBox]]]) -> dict[str, Tally]:
    """Count the labelled boxes that were found, by the class of their height, and reported faces by none.

    ``false`` counts the reported faces, and as found those that are no labelled face of any size.
    """
    names = [size_class(low) for low in HEIGHTS[:-1]]
    tallies = {name: Tally() for name in [*names, ">=48", "false"] if name}
    for picture, found in pictures:
        for label, is_found in zip(picture.boxes, match(picture.boxes, found), strict=True):
            name = size_class(label.height)
            if name:
                tallies[name].add(is_found)
            if label.height >= 48:
                tallies[">=48"].add(is_found)
        for is_face in match(found, picture.boxes):
            tallies["false"].add(not is_face)
    return tallies


def half_labelled(faces: Sequence[LabelledFace], stills: Stills) -> Tally:
    """Count the found ones of ``faces`` with 30 labelled points, one a picture, and their errors."""
    tally = Tally()
    for face in faces:
        known = labelled_points(face)
        label = FaceBox.around(face.points[known])
        best, iou = None, SAME_IOU
        for seen in stills.faces(read_picture(face.image, colour=True)):
            overlap = FaceBox.around(seen.landmarks.points_frame[known]).iou(label)
            if overlap >= iou:
                best, iou = seen, overlap
        tally.add(best is not None)
        if best is not None:
            tally.errors.append(_error(best.landmarks.points_frame[known], face.points[known], label))
            quality = best.landmarks.quality
            tally.quality.append(math.nan if quality is None else float(quality.mean()))
    return tally


def single_faces(folder: Path, prefix: str, side: Side, stills: Stills) -> Tally:
    """Count the pictures of one face each in which a face is found."""
    tally = Tally()
    for path in sorted(folder.glob(f"{prefix}*.jpg")):
        if side_of(path.name) is side:
            tally.add(bool(stills.boxes(path)))
    return tally


def false_faces(pictures: Iterable[KnownPicture], stills: Stills) -> dict[str, Tally]:
    """Count the ``pictures`` without a face in which one is found, by kind."""
    tallies: dict[str, Tally] = {}
    for picture in pictures:
        tallies.setdefault(picture.kind, Tally()).add(bool(stills.boxes(picture.path)))
    return tallies


def _error(found: FloatArray, points: FloatArray, box: FaceBox) -> float:
    return float(100 * np.linalg.norm(found - points, axis=1).mean() / math.sqrt(box.area))


def measure(data: Path, side: Side, stills: Stills, mediapipe: Path | None) -> dict[str, dict[str, Tally]]:
    """Return the tables of all parts of ``data``, with a progress bar."""
    pictures = [one for one in known_pictures(data) if one.side is side]
    tables: dict[str, dict[str, Tally]] = {}
    with progress_bar("finding faces", 5) as advance:
        for name in ("groups", "wider"):
            some = [one for one in pictures if one.kind == name]
            tables[name] = recall_by_size([(one, stills.boxes(one.path)) for one in some])
            if mediapipe:
                boxes = mediapipe_boxes(mediapipe, [one.path for one in some])
                tables[f"{name}, MediaPipe"] = recall_by_size(zip(some, boxes, strict=True))
            advance()
        tables["points"] = {
            name: half_labelled(half_faces(data, side, (name,)), stills)
            for name, folder in (("profiles", "profiles"), ("hands", "masked"))
            if (data / folder / POINTS[name]).is_file()
        }
        advance()
        tables["found"] = {
            prefix.strip("_"): single_faces(data / folder, prefix, side, stills) for folder, prefix in SINGLES
        }
        advance()
        without = [one for one in pictures if not one.boxes]
        tables["noface"] = false_faces(without, stills)
        advance()
    return tables


def main(
    data: Annotated[Path, typer.Option(help="Folder with groups, profiles, masked and noface.")],
    model: ModelOption = "resnet18",
    backend: BackendOption = "cpu",
    side: Annotated[Side, typer.Option(help="Side of the data to measure.")] = Side.HELD_OUT,
    mediapipe: Annotated[
        Path | None, typer.Option(help="Python of an environment with mediapipe 0.10.21, to compare.")
    ] = None,
    report: JsonOption = None,
) -> None:
    """Measure recall by size, profiles, masks, false faces and milliseconds a still."""
    check_outputs(report)
    with open_tracker(model, backend) as tracker:
        stills = Stills(tracker)
        tables = measure(data, side, stills, mediapipe)
    for name, tallies in tables.items():
        for key, tally in tallies.items():
            typer.echo(f"{name:20} {key:12} {tally}")
    median_ms = round(statistics.median(stills.ms), 1) if stills.ms else None
    typer.echo(f"median of {len(stills.ms)} pictures: {median_ms} ms")
    found = {name: {key: one.to_dict() for key, one in tallies.items()} for name, tallies in tables.items()}
    write_report(report, side=side.value, model=model, found=found, median_ms=median_ms)


if __name__ == "__main__":
    run_command(main)
