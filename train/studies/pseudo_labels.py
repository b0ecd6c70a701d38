"""Faces that a trained network labels, for another to train on: a teacher and its student.

G. Hinton, O. Vinyals and J. Dean, "Distilling the Knowledge in a Neural Network", 2015, with hard labels: the
teacher looks at each face twice, as it is and mirrored, and says by the width of its maps how sure it is.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from tracker.geometry import CropTransform, mirror_points
from tracker.types import FloatArray
from train.data.dataset import from_unit
from train.data.faces import IMAGE_SUFFIXES, LabelledFace
from train.data.pictures import read_picture
from train.data.splits import YOUTUBE, youtube_faces
from train.data.text import numbered_lines
from train.errors import DataError, RunError
from train.evaluation.own_detector import tracked, tracked_images
from train.files import replacing
from train.metrics import inter_ocular
from train.models.quality import spread
from train.progress import OnRead

PSEUDO = "pseudo"
"""The data set that such faces are of."""

FAIRFACE = "fairface"

_BATCH = 16
_MIN_PRESENCE = 0.5


@dataclass(frozen=True, eq=False)
class Seen:
    """What the teacher says of one face: ``points`` ``(68, 2)`` in image pixels, ``presence`` 0..1, and the
    mean standard deviation of its maps in per cent of the distance between the outer eye corners."""

    image: Path
    points: FloatArray
    presence: float
    spread_percent: float


def first_guesses(data: Path, limit: int = 0) -> list[tuple[Path, FloatArray]]:
    """Images below ``data`` to label, ``limit`` of each folder (0: all), and roughly where their points are.

    Those of ``fairface`` come from the tracker, which finds no face in some; those of ``youtube_faces`` are
    the data set's own, which a machine made. Raises :class:`~train.errors.DataError` if neither is there.
    """
    guesses: list[tuple[Path, FloatArray]] = []
    if (folder := data / FAIRFACE).is_dir():
        guesses += _tracked(folder, limit)
    if (data / YOUTUBE[0]).is_file():
        faces = youtube_faces(data)
        guesses += [(face.image, face.points) for face in faces[: limit or None]]
    if not guesses:
        raise DataError(f"{data} has neither {FAIRFACE}/ nor {YOUTUBE[0]} with faces in it")
    return guesses


def _tracked(folder: Path, limit: int) -> list[tuple[Path, FloatArray]]:
    """The largest face of each image in ``folder`` (of the first ``limit``), as the tracker sees it."""
    images = sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
    lines = tracked_images(images[:limit], "resnet18") if limit else tracked(folder, "resnet18", len(images))
    return [(folder / name, line.faces[0]) for name, line in lines.items() if line.faces]


def teach(
    teacher: nn.Module, size: int, guesses: Sequence[tuple[Path, FloatArray]], on_face: OnRead = lambda: None
) -> Iterator[Seen]:
    """Label faces whose points ``(68, 2)`` are known roughly, which places the crop, in the given order.

    ``teacher`` sees crops of ``size`` pixels. Raises :class:`~train.errors.DataError` for an image that
    cannot be read and :class:`~train.errors.RunError` for a network without maps.
    """
    for start in range(0, len(guesses), _BATCH):
        some = guesses[start : start + _BATCH]
        images = [read_picture(path) for path, _ in some]
        crops = [CropTransform.from_points(points, size=size) for _, points in some]
        cut = np.stack([crop.cut(image) for crop, image in zip(crops, images, strict=True)])
        points, presence, width = _look(teacher, torch.from_numpy(cut)[:, None])
        for (path, _), crop, own, there, wide in zip(some, crops, points, presence, width, strict=True):
            found = crop.to_frame(from_unit(own, size).numpy())
            apart = float(inter_ocular(found[None])[0])
            yield Seen(path, found, float(there), 100 * float(wide) * crop.side / apart)
            on_face()


@torch.inference_mode()
def _look(teacher: nn.Module, crops: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Points in crop sides, presence, and mean spread in crop sides: each the mean of both looks."""
    crops = crops.to(next(teacher.parameters()).device)
    plain, mirrored = teacher(crops), teacher(crops.flip(-1))
    if plain.maps is None:
        raise RunError("the teacher draws no maps: choose a heatmap network")
    there, back = (look.points.double().cpu() for look in (plain, mirrored))
    back = torch.stack([torch.from_numpy(mirror_points(points.numpy(), width=1)) for points in back])
    presence = (plain.presence_logit.sigmoid() + mirrored.presence_logit.sigmoid()) / 2
    width = (spread(plain.maps).mean(dim=1) + spread(mirrored.maps).mean(dim=1)) / 2
    return (there + back) / 2, presence.cpu(), width.cpu()


def write_labels(seen: Iterable[Seen], root: Path, path: Path) -> int:
    """Write ``seen`` as JSON lines, images relative to ``root``; how many.

    Raises :class:`~train.errors.RunError` if the file cannot be written.
    """
    count = 0
    try:
        with replacing(path) as draft, draft.open("w", encoding="utf-8") as file:
            for face in seen:
                line = {
                    "image": face.image.relative_to(root).as_posix(),
                    "presence": round(face.presence, 4),
                    "spread_percent": round(face.spread_percent, 3),
                    "landmarks": face.points.round(3).tolist(),
                }
                file.write(json.dumps(line) + "\n")
                count += 1
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror}") from error
    return count


def read_labels(path: Path, root: Path, keep: float) -> list[LabelledFace]:
    """The faces of a file that :func:`write_labels` wrote: of those with a face the surest share ``keep``.

    Raises :class:`~train.errors.DataError` with file and line for anything else.
    """
    lines = [_parse(f"{path}:{number}", line, root) for number, line in numbered_lines(path)]
    there = sorted((line for line in lines if line.presence >= _MIN_PRESENCE), key=lambda f: f.spread_percent)
    if not there:
        raise DataError(f"{path}: no faces")
    return [LabelledFace(face.image, face.points, PSEUDO) for face in there[: math.ceil(keep * len(there))]]


def _parse(where: str, line: str, root: Path) -> Seen:
    try:
        record = json.loads(line)
        image = root / record["image"]
        if not image.resolve().is_relative_to(root.resolve()):
            raise ValueError(f"{record['image']} is outside {root}")
        points = np.array(record["landmarks"], np.float64)
        seen = Seen(image, points, float(record["presence"]), float(record["spread_percent"]))
        LabelledFace(image, points, PSEUDO)  # refuses points that are none
    except (DataError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise DataError(f"{where}: not a line of pseudo-labels: {type(error).__name__}: {error}") from error
    if not image.is_file():
        raise DataError(f"{where}: {image} is missing")
    return seen
