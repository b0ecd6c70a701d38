"""Evaluations with known errors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.tiny import face_points
from tracker.types import FloatArray
from train.data.readers import LabelledFace
from train.evaluation.families import LANDMARKS_68
from train.evaluation.labelled import LabelledSet
from train.evaluation.results import Condition, Evaluation, Measure
from train.metrics import inter_ocular

ONE_POINT = Measure(unit="px", failure=12.0, limit=20.0, parts={"nose": (0,)})


def labelled(names: Sequence[str], folder: Path = Path("somewhere")) -> LabelledSet:
    """Return test faces named ``subset/file``, all with the same points."""
    subsets = tuple(name.partition("/")[0] for name in names)
    faces = tuple(LabelledFace(folder / n, face_points(), s) for n, s in zip(names, subsets, strict=True))
    truth = np.array([face.points for face in faces])
    return LabelledSet(LANDMARKS_68, faces, subsets, truth, inter_ocular(truth))


def evaluation(errors: dict[str, Sequence[float]], condition: Condition = "own detector") -> Evaluation:
    """Return faces of each subset whose points are all off by the given per cent; ``inf`` is a miss."""
    faces = labelled([f"{subset}/{i}.jpg" for subset, listed in errors.items() for i in range(len(listed))])
    percent = np.array([error for listed in errors.values() for error in listed])
    shift = np.where(np.isfinite(percent), percent, np.nan) / 100 * faces.normaliser
    predicted = faces.truth + shift[:, None, None] * np.array((0.6, -0.8))
    return faces.evaluated(condition, predicted)


def labelled_nose(errors: Sequence[float], folder: Path = Path("somewhere")) -> Evaluation:
    """Return pictures of one point each, which is off by the given pixels to the right."""
    truth = np.tile(np.array([[[50.0, 40.0]]]), (len(errors), 1, 1))
    predicted = truth + np.array([[(error, 0.0)] for error in errors])
    images = tuple(folder / f"{row}.png" for row in range(len(errors)))
    ones = np.ones(len(errors))
    return Evaluation(
        "whole picture", ONE_POINT, images, ("people 33-40",) * len(errors), predicted, truth, ones
    )


def line(name: str, *faces: FloatArray, **more: object) -> str:
    """Return a line of the tracker's JSON about the image ``name``."""
    record = {"source": name, "frame": 0, "time_s": 0, "width": 320, "height": 240}
    found = [{"id": 1, "box": [0, 0, 1, 1], "score": 1, "landmarks": np.asarray(p).tolist()} for p in faces]
    return json.dumps(record | {"faces": found} | more)


def write(path: Path, *lines: str) -> Path:
    """Write these lines to ``path``, and return it."""
    path.write_text("".join(text + "\n" for text in lines))
    return path
