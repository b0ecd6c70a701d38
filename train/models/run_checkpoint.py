"""Weights in the checkpoint of a training run, finished or not."""

from __future__ import annotations

import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

SUFFIX = ".ckpt"
VERSION = 2
"""Version of the checkpoints' content; others are refused."""

UNREADABLE = (OSError, RuntimeError, EOFError, ValueError, LookupError, TypeError, pickle.UnpicklingError)
"""Exceptions of ``torch.load`` for an archive that is truncated or overwritten."""

_AVERAGED = "module."  # of torch's AveragedModel, beside its counter


def read_averaged(path: Path, model: str) -> tuple[int, dict[str, Tensor]]:
    """Return crop size in pixels and averaged weights of the last finished epoch of a run of ``model``.

    These are the weights that the run would write if it ended there. Raises ``ValueError`` if ``path`` is no
    checkpoint of this version or of a run of another model, ``OSError`` if it cannot be read.
    """
    state = _read(path)
    recipe = json.loads(state["config"])
    if recipe["model"] != model:
        raise ValueError(f"it is the checkpoint of a run of {recipe['model']}")
    weights = {
        name.removeprefix(_AVERAGED): tensor
        for name, tensor in state["averaged"].items()
        if name.startswith(_AVERAGED)
    }
    return _size(recipe["stages"], state["epoch"]), weights


def _read(path: Path) -> dict[str, Any]:
    try:
        if not zipfile.is_zipfile(path):  # torch would read it as its older, pickled format
            path.stat()  # a missing file is another error than a damaged one
            raise ValueError("not an archive")
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except UNREADABLE as error:
        raise ValueError("it is damaged, or no checkpoint of a run") from error
    if not isinstance(state, dict) or not {"config", "averaged", "epoch"} <= state.keys():
        raise ValueError("it is no checkpoint of a run of this program")
    if state.get("version") != VERSION:
        raise ValueError("it is the checkpoint of another version of this program")
    return state


def _size(stages: list[dict[str, Any]], epochs: int) -> int:
    """Return the crop size of the stage that the last of ``epochs`` finished ones belongs to."""
    for stage in stages:
        if epochs <= stage["epochs"]:
            return int(stage["size"])
        epochs -= stage["epochs"]
    raise ValueError("it counts more epochs than its recipe has")
