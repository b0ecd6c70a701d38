"""Accuracy of the tracker's own output on labelled test faces, from its JSON lines alone."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tracker.types import N_POINTS, FaceBox, FloatArray
from train.data.readers import LabelledFace
from train.errors import DataError
from train.metrics import area_under_curve, failure_rate, nme_percent

FacesByName = Mapping[str, Sequence[FloatArray]]
"""Image file name to the ``(68, 2)`` points of each face found in it, in image pixels."""


@dataclass(frozen=True)
class Score:
    """Accuracy on the ``faces`` of one subset, of which ``misses`` were not found.

    ``nme_mean`` and ``nme_median`` are inter-ocular per cent over the faces that were found, NaN if
    none was. In ``failure_rate_10`` and ``auc_8`` (both 0..1, at 10 and 8 per cent) a miss counts as
    an infinite error.
    """

    subset: str
    faces: int
    misses: int
    nme_mean: float
    nme_median: float
    failure_rate_10: float
    auc_8: float


def read_predictions(path: Path) -> dict[str, list[FloatArray]]:
    """Read the tracker's JSON lines: image file name to the points of its faces.

    An image that could not be read (an ``error`` line) has no faces. Raises :class:`DataError`, with
    file and line, for a line that is not such an object, and for a second line about one image.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    found: dict[str, list[FloatArray]] = {}
    for number, line in enumerate(lines, 1):
        try:
            name, faces = _parse_line(line)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise DataError(f"{path}:{number}: not a line of the tracker's JSON: {reason}") from error
        if name in found:
            raise DataError(f"{path}:{number}: a second line about {name}")
        found[name] = faces
    return found


def collect(
    faces: Sequence[LabelledFace], files: Iterable[tuple[str | None, Path]]
) -> dict[str, dict[str, list[FloatArray]]]:
    """Read prediction ``files``, pairs of subset and path: subset to file name to predicted faces.

    A file whose subset is ``None`` speaks of every subset that has an image of one of its names;
    names of no test image are left out. Raises :class:`DataError` if a file names no test image, if
    a name stands in several subsets and the file's subset is not given, and if two files speak of
    one image.
    """
    names: dict[str, list[str]] = {}
    for face in faces:
        names.setdefault(face.image.name, []).append(face.subset)
    collected: dict[str, dict[str, list[FloatArray]]] = {}
    for subset, path in files:
        known = {name: found for name, found in read_predictions(path).items() if name in names}
        homes = {name: _home(path, name, names[name], subset) for name in known}
        if not any(homes.values()):
            raise DataError(f"{path}: names no image of {subset or 'the test sets'}")
        for name, home in homes.items():
            if home is None:
                continue
            if name in collected.setdefault(home, {}):
                raise DataError(f"{path}: {home} image {name} is in an earlier prediction file too")
            collected[home][name] = known[name]
    return collected


def evaluate(faces: Sequence[LabelledFace], predictions: Mapping[str, FacesByName]) -> tuple[Score, ...]:
    """The score of each subset that ``predictions`` speaks of, then of all of these together.

    In each image the predicted face whose tight box overlaps the label's most counts; without any
    overlap, and without a line for the image, the face is a miss.
    """
    errors: dict[str, list[float]] = {}
    for face in faces:
        if face.subset in predictions:
            found = predictions[face.subset].get(face.image.name, ())
            errors.setdefault(face.subset, []).append(_error_percent(face, found))
    scores = [score(subset, np.array(nme)) for subset, nme in errors.items()]
    together = np.array([nme for subset in errors.values() for nme in subset])
    return (*scores, score(" + ".join(errors), together)) if len(scores) > 1 else tuple(scores)


def score(subset: str, nme: npt.NDArray[np.float64]) -> Score:
    """Summarise the NME (per cent) of each face of ``subset``; a miss is ``inf``."""
    found = nme[np.isfinite(nme)]
    return Score(
        subset=subset,
        faces=len(nme),
        misses=len(nme) - len(found),
        nme_mean=float(found.mean()) if len(found) else math.nan,
        nme_median=float(np.median(found)) if len(found) else math.nan,
        failure_rate_10=failure_rate(nme, 10.0),
        auc_8=area_under_curve(nme, 8.0),
    )


def nearest_face(truth: FloatArray, found: Sequence[FloatArray]) -> FloatArray | None:
    """The points of ``found`` whose tight box has the largest IoU with that of ``truth``, if any."""
    label = FaceBox.around(truth)
    best = max(found, key=lambda points: label.iou(FaceBox.around(points)), default=None)
    return best if best is not None and label.iou(FaceBox.around(best)) > 0 else None


def _error_percent(face: LabelledFace, found: Sequence[FloatArray]) -> float:
    points = nearest_face(face.points, found)
    return math.inf if points is None else float(nme_percent(points[None], face.points[None])[0])


def _home(path: Path, name: str, subsets: Sequence[str], wanted: str | None) -> str | None:
    if wanted is not None:
        return wanted if wanted in subsets else None
    if len(subsets) > 1:
        raise DataError(
            f"{path}: {name} is an image of {' and '.join(subsets)}: say --predictions SUBSET={path}"
        )
    return subsets[0]


def _parse_line(line: str) -> tuple[str, list[FloatArray]]:
    record: dict[str, Any] = json.loads(line)
    name = record["source"]
    if not isinstance(name, str):
        raise TypeError(f"source must be a string, got {name!r}")
    if "error" in record:
        return name, []
    return name, [_parse_points(face) for face in record["faces"]]


def _parse_points(face: Mapping[str, Any]) -> FloatArray:
    points = np.array(face["landmarks"], np.float64)
    if points.shape != (N_POINTS, 2):
        raise ValueError(f"expected {N_POINTS} landmarks, got shape {points.shape}")
    FaceBox.around(points)  # refuses what is not finite or spans no area
    return points
