"""Augmentation that a network was trained with, so that its quality is calibrated on such crops."""

from __future__ import annotations

from pathlib import Path

from train.configs.loading import load_config, shipped_config
from train.data.dataset import SampleRecipe

LAST_STEPS = {"resnet18": "resnet18_settled", "unet": "unet_turned", "unet-light": "unet_light_settled"}
"""Recipe of the last step in the training of each shipped model, as its card says."""


def augmentation(model: str, config: Path | None, shipped: bool = False) -> SampleRecipe:
    """Return how samples were made in the run that trained ``model`` by the recipe in the file ``config``.

    Without ``config`` that is the recipe of ``train/configs`` for the model, or, for its ``shipped`` weights,
    the one of their last step. Raises as :func:`~train.configs.loading.load_config` does.
    """
    if config is not None:
        return load_config(config).recipe
    return shipped_config(LAST_STEPS.get(model, model) if shipped else model).recipe
