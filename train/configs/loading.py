"""Loading of recipes: the shipped ones by model name, the user's from Python files, with changed values."""

from __future__ import annotations

import importlib
import runpy
from dataclasses import dataclass, replace
from pathlib import Path

from train.config import Stage, TrainConfig
from train.configs.overrides import with_values
from train.errors import RunError


@dataclass(frozen=True)
class Changes:
    """Values to use instead of a recipe's; 0 and empty leave them as they are.

    Each stage trains for ``epochs``, on crops of ``size`` pixels. ``lr`` is the peak of the learning rate; of
    several stages the highest, and the others keep their ratio to it. ``batch_size`` is that of the recipe,
    ``values`` are as :func:`~train.configs.overrides.with_values` takes them, and count last.
    """

    epochs: int = 0
    batch_size: int = 0
    lr: float = 0.0
    size: int = 0
    values: tuple[str, ...] = ()

    def apply(self, config: TrainConfig) -> TrainConfig:
        """Return ``config`` with these values.

        Raises :class:`RunError` for a value that a recipe cannot have.
        """
        highest = max(stage.peak_lr for stage in config.stages)
        stages = tuple(self._stage(stage, highest) for stage in config.stages)
        batch_size = self.batch_size or config.batch_size
        return with_values(replace(config, stages=stages, batch_size=batch_size), self.values)

    def _stage(self, stage: Stage, highest: float) -> Stage:
        return replace(
            stage,
            epochs=self.epochs or stage.epochs,
            size=self.size or stage.size,
            peak_lr=self.lr * (stage.peak_lr / highest) if self.lr else stage.peak_lr,
        )


def recipe(model: str, file: Path | None, changes: Changes = Changes()) -> TrainConfig:
    """Return the recipe in ``file``, or the one shipped for ``model`` if ``file`` is None, with ``changes``.

    Raises :class:`RunError` as :func:`load_config` and :meth:`Changes.apply` do.
    """
    return changes.apply(load_config(file) if file else shipped_config(model))


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
