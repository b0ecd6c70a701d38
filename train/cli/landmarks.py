"""Commands that train the networks for iBUG's points, one a model. Slow imports wait until one runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import typer

from train.cli.interrupts import interruptible
from train.cli.options import DataOption, InitOption, KeepOption, MinedOption, PartialOption, PseudoOption
from train.cli.training import CropTraining, with_training
from train.errors import RunError

MODELS = {
    "resnet18": "the ResNet18 landmark model",
    "resnet18-plain": "the plain ResNet18, torchvision's with 136 outputs, to compare with,",
    "unet": "the U-Net landmark model",
    "unet-mri": "the U-Net at full resolution, which the brain MRI checkpoint FILE.pt can start,",
    "unet-light": "the U-Net of few features for half-size crops",
}
"""Description of each model, for its command's help."""


def landmark_command(model: str) -> Callable[..., None]:
    """Return the command that trains ``model`` by the recipe ``train/configs/MODEL.py``."""

    @with_training
    def command(  # noqa: PLR0913
        data: DataOption,
        training: CropTraining,
        init: InitOption = "",
        in_part: PartialOption = False,
        pseudo: PseudoOption = None,
        keep: KeepOption = 0.8,
        mined: MinedOption = None,
    ) -> None:
        from train.configs.loading import recipe
        from train.studies.pseudo_labels import read_labels
        from train.training.landmarks import Additions, train_landmarks

        chosen = recipe(model, training.config, training.changes())
        if chosen.model != model:
            raise RunError(f"this recipe is for {chosen.model}, not for {model}")
        chosen = training.seeded(replace(chosen, init=init or chosen.init))
        options = training.options(Path("runs") / model)
        more = Additions(read_labels(pseudo, data, keep) if pseudo else (), mined, in_part)
        with interruptible(options.out):
            path = train_landmarks(chosen, data, training.limit, options, partial(typer.echo, err=True), more)
        if path is not None:
            typer.echo(f"wrote {path}")

    command.__doc__ = f"Train {MODELS[model]} and write its weights to OUT/{model}.safetensors."
    return command
