"""Copies of shipped models, and the type of the ``run`` fixture."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from tracker.inference.weights import MANIFEST, weights_dir

Run = Callable[..., None]
"""``run(argument, ...)`` runs ``python -m export`` in this process."""


def contents(folder: Path) -> dict[str, bytes]:
    """Return what is in every file of ``folder``, by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def copy_model(name: str, folder: Path) -> None:
    """Copy the shipped model ``name``, in float32 only, into a folder of weights."""
    models = json.loads((weights_dir() / MANIFEST).read_text())["models"]
    entry = {key: value for key, value in models[name].items() if key != "variants"}
    path = folder / MANIFEST
    there = json.loads(path.read_text())["models"] if path.exists() else {}
    path.write_text(json.dumps({"models": {**there, name: entry}}))
    shutil.copy(weights_dir() / entry["file"], folder)
