"""Trained networks with the scheme of their points, which their file tells."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
from safetensors import SafetensorError, safe_open

from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.plain import SCHEME_KEY, from_plain
from tracker.scheme.value import Scheme
from train.errors import RunError, in_short
from train.models.load import Loaded, load_network
from train.models.run_checkpoint import SUFFIX
from train.models.torch_file import SUFFIXES


@dataclass(frozen=True)
class Trained:
    """A trained network: its architecture ``model``, the scheme of its points, and the record of its run."""

    model: str
    scheme: Scheme
    loaded: Loaded
    record: Mapping[str, Any]


def load_trained(checkpoint: Path, model: str = "") -> Trained:
    """Load the weights that a run wrote, a .safetensors file; ``model`` is for files that do not tell theirs.

    Raises :class:`~train.errors.RunError` if the file cannot be read or holds no such network.
    """
    record = _record(checkpoint)
    name = str(record.get("model", model))
    if not name:
        raise RunError(f"{checkpoint} does not tell which network it holds: give --name")
    scheme = _scheme(checkpoint, record.get("scheme"))
    return Trained(name, scheme, load_network(name, checkpoint, scheme.n_points), record)


def scheme_of_weights(path: Path) -> Scheme | None:
    """Return the scheme that a file of weights, exported or not, tells; iBUG's if this program wrote none.

    None for a file of torch, which cannot tell. Raises :class:`~train.errors.RunError` if it tells one that
    cannot be used, and for the checkpoint of a run.
    """
    if path.suffix.lower() in SUFFIXES:
        return None
    if path.suffix != ".onnx":
        return _scheme(path, _record(path).get("scheme"))
    try:
        properties = onnx.load_from_string(path.read_bytes()).metadata_props
        said = {entry.key: entry.value for entry in properties}.get(SCHEME_KEY)
        return _scheme(path, None if said is None else json.loads(said))
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from error
    except Exception as error:  # protobuf's own error, whose module is not stable
        raise RunError(f"{path} is not an ONNX model") from error


def _record(path: Path) -> Mapping[str, Any]:
    """Return the record of the run that wrote ``path``, empty if it holds none."""
    if path.suffix == SUFFIX:
        raise RunError(f"{path} does not tell its scheme: name the .safetensors that its run ends with")
    try:
        with safe_open(path, "pt") as file:
            record = json.loads((file.metadata() or {}).get("run", "{}"))
    except (OSError, SafetensorError, ValueError) as error:
        raise RunError(f"{path} cannot be read as weights of a run: {in_short(error)}") from error
    return record if isinstance(record, dict) else {}


def _scheme(path: Path, plain: Any) -> Scheme:
    if plain is None:
        return IBUG68
    try:
        return from_plain(plain)
    except ValueError as error:
        raise RunError(f"{path}: its scheme cannot be used: {error}") from error
