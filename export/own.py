"""Export of a network for points of one's own: one ONNX file that brings its scheme along.

The file has the contract of the shipped models, for as many points as its scheme has, and says in its
metadata what a manifest says of those: the scheme, as JSON, and name, licence and a summary of the training.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from export.halve import halve
from export.landmarks import (
    LICENCE,
    PARITY_PX,
    Contract,
    Parity,
    export_onnx,
    measure_parity,
    noise_crops,
    rounded,
)
from export.options import Precision
from export.own_box import fit_crop
from export.own_trial import warning_of
from export.quantise import quantise
from export.variants import CALIBRATION_CROPS
from tracker import __version__
from tracker.errors import WeightsError
from tracker.geometry import CROP_SIZE
from tracker.inference.description import notes_path
from tracker.inference.landmark_models import MODEL_KEY, UNSTATED
from tracker.inference.weights import find_model
from tracker.scheme.plain import SCHEME_KEY, to_plain
from tracker.scheme.value import Scheme
from tracker.types import ImageArray
from train.configs.augmentation import augmentation
from train.data.dataset import FaceCrops
from train.data.own_split import SHARE, OwnData
from train.data.readers import LabelledFace
from train.data.splits import training_faces
from train.errors import RunError
from train.evaluation.points import PointScores, point_scores
from train.evaluation.quality import calibrate_on
from train.files import make_folder, replacing
from train.models.quality import Calibration
from train.models.registry import WITHOUT_MAPS
from train.models.trained import Trained, began_with_shipped, load_trained

Say = Callable[[str], object]

NO_DATA = "without --data the model does not judge the quality of points, and its crop is not fitted"

Faces = tuple[Sequence[LabelledFace], Sequence[LabelledFace]]
"""Training and validation faces."""


@dataclass(frozen=True)
class OwnModel:
    """The file ``path`` to write, and what belongs into it.

    ``model`` is the network of checkpoints that do not tell it; ``data`` has the labelled pictures that the
    run was trained and validated on, ``config`` the recipe whose augmentation calibrates quality.
    """

    path: Path
    model: str
    licence: str = ""
    precision: Precision = "fp32"
    data: Path | None = None
    config: Path | None = None


def write_own(checkpoint: Path, own: OwnModel, say: Say) -> Parity:
    """Export the network of ``checkpoint``, a .safetensors file of a run, as ``own`` says.

    With data the quality of points is calibrated on its validation faces, and the crop's rule fitted to the
    shipped detector on its training faces; ``say`` is called with what could not be. Returns the largest
    differences from torch, which in float32 must not be more than rounding.

    Raises :class:`~tracker.errors.WeightsError`, and leaves a file at ``own.path`` as it is, if they are, and
    :class:`~train.errors.RunError` if the checkpoint or the recipe cannot be used, if ``int8`` lacks data, or
    if a TOML file of that name, such as that of a scheme, lies beside ``own.path``.
    """
    trained = load_trained(checkpoint, own.model)
    if trained.model in WITHOUT_MAPS:
        raise WeightsError(f"{trained.model} does not judge presence, which the tracker needs")
    if own.precision == "int8" and own.data is None:
        raise RunError("--precision int8 measures its ranges on training pictures: say --data FOLDER, too")
    if (beside := notes_path(own.path)).exists():
        raise RunError(f"the tracker would read {beside} as the model's description: give another --out")
    faces = _faces(trained, own.data) if own.data else None
    scores = point_scores(trained, faces[1]) if faces else None
    trained = replace(trained, loaded=rounded(trained.loaded))
    calibration = _calibration(trained, own, faces[1], say) if faces else None
    fit = None if faces is None else fit_crop(_some(faces[0]), trained.scheme)
    scheme = trained.scheme if fit is None else replace(trained.scheme, crop=fit.rule)
    say(str(fit) if fit else NO_DATA)
    network = Contract(trained.loaded.network, trained.loaded.size, calibration).eval()
    make_folder(own.path.parent)
    with replacing(own.path) as draft:
        export_onnx(network, draft)
        crops = _crops(faces[1], scheme) if faces else noise_crops(32)
        parity = measure_parity(network, draft, crops)
        if not parity.holds:
            raise WeightsError(
                f"{own.path.name} differs from torch by {parity.points_px:.4f} crop px; at most {PARITY_PX} "
                "is allowed"
            )
        if own.precision != "fp32":
            _convert(draft, own.precision, _crops(_some(faces[0]), scheme) if faces else crops)
            parity = measure_parity(network, draft, crops)
        admission = _admission(trained.model) if fit and fit.fitted else {}
        _describe(draft, scheme, _about(own, trained, scores) | {"admission": admission})
    if faces and fit and fit.fitted and (warning := warning_of(own.path, faces[1], fit)):
        say(warning)
    return parity


def _faces(trained: Trained, data: Path) -> Faces:
    """Return the training and validation faces of the run, found again in ``data`` by its rule."""
    rule = trained.record.get("own")
    if rule is None:
        return training_faces(data)
    own = OwnData(data, rule.get("validation", SHARE), rule.get("person", ""))
    split = own.read(trained.scheme)
    return split.training, split.validation


def _calibration(
    trained: Trained, own: OwnModel, faces: Sequence[LabelledFace], say: Say
) -> Calibration | None:
    try:
        return calibrate_on(trained.loaded, faces, augmentation(trained.model, own.config), trained.scheme)
    except RunError as error:
        say(f"warning: the quality of points cannot be calibrated: {error}; exported without it")
        return None


def _admission(network: str) -> dict[str, float]:
    """Return how the shipped model of ``network`` weighs detector, presence and quality of a new face.

    A model of one's own has the same network and detector, and no pictures without faces to fit it on.
    """
    return dict(find_model(network, "landmarks").meta.get("admission", {}))


def _some(faces: Sequence[LabelledFace]) -> Sequence[LabelledFace]:
    """Return at most :data:`~export.variants.CALIBRATION_CROPS` of ``faces``, spread over all."""
    return faces[:: max(1, len(faces) // CALIBRATION_CROPS)][:CALIBRATION_CROPS]


def _crops(faces: Sequence[LabelledFace], scheme: Scheme) -> ImageArray:
    """Return the canonical crops ``(N, 224, 224)`` of ``faces``."""
    crops = FaceCrops(faces, CROP_SIZE, scheme=scheme)
    return np.stack([crops[i][0][0].numpy() for i in range(len(crops))])


def _convert(path: Path, precision: str, crops: ImageArray) -> None:
    """Replace the model ``path`` by the same in another precision."""
    with replacing(path) as draft:
        if precision == "fp16":
            halve(path, draft)
        else:
            quantise(path, draft, crops)


def _about(own: OwnModel, trained: Trained, scores: PointScores | None) -> dict[str, Any]:
    """Return what the tracker tells of the model: nothing of the pictures but how many there were."""
    record = trained.record
    rule = record.get("own", {})
    started = rule.get("init", "")
    goes_back = began_with_shipped(record)
    known = started in ("shipped", "none", "")
    licence = own.licence or UNSTATED
    if started == "shipped":
        licence += f"; it started from the shipped {trained.model}: {LICENCE}"
    elif goes_back:
        started = "a file that goes back to a shipped model"
        licence += f"; it started from {started}: {LICENCE}"
    training = {
        "network": trained.model,
        "crop_px": trained.loaded.size,
        "started_from": started if known or goes_back else "a file",
        "faces": sum(record.get("data", {}).get("training", {}).values()),
        "validation_faces": record.get("data", {}).get("validation"),
        "epochs": sum(stage["epochs"] for stage in record.get("recipe", {}).get("stages", ())),
        "seed": record.get("seed"),
    }
    if scores is not None:
        training |= {"nme": round(float(scores.nme.mean()), 3), "nme_unit": scores.unit}
    return {
        "name": own.path.stem,
        "licence": licence,
        "precision": own.precision,
        "training": training,
        "made_with": __version__,
    }


def _describe(path: Path, scheme: Scheme, about: dict[str, Any]) -> None:
    """Put the metadata into the model ``path``, in place of any that it has."""
    model = onnx.load(path)
    del model.metadata_props[:]
    for key, value in ((SCHEME_KEY, to_plain(scheme)), (MODEL_KEY, about)):
        model.metadata_props.add(key=key, value=json.dumps(value, sort_keys=True))
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString(deterministic=True))
