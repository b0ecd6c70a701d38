"""Pseudo-labels: faces labelled by a trained network, for another to train on.

G. Hinton, O. Vinyals and J. Dean, "Distilling the Knowledge in a Neural Network", 2015, with hard labels: the
teacher sees each face twice, as it is and mirrored, and the width of its maps is its uncertainty.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from tracker.geometry import CropTransform, mirror_points
from tracker.scheme.fields import Fields, list_of, number, two_numbers, wholes
from tracker.scheme.ibug68 import IBUG68
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
"""Name of the data set of these faces."""

FAIRFACE = "fairface"

_BATCH = 16
_MIN_PRESENCE = 0.5
_LANDMARKS = list_of(two_numbers, f"{IBUG68.n_points} points, two numbers each", IBUG68.n_points)


@dataclass(frozen=True, eq=False)
class PseudoLabel:
    """The teacher's result for one face.

    ``points`` are ``(P, 2)`` in image pixels, ``presence`` is 0..1, and ``spread_percent`` the mean standard
    deviation of its maps in per cent of the distance between the outer eye corners. ``visibility`` is that of
    :class:`~train.data.faces.LabelledFace`.
    """

    image: Path
    points: FloatArray
    presence: float
    spread_percent: float
    visibility: npt.NDArray[np.int8] | None = None


def first_guesses(data: Path, limit: int = 0) -> list[tuple[Path, FloatArray]]:
    """Find images below ``data`` to label, each with rough positions of its points.

    ``limit`` images of each folder are used (0: all). The points for ``fairface`` come from the tracker,
    which finds no face in some images; those for ``youtube_faces`` are the data set's own, which were made
    automatically. Raises :class:`~train.errors.DataError` if neither folder exists.
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
    """Find the largest face of each image in ``folder`` (of the first ``limit``) with the tracker."""
    images = sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
    lines = tracked_images(images[:limit], "resnet18") if limit else tracked(folder, "resnet18", len(images))
    return [(folder / name, line.faces[0]) for name, line in lines.items() if line.faces]


def label_faces(
    teacher: nn.Module, size: int, guesses: Sequence[tuple[Path, FloatArray]], on_face: OnRead = lambda: None
) -> Iterator[PseudoLabel]:
    """Label faces, in the given order, whose rough points ``(P, 2)`` place the crop.

    ``teacher`` takes crops of ``size`` pixels. Raises :class:`~train.errors.DataError` for an image that
    cannot be read and :class:`~train.errors.RunError` for a network without maps.
    """
    for start in range(0, len(guesses), _BATCH):
        some = guesses[start : start + _BATCH]
        images = [read_picture(path) for path, _ in some]
        crops = [CropTransform.from_points(points, size=size) for _, points in some]
        cut = np.stack([crop.cut(image) for crop, image in zip(crops, images, strict=True)])
        points, presence, width = _label(teacher, torch.from_numpy(cut)[:, None])
        for (path, _), crop, own, there, wide in zip(some, crops, points, presence, width, strict=True):
            found = crop.to_frame(from_unit(own, size).numpy())
            apart = float(inter_ocular(found[None])[0])
            yield PseudoLabel(path, found, float(there), 100 * float(wide) * crop.side / apart)
            on_face()


@torch.inference_mode()
def _label(teacher: nn.Module, crops: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return points in crop sides, presence, and mean spread in crop sides, averaged over both views."""
    crops = crops.to(next(teacher.parameters()).device)
    plain, mirrored = teacher(crops), teacher(crops.flip(-1))
    if plain.maps is None:
        raise RunError("the teacher draws no maps: choose a heatmap network")
    there, back = (look.points.double().cpu() for look in (plain, mirrored))
    back = torch.stack([torch.from_numpy(mirror_points(points.numpy(), width=1)) for points in back])
    presence = (plain.presence_logit.sigmoid() + mirrored.presence_logit.sigmoid()) / 2
    width = (spread(plain.maps).mean(dim=1) + spread(mirrored.maps).mean(dim=1)) / 2
    return (there + back) / 2, presence.cpu(), width.cpu()


def write_labels(seen: Iterable[PseudoLabel], root: Path, path: Path) -> int:
    """Write ``seen`` as JSON lines, with images relative to ``root``, and return their number.

    Raises :class:`~train.errors.RunError` if the file cannot be written.
    """
    count = 0
    try:
        with replacing(path) as draft, draft.open("w", encoding="utf-8") as file:
            for face in seen:
                line: dict[str, object] = {
                    "image": face.image.relative_to(root).as_posix(),
                    "presence": round(face.presence, 4),
                    "spread_percent": round(face.spread_percent, 3),
                    "landmarks": face.points.round(3).tolist(),
                }
                if face.visibility is not None:
                    line["visibility"] = face.visibility.tolist()
                file.write(json.dumps(line) + "\n")
                count += 1
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror}") from error
    return count


def read_labels(path: Path, root: Path, keep: float) -> list[LabelledFace]:
    """Read a file of :func:`write_labels`, and return the most certain share ``keep`` of its faces.

    Lines without a face are ignored. Raises :class:`~train.errors.DataError` with file and line for anything
    else.
    """
    lines = [_parse(f"{path}:{number}", line, root) for number, line in numbered_lines(path)]
    there = sorted((line for line in lines if line.presence >= _MIN_PRESENCE), key=lambda f: f.spread_percent)
    if not there:
        raise DataError(f"{path}: no faces")
    return [
        LabelledFace(face.image, face.points, PSEUDO, visibility=face.visibility)
        for face in there[: math.ceil(keep * len(there))]
    ]


def _parse(where: str, line: str, root: Path) -> PseudoLabel:
    try:
        record = json.loads(line)
        image = root / record["image"]
        if not image.resolve().is_relative_to(root.resolve()):
            raise ValueError(f"{record['image']} is outside {root}")
        fields = Fields(record, "a face")
        points = np.array(fields.require("landmarks", _LANDMARKS), np.float64)
        states = fields.optional("visibility", wholes)
        visible = None if states is None else np.array(states, np.int8)
        presence, width = fields.require("presence", number), fields.require("spread_percent", number)
        seen = PseudoLabel(image, points, presence, width, visible)
        LabelledFace(image, points, PSEUDO, visibility=visible)  # raises for invalid points
    except (DataError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise DataError(f"{where}: not a line of pseudo-labels: {type(error).__name__}: {error}") from error
    if not image.is_file():
        raise DataError(f"{where}: {image} is missing")
    return seen
