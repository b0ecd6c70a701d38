"""Loading of trained weights into torch networks, from safetensors files or exported ONNX models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from tracker.geometry import CROP_SIZE
from train.errors import RunError
from train.models.fold import fold_normalisation, normalised_convolutions
from train.models.imm import SPECS
from train.models.registry import MODELS, build

WEIGHTS = Path(__file__).resolve().parents[2] / "weights"

_PREFIX = "network."
_HALF = "_half"
_UNREADABLE = (OSError, RuntimeError, SafetensorError, KeyError, TypeError, ValueError)


@dataclass(frozen=True)
class Loaded:
    """A network in evaluation mode and the side in pixels of the square crops that it takes.

    Networks of the IMM Face Database see the middle rows of that square only.
    """

    network: nn.Module
    size: int


def load_network(model: str, weights: Path | None = None) -> Loaded:
    """Load the network ``model`` with ``weights``, a .safetensors or .onnx file; None for the shipped ones.

    Raises :class:`~train.errors.RunError` if the file does not hold that network.
    """
    network = build(model).eval()
    path = weights or _shipped(model)
    try:
        if path.suffix == ".onnx":
            size, tensors = read_onnx(path)
            fold_normalisation(network)
        else:
            size, tensors = read_safetensors(path)
        network.load_state_dict({name: value.float() for name, value in tensors.items()})
    except _UNREADABLE as error:
        raise RunError(f"{path} does not hold {model} weights: {_in_short(error)}") from error
    return Loaded(network, size)


def load_heatmap_network(model: str, weights: Path | None = None) -> Loaded:
    """Load a network as :func:`load_network` does, but only one that decodes its points from maps.

    Raises :class:`~train.errors.RunError` for other networks as well.
    """
    if model in SPECS:
        known = ", ".join(name for name in MODELS if name not in SPECS)
        raise RunError(f"{model} draws no maps: choose one of {known}")
    return load_network(model, weights)


def read_safetensors(path: Path) -> tuple[int, dict[str, Tensor]]:
    """Return crop size and tensors of a file that training wrote."""
    tensors = load_file(path)
    with safe_open(path, "pt") as file:
        return int(file.metadata()["size"]), tensors


def read_onnx(path: Path) -> tuple[int, dict[str, Tensor]]:
    """Return crop size and the network's own tensors, normalisation folded, of an exported landmark model.

    Raises ``ValueError`` if the file is not an ONNX model, ``OSError`` if it cannot be read.
    """
    try:
        graph = onnx.load_from_string(path.read_bytes()).graph
    except OSError:
        raise
    except Exception as error:  # protobuf's own error, whose module is not stable
        raise ValueError("not an ONNX file") from error
    arrays = {t.name.removesuffix(_HALF): numpy_helper.to_array(t) for t in graph.initializer}
    rows = arrays.get("resample.rows")
    size = CROP_SIZE if rows is None else len(rows)
    own = {name: value for name, value in arrays.items() if name.startswith(_PREFIX)}
    tensors = {
        name.removeprefix(_PREFIX): torch.from_numpy(np.array(value, np.float32))
        for name, value in own.items()
    }
    return size, tensors


@torch.no_grad()
def warm_start(network: nn.Module, path: Path, crops: Tensor) -> int:
    """Copy all tensors that ``network`` shares with the trained model ``path``, and return their number.

    Exported convolutions have their normalisation folded in. It is separated again with the statistics that
    ``crops`` ``(N, 1, S, S)`` give in one pass: afterwards the network computes the same as the file, and
    continues training as if its normalisation had never been merged. Raises :class:`~train.errors.RunError`
    if the file cannot be read or shares nothing.
    """
    read = read_onnx if path.suffix == ".onnx" else read_safetensors
    try:
        _, tensors = read(path)
    except _UNREADABLE as error:
        raise RunError(f"--init {path} cannot be read: {_in_short(error)}") from error
    own = network.state_dict()
    taken = {name: t for name, t in tensors.items() if name in own and own[name].shape == t.shape}
    if not taken:
        raise RunError(f"--init {path} shares no weights with this network")
    network.load_state_dict(taken, strict=False)
    folded = [
        norm.register_forward_pre_hook(_unfold(tensors[f"{name}.bias"]))
        for name, convolution, norm in normalised_convolutions(network)
        if f"{name}.weight" in taken and convolution.bias is None and f"{name}.bias" in tensors
    ]
    if folded:
        network.eval()(crops)
    for hook in folded:
        hook.remove()
    return len(taken)


def _unfold(bias: Tensor) -> Callable[[nn.Module, Any], None]:
    """Return a hook that makes a normalisation add ``bias`` and change nothing else on the batch it sees."""

    def hook(norm: nn.Module, inputs: Any) -> None:
        variance, mean = torch.var_mean(inputs[0].float(), dim=(0, 2, 3), correction=0)
        assert isinstance(norm, nn.BatchNorm2d)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.copy_((variance + norm.eps).sqrt())
        norm.bias.copy_(bias + mean)

    return hook


def _in_short(error: Exception) -> str:
    """Shorten an error to one line: torch lists every missing tensor, one paragraph each."""
    text = " ".join(str(error).split())
    return text if len(text) <= 160 else f"{text[:160]}..."


def _shipped(model: str) -> Path:
    for suffix in (".onnx", ".safetensors"):
        path = WEIGHTS / f"{model}{suffix}"
        if path.is_file():
            return path
    raise RunError(f"no {model} weights in {WEIGHTS}: give --weights FILE")
