"""Comparison of the two nose networks of the IMM Face Database over several seeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader

from tracker.types import FloatArray
from train.config import TrainConfig
from train.data.imm import ImmCrops, imm_shots, split_people, test_shots
from train.errors import DataError
from train.models.imm import imm_spec
from train.models.load import load_network
from train.training.imm import NEAR_PX, nose_error_px, train_imm
from train.training.options import RunOptions

VARIANTS = ("funnel", "fan")

_BATCH = 48


@dataclass(frozen=True)
class NoseRun:
    """Result of one variant trained with one seed.

    ``mean_px`` is the mean error in pixels of a 640x480 picture, ``share_near`` the share 0..1 of noses
    within :data:`~train.training.imm.NEAR_PX`.
    """

    variant: str
    seed: int
    mean_px: float
    share_near: float


@dataclass(frozen=True)
class Spread:
    """Mean and sample standard deviation; the deviation of a single value is NaN."""

    mean: float
    std: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Compute the spread of ``values``, at least one."""
        return cls(float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else float("nan"))


@dataclass(frozen=True)
class NoseSummary:
    """Results of one variant over all its seeds."""

    variant: str
    seeds: int
    mean_px: Spread
    share_near: Spread


def nose_runs(
    config: TrainConfig, data: Path, seeds: int, options: RunOptions, limit: int = 0, final: bool = False
) -> Iterator[NoseRun]:
    """Train both variants with each of the seeds 0 to ``seeds`` - 1, and yield the result of each run.

    Each run has a folder VARIANT-SEED in ``options.out``, with ``-final`` and ``-firstLIMIT`` appended where
    they apply. Finished runs are measured without training again, interrupted ones are resumed. Raises
    as :func:`~train.training.imm.train_imm` does.
    """
    # Runs on other pictures get folders of their own, so that none is mistaken for another or resumed as one.
    marks = ("-final" if final else "") + (f"-first{limit}" if limit else "")
    crops = measured_crops(data, f"nose-{VARIANTS[0]}", final, limit)
    for seed in range(seeds):
        for variant in VARIANTS:
            run_config = replace(config, model=f"nose-{variant}", seed=seed)
            folder = options.out / f"{variant}-{seed}{marks}"
            weights = train_imm(run_config, data, limit, replace(options, out=folder, resume=True), final)
            assert weights is not None  # None is for several processes, which a comparison never uses
            error = nose_error_px(*predict(run_config.model, weights, crops))
            yield NoseRun(variant, seed, float(error.mean()), float((error <= NEAR_PX).mean()))


def summarise(runs: Sequence[NoseRun]) -> list[NoseSummary]:
    """Return one summary for each variant among ``runs``, in the order of :data:`VARIANTS`."""
    summaries = []
    for variant in VARIANTS:
        own = [run for run in runs if run.variant == variant]
        if own:
            mean_px = Spread.of([run.mean_px for run in own])
            summaries.append(
                NoseSummary(variant, len(own), mean_px, Spread.of([run.share_near for run in own]))
            )
    return summaries


def measured_crops(data: Path, model: str, final: bool = False, limit: int = 0) -> ImmCrops:
    """Return the pictures of the people on whom runs are compared, at the size of ``model``.

    These are the validation people 29-32, and for ``final`` runs the test people 33-40. Raises
    :class:`~train.errors.DataError` if there are none.
    """
    spec = imm_spec(model)
    every = imm_shots(data)
    shots = test_shots(every) if final else split_people(every)[1]
    if not shots:
        raise DataError(f"{data}: the IMM Face Database there has none of the people to compare on")
    return ImmCrops(shots[: limit or None], spec.size, spec.keep)


@torch.inference_mode()
def predict(model: str, weights: Path, crops: ImmCrops) -> tuple[FloatArray, FloatArray]:
    """Return predicted and true points of all ``crops``, both ``(N, P, 2)`` float32 in crop sides.

    Raises :class:`~train.errors.RunError` if ``weights`` does not hold ``model``.
    """
    network = load_network(model, weights).network
    batches = [(network(pictures).points, points) for pictures, points, _ in DataLoader(crops, _BATCH)]
    predicted, truth = zip(*batches, strict=True)
    return torch.cat(predicted).numpy(), torch.cat(truth).numpy()
