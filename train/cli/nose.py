"""The command ``python -m train nose``. Slow imports happen when the command runs."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import Annotated

import typer

from train.cli.imm_options import FinalOption, train_and_report
from train.cli.options import DataOption
from train.cli.training import Training, with_training


class Variant(StrEnum):
    """Nose networks by their kernel sizes, which shrink (funnel) or grow (fan) from layer to layer."""

    FUNNEL = "funnel"
    FAN = "fan"


VariantOption = Annotated[
    Variant, typer.Option("--variant", help="Kernels of 7, 5 and 3 pixels (funnel), or of 3, 5 and 7 (fan).")
]


@with_training
def nose(
    data: DataOption,
    variant: VariantOption,
    training: Training,
    final: FinalOption = False,
) -> None:
    """Train a network for the tip of the nose and write its weights to OUT/nose-VARIANT.safetensors."""
    from train.configs.loading import recipe

    chosen = replace(recipe("nose", training.config, training.changes()), model=f"nose-{variant}")
    train_and_report(chosen, data, training, final)
