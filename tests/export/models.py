"""Copies of shipped models, and the type of the ``run`` fixture."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from tracker.inference.weights import MANIFEST, weights_dir

Run = Callable[..., None]
"""``run(argument, ...)`` runs ``python -m export`` in this process."""


def copy_model(name: str, folder: Path) -> None:
    """Copy the shipped model ``name``, in float32 only, into a folder of weights."""
    models = json.loads((weights_dir() / MANIFEST).read_text())["models"]
    entry = {key: value for key, value in models[name].items() if key != "variants"}
    (folder / MANIFEST).write_text(json.dumps({"models": {name: entry}}))
    shutil.copy(weights_dir() / entry["file"], folder)
