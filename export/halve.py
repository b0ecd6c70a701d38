"""Conversion of a landmark model to float16 convolutions, for GPUs, which compute them twice as fast.

Nodes between the first convolution and the last become float16. Pictures are normalised, and maps decoded, in
float32: coordinates up to 224 in float16 would have a resolution of an eighth of a pixel.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

from export.quantise import is_convolution, with_float_weights


def halve(model: Path, target: Path) -> None:
    """Write ``model`` with float16 between its convolutions to ``target``, with the same contract."""
    halved = with_float_weights(onnx.load(model))
    graph = halved.graph
    inner = _between_convolutions(graph)
    made = {name for node in inner for name in node.output}
    _round_kernels(graph, inner)
    entering = _unique(node.input[0] for node in inner if is_convolution(node) and node.input[0] not in made)
    leaving = _unique(name for node in graph.node if node not in inner for name in node.input if name in made)
    for node in inner:
        _rename_inputs(node, {name: f"{name}_float16" for name in entering})
    for node in graph.node:
        if node not in inner:
            _rename_inputs(node, {name: f"{name}_float32" for name in leaving})
    nodes: list[NodeProto] = []
    for node in graph.node:
        nodes.append(node)
        nodes += [_cast(name, "float16") for name in node.output if name in entering]
        nodes += [_cast(name, "float32") for name in node.output if name in leaving]
    del graph.node[:], graph.value_info[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(halved)
    target.write_bytes(halved.SerializeToString(deterministic=True))


def _between_convolutions(graph: GraphProto) -> list[NodeProto]:
    """Return the nodes on a path from one convolution to another, convolutions included."""
    after: set[str] = set()
    downstream = []
    for node in graph.node:
        if is_convolution(node) or after.intersection(node.input):
            downstream.append(node)
            after.update(node.output)
    before: set[str] = set()
    inner: list[NodeProto] = []
    for node in reversed(downstream):
        if is_convolution(node) or before.intersection(node.output):
            inner.insert(0, node)
            before.update(node.input)
    return inner


def _round_kernels(graph: GraphProto, inner: Iterable[NodeProto]) -> None:
    kernels = {name for node in inner if is_convolution(node) for name in node.input[1:]}
    for tensor in graph.initializer:
        if tensor.name in kernels:
            half = numpy_helper.to_array(tensor).astype(np.float16)
            tensor.CopyFrom(numpy_helper.from_array(half, tensor.name))


def _rename_inputs(node: NodeProto, names: dict[str, str]) -> None:
    for place, name in enumerate(node.input):
        node.input[place] = names.get(name, name)


def _cast(name: str, to: str) -> NodeProto:
    kind = TensorProto.FLOAT16 if to == "float16" else TensorProto.FLOAT
    return helper.make_node("Cast", [name], [f"{name}_{to}"], name=f"{name}_to_{to}", to=kind)


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
