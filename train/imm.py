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
from tracker.types import FaceBox, FloatArray
from train.config import TrainConfig
from train.data.asf import Shot
from train.data.imm import OUTER_EYE_CORNERS_58, ImmCrops, imm_shots, mean_points, split_people
from train.errors import DataError, RunError
from train.exported import load_network
from train.leaks import Fingerprint, find_leaks, fingerprint, refuse
from train.metrics import Float64Array, inter_ocular, point_distances
from train.models.imm import ImmLandmarks, imm_spec
from train.options import is_first_process
from train.progress import OnRead
from train.running import RunOptions, run_training
from train.task import Task, data_key

log = logging.getLogger(__name__)

VARIANTS = ("funnel", "fan")
NEAR_PX = 12.0
"""A nose within this distance, in pixels of a 640x480 picture, counts as found."""

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


def imm_task(config: TrainConfig, training: Sequence[Shot], validation: Sequence[Shot]) -> Task:
    """The points of ``config.model`` in whole pictures.

    The error is the nose's distance in pixels of 640x480, or the NME of 58 points.
    """
    keep, size = imm_spec(config.model).keep, config.stages[0].size

    def read(on_read: OnRead) -> tuple[ImmCrops, ImmCrops]:
        return (
            ImmCrops(training, size, keep, config.recipe, config.seed, on_read),
            ImmCrops(validation, size, keep, on_read=on_read),
        )

    data = data_key([shot.image for shot in training], [shot.image for shot in validation])
    sizes = (len(training), len(validation))
    if config.model == "face58":
        return Task(*sizes, data, read, config.loss, face58_nme_percent)
    return Task(*sizes, data, read, config.loss, nose_error_px, "px of 640x480")


def train_imm(
    config: TrainConfig, data: Path, limit: int, options: RunOptions, tuning: bool = False
) -> Path | None:
    """Train ``config.model`` on people 1-32 below ``data`` and validate on 33-40; ``tuning``: 1-28 and 29-32.

    Of each the first ``limit`` shots, 0: all.

    Returns the weights' path, on the first process only. Raises :class:`~train.errors.RunError` for stages of
    another size than the network's, :class:`~train.leaks.LeakError` if a validation picture or person is
    trained on, and as :func:`train.running.run_training` does.
    """
    spec = imm_spec(config.model)
    if any(stage.size != spec.size for stage in config.stages):
        raise RunError(
            f"{config.model} sees pictures of {spec.size} pixels: set the size of each stage to that"
        )
    if config.init:
        raise RunError(f"{config.model} starts from random weights: leave out init, got {config.init!r}")
    training, validation = split_people(imm_shots(data), tuning)
    if is_first_process():
        refuse_imm_leaks(training, validation)
        if not validation:
            log.warning("no picture of this data validates: the validation error will be nan")
    training, validation = training[: limit or None], validation[: limit or None]
    task = imm_task(config, training, validation)
    start = mean_points(training, spec.keep)
    return run_training(config, lambda: ImmLandmarks(config.model, start), task, options)


def refuse_imm_leaks(training: Sequence[Shot], validation: Sequence[Shot]) -> None:
    """Raise :class:`~train.leaks.LeakError` if a picture or person of ``validation`` is trained on."""
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
