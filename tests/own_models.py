"""Tiny ONNX models of one's own, built node by node: landmarks of a bright spot, and a detector of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tracker.geometry import CROP_SIZE
from tracker.scheme.plain import to_plain
from tracker.scheme.value import CropRule, Scheme
from tracker.types import FloatArray, ImageArray

SPREAD = 56.0
"""Pixels of a crop that the outer points of :func:`write_spot_model` are apart."""

FIVE = Scheme("spot", 5, edges=((0, 1), (1, 2), (2, 3), (3, 0)), crop=CropRule(CROP_SIZE / SPREAD))
"""Corners of a square, and its middle."""

OFFSETS = SPREAD / 2 * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1), (0, 0)], np.float64)
"""Places of the points of :data:`FIVE` around the spot, crop pixels."""


def onnx_module() -> Any:
    """Return the package onnx; tests that build models need it."""
    return pytest.importorskip("onnx")


def save(path: Path, model: Any, metadata: Mapping[str, str] | None = None) -> Path:
    """Write a model with ``metadata``, and return its path."""
    onnx = onnx_module()
    onnx.helper.set_model_props(model, dict(metadata or {}))
    onnx.save(model, path)
    return path


def graph_model(
    nodes: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any], constants: Mapping[str, Any]
) -> Any:
    """Return a model of ``nodes``; inputs and outputs are (name, kind, shape)."""
    helper, numpy_helper = onnx_module().helper, onnx_module().numpy_helper
    infos = [[_info(*one) for one in these] for these in (inputs, outputs)]
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(list(nodes), "tiny", *infos, tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def write_spot_model(
    path: Path,
    scheme: Scheme | None = FIVE,
    offsets: FloatArray = OFFSETS,
    about: Mapping[str, Any] | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """Write a landmark model that finds the middle of what is bright in a crop.

    Its points lie at ``offsets`` ``(P, 2)`` from there, in crop pixels. Presence is 1 where anything is
    bright, else 0. ``scheme`` and ``about`` become metadata, as the exporter writes it.
    """
    node = onnx_module().helper.make_node
    line = np.arange(CROP_SIZE, dtype=np.float32)
    constants = {
        "x": line.reshape(1, 1, 1, -1),
        "y": line.reshape(1, 1, -1, 1),
        "axes": np.array([1, 2, 3], np.int64),
        "few": np.array([1e-3], np.float32),
        "least": np.array([224.0], np.float32),
        "last": np.array([-1], np.int64),
        "middle": np.array([1], np.int64),
        "offsets": offsets[None].astype(np.float32),
    }
    nodes = [
        node("Cast", ["crop"], ["grey"], to=1),
        node("ReduceSum", ["grey", "axes"], ["sum"], keepdims=0),
        node("Add", ["sum", "few"], ["weight"]),
    ]
    for axis in ("x", "y"):
        nodes += [
            node("Mul", ["grey", axis], [f"g{axis}"]),
            node("ReduceSum", [f"g{axis}", "axes"], [f"s{axis}"], keepdims=0),
            node("Div", [f"s{axis}", "weight"], [f"m{axis}"]),
            node("Unsqueeze", [f"m{axis}", "last"], [f"u{axis}"]),
        ]
    nodes += [
        node("Concat", ["ux", "uy"], ["mean"], axis=1),
        node("Unsqueeze", ["mean", "middle"], ["centre"]),
        node("Add", ["centre", "offsets"], ["points"]),
        node("Greater", ["sum", "least"], ["bright"]),
        node("Cast", ["bright"], ["presence"], to=1),
    ]
    outputs = [("points", "FLOAT", ["N", len(offsets), 2]), ("presence", "FLOAT", ["N"])]
    crop = ("crop", "UINT8", ["N", 1, CROP_SIZE, CROP_SIZE])
    props = {} if scheme is None else {"tracker.scheme": json.dumps(to_plain(scheme))}
    props |= {} if about is None else {"tracker.model": json.dumps(about)}
    return save(path, graph_model(nodes, [crop], outputs, constants), {**props, **(metadata or {})})


def write_box_detector(path: Path, box: tuple[float, float, float, float]) -> Path:
    """Write a detector for pictures of 128 x 96 pixels, and the TOML file that describes it.

    It finds ``box``, two corners in pixels of its input, with a score of 0.75 in every picture.
    """
    node = onnx_module().helper.make_node
    nodes = [
        node("ReduceMean", ["image"], ["grey"], keepdims=1),
        node("Reshape", ["grey", "one"], ["level"]),
        node("Mul", ["level", "nothing"], ["zero"]),
        node("Add", ["zero", "box"], ["boxes"]),
        node("Add", ["zero", "sure"], ["scores"]),
    ]
    constants = {
        "one": np.array([1, 1, 1], np.int64),
        "nothing": np.zeros(1, np.float32),
        "box": np.array([[box]], np.float32),
        "sure": np.array([[[0.0, 0.75]]], np.float32),
    }
    outputs = [("boxes", "FLOAT", [1, 1, 4]), ("scores", "FLOAT", [1, 1, 2])]
    made = graph_model(nodes, [("image", "FLOAT", [1, 3, 96, 128])], outputs, constants)
    toml = '[detector.input]\nsize = [128, 96]\n[detector.scores]\noutput = "scores"\ncolumn = 1\n'
    path.with_suffix(".toml").write_text(toml, encoding="utf-8")
    return save(path, made)


def write_2d106det(path: Path, values: FloatArray) -> Path:
    """Write a model with the inputs and outputs of InsightFace's 2d106det.

    It takes RGB 0..255, float32 ``(N, 3, 192, 192)``, and gives ``(N, 212)``: x and y of each point from -1
    to 1. Here they are ``values`` plus the mean level of the picture over 2550.
    """
    node = onnx_module().helper.make_node
    nodes = [
        node("ReduceMean", ["data", "axes"], ["level"], keepdims=0),
        node("Mul", ["level", "tenth"], ["small"]),
        node("Unsqueeze", ["small", "last"], ["column"]),
        node("Add", ["column", "values"], ["fc1"]),
    ]
    constants = {
        "axes": np.array([1, 2, 3], np.int64),
        "tenth": np.array([1 / 2550], np.float32),
        "last": np.array([1], np.int64),
        "values": values.reshape(1, 212).astype(np.float32),
    }
    inputs, outputs = [("data", "FLOAT", ["N", 3, 192, 192])], [("fc1", "FLOAT", ["N", 212])]
    return save(path, graph_model(nodes, inputs, outputs, constants))


def spot(center: tuple[float, float], hw: tuple[int, int] = (240, 320), sigma: float = 12.0) -> ImageArray:
    """Draw a bright Gaussian spot at the sub-pixel ``center`` (x, y) of a black picture, BGR."""
    y, x = np.mgrid[: hw[0], : hw[1]]
    grey = 250 * np.exp(-((x - center[0]) ** 2 + (y - center[1]) ** 2) / (2 * sigma**2))
    return np.repeat(np.rint(grey).astype(np.uint8)[..., None], 3, axis=2)


def _info(name: str, kind: str, shape: Sequence[Any]) -> Any:
    onnx = onnx_module()
    return onnx.helper.make_tensor_value_info(name, getattr(onnx.TensorProto, kind), shape)
