"""Loading of recipes: the shipped ones by model name, the user's from Python files."""

from __future__ import annotations

import importlib
import runpy
from dataclasses import replace
from pathlib import Path

from train.config import TrainConfig
from train.errors import RunError


def recipe(model: str, file: Path | None, epochs: int) -> TrainConfig:
    """Return the recipe in ``file``, or the one shipped for ``model`` if ``file`` is None.

    Each stage is cut to ``epochs``; 0 leaves the stages as they are. Raises :class:`RunError` as
    :func:`load_config` does.
    """
    return shortened(load_config(file) if file else shipped_config(model), epochs)


def shipped_config(model: str) -> TrainConfig:
    """Return the recipe of ``model`` in ``train/configs``."""
    config = importlib.import_module(f"train.configs.{model.replace('-', '_')}").CONFIG
    assert isinstance(config, TrainConfig)
    return config


def load_config(path: Path) -> TrainConfig:
    """Run the Python file ``path`` and return the ``CONFIG`` that it sets.

    Raises :class:`RunError` if the file fails or sets no :class:`~train.config.TrainConfig`.
    """
    try:
        config = runpy.run_path(str(path)).get("CONFIG")
    except Exception as error:  # it is the user's program, and may fail in any way
        raise RunError(f"--config {path} does not run: {type(error).__name__}: {error}") from error
    if not isinstance(config, TrainConfig):
        raise RunError(f"--config {path} sets no CONFIG that is a train.config.TrainConfig")
    return config


def shortened(config: TrainConfig, epochs: int) -> TrainConfig:
    """Return ``config`` with each stage cut to ``epochs``; 0 returns it unchanged."""
    if not epochs:
        return config
    return replace(config, stages=tuple(replace(s, epochs=min(s.epochs, epochs)) for s in config.stages))
