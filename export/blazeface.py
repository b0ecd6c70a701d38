"""Conversion of MediaPipe's BlazeFace short-range detector to ONNX.

The source is ``face_detection_short_range.tflite`` (Apache-2.0) of mediapipe 0.10.21, the last release whose
wheel contains it.
"""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from export import tflite
from export.manifest import update_meta, write_entry
from export.widen import widen
from tracker.errors import WeightsError
from tracker.inference.weights import MANIFEST, load_manifest
from train.files import make_folder, replace

NAME = "blazeface-short"
TFLITE_NAME = "blazeface-short-tflite"
LICENCE = "Apache-2.0"
WHEEL_MEMBER = "mediapipe/modules/face_detection/face_detection_short_range.tflite"
TFLITE_SHA256 = "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8"

_OPSET = 17
_IR_VERSION = 8


def build(source: Path, folder: Path) -> None:
    """Write the detector and its ``.tflite`` original into ``folder``, with manifest entries.

    ``source`` is mediapipe's wheel or the ``.tflite`` itself. The bytes written depend on its content only;
    the metadata of an earlier build (the fitted box correction) is kept. Raises :class:`WeightsError` if
    ``source`` cannot be read or is not the expected file.
    """
    content = read_tflite(source)
    earlier = load_manifest(folder) if (folder / MANIFEST).exists() else {}
    make_folder(folder)
    for name, kind, suffix, data in (
        (NAME, "detector", "onnx", to_onnx(content).SerializeToString(deterministic=True)),
        (TFLITE_NAME, "mediapipe", "tflite", content),
    ):
        file = f"blazeface-short.{suffix}"
        replace(folder / file, data)
        write_entry(folder, name, kind, file, LICENCE, {})
        if name in earlier:
            update_meta(folder, name, earlier[name].meta)


def read_tflite(source: Path) -> bytes:
    """Read the detector's ``.tflite`` from mediapipe's wheel or from the file itself, and check its hash."""
    try:
        if source.suffix == ".whl":
            with zipfile.ZipFile(source) as wheel:
                content = wheel.read(WHEEL_MEMBER)
        else:
            content = source.read_bytes()
    except (OSError, zipfile.BadZipFile, KeyError) as error:
        raise WeightsError(
            f"{source} cannot be read ({error}): give the wheel of mediapipe 0.10.21"
        ) from error
    if hashlib.sha256(content).hexdigest() != TFLITE_SHA256:
        raise WeightsError(f"{source} holds another network: give the wheel of mediapipe 0.10.21")
    return content


def to_onnx(content: bytes) -> onnx.ModelProto:
    """Convert the network to ONNX: uint8 RGB picture of any size in, raw boxes and logits out.

    Input ``image`` uint8 ``(1, H, W, 3)``, H and W multiples of 16; outputs ``boxes`` float32 ``(N, 16)`` for
    :func:`tracker.inference.detection.anchors.decode`, and ``logits`` float32 ``(N,)``. N is the number of
    anchors: 896 at the original size of 128 x 128. The network is fully convolutional, so only the constants
    of its Reshape operators state a size. Its channels are widened to whole blocks (:mod:`export.widen`).
    """
    network = tflite.convert(content)
    names = {"boxes": ("regressors", [-1, 16]), "logits": ("classificators", [-1])}
    widened, weights = widen(network.nodes, _with_free_anchors(network), keep=_heads(network))
    nodes = [
        helper.make_node("Cast", ["image"], ["levels"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Div", ["levels", "half_range"], ["scaled"]),
        helper.make_node("Sub", ["scaled", "one"], [network.input]),
        *widened,
        *(helper.make_node("Reshape", [raw, f"{name}_shape"], [name]) for name, (raw, _) in names.items()),
    ]
    constants = [
        _constant("half_range", 127.5, np.float32),
        _constant("one", 1.0, np.float32),
        *(_constant(f"{name}_shape", shape, np.int64) for name, (_, shape) in names.items()),
    ]
    image = helper.make_tensor_value_info("image", onnx.TensorProto.UINT8, [1, "height", "width", 3])
    outputs = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["anchors", *shape[1:]])
        for name, (_, shape) in names.items()
    ]
    graph = helper.make_graph(nodes, NAME, [image], outputs, [*constants, *weights])
    opsets = [helper.make_opsetid("", _OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="tracker")
    onnx.checker.check_model(model, full_check=True)
    return model


def _with_free_anchors(network: tflite.TfliteGraph) -> list[onnx.TensorProto]:
    """Return the initializers of ``network``; Reshape to (1, anchors, values) takes any number of anchors."""
    shapes = {node.input[1] for node in network.nodes if node.op_type == "Reshape"}
    freed = []
    for constant in network.initializers:
        if constant.name in shapes:
            batch, _, values = numpy_helper.to_array(constant).tolist()
            constant = _constant(constant.name, [batch, -1, values], np.int64)
        freed.append(constant)
    return freed


def _heads(network: tflite.TfliteGraph) -> set[str]:
    """Return the names of the tensors that ``network`` leaves NCHW by: their channels are its answers."""
    return {node.input[0] for node in network.nodes if node.op_type == "Transpose"}


def _constant(name: str, value: float | list[int], dtype: type[np.generic]) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(value, dtype), name)
