"""Export of a model in another precision, with a manifest entry that states where it is better."""

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

INT8_NEEDS = {"unet-light": ["avx512_vnni", "avx_vnni"]}
"""Instruction sets, one of which a model's eight-bit file needs to be faster; ``avx2`` for all others.

The light U-Net has few multiplications to gain from; without VNNI it was not measured. Nor was ARM.
"""

FP16_SUITS: dict[str, list[str]] = {"cuda": []}
"""Backends where half precision is faster: GPUs with tensor cores.

A CPU would compute in float32 and round in between.
"""


def write_int8(name: str, folder: Path, data: Path) -> Path:
    """Write ``folder/name.int8.onnx``, ``name`` with eight-bit convolutions, and its manifest entry.

    The ranges of activations are measured on :data:`CALIBRATION_CROPS` training crops of ``data``. Raises
    :class:`~tracker.errors.WeightsError` for an unknown or damaged model and :class:`~train.errors.DataError`
    without training faces.
    """
    model = find_model(name, "landmarks", folder)
    path = folder / f"{name}.int8.onnx"
    with replacing(path) as draft:
        quantise(model.verified(), draft, calibration_crops(data))
    needed = INT8_NEEDS.get(name, ["avx2"])
    write_variant(folder, name, "int8", path.name, {"suits": {"cpu": needed, "openvino": needed}})
    return path


def write_fp16(name: str, folder: Path) -> Path:
    """Write ``folder/name.fp16.onnx``, ``name`` with float16 convolutions for CUDA, and its manifest entry.

    Raises :class:`~tracker.errors.WeightsError` for an unknown or damaged model.
    """
    model = find_model(name, "landmarks", folder)
    path = folder / f"{name}.fp16.onnx"
    with replacing(path) as draft:
        halve(model.verified(), draft)
    write_variant(folder, name, "fp16", path.name, {"suits": FP16_SUITS})
    return path


def calibration_crops(data: Path) -> ImageArray:
    """Return :data:`CALIBRATION_CROPS` canonical crops ``(N, 224, 224)`` of training faces of all sets."""
    faces = training_faces(data)[0]
    if not faces:
        raise DataError(f"{data} has no training faces to calibrate on")
    crops = FaceCrops(faces[:: max(1, len(faces) // CALIBRATION_CROPS)][:CALIBRATION_CROPS], CROP_SIZE)
    return np.stack([crops[i][0][0].numpy() for i in range(len(crops))])
