"""Recipe of the run that made some weights: from its record, else the one that is shipped for the model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from train.configs.augmentation import LAST_STEPS
from train.configs.loading import shipped_config
from train.data.augment import GeometryPolicy, PhotometricPolicy
from train.data.dataset import SampleRecipe
from train.data.occluders import OccluderPolicy
from train.errors import TrainError
from train.models.heatmap import HeatmapCodec, KernelCodec
from train.models.registry import WITHOUT_MAPS
from train.training.record import CONFIG, KIND, describe, read_record

Codec = HeatmapCodec | KernelCodec

_CLASSES = {
    one.__name__: one
    for one in (SampleRecipe, GeometryPolicy, PhotometricPolicy, OccluderPolicy, HeatmapCodec, KernelCodec)
}
_RECIPES = {"nose-funnel": "nose", "nose-fan": "nose"}
"""Recipes that are shipped for several models."""


@dataclass(frozen=True)
class Recipe:
    """Recipe as JSON, as :func:`~train.training.record.describe` makes it, and ``source``, a sentence on it.

    ``record`` is the whole record of the run, None if the recipe is a shipped one.
    """

    values: Mapping[str, Any]
    source: str
    record: Mapping[str, Any] | None = None

    @property
    def stages(self) -> Sequence[Mapping[str, Any]]:
        """Stages of the training, in order."""
        return [stage for stage in self.values.get("stages", ()) if isinstance(stage, Mapping)]

    @property
    def sets(self) -> frozenset[str]:
        """Data sets that at least one stage names."""
        return frozenset(name for stage in self.stages for name in stage.get("sets", ()))

    @property
    def seed(self) -> int:
        """Seed of the samples' random draws."""
        seed = self.values.get("seed")
        return seed if isinstance(seed, int) else 0

    @property
    def samples(self) -> SampleRecipe | None:
        """Augmentation, None if it is of a class that this program does not have."""
        found = _restored(self.values.get("recipe"))
        if not isinstance(found, SampleRecipe):
            return None
        parts = ((found.geometry, GeometryPolicy), (found.photometry, PhotometricPolicy))
        known = all(isinstance(part, kind) for part, kind in parts)
        return found if known and isinstance(found.occluders, OccluderPolicy | None) else None

    @property
    def codec(self) -> Codec | None:
        """Codec of the loss's heatmaps, None for a loss that has none or is a function of the user's."""
        loss = self.values.get("loss")
        found = _restored(loss.get("codec")) if isinstance(loss, Mapping) else None
        return found if isinstance(found, HeatmapCodec | KernelCodec) else None


def find_recipe(model: str, weights: Path | None) -> Recipe:
    """Return the recipe of the run that made ``weights`` of ``model``; None are the shipped weights.

    The record is read from the metadata of the file, or from the ``config.json`` that the run left beside it.
    """
    if weights is not None:
        record = _in_metadata(weights)
        if record is not None and _is_of(record, model):
            return Recipe(record["recipe"], f"From the record of the run in {weights.name}.", record)
        record = read_record(weights.parent)
        if record is not None and _is_of(record, model):
            return Recipe(
                record["recipe"], f"From {CONFIG}, which the run left beside {weights.name}.", record
            )
    name = _RECIPES.get(model, model)
    name = name if weights else LAST_STEPS.get(name, name)
    file = f"train/configs/{name.replace('-', '_')}.py"
    if weights is None:
        step = "the last step of their training" if model in LAST_STEPS else "their training"
        source = (
            f"The shipped weights hold no record of their run. This is the recipe of {step}, {file}; "
            f"weights/{_RECIPES.get(model, model)}.md has every step."
        )
    else:
        source = (
            f"Neither {weights.name} nor its folder holds a record of the run. This is the recipe that is "
            f"shipped for {model}, {file}: these weights may have been trained in another way."
        )
    return Recipe(describe(replace(shipped_config(name), model=model)), source)


def stage_rows(recipe: Recipe) -> list[list[str]]:
    """Return a row for each stage: number, crop size, epochs, peak of the learning rate, data sets."""
    return [
        [
            str(number),
            str(stage.get("size", "")),
            str(stage.get("epochs", "")),
            _text(stage.get("peak_lr", "")),
            ", ".join(stage.get("sets", ())) or "all that are read",
        ]
        for number, stage in enumerate(recipe.stages, 1)
    ]


STAGE_HEADINGS = ("stage", "picture width, px", "epochs", "peak learning rate", "data sets")


def setting_groups(recipe: Recipe) -> dict[str, dict[str, str]]:
    """Return the settings of the optimisation, of the loss and of the augmentation, by name."""
    own = {key: value for key, value in recipe.values.items() if key not in _ELSEWHERE}
    loss = recipe.values.get("loss")
    if isinstance(loss, Mapping) and recipe.values.get("model") in WITHOUT_MAPS:
        loss = {key: value for key, value in loss.items() if key not in _OF_MAPS}
    groups = {"Optimisation": own, "Loss": loss, "Augmentation": recipe.values.get("recipe")}
    return {
        name: dict(_settings(values)) if isinstance(values, Mapping) else {name.lower(): _text(values)}
        for name, values in groups.items()
    }


def _settings(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    kind = str(values.get("class"))
    for key, value in values.items():
        name = _NAMES.get(f"{kind}.{key}", key.replace("_", " "))
        if isinstance(value, Mapping) and "class" in value:
            yield from _settings(value, _PREFIXES.get(value["class"], f"{prefix}{name}: "))
        elif key != "class" and value not in ({}, None, ""):
            yield f"{prefix}{name}", _text(value)


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_text(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


_ELSEWHERE = frozenset({"model", "stages", "recipe", "loss"})
"""Parts of a recipe that are not settings of the optimisation."""

_OF_MAPS = frozenset({"map_weight", "codec", "blur"})
"""Settings of a loss that a network without maps has no use for."""

_PREFIXES = {
    "GeometryPolicy": "crop: ",
    "PhotometricPolicy": "chance of ",
    "OccluderPolicy": "chance of ",
    "HeatmapCodec": "target of a map: ",
    "KernelCodec": "target of a map: ",
}

_NAMES = {
    "TrainConfig.batch_size": "batch size, pictures",
    "TrainConfig.clip_norm": "largest norm of the gradient",
    "TrainConfig.ema_decay": "moving average of the weights, decay",
    "TrainConfig.init": "initial weights",
    "TrainConfig.momentum": "momentum (AdamW: first beta)",
    "TrainConfig.repeats": "crops of a picture in an epoch, where not 1",
    "TrainConfig.warmup": "warm-up, share of a stage",
    "SampleRecipe.background": "share of crops without a face",
    "GeometryPolicy.angle_std_deg": "rotation, standard deviation, degrees",
    "GeometryPolicy.angle_max_deg": "rotation, largest, degrees",
    "GeometryPolicy.scale_std": "size, standard deviation of its logarithm",
    "GeometryPolicy.scale_max": "size, largest change of its logarithm",
    "GeometryPolicy.shift_std": "shift, standard deviation, crop sides",
    "GeometryPolicy.shift_max": "shift, largest, crop sides",
    "GeometryPolicy.mirror": "chance of mirroring",
    "PhotometricPolicy.tone": "other contrast and brightness",
    "PhotometricPolicy.shade": "light from one side",
    "PhotometricPolicy.jpeg": "JPEG compression",
    "PhotometricPolicy.occlusion": "a rectangle over a part",
    "OccluderPolicy.mask": "a face mask",
    "OccluderPolicy.hand": "a hand before the face",
    "OccluderPolicy.half_light": "light on one half only",
    "LandmarkLoss.map_weight": "weight of the maps' cross-entropy",
    "LandmarkLoss.guess_weight": "weight of a guessed point",
    "LandmarkLoss.blur": "sigma of covered and guessed points, times",
    "LandmarkLoss.wing_width": "wing loss: width w, px of a 224 px crop",
    "LandmarkLoss.wing_curvature": "wing loss: epsilon, px of a 224 px crop",
    "HeatmapCodec.sigma": "sigma, cells of the map",
    "KernelCodec.sigma_px": "sigma, px of a 224 px crop",
    "KernelCodec.kernel_px": "width of the kernel, px of a 224 px crop",
}
"""Settings whose names in the code need a unit or another word; the others are shown as they are called."""


def _restored(value: Any) -> Any:
    """Return the object that ``value`` describes, None if it is not one of a known class and its values."""
    if not (isinstance(value, Mapping) and value.get("class") in _CLASSES):
        return None
    kind = _CLASSES[value["class"]]
    known = {field.name for field in fields(kind)}
    if value.keys() - {"class"} != known:
        return None
    parts = {key: _restored(part) if isinstance(part := value[key], Mapping) else part for key in known}
    if any(part is None and value[key] is not None for key, part in parts.items()):
        return None  # a part of a class that is not known must not become a part that is missing
    try:
        return kind(**parts)
    except (TrainError, TypeError):
        return None


def _is_of(record: Mapping[str, Any], model: str) -> bool:
    """Return whether ``record`` is of a run of ``model`` and holds its recipe."""
    return record.get("model") == model and isinstance(record.get("recipe"), Mapping)


def _in_metadata(weights: Path) -> Mapping[str, Any] | None:
    """Return the record in the metadata of ``weights``, None for a file that holds none."""
    try:
        with safe_open(weights, "pt") as file:
            record = json.loads((file.metadata() or {}).get("run", "null"))
    except (OSError, SafetensorError, ValueError):
        return None
    return record if isinstance(record, dict) and record.get("kind") == KIND else None
