"""Loading of trained weights into torch networks: safetensors files, exported models, checkpoints of runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
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
from train.errors import RunError, in_short
from train.models.backbone import backbone_of, grey_imagenet, is_torchvision
from train.models.fold import fold_normalisation, normalised_convolutions
from train.models.registry import MODELS, OF_ANY_SCHEME, WITH_BACKBONE, WITHOUT_MAPS, build
from train.models.run_checkpoint import SUFFIX, read_averaged
from train.models.torch_file import SUFFIXES, read_torch, unwrapped
from train.models.unet import grey_brain_mri, is_brain_mri
from train.models.upsampling import with_transposed

WEIGHTS = Path(__file__).resolve().parents[2] / "weights"

LEAST_SHARE = 0.5
"""Share of a network's weights that a file must give: with less, it is likely another network's."""

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


def load_network(model: str, weights: Path | None = None, n_points: int | None = None) -> Loaded:
    """Load the network ``model`` with ``weights``; None for the shipped ones.

    ``weights`` is a .safetensors or .onnx file, or the .ckpt of a run, finished or not, of which the averaged
    weights count. The network locates ``n_points``, None for as many as the shipped one. Raises
    :class:`~train.errors.RunError` if the file does not hold that network.
    """
    build(model, n_points)  # for an unknown one, before a file of its name is missed
    path = weights or shipped_weights(model)
    folded = path.suffix == ".onnx"
    try:
        size, tensors = _read_own(path, model)
        network = _network_of(model, tensors, folded, n_points)
        if not _same_shapes(tensors, network) and (owner := _owner(tensors, folded)):
            raise RunError(f"{path} does not hold {model} weights: {_of(*owner)}")
        network.load_state_dict({name: value.float() for name, value in tensors.items()})
    except _UNREADABLE as error:
        raise RunError(f"{path} does not hold {model} weights: {_in_short(error)}") from error
    return Loaded(network, size)


def _read_own(path: Path, model: str) -> tuple[int, dict[str, Tensor]]:
    """Return crop size and tensors of a file that training or the export wrote."""
    if path.suffix == ".onnx":
        return read_onnx(path)
    return read_averaged(path, model) if path.suffix == SUFFIX else read_safetensors(path)


def _network_of(
    model: str, tensors: Mapping[str, Tensor], folded: bool, n_points: int | None = None
) -> nn.Module:
    """Create the network ``model`` with the backbone of ``tensors``, for ``n_points``."""
    backbone = backbone_of(tensors) if model in WITH_BACKBONE else ""
    network = build(model, n_points, backbone=backbone).eval()
    if folded:
        fold_normalisation(network)
    return network


def _owner(tensors: Mapping[str, Tensor], folded: bool) -> tuple[str, int] | None:
    """Return the model that has such ``tensors``, and for how many points; 0 for as many as the shipped one.

    None if no model has.
    """
    for model in MODELS:
        network = _network_of(model, tensors, folded)
        if _same_shapes(tensors, network):
            return model, 0
        if count := _points_of_ones_own(model, tensors, folded, network.state_dict()):
            return model, count
    return None


def _of(model: str, count: int) -> str:
    """Say whose weights they are, and what takes them if they are for ``count`` points of one's own."""
    if not count:
        return f"they are of {model}"
    return (
        f"they are of {model} for {count} points of your own, which `python -m train points-error` measures "
        "and `python -m export landmarks --out MODEL.onnx` exports"
    )


def _points_of_ones_own(
    model: str, tensors: Mapping[str, Tensor], folded: bool, shipped: Mapping[str, Tensor]
) -> int:
    """Return for how many points ``tensors`` are weights of ``model``, 0 if for no number of points."""
    if model not in OF_ANY_SCHEME or tensors.keys() != shipped.keys():
        return 0
    sizes = {len(t) for name, t in tensors.items() if t.ndim and t.shape != shipped[name].shape}
    counts = sorted({count for size in sizes for count in (size, size // 2)} - {0})
    fits = (n for n in counts if _same_shapes(tensors, _network_of(model, tensors, folded, n)))
    return next(fits, 0)


def _same_shapes(tensors: Mapping[str, Tensor], network: nn.Module) -> bool:
    own = network.state_dict()
    return own.keys() == tensors.keys() and all(own[name].shape == t.shape for name, t in tensors.items())


def load_heatmap_network(model: str, weights: Path | None = None) -> Loaded:
    """Load a network as :func:`load_network` does, but only one that decodes its points from maps.

    Raises :class:`~train.errors.RunError` for other networks as well.
    """
    if model in WITHOUT_MAPS:
        known = ", ".join(name for name in MODELS if name not in WITHOUT_MAPS)
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
    gain = arrays.get("resample.gain")
    size = CROP_SIZE if gain is None else gain.shape[-1]
    own = {name: value for name, value in arrays.items() if name.startswith(_PREFIX)}
    tensors = {
        name.removeprefix(_PREFIX): torch.from_numpy(np.array(value, np.float32))
        for name, value in own.items()
    }
    return size, with_transposed(tensors)


@dataclass(frozen=True)
class Taken:
    """Part of a network that a file gave: tensors ``names``, of ``of``, and ``share`` 0..1 of all values."""

    names: frozenset[str]
    of: int
    share: float

    def __str__(self) -> str:
        return f"{len(self.names)} of {self.of} tensors, {math.floor(100 * self.share)} % of the weights"


@torch.no_grad()
def warm_start(
    network: nn.Module,
    path: Path,
    crops: Callable[[], Tensor],
    in_part: bool = False,
    fresh: tuple[str, ...] = (),
) -> Taken:
    """Copy all tensors that ``network`` shares with the trained model ``path``.

    ``path`` is an exported model, a .safetensors file or a state dict of torch: of ours, of torchvision's
    ResNet18 or of the U-Net for brain MRI, whose first kernels are made to see grey. Tensors whose
    names begin with one of ``fresh`` are left as they are.

    Exported convolutions have their normalisation folded in. It is separated again with the statistics that
    the ``crops`` ``(N, 1, S, S)`` give in one pass: afterwards the network computes the same as the file, and
    continues training as if its normalisation had never been merged. Raises :class:`~train.errors.RunError`
    if the file cannot be read, shares nothing, or, unless ``in_part``, less than :data:`LEAST_SHARE`.
    """
    try:
        tensors = _own_names(_read_any(path), network)
    except _UNREADABLE as error:
        raise RunError(f"--init {path} cannot be read: {_in_short(error)}") from error
    own = network.state_dict()
    shared = {
        name: tensor
        for name, tensor in tensors.items()
        if name in own and own[name].shape == tensor.shape and not name.startswith(fresh)
    }
    taken = Taken(frozenset(shared), len(own), _values(shared) / _values(own))
    if not shared:
        raise RunError(f"--init {path} shares no weights with this network")
    if taken.share < LEAST_SHARE and not in_part:
        raise RunError(f"--init {path} gives only {taken}: start from it all the same with --partial")
    network.load_state_dict(shared, strict=False)
    folded = [
        norm.register_forward_pre_hook(_unfold(tensors[f"{name}.bias"]))
        for name, convolution, norm in normalised_convolutions(network)
        if f"{name}.weight" in shared and convolution.bias is None and f"{name}.bias" in tensors
    ]
    if folded:
        network.eval()(crops())
    for hook in folded:
        hook.remove()
    return taken


def _read_any(path: Path) -> dict[str, Tensor]:
    if path.suffix == ".onnx":
        return read_onnx(path)[1]
    return read_torch(path) if path.suffix.lower() in SUFFIXES else unwrapped(load_file(path))


def _own_names(tensors: dict[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Return ``tensors`` as this package names and shapes them, if they were published elsewhere."""
    if is_brain_mri(tensors):
        return grey_brain_mri(tensors)
    if is_torchvision(tensors) and hasattr(network, "backbone"):
        return {f"backbone.{name}": tensor for name, tensor in grey_imagenet(tensors).items()}
    return tensors


def _values(tensors: Mapping[str, Tensor]) -> int:
    return sum(tensor.numel() for tensor in tensors.values())


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
    if isinstance(error, SafetensorError):  # it speaks of headers and offsets
        return "it is no .safetensors file, or is damaged"
    return in_short(error)


def shipped_weights(model: str) -> Path:
    """Return the file of the shipped weights of ``model``.

    Raises :class:`~train.errors.RunError` if there is none.
    """
    for suffix in (".onnx", ".safetensors"):
        path = WEIGHTS / f"{model}{suffix}"
        if path.is_file():
            return path
    raise RunError(f"no {model} weights in {WEIGHTS}: give --weights FILE")
