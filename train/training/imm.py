"""Training of the networks for the IMM Face Database."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch

from tracker.geometry import CropTransform
from tracker.scheme.imm58 import IMM58
from tracker.scheme.value import CropRule
from tracker.types import FaceBox, FloatArray, ImageArray
from train.config import Stage, TrainConfig
from train.data.asf import Shot
from train.data.dataset import from_unit
from train.data.framed import Framing, PointMap, framed_pictures
from train.data.imm import ImmCrops, imm_shots, mean_points, split_people, test_shots
from train.data.leaks import Fingerprint, find_leaks, fingerprint, refuse
from train.data.pictures import read_picture
from train.data.readers import LabelledFace
from train.data.splits import training_faces
from train.errors import RunError
from train.metrics import Float64Array, nme_percent, point_distances
from train.models.imm import ImmLandmarks, imm_spec
from train.models.load import Loaded, load_network
from train.processes import is_first_process
from train.progress import OnRead
from train.training.options import RunOptions
from train.training.run import run_training
from train.training.task import Task, check_sets, data_key, limited

log = logging.getLogger(__name__)

NEAR_PX = 12.0
"""Largest distance, in pixels of a 640x480 picture, at which a nose counts as found."""

IMM, OTHERS = "imm", "300w"
"""Data sets of a stage: the shots of the database, and 300-W and WFLW faces reframed to look like them."""

WIDTH_PX = 640
"""Width of the database's pictures; distances of noses are in pixels of pictures this wide."""

_MIN_CORRELATION = 0.9
"""Smallest correlation between near-copies.

Tight crops of different people, taken in one studio with the same light and pose, correlate by up to 0.81;
copies of a photograph that differ in size, colour or frame by over 0.94.
"""


def nose_error_px(predicted: FloatArray, truth: FloatArray) -> Float64Array:
    """Return the distances ``(N,)`` between noses, in pixels of a 640x480 picture.

    Both arguments are ``(N, 1, 2)`` in crop sides.
    """
    return WIDTH_PX * point_distances(predicted, truth)[:, 0]


def face58_nme_percent(predicted: FloatArray, truth: FloatArray) -> Float64Array:
    """Return the normalised mean error ``(N,)`` of 58 points, in per cent.

    Mean distance over the points, divided by the distance of the outer eye corners in ``truth``; both
    arguments are ``(N, 58, 2)`` in the same frame.
    """
    return nme_percent(predicted, truth, IMM58)


def imm_task(
    config: TrainConfig,
    training: Sequence[Shot],
    validation: Sequence[Shot],
    others: Sequence[LabelledFace] = (),
) -> Task:
    """Return the task of locating the points of ``config.model`` in whole pictures.

    Training uses the ``training`` shots and ``others``, reframed to look like them: a stage that names
    :data:`IMM` sees the shots, one that names :data:`OTHERS` the others, one that names neither sees both.
    The error is the nose's distance in pixels of 640x480, or the NME of 58 points. Raises
    :class:`~train.errors.DataError` for a stage without pictures.
    """
    sources = [IMM] * len(training) + [OTHERS] * len(others)

    def members(stage: Stage) -> Sequence[int]:
        return [i for i, source in enumerate(sources) if not stage.sets or source in stage.sets]

    check_sets(config, sources)
    training_images = [shot.image for shot in training] + [face.image for face in others]
    face = config.model == "face58"
    return Task(
        training=len(sources),
        validation=len(validation),
        data=data_key(training_images, [shot.image for shot in validation]),
        read=partial(_read_crops, config, training, validation, others),
        loss=config.loss,
        error=face58_nme_percent if face else nose_error_px,
        unit="% NME" if face else "px of 640x480",
        members=members,
        counts=Counter(sources),
    )


def _read_crops(
    config: TrainConfig,
    training: Sequence[Shot],
    validation: Sequence[Shot],
    others: Sequence[LabelledFace],
    on_read: OnRead,
) -> tuple[ImmCrops, ImmCrops]:
    """Read the images of training and validation."""
    keep, size = imm_spec(config.model).keep, config.stages[0].size
    reframed = []
    if others:
        point_map = PointMap.fit(locate_68(training), np.stack([shot.points for shot in training]))
        reframed = framed_pictures(others, point_map, Framing.of(training), size, on_read)
    crops = ImmCrops(training, size, keep, config.recipe, config.seed, on_read).followed_by(reframed)
    return crops, ImmCrops(validation, size, keep, on_read=on_read)


@torch.inference_mode()
def locate_68(shots: Sequence[Shot]) -> FloatArray:
    """Locate iBUG's points of each shot with the shipped ResNet18: ``(N, P, 2)`` in image pixels.

    Runs the network twice, as the tracker does on a still image: on a crop around the labels, then on a crop
    around the first result. Raises :class:`~train.errors.RunError` if the weights are missing.
    """
    loaded = load_network("resnet18")
    found = []
    for shot in shots:
        image = read_picture(shot.image)
        crop = CropTransform.from_box(FaceBox.around(shot.points), size=loaded.size)
        first = _locate(loaded, image, crop)
        found.append(_locate(loaded, image, CropTransform.from_points(first, size=loaded.size)))
    return np.stack(found)


def _locate(loaded: Loaded, image: ImageArray, crop: CropTransform) -> FloatArray:
    """Return the network's points in ``crop`` of ``image``, ``(P, 2)`` in image pixels."""
    points = loaded.network(torch.from_numpy(crop.cut(image))[None, None]).points[0]
    return crop.to_frame(from_unit(points.double(), loaded.size).numpy())


def train_imm(
    config: TrainConfig, data: Path, limit: int, options: RunOptions, final: bool = False
) -> Path | None:
    """Train ``config.model`` on people 1-28 of the database below ``data`` and validate it on people 29-32.

    A ``final`` run trains on people 1-32, and nobody validates. Where a stage of ``config`` names
    :data:`OTHERS`, the faces that the networks for iBUG's points train on are read from ``data`` as well.
    ``limit`` is the number of shots and of faces to use; 0 uses all.

    Returns the weights' path on the first process and None on the others. Raises
    :class:`~train.errors.RunError` for stages of another size than the network's,
    :class:`~train.data.leaks.LeakError` if a validation picture or person is among the training data, and as
    :func:`train.training.run.run_training` does.
    """
    spec = imm_spec(config.model)
    if any(stage.size != spec.size for stage in config.stages):
        raise RunError(
            f"{config.model} sees pictures of {spec.size} pixels: set the size of each stage to that"
        )
    if config.init:
        raise RunError(f"{config.model} starts from random weights: leave out init, got {config.init!r}")
    shots = imm_shots(data)
    training, validation = split_people(shots, final)
    others = training_faces(data)[0] if OTHERS in config.sets else []
    if is_first_process():
        refuse_imm_leaks(training, validation + test_shots(shots))
        if not validation and not final:
            log.warning("no picture of this data validates: the validation error will be nan")
    training, validation = training[: limit or None], validation[: limit or None]
    task = imm_task(config, training, validation, limited(others, limit))
    start = mean_points(training, spec.keep)
    return run_training(config, lambda: ImmLandmarks(config.model, start), task, options)


def refuse_imm_leaks(training: Sequence[Shot], validation: Sequence[Shot]) -> None:
    """Check that no picture and no person of ``validation`` is in ``training``.

    Raises :class:`~train.data.leaks.LeakError` if one is.
    """
    known, held_out = ([_fingerprint(shot) for shot in shots] for shots in (training, validation))
    refuse(find_leaks(known, held_out, _MIN_CORRELATION))


def _fingerprint(shot: Shot) -> Fingerprint:
    face = CropTransform.from_box(FaceBox.around(shot.points), CropRule(box_margin=1.0), size=64)
    return fingerprint(shot.image, "imm", str(shot.person), face)
