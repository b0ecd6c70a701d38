"""Train and compare the networks for the IMM Face Database."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader

from tracker.geometry import CropTransform
from tracker.types import FaceBox, FloatArray, ImageArray
from train.config import Stage, TrainConfig
from train.data.asf import Shot
from train.data.dataset import from_unit
from train.data.framed import Framing, Picture, Scheme, framed_pictures
from train.data.imm import OUTER_EYE_CORNERS_58, ImmCrops, imm_shots, mean_points, split_people
from train.data.leaks import Fingerprint, find_leaks, fingerprint, refuse
from train.data.pictures import read_picture
from train.data.readers import LabelledFace
from train.data.splits import training_faces
from train.errors import DataError, RunError
from train.metrics import Float64Array, inter_ocular, point_distances
from train.models.imm import ImmLandmarks, imm_spec
from train.models.load import load_network
from train.processes import is_first_process
from train.progress import OnRead
from train.training.run import RunOptions, run_training
from train.training.task import Task, check_sets, data_key, some

log = logging.getLogger(__name__)

VARIANTS = ("funnel", "fan")
NEAR_PX = 12.0
"""A nose within this distance, in pixels of a 640x480 picture, counts as found."""

IMM, OTHERS = "imm", "300w"
"""What stages can train on: shots of the database, and 300-W and WFLW faces made to look like them."""

_MIN_CORRELATION = 0.9
"""Between near-copies. Tight crops of different people, taken in one studio with one light and one pose,
correlate by up to 0.81; copies of a photograph in size, colour or frame by over 0.94."""

WIDTH_PX = 640
"""Distances of noses are in pixels of pictures this wide, which is what the database has."""

_BATCH = 48


def nose_error_px(predicted: FloatArray, truth: FloatArray) -> Float64Array:
    """Distance ``(N,)`` between noses ``(N, 1, 2)`` in crop sides, in pixels of a 640x480 picture."""
    return WIDTH_PX * point_distances(predicted, truth)[:, 0]


def face58_nme_percent(predicted: FloatArray, truth: FloatArray) -> Float64Array:
    """Mean distance ``(N,)`` of ``(N, 58, 2)`` points, per cent of that of the true outer eye corners."""
    apart = inter_ocular(truth, OUTER_EYE_CORNERS_58)
    return np.asarray(100 * point_distances(predicted, truth).mean(axis=-1) / apart)


def imm_task(
    config: TrainConfig,
    training: Sequence[Shot],
    validation: Sequence[Shot],
    others: Sequence[LabelledFace] = (),
) -> Task:
    """The points of ``config.model`` in whole pictures: of shots, and of ``others`` made to look like them.

    Stages that train on :data:`IMM` see the shots, on :data:`OTHERS` the others, without a name both. The
    error is the nose's distance in pixels of 640x480, or the NME of 58 points. Raises
    :class:`~train.errors.DataError` for a stage without pictures.
    """
    keep, size = imm_spec(config.model).keep, config.stages[0].size
    sources = [IMM] * len(training) + [OTHERS] * len(others)

    def read(on_read: OnRead) -> tuple[ImmCrops, ImmCrops]:
        more: list[Picture] = []
        if others:
            scheme = Scheme.fit(locate_68(training), np.stack([shot.points for shot in training]))
            more = framed_pictures(others, scheme, Framing.of(training), size, on_read)
        return (
            ImmCrops(training, size, keep, config.recipe, config.seed, on_read, more),
            ImmCrops(validation, size, keep, on_read=on_read),
        )

    def members(stage: Stage) -> Sequence[int]:
        return [i for i, source in enumerate(sources) if not stage.sets or source in stage.sets]

    check_sets(config, sources)
    learnt = [shot.image for shot in training] + [face.image for face in others]
    data = data_key(learnt, [shot.image for shot in validation])
    face = config.model == "face58"
    error, unit = (face58_nme_percent, "% NME") if face else (nose_error_px, "px of 640x480")
    return Task(len(sources), len(validation), data, read, config.loss, error, unit, members)


@torch.inference_mode()
def locate_68(shots: Sequence[Shot]) -> FloatArray:
    """The 68 points ``(N, 68, 2)`` that the shipped ResNet18 sees in ``shots``, in their pixels.

    Like the tracker on a still image it looks twice: in a crop from the labels' box, then in one from its
    own answer. Raises :class:`~train.errors.RunError` if its weights are not there.
    """
    loaded = load_network("resnet18")
    found = []
    for shot in shots:
        image = read_picture(shot.image)

        def look(crop: CropTransform, image: ImageArray = image) -> FloatArray:
            answer = loaded.network(torch.from_numpy(crop.cut(image))[None, None]).points[0]
            return crop.to_frame(from_unit(answer.double(), loaded.size).numpy())

        first = look(CropTransform.from_box(FaceBox.around(shot.points), size=loaded.size))
        found.append(look(CropTransform.from_points(first, size=loaded.size)))
    return np.stack(found)


def train_imm(
    config: TrainConfig, data: Path, limit: int, options: RunOptions, tuning: bool = False
) -> Path | None:
    """Train ``config.model`` on people 1-32 below ``data`` and validate on 33-40; ``tuning``: 1-28 and 29-32.

    Where a stage of ``config`` names :data:`OTHERS`, the faces that the 68-point networks train on are below
    ``data`` too. ``limit`` shots and faces are used, 0: all.

    Returns the weights' path, on the first process only. Raises :class:`~train.errors.RunError` for stages of
    another size than the network's, :class:`~train.data.leaks.LeakError` if a validation picture or person is
    trained on, and as :func:`train.training.run.run_training` does.
    """
    spec = imm_spec(config.model)
    if any(stage.size != spec.size for stage in config.stages):
        raise RunError(
            f"{config.model} sees pictures of {spec.size} pixels: set the size of each stage to that"
        )
    if config.init:
        raise RunError(f"{config.model} starts from random weights: leave out init, got {config.init!r}")
    training, validation = split_people(imm_shots(data), tuning)
    others = training_faces(data)[0] if OTHERS in config.sets else []
    if is_first_process():
        refuse_imm_leaks(training, validation)
        if not validation:
            log.warning("no picture of this data validates: the validation error will be nan")
    training, validation = training[: limit or None], validation[: limit or None]
    task = imm_task(config, training, validation, some(others, limit))
    start = mean_points(training, spec.keep)
    return run_training(config, lambda: ImmLandmarks(config.model, start), task, options)


def refuse_imm_leaks(training: Sequence[Shot], validation: Sequence[Shot]) -> None:
    """Raise :class:`~train.data.leaks.LeakError` if a picture or person of ``validation`` is trained on."""
    learnt, judged = ([_fingerprint(shot) for shot in shots] for shots in (training, validation))
    refuse(find_leaks(learnt, judged, _MIN_CORRELATION))


def _fingerprint(shot: Shot) -> Fingerprint:
    face = CropTransform.from_box(FaceBox.around(shot.points), margin=1.0, size=64)
    return fingerprint(shot.image, "imm", str(shot.person), face)


def validation_set(data: Path, model: str, tuning: bool = False, limit: int = 0) -> ImmCrops:
    """The pictures that ``model`` is validated on, those of people 33-40, at its size.

    Raises :class:`~train.errors.DataError` if there are none.
    """
    spec = imm_spec(model)
    _, shots = split_people(imm_shots(data), tuning)
    if not shots:
        raise DataError(f"{data}: the IMM Face Database there has none of the people that validate")
    return ImmCrops(shots[: limit or None], spec.size, spec.keep)


@torch.inference_mode()
def predict(model: str, weights: Path, crops: ImmCrops) -> tuple[FloatArray, FloatArray]:
    """Predicted and true points of all ``crops``, ``(N, P, 2)`` float32 in crop sides.

    Raises :class:`~train.errors.RunError` if ``weights`` does not hold ``model``.
    """
    network = load_network(model, weights).network
    batches = [(network(pictures).points, points) for pictures, points, _ in DataLoader(crops, _BATCH)]
    predicted, truth = zip(*batches, strict=True)
    return torch.cat(predicted).numpy(), torch.cat(truth).numpy()


@dataclass(frozen=True)
class NoseRun:
    """One variant trained with one seed: its mean error, and the share 0..1 of noses within ``NEAR_PX``."""

    variant: str
    seed: int
    mean_px: float
    share_near: float


@dataclass(frozen=True)
class Spread:
    """Mean and sample standard deviation (NaN of a single value)."""

    mean: float
    std: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of ``values``, at least one."""
        return cls(float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else float("nan"))


@dataclass(frozen=True)
class NoseSummary:
    """One variant over all its seeds."""

    variant: str
    seeds: int
    mean_px: Spread
    share_near: Spread


def compare_noses(
    config: TrainConfig,
    data: Path,
    seeds: int,
    options: RunOptions,
    limit: int = 0,
    tuning: bool = False,
    on_run: Callable[[NoseRun], object] = lambda _: None,
) -> list[NoseRun]:
    """Train both variants with ``config``, seeds 0 to ``seeds`` - 1 each, and measure them.

    Each run has a folder VARIANT-SEED in ``options.out`` (with ``-tuning`` and ``-firstLIMIT`` behind it,
    where it applies); what is finished there is not trained again, what was interrupted goes on. ``on_run``
    is called after each. Raises as :func:`train_imm` does.
    """
    runs = []
    # Runs on other pictures have folders of their own: none is taken for another, or goes on as one.
    marks = ("-tuning" if tuning else "") + (f"-first{limit}" if limit else "")
    crops = validation_set(data, f"nose-{VARIANTS[0]}", tuning, limit)
    for seed in range(seeds):
        for variant in VARIANTS:
            one = replace(config, model=f"nose-{variant}", seed=seed)
            folder = options.out / f"{variant}-{seed}{marks}"
            weights = train_imm(one, data, limit, replace(options, out=folder, resume=True), tuning)
            assert weights is not None  # only with several devices, which the comparison has not
            error = nose_error_px(*predict(one.model, weights, crops))
            runs.append(NoseRun(variant, seed, float(error.mean()), float((error <= NEAR_PX).mean())))
            on_run(runs[-1])
    return runs


def summarise(runs: Sequence[NoseRun]) -> list[NoseSummary]:
    """One row for each variant among ``runs``, in the order of ``VARIANTS``."""
    summaries = []
    for variant in VARIANTS:
        own = [run for run in runs if run.variant == variant]
        if own:
            mean_px = Spread.of([run.mean_px for run in own])
            summaries.append(
                NoseSummary(variant, len(own), mean_px, Spread.of([run.share_near for run in own]))
            )
    return summaries
