"""Trained networks with the scheme of their points, which their file tells."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
from safetensors import SafetensorError, safe_open

from tracker.distribution import repair_command
from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.plain import SCHEME_KEY, from_plain
from tracker.scheme.value import Scheme
from train.errors import RunError, in_short
from train.models.load import WEIGHTS, Loaded, load_network
from train.models.run_checkpoint import SUFFIX as CHECKPOINT
from train.models.torch_file import SUFFIXES

MODEL_KEY = "tracker.model"
"""Key of an exported model's metadata under which it tells, as JSON, what it started from."""

FROM_SHIPPED = "from_shipped"
"""Key of a run's record that tells whether it goes back to a shipped model; runs on own points tell it in
``own``."""

_SUFFIX = ".safetensors"


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
        raise RunError(
            f"{checkpoint} does not tell which network it holds: give weights that `python -m train points` "
            "wrote"
        )
    scheme = _scheme(checkpoint, record.get("scheme"))
    return Trained(name, scheme, load_network(name, checkpoint, scheme.n_points), record)


def scheme_of_weights(path: Path) -> Scheme | None:
    """Return the scheme that a file of weights, exported or not, tells; iBUG's if it tells none.

    None for a file of torch, which cannot tell. Raises :class:`~train.errors.RunError` if it tells one that
    cannot be used, and for the checkpoint of a run.
    """
    if path.suffix.lower() in SUFFIXES:
        return None
    if path.suffix != ".onnx":
        return _scheme(path, _record(path).get("scheme"))
    try:
        said = _properties(path, path.read_bytes()).get(SCHEME_KEY)
        return _scheme(path, None if said is None else json.loads(said))
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise RunError(f"{path}: its scheme is no JSON") from error


def goes_back_to_shipped(path: Path) -> bool:
    """Return whether ``path`` holds a shipped model, or weights trained from one, as far as it tells.

    Raises :class:`~train.errors.RunError` if it cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RunError(f"--init {path} cannot be read: {error.strerror}") from error
    if hashlib.sha256(data).hexdigest() in _manifest():
        return True
    if path.suffix == _SUFFIX:
        return began_with_shipped(_record(path))
    said = _properties(path, data).get(MODEL_KEY) if path.suffix == ".onnx" else None
    try:
        return said is not None and "shipped" in str(json.loads(said)["training"]["started_from"])
    except KeyError:
        return False
    except (ValueError, TypeError) as error:
        raise RunError(f"--init {path}: its metadata {MODEL_KEY} cannot be used: export it again") from error


def began_with_shipped(record: Mapping[str, Any]) -> bool:
    """Return whether the run of ``record`` began with a shipped model, or with weights trained from one.

    Older records have only the file that it began with, which then counts by its name.
    """
    own, recipe = (part if isinstance(part := record.get(key), dict) else {} for key in ("own", "recipe"))
    init = str(own.get("init") or recipe.get("init") or "")
    told = own.get("shipped", record.get(FROM_SHIPPED))
    return init == "shipped" or bool((WEIGHTS / Path(init).name).is_file() if told is None else told)


def _manifest() -> str:
    """Return the manifest of the shipped models, which has their hashes."""
    path = WEIGHTS / "manifest.json"
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {in_short(error)}; {repair_command()}") from error


def _properties(path: Path, data: bytes) -> dict[str, str]:
    """Return the metadata of the ONNX model ``data``, which was read from ``path``."""
    try:
        return {entry.key: entry.value for entry in onnx.load_from_string(data).metadata_props}
    except Exception as error:  # protobuf's own error, whose module is not stable
        raise RunError(f"{path} is not an ONNX model") from error


def _record(path: Path) -> Mapping[str, Any]:
    """Return the record of the run that wrote ``path``, empty if it holds none."""
    if path.suffix == CHECKPOINT:
        raise RunError(f"{path} does not tell its scheme: {_remedy(path)}")
    try:
        if not path.is_file():
            raise RunError(f"{path} is {'a folder' if path.is_dir() else 'not there'}: {_remedy(path)}")
        with safe_open(path, "pt") as file:
            record = json.loads((file.metadata() or {}).get("run", "{}"))
    except (SafetensorError, ValueError) as error:
        raise RunError(f"{path} is no {_SUFFIX} file of a run, or is damaged: {_remedy(path)}") from error
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror or error}") from error
    return record if isinstance(record, dict) else {}


def _remedy(path: Path) -> str:
    """Return which file to give instead of ``path``: that of the run in this folder, if there is one."""
    folder = path if path.is_dir() else path.parent
    found = sorted(file for file in folder.glob(f"*{_SUFFIX}") if file != path)
    return f"give {found[0]}" if len(found) == 1 else f"give the {_SUFFIX} file that a finished run wrote"


def _scheme(path: Path, plain: Any) -> Scheme:
    if plain is None:
        return IBUG68
    try:
        return from_plain(plain)
    except ValueError as error:
        raise RunError(f"{path}: its scheme cannot be used: {error}") from error
