"""Export of a shipped model in another precision, with a manifest entry that states where it is better."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from export.halve import halve
from export.manifest import write_variant
from export.quantise import quantise
from tracker.geometry import CROP_SIZE
from tracker.inference.weights import find_model
from tracker.types import ImageArray
from train.data.dataset import FaceCrops
from train.data.splits import training_faces
from train.errors import DataError
from train.files import replacing

CALIBRATION_CROPS = 200

_AVX2 = ["avx2"]
INT8_SUITS = {"cpu": _AVX2, "openvino": _AVX2}
"""Backends and instruction sets where eight bits are faster: x86 from AVX2 on, more with VNNI or AMX.

ARM was not measured.
"""

FP16_SUITS: dict[str, list[str]] = {"cuda": []}
"""Backends where half precision is faster: GPUs with tensor cores.

A CPU would compute in float32 and round in between.
"""


def ship_int8(name: str, weights: Path, data: Path) -> Path:
    """Write ``weights/name.int8.onnx``, ``name`` with eight-bit convolutions, and its manifest entry.

    The ranges of activations are measured on :data:`CALIBRATION_CROPS` training crops of ``data``. Raises
    :class:`~tracker.errors.WeightsError` for an unknown or damaged model and :class:`~train.errors.DataError`
    without training faces.
    """
    model = find_model(name, "landmarks", weights)
    path = weights / f"{name}.int8.onnx"
    with replacing(path) as draft:
        quantise(model.verified(), draft, calibration_crops(data))
    write_variant(weights, name, "int8", path.name, {"suits": INT8_SUITS})
    return path


def ship_fp16(name: str, weights: Path) -> Path:
    """Write ``weights/name.fp16.onnx``, ``name`` with float16 convolutions for CUDA, and its manifest entry.

    Raises :class:`~tracker.errors.WeightsError` for an unknown or damaged model.
    """
    model = find_model(name, "landmarks", weights)
    path = weights / f"{name}.fp16.onnx"
    with replacing(path) as draft:
        halve(model.verified(), draft)
    write_variant(weights, name, "fp16", path.name, {"suits": FP16_SUITS})
    return path


def calibration_crops(data: Path) -> ImageArray:
    """Return :data:`CALIBRATION_CROPS` canonical crops ``(N, 224, 224)`` of training faces of all sets."""
    faces = training_faces(data)[0]
    if not faces:
        raise DataError(f"{data} has no training faces to calibrate on")
    crops = FaceCrops(faces[:: max(1, len(faces) // CALIBRATION_CROPS)][:CALIBRATION_CROPS], CROP_SIZE)
    return np.stack([crops[i][0][0].numpy() for i in range(len(crops))])
