"""Calibration and reliability of the quality of points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.value import Scheme
from tracker.types import FloatArray
from train.data.dataset import FaceCrops, SampleRecipe
from train.data.readers import LabelledFace
from train.data.splits import test_faces, training_faces
from train.errors import DataError, RunError
from train.metrics import Float64Array, normaliser, point_distances
from train.models.load import Loaded
from train.models.quality import (
    GOOD_PERCENT,
    Bin,
    Calibration,
    calibration_error,
    error_in_worst,
    reliability,
    spread,
)
from train.progress import progress_bar

DRAWS = 6
"""Augmented crops of each validation face: turned, shifted, blurred, dark, half of them covered in part."""

_BATCH = 32


@dataclass(frozen=True, eq=False)
class SpreadAndError:
    """Spread in crop sides, and error in per cent of the scheme's normaliser, of each point, ``(N, P)``."""

    spread_sides: FloatArray
    error_percent: Float64Array


@dataclass(frozen=True)
class QualityReport:
    """Reliability of quality as a predictor of the error on the test faces.

    ``error_in_worst`` is the share of all error that lies in the least trusted tenth of the points, and
    ``possible`` the largest value that any ranking could reach.
    """

    faces: int
    calibration: Calibration
    table: tuple[Bin, ...]
    calibration_error: float
    error_in_worst: float
    possible: float

    def to_dict(self) -> dict[str, object]:
        """Convert to a dict for JSON."""
        return {"good_percent": GOOD_PERCENT, **asdict(self)}


def calibrate(loaded: Loaded, data: Path, recipe: SampleRecipe) -> Calibration:
    """Fit on the validation faces of the training images below ``data``, never on a test face.

    Raises :class:`~train.errors.DataError` if there are none, and as :func:`calibrate_on` does.
    """
    _, faces = training_faces(data)
    if not faces:
        raise DataError(f"{data}: no face of this data validates, so quality cannot be calibrated")
    return calibrate_on(loaded, faces, recipe)


def calibrate_on(
    loaded: Loaded, faces: Sequence[LabelledFace], recipe: SampleRecipe, scheme: Scheme = IBUG68
) -> Calibration:
    """Fit on ``faces``, at least one, with the points of ``scheme``, which ``loaded`` was not trained on.

    Each is augmented :data:`DRAWS` times by ``recipe``, that of the network's training, so that covered and
    blurred points are included; crops without a face are not. Raises :class:`~train.errors.RunError` for a
    network without maps, and if quality cannot be fitted.
    """
    crops, draws = FaceCrops(faces, loaded.size, replace(recipe, background=0), scheme=scheme), []
    with progress_bar("calibrating quality", DRAWS) as advance:
        for draw in range(DRAWS):
            draws.append(spread_and_error(loaded, crops.at(loaded.size, draw)))
            advance()
    errors = np.concatenate([draw.error_percent for draw in draws])
    return Calibration.fit(np.concatenate([draw.spread_sides for draw in draws]), errors <= GOOD_PERCENT)


def report(loaded: Loaded, data: Path, recipe: SampleRecipe, disturbed: bool = False) -> QualityReport:
    """Calibrate on validation faces, and measure on the 300-W common test faces below ``data``.

    The crops are placed by the labels; with ``disturbed`` they are augmented by ``recipe`` as those of the
    calibration are. Raises as :func:`calibrate` does.
    """
    calibration, faces = calibrate(loaded, data, recipe), test_faces(data)
    change = replace(recipe, background=0) if disturbed else None
    seen = spread_and_error(loaded, FaceCrops(faces, loaded.size, change))
    quality = calibration.quality(torch.from_numpy(seen.spread_sides)).numpy()
    table = reliability(quality, seen.error_percent)
    return QualityReport(
        faces=len(faces),
        calibration=calibration,
        table=tuple(table),
        calibration_error=calibration_error(table),
        error_in_worst=error_in_worst(quality, seen.error_percent),
        possible=error_in_worst(-seen.error_percent, seen.error_percent),
    )


@torch.inference_mode()
def spread_and_error(loaded: Loaded, crops: FaceCrops) -> SpreadAndError:
    """Measure spread and error of ``loaded`` on ``crops``, which must all show a face.

    Raises :class:`~train.errors.RunError` for a network without maps.
    """
    widths, errors = [], []
    for start in range(0, len(crops), _BATCH):
        batch = [crops[index] for index in range(start, min(start + _BATCH, len(crops)))]
        output = loaded.network(torch.stack([picture for picture, _, _ in batch]))
        if output.maps is None:
            raise RunError("this network draws no maps, so its points have no quality")
        truth = np.stack([points.numpy()[:, :2] for _, points, _ in batch])
        distance = point_distances(output.points.float().numpy(), truth)
        widths.append(spread(output.maps).numpy())
        errors.append(100 * distance / normaliser(truth, crops.scheme)[:, None])
    return SpreadAndError(np.concatenate(widths), np.concatenate(errors))
